"""Tiles: one figure each, with its parts, its change, its recent course and the age of its data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard import numbers
from dashboard.draw import Draw
from dashboard.figures import Figure
from dashboard.metric_words import explained, short_head, short_title
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


def head(draw: Draw, metric: str) -> str:
    """Return the head of a narrow column for a metric."""
    return short_head(metric, draw.language, draw.settings.display.online_terms)


def title(draw: Draw, metric: str) -> str:
    """Return the short title of a metric, else its full name."""
    return short_title(metric, draw.language, draw.settings.display.online_terms)


def explanation(draw: Draw, metric: str) -> str:
    """Return the full name, the definition and the legal basis of a metric."""
    return explained(metric, draw.language, draw.settings.display.online_terms)


def tile_row(draw: Draw, tiles: Sequence[Tile]) -> None:
    """Draw tiles side by side; on a narrow screen they wrap."""
    with st.grid(len(tiles), min_column_width=165, gap="small"):
        for item in tiles:
            tile(draw, item)


def tile(draw: Draw, item: Tile) -> None:
    """Draw one tile."""
    name, language = item.figure.metric, draw.language
    with st.container(key=f"tile-{item.meaning}-{name}", height="stretch", gap="xxsmall"):
        st.metric(
            title(draw, name),
            item.figure.text(language) if item.figure.value is not None else numbers.NONE,
            help=explanation(draw, name),
            chart_data=list(item.course) or None,
            chart_type="area",
        )
        for line in (_change(item, draw), _parts(item, draw), item.note):
            if line:
                st.caption(line)
        with st.container(vertical_alignment="bottom", height="stretch"):
            st.caption(age_note(draw))


def _parts(item: Tile, draw: Draw) -> str:
    if item.figure.is_ratio and not item.figure.denominator:
        return _("nothing occurred")
    return item.figure.parts(draw.language)


def _change(item: Tile, draw: Draw) -> str:
    """Return the change as a sign, an amount coloured by the metric's direction, and what it is compared with."""
    if item.before is None or item.before.value is None or item.figure.value is None:
        return ""
    digits, size = (1, 100.0) if item.figure.is_ratio else (0, 1.0)
    change = round((item.figure.value - item.before.value) * size, digits)
    if change == 0:
        return _("unchanged {compared}", compared=item.compared_with)
    amount = numbers.signed(change, draw.language, digits)
    if item.figure.is_ratio:
        amount = _("{difference} points", difference=amount)
    better = {Direction.HIGHER: change > 0, Direction.LOWER: change < 0}.get(METRICS[item.figure.metric].direction)
    colour = "gray" if better is None else "green" if better else "red"
    return f":{colour}[{'▲' if change > 0 else '▼'} **{amount}**] {item.compared_with}"
