"""The map: units coloured by a metric, with their names; offline, no tiles, click to drill down.

The table or list of units beside a map is its equivalent for the keyboard and for screen readers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, radians
from statistics import median
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import map_layers
from dashboard.map_labels import Label, Paper, labels_of
from dashboard.map_layers import COLUMNS, LAYER, METRES, TALLEST, Row
from dashboard.map_places import Places, places_of
from dashboard.numbers import NONE
from dashboard.texts import _
from dashboard.theme import Scale, rgba

UNKNOWN = ("#C9D1DD", "#3A4760")
"""Of a unit without a value, on light and on dark ground; hatched beside it."""
HATCH_PIXELS = 10
"""Distance of the lines of the hatching where the map fits; the picture has 32 pixels for it."""
BASE = ("#E4EAF2", "#22314A")
"""Of units under columns."""
LABELLED = 600
"""With more units the labels are names only, and only those that are read at the first view."""


@dataclass(frozen=True, slots=True)
class Shade:
    """How the map is coloured: the scale, and where its steps begin."""

    scale: Scale
    bounds: tuple[float, ...]

    def colour(self, value: float | None, *, dark: bool) -> str:
        """Return the colour of a value; unknown has a grey of its own."""
        if value is None or pd.isna(value):
            return UNKNOWN[dark]
        steps = self.scale.steps(dark=dark)
        return steps[min(sum(value >= bound for bound in self.bounds), len(steps) - 1)]


@dataclass(frozen=True, slots=True)
class Mark:
    """What the map says of one unit: its value, the value in words, and further lines for the hover text."""

    value: float | None
    text: str
    lines: tuple[str, ...] = ()
    short: str = ""
    """What is written on the map; the whole text, if not given."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """The size in pixels for which the map is laid out, and whether values stand up as columns."""

    width: int
    height: int
    columns: bool = False
    stretch: bool = False
    """Fill the height of what it stands in; `height` is then that of the layout only."""


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
    """Draw the units (columns code, name, lat, lon) coloured by `values` and labelled with name and text; say so
    where the shapes are no boundaries.

    `values` and `texts` are indexed by unit code. A click selects the unit and calls `on_pick`.
    """
    places = places_of(units)
    known = {str(code): float(value) for code, value in values.dropna().items()}
    marks = {code: Mark(known.get(code), str(texts.get(code, ""))) for code in places.found}
    names = dict(zip(units["code"].astype(str), units["name"].astype(str), strict=True))
    draw_map(places, names, marks, shade, Canvas(int(height * 1.6), height), key=key, alt=alt, on_pick=on_pick)
    if places.schematic:
        st.caption(_("Schematic, not boundaries"))


def draw_map(
    places: Places,
    names: Mapping[str, str],
    marks: Mapping[str, Mark],
    shade: Shade,
    canvas: Canvas,
    *,
    key: str,
    alt: str,
    on_pick: Callable[[], None],
) -> None:
    """Draw units in their places; hover tells their marks, a click selects the unit and calls `on_pick`."""
    dark = st.context.theme.type == "dark"
    view = map_layers.view_of(places.box, canvas.width, canvas.height, tilted=canvas.columns)
    rows = {code: _row(names[code], code, marks[code], shade, dark=dark) for code in places.found}
    scale = map_layers.scale_of(view)
    hatch = {"pattern": "hatch", "scale": round(HATCH_PIXELS / 32 * METRES * cos(radians(view.latitude)) / scale, 2)}
    unknown = {code: hatch for code in rows if marks[code].value is None}
    ground = {code: {**row, "fill": rgba(BASE[dark])} for code, row in rows.items()} if canvas.columns else rows
    layers = [map_layers.polygons(dark=dark, many=len(places.found) > LABELLED)]
    written = {LAYER: map_layers.polygon_rows(places, ground)}
    if unknown:
        layers.append(map_layers.hatching(dark=dark))
        written["hatched"] = map_layers.polygon_rows(places, unknown)
    if places.frame is not None:
        layers.append(map_layers.inset(places.frame, dark=dark))
    heights = _heights(places, marks) if canvas.columns else {}
    if heights:
        standing = [{**rows[code], "spot": places.found[code].spot, "height": tall} for code, tall in heights.items()]
        layers.append(map_layers.columns(standing, _radius(places)))
    with_numbers = len(places.found) <= LABELLED
    texts = [Label(code, names[code], _number(marks[code]) if with_numbers else "") for code in places.found]
    paper = Paper(scale, dark=dark, inside=places.schematic and not canvas.columns)
    fixed, growing = labels_of(texts, places, paper, rows, heights)
    for name, found in (("labels", fixed), ("growing", growing if with_numbers else [])):
        if found:
            layers.append(map_layers.labels(name, dark=dark, grow=found is growing, inside=paper.inside))
            written[name] = map_layers.label_rows(found)
    st.pydeck_chart(
        map_layers.deck(layers, view, written, _tooltip(dark=dark)),
        key=key,
        height="stretch" if canvas.stretch else canvas.height,
        on_select=on_pick,
        selection_mode="single-object",
        alt=alt,
    )


def _number(mark: Mark) -> str:
    return NONE if mark.value is None else mark.short or mark.text


def _row(name: str, code: str, mark: Mark, shade: Shade, *, dark: bool) -> Row:
    colour = shade.colour(mark.value, dark=dark)
    lines = dict(zip(("l1", "l2", "l3"), (*mark.lines, "", "", ""), strict=False))
    return {"code": code, "name": name, "text": mark.text, **lines, "fill": rgba(colour, 240)}


def _tooltip(*, dark: bool) -> dict[str, Any]:
    """Return the hover text; Streamlit escapes what it puts between the braces."""
    html = "<b>{name}</b><br><span style='font-size:17px;font-weight:700'>{text}</span><br>{l1}<br>{l2}<br>{l3}"
    style = {
        "backgroundColor": "#22324C" if dark else "#14213A",
        "color": "#FFFFFF",
        "fontSize": "13px",
        "lineHeight": "1.45",
        "borderRadius": "8px",
        "padding": "8px 12px",
        "maxWidth": "320px",
    }
    return {"html": html, "style": style}


def _radius(places: Places) -> float:
    """Return the radius of columns in metres, from the width of the narrower units."""
    middle = cos(radians((places.box[1] + places.box[3]) / 2))
    return 0.3 * median(place.width for place in places.found.values()) * METRES * middle


def _heights(places: Places, marks: Mapping[str, Mark]) -> dict[str, float]:
    """Return metres for each unit above zero; the tallest is a share of the extent."""
    found = {code: value for code in places.found if (value := marks[code].value) is not None and value > 0}
    tallest = max(found.values(), default=1.0)
    extent = (places.box[3] - places.box[1]) * METRES * TALLEST
    return {code: round(value / tallest * extent, 1) for code, value in found.items()}


def picked(key: str) -> str | None:
    """Return the unit code that was clicked on the map `key`."""
    objects = (st.session_state.get(key) or {}).get("selection", {}).get("objects", {})
    found = [*objects.get(LAYER, []), *objects.get(COLUMNS, [])]
    return str(found[0]["code"]) if found else None


__all__ = ["Canvas", "Mark", "Shade", "draw_map", "nice_bounds", "picked", "unit_map"]
