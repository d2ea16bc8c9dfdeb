"""Tiles: one figure each, with its parts, its change, its recent course and the age of its data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import numbers
from dashboard.draw import Draw
from dashboard.figures import Figure
from dashboard.shell import age_note
from dashboard.texts import _
from dashboard.theme import Meaning
from metrics import METRICS, Direction


@dataclass(frozen=True, slots=True)
class Tile:
    """What one tile shows."""

    figure: Figure
    meaning: Meaning = Meaning.NEUTRAL
    before: Figure | None = None
    """The figure to compare with."""
    compared_with: str = ""
    course: Sequence[float] = ()
    note: str = ""


def tile_row(draw: Draw, tiles: Sequence[Tile]) -> None:
    """Draw tiles side by side; on a narrow screen they wrap."""
    with st.grid(len(tiles), min_column_width=165, gap="small"):
        for item in tiles:
            tile(draw, item)


def tile(draw: Draw, item: Tile) -> None:
    """Draw one tile."""
    metric = METRICS[item.figure.metric]
    language = draw.language
    with st.container(key=f"tile-{item.meaning}-{metric.name}"):
        st.metric(
            metric.label.text(language),
            item.figure.text(language) if item.figure.value is not None else numbers.NONE,
            **_change(item, draw),
            help=metric.definition.text(language),
            chart_data=list(item.course) or None,
            chart_type="area",
        )
        st.caption(" · ".join(part for part in (_parts(item, draw), item.note, age_note(draw)) if part))


def _parts(item: Tile, draw: Draw) -> str:
    if item.figure.is_ratio and not item.figure.denominator:
        return _("nothing occurred")
    return item.figure.parts(draw.language)


def _change(item: Tile, draw: Draw) -> dict[str, object]:
    """Arguments of the change line: text, colour by the metric's direction, and what it is compared with."""
    metric = METRICS[item.figure.metric]
    colour = {Direction.HIGHER: "normal", Direction.LOWER: "inverse"}.get(metric.direction, "off")
    if item.before is None or item.before.value is None or item.figure.value is None:
        return {"delta_color": "off"}
    difference = item.figure.value - item.before.value
    if item.figure.is_ratio:
        rounded = round(difference * 100, 1)
        text = _("{difference} points", difference=numbers.signed(rounded, draw.language, 1))
    else:
        rounded = round(difference)
        text = numbers.signed(rounded, draw.language)
    if rounded == 0:
        return {"delta": 0, "delta_color": "off", "delta_description": item.compared_with}
    plain = text.replace("\u2212", "-")
    return {"delta": plain, "delta_color": colour, "delta_description": item.compared_with}
