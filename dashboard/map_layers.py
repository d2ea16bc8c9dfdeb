"""What deck.gl draws: polygons, columns, labels, the inset. No map provider, no address outside this host."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from math import cos, log2, radians
from typing import Any

import pydeck as pdk
from pydeck.types import String

from dashboard.map_places import Box, Places
from dashboard.theme import rgba

LAYER, COLUMNS = "units", "columns"
FONT = "Be Vietnam Pro, sans-serif"
HATCH = "app/static/hatch.png"
PITCH = 48
TALLEST = 0.3
"""Height of the tallest column as a share of the extent."""
METRES = 111_320.0
LARGEST = 13
"""Type size (px) of the largest label."""
Row = dict[str, Any]


class Spec(pdk.Deck):  # type: ignore[misc]
    """A deck whose rows are written already: pydeck would take longer for them than everything else of a page."""

    def __init__(self, written: Mapping[str, str], **options: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(**options)
        self.written = written

    def to_json(self) -> str:
        """Return the specification with the rows in their places."""
        text = str(super().to_json())
        for name, rows in self.written.items():
            text = text.replace(json.dumps(_mark(name)), rows, 1)
        return text


def _mark(name: str) -> str:
    return f"rows of {name}"


def polygon_rows(places: Places, rows: Mapping[str, Row]) -> str:
    """Write one row for each polygon: what is known of its unit, and the polygon."""
    found: list[str] = []
    for code, row in rows.items():
        head = json.dumps(row, ensure_ascii=False, separators=(",", ":"))[:-1]
        found.extend(f'{head},"polygon":{polygon}}}' for polygon in places.found[code].written)
    return f"[{','.join(found)}]"


def polygons(*, dark: bool, many: bool) -> pdk.Layer:
    """Return the layer of the coloured units; the borders of `many` are so thin at first that colours remain."""
    return pdk.Layer(
        "PolygonLayer",
        _mark(LAYER),
        id=LAYER,
        get_polygon="polygon",
        position_format=String("XY"),
        get_fill_color="fill",
        get_line_color=rgba("#131F34" if dark else "#FFFFFF"),
        get_line_width=60,
        line_width_min_pixels=0 if many else 1,
        line_width_max_pixels=1.5,
        _sub_layer_props={"stroke": {"pickable": False}},  # lines make a click without a graphics card last too long
        pickable=True,
        auto_highlight=True,
        highlight_color=[255, 255, 255, 70] if dark else [20, 33, 58, 60],
    )


def hatching(*, dark: bool) -> pdk.Layer:
    """Return the layer that hatches the units of which nothing is known."""
    return pdk.Layer(
        "PolygonLayer",
        _mark("hatched"),
        id="hatched",
        get_polygon="polygon",
        position_format=String("XY"),
        get_fill_color=rgba("#8290A8" if dark else "#8A96A8"),
        stroked=False,
        pickable=False,
        extensions=[{"@@type": "FillStyleExtension", "pattern": True}],
        fill_pattern_atlas=String(HATCH),
        fill_pattern_mapping={"hatch": {"x": 0, "y": 0, "width": 32, "height": 32, "mask": True}},
        get_fill_pattern="pattern",
        get_fill_pattern_scale="scale",
    )


def columns(rows: Sequence[Row], radius: float) -> pdk.Layer:
    """Return the layer of columns; `radius` in metres."""
    return pdk.Layer(
        "ColumnLayer",
        rows,
        id=COLUMNS,
        get_position="spot",
        get_elevation="height",
        get_fill_color="fill",
        radius=radius,
        disk_resolution=18,
        extruded=True,
        pickable=True,
        auto_highlight=True,
    )


def label_rows(rows: Sequence[Row]) -> str:
    """Write the rows of a layer of labels."""
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def labels(name: str, *, dark: bool, grow: bool, inside: bool) -> pdk.Layer:
    """Return a layer of names and numbers: of a size in pixels, or in metres so that they grow with the map."""
    return pdk.Layer(
        "TextLayer",
        _mark(name),
        id=name,
        get_position="spot",
        get_text="label",
        get_color="ink",
        get_size="size",
        character_set=String("auto"),
        font_family=String(FONT),
        font_weight=600,
        font_settings={"sdf": True, "fontSize": 48, "buffer": 6, "radius": 10},
        outline_width=0 if inside else 2.5,
        outline_color=rgba("#131F34" if dark else "#FFFFFF", 200),
        line_height=1.15,
        get_text_anchor=String("middle"),
        get_alignment_baseline=String("center"),
        size_units=String("meters" if grow else "pixels"),
        size_max_pixels=LARGEST,
        pickable=False,
        parameters={"depthCompare": "always"},
    )


def inset(frame: Box, *, dark: bool) -> pdk.Layer:
    """Return the frame of the inset."""
    west, south, east, north = frame
    path = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    colour = rgba("#9AA8C0" if dark else "#5B6880")
    return pdk.Layer(
        "PathLayer", [{"path": path}], id="inset", get_path="path", get_color=colour, width_min_pixels=1, get_width=1
    )


def deck(
    layers: Iterable[pdk.Layer], view: pdk.ViewState, written: Mapping[str, str], tooltip: Mapping[str, Any]
) -> Spec:
    """Return the whole map; `written` holds the rows of the layers of polygons."""
    return Spec(
        written,
        layers=list(layers),
        initial_view_state=view,
        map_provider=None,
        tooltip=dict(tooltip),
        views=[pdk.View("MapView", controller={"scrollZoom": {"smooth": True}, "dragRotate": False, "inertia": 250})],
    )


def view_of(box: Box, width: float, height: float, *, tilted: bool) -> pdk.ViewState:
    """Return the view in which an extent fits into pixels: one tile of 512 px spans the world at zoom 0."""
    west, south, east, north = box
    middle = (south + north) / 2
    tall = (north - south) / cos(radians(middle)) * (0.95 if tilted else 1)
    needed = max(tall / height, (east - west) / width, 1e-3 / height)
    zoom = log2(360 / (512 * needed)) - 0.06
    return pdk.ViewState(
        longitude=(west + east) / 2, latitude=middle, zoom=round(zoom, 3), pitch=PITCH if tilted else 0, bearing=0
    )


def scale_of(view: pdk.ViewState) -> float:
    """Return pixels for a degree of longitude."""
    return float(512 * 2**view.zoom / 360)
