"""The map: units as cells coloured by a metric, with their names; offline, no tiles, click to drill down."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, log2, radians
from typing import Any

import pandas as pd
import pydeck as pdk
import streamlit as st
from pydeck.types import String

from dashboard.theme import Scale, rgba
from warehouse.geometry import Centre, label_place, voronoi_cells

LAYER = "units"


@dataclass(frozen=True, slots=True)
class Shade:
    """How the map is coloured: the scale, and where its steps begin."""

    scale: Scale
    bounds: tuple[float, ...]

    def colour(self, value: float | None, *, dark: bool) -> str:
        """Return the colour of a value; unknown is the ground of the scale."""
        steps = self.scale.steps(dark=dark)
        if value is None or pd.isna(value):
            return "#2A3750" if dark else "#DDE3EC"
        return steps[min(sum(value >= bound for bound in self.bounds), len(steps) - 1)]


def nice_bounds(values: pd.Series, steps: int = 5) -> tuple[float, ...]:
    """Return ascending, distinct, round bounds that spread the positive values over the scale."""
    positive = values.dropna()
    positive = positive[positive > 0]
    if positive.empty:
        return (1.0,)
    raw = [positive.quantile(step / steps) for step in range(steps)]
    return tuple(sorted({_round_down(float(value)) for value in raw}))


def _round_down(value: float) -> float:
    if value >= 10:
        size = 10 ** (len(str(int(value))) - 2)
        return float(int(value / size) * size)
    return float(int(value)) if value >= 1 else round(value, 2)


def unit_map(
    units: pd.DataFrame,
    values: pd.Series,
    texts: pd.Series,
    shade: Shade,
    *,
    key: str,
    height: int,
    alt: str,
    on_pick: Callable[[], None],
) -> None:
    """Draw the units (columns code, name, lat, lon) coloured by `values` and labelled with name and text.

    `values` and `texts` are indexed by unit code. A click selects the unit and calls `on_pick`.
    """
    dark = st.context.theme.type == "dark"
    placed = units.dropna(subset=["lat", "lon"])
    names = {str(code): str(name) for code, name in zip(placed["code"], placed["name"], strict=True)}
    centres = zip(placed["lon"].astype(float), placed["lat"].astype(float), strict=True)
    cells = _places(tuple((code, *centre) for code, centre in zip(names, centres, strict=True)))
    view = _view({code: place.ring for code, place in cells.items()}, height)
    scale = 512 * 2**view.zoom / 360
    shapes = [
        _shape(code, name, str(texts.get(code, "")), cells[code], shade.colour(values.get(code), dark=dark), scale)
        for code, name in names.items()
    ]
    st.pydeck_chart(
        _deck(shapes, view, dark=dark),
        key=key,
        height=height,
        on_select=on_pick,
        selection_mode="single-object",
        alt=alt,
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a unit lies on the schematic: its cell, and the place and width (degrees) for its label."""

    ring: list[Centre]
    spot: Centre
    width: float


@st.cache_data(max_entries=20, show_spinner=False)
def _places(centres: tuple[tuple[str, float, float], ...]) -> dict[str, Place]:
    cells = voronoi_cells({code: (lon, lat) for code, lon, lat in centres})
    return {code: Place(ring, *label_place(ring)) for code, ring in cells.items()}


def _shape(code: str, name: str, text: str, place: Place, colour: str, scale: float) -> dict[str, Any]:
    """Return what deck.gl draws for one unit; `scale` is pixels for a degree of longitude."""
    lines, size = fit_label(name, place.width * scale * 0.85)
    return {
        "code": code,
        "name": name,
        "text": text,
        "polygon": place.ring,
        "fill": rgba(colour, 235),
        "ink": rgba(_ink(colour)),
        "label": "\n".join([*lines, text]),
        "spot": list(place.spot),
        "size": size,
    }


LETTER = 0.56
"""Mean width of a letter as a share of the type size."""


def fit_label(name: str, pixels: float) -> tuple[list[str], float]:
    """Return the lines of a unit's name and a type size (px) that fits `pixels`; kinds such as 'Xã' are left out."""
    words = re.sub(r"^(Xã|Phường|Thị trấn|Quận|Huyện|Thành phố|Đặc khu)\s+(?=\D)", "", name).split()
    best: tuple[list[str], float] = ([" ".join(words)], 0.0)
    for cut in range(len(words), 0, -1):
        lines = [line for line in (" ".join(words[:cut]), " ".join(words[cut:])) if line]
        size = min(12.5, pixels / (LETTER * max(len(line) for line in lines)))
        if size > best[1] + (0.5 if len(lines) > 1 else 0):
            best = (lines, size)
    return best[0], max(8.0, round(best[1], 1))


def _ink(ground: str) -> str:
    red, green, blue, _alpha = rgba(ground)
    return "#14213A" if 0.299 * red + 0.587 * green + 0.114 * blue > 150 else "#FFFFFF"


def _deck(shapes: list[dict[str, Any]], view: pdk.ViewState, *, dark: bool) -> pdk.Deck:
    polygons = pdk.Layer(
        "PolygonLayer",
        shapes,
        id=LAYER,
        get_polygon="polygon",
        get_fill_color="fill",
        pickable=True,
        auto_highlight=True,
        get_line_color=rgba("#131F34" if dark else "#FFFFFF"),
        line_width_min_pixels=1,
        stroked=True,
        filled=True,
    )
    labels = pdk.Layer(
        "TextLayer",
        shapes,
        id="labels",
        get_position="spot",
        get_text="label",
        get_color="ink",
        get_size="size",
        character_set=String("auto"),
        font_family=String("Be Vietnam Pro, sans-serif"),
        font_weight=600,
        line_height=1.2,
        get_text_anchor=String("middle"),
        get_alignment_baseline=String("center"),
        size_units=String("pixels"),
        pickable=False,
    )
    return pdk.Deck(
        layers=[polygons, labels],
        initial_view_state=view,
        map_provider=None,
        tooltip={"text": "{name}\n{text}"},
        views=[pdk.View("MapView", controller={"scrollZoom": True, "dragRotate": False})],
    )


def _view(cells: dict[str, list[Centre]], height: int) -> pdk.ViewState:
    """Return the view in which all cells fit: one tile of 512 px spans the world at zoom 0."""
    lons = [lon for ring in cells.values() for lon, _lat in ring]
    lats = [lat for ring in cells.values() for _lon, lat in ring]
    middle = (min(lats) + max(lats)) / 2
    tall = (max(lats) - min(lats)) / cos(radians(middle))
    wide = (max(lons) - min(lons)) / 1.6
    zoom = log2(360 * height / (512 * max(tall, wide, 1e-3))) - 0.06
    return pdk.ViewState(longitude=(min(lons) + max(lons)) / 2, latitude=middle, zoom=zoom, pitch=0)


def picked(key: str) -> str | None:
    """Return the unit code that was clicked on the map `key`."""
    state = st.session_state.get(key)
    objects = (state or {}).get("selection", {}).get("objects", {}).get(LAYER, [])
    return str(objects[0]["code"]) if objects else None
