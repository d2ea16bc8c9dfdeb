"""Tiles: one figure each, with its change, its target, its parts, its recent course and the age of its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import numbers
from dashboard.draw import Draw
from dashboard.figures import Figure, amount
from dashboard.metric_words import short_head, short_title
from dashboard.shell import age_note
from dashboard.texts import _
from dashboard.theme import ICONS, MARKDOWN, Meaning
from metrics import METRICS, Direction
from metrics.corrections import Correction
from metrics.metric import Unit
from metrics.targets import Attainment, attainment
from warehouse.online_terms import in_online_terms

DIGITS = 2
"""57,73 %: shares of a headline are told to two places."""


@dataclass(frozen=True, slots=True)
class Goal:
    """The target that holds for the unit of a tile."""

    value: float
    deadline: date | None = None
    legal_basis: str = ""


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
    goal: Goal | None = None
    correction: Correction | None = None


def head(draw: Draw, metric: str) -> str:
    """Return the head of a narrow column for a metric."""
    return short_head(metric, draw.language, draw.settings.display.online_terms)


def title(draw: Draw, metric: str) -> str:
    """Return the short title of a metric, else its full name."""
    return short_title(metric, draw.language, draw.settings.display.online_terms)


def explanation(draw: Draw, metric: str, goal: Goal | None = None) -> str:
    """Return how a metric is computed: full name, formula, definition and legal basis of its declaration."""
    found, terms = METRICS[metric], draw.settings.display.online_terms
    label, short, definition = (
        in_online_terms(words, terms).text(draw.language) for words in (found.label, found.short, found.definition)
    )
    parts = [f"**{label}**", definition, _("How it is computed: {formula}", formula=short)]
    if found.minimum:
        parts.append(_("Under {least} cases it is uncertain.", least=numbers.number(found.minimum, draw.language)))
    if found.legal_basis:
        parts.append(_("Legal basis: {law}", law=found.legal_basis))
    if goal is not None and goal.legal_basis:
        parts.append(_("Legal basis of the target: {law}", law=goal.legal_basis))
    return "\n\n".join(parts)


def goals(draw: Draw, metrics: Sequence[str], unit: str | None) -> Mapping[str, Goal]:
    """Return the targets that hold today for a unit, by metric; none without a unit."""
    if unit is None:
        return {}
    rows = draw.targets(tuple(metrics), (unit,)).to_dict("records")
    return {
        row["metric"]: Goal(float(row["target"]), _or_none(row["deadline"]), row["legal_basis"] or "") for row in rows
    }


def _or_none(cell: Any) -> date | None:  # noqa: ANN401 - a cell
    return None if pd.isna(cell) else cell


def state_of(figure: Figure, goal: Goal | None, usual: Meaning = Meaning.NEUTRAL) -> Meaning:
    """Return what a figure means: against its target, else by what it counts."""
    if figure.value is None:
        return Meaning.UNKNOWN
    if goal is not None:
        met, _distance = attainment(figure.metric, figure.value, goal.value)
        return Meaning.ON_TIME if met is Attainment.MET else Meaning.OVERDUE
    return usual if figure.value else Meaning.NEUTRAL


def tile_row(draw: Draw, tiles: Sequence[Tile]) -> None:
    """Draw tiles side by side; on a narrow screen they wrap."""
    with st.grid(len(tiles), min_column_width=165, gap="small"):
        for item in tiles:
            tile(draw, item)


def tile(draw: Draw, item: Tile) -> None:
    """Draw one tile: two elements, since a page has many."""
    name, language = item.figure.metric, draw.language
    few = "-few" if item.figure.is_few else ""
    with st.container(key=f"tile-{item.meaning}{few}-{name}", height="stretch", gap="xxsmall"):
        st.metric(
            title(draw, name),
            item.figure.text(language, DIGITS),
            help=explanation(draw, name, item.goal),
            chart_data=list(item.course) or None,
            chart_type="area",
        )
        st.caption("  \n".join(lines(draw, item)))


def lines(draw: Draw, item: Tile) -> list[str]:
    """Return what stands under the figure of a tile, as Markdown; the age of the data always."""
    parts = (_change(item, draw), _target(item, draw), _parts(item, draw), _corrected(item, draw), item.note)
    return [*filter(None, parts), age_note(draw)]


def _parts(item: Tile, draw: Draw) -> str:
    if item.figure.is_ratio and not item.figure.denominator:
        return _("nothing occurred")
    parts = item.figure.parts(draw.language)
    if not item.figure.is_few:
        return parts
    words = _("few data, n = {n}", n=numbers.number(item.figure.denominator, draw.language))
    return f"{parts} · {ICONS[Meaning.NEUTRAL]} {words}"


def _change(item: Tile, draw: Draw) -> str:
    """Return the change as a sign, an amount coloured by the metric's direction, and what it is compared with."""
    metric = METRICS[item.figure.metric]
    if item.before is None or item.before.value is None or item.figure.value is None:
        return ""
    change = item.figure.value - item.before.value
    text = difference(item.figure.metric, change, draw)
    if text is None:
        return _("unchanged {compared}", compared=item.compared_with)
    better = {Direction.HIGHER: change > 0, Direction.LOWER: change < 0}.get(metric.direction)
    colour = "gray" if better is None else "green" if better else "red"
    return f":{colour}[{'▲' if change > 0 else '▼'} **{text}**] {item.compared_with}"


def difference(metric: str, change: float, draw: Draw) -> str | None:
    """Write a difference of two values with its sign, shares in points; None where it is too small to be written."""
    if METRICS[metric].unit is Unit.SHARE:
        points = round(change * 100, DIGITS)
        amount_ = numbers.signed(points, draw.language, DIGITS)
        return _("{difference} points", difference=amount_) if points else None
    text = amount(metric, abs(change), draw.language)
    if text == amount(metric, 0, draw.language):
        return None
    return f"{'+' if change > 0 else '−'}{text}"


def _target(item: Tile, draw: Draw) -> str:
    goal, name = item.goal, item.figure.metric
    if goal is None:
        return ""
    words = _("target {value}", value=amount(name, goal.value, draw.language, 0 if _is_whole(goal.value) else 1))
    if goal.deadline is not None:
        words += " " + _("by {day}", day=numbers.day(goal.deadline, draw.settings.zone))
    met, distance = attainment(name, item.figure.value, goal.value)
    if distance is None:
        return words
    meaning = Meaning.ON_TIME if met is Attainment.MET else Meaning.OVERDUE
    verdict = _("met") if met is Attainment.MET else _("not met")
    if met is not Attainment.MET and (text := difference(name, -abs(distance), draw)):
        verdict = f"{verdict}: {text}"
    return f":{MARKDOWN[meaning]}[{ICONS[meaning]} {words}, {verdict}]"


def _is_whole(share: float) -> bool:
    return abs(share * 100 - round(share * 100)) < 1e-9


def _corrected(item: Tile, draw: Draw) -> str:
    if item.correction is None:
        return ""
    words = _("corrected, was {old}", old=amount(item.figure.metric, item.correction.old, draw.language, DIGITS))
    return f":material/history: {words}"
