"""Courses along time with what explains their bends: days off of the offices, and outages of sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from connectors.outages import Outage
from dashboard import charts
from dashboard.draw import Draw
from dashboard.texts import _
from dashboard.theme import COLOURS, Meaning, faint, palette
from metrics import Period

WEEKEND = 5


@dataclass(frozen=True)
class Course:
    """Values by metric along the days, or months, of a period."""

    data: Mapping[str, pd.Series]
    shown: Period
    by_month: bool


def backlog_chart(draw: Draw, course: Course) -> go.Figure:
    """Return open and overdue dossiers at the end of each day or month."""
    words = (_("Open"), _("Overdue"))
    figure = charts.backlog(course.data["open"], course.data["overdue"], words, by_month=course.by_month)
    return _annotated(draw, figure, course)


def flow_chart(draw: Draw, course: Course) -> go.Figure:
    """Return received and resolved dossiers of each day or month."""
    words = (_("Received"), _("Resolved"))
    figure = charts.in_and_out(course.data["received"], course.data["resolved"], words, by_month=course.by_month)
    return _annotated(draw, figure, course)


def days_off(draw: Draw, shown: Period) -> list[tuple[date, date]]:
    """Return the runs of days without office work that hold a weekday, first and last day: not the plain weekends."""
    zone, calendar = draw.settings.zone, draw.clock.calendar
    day, last = shown.start.astimezone(zone).date(), (shown.end - timedelta(seconds=1)).astimezone(zone).date()
    runs: list[tuple[date, date]] = []
    while day <= last:
        end = day
        while end <= last and not calendar.is_working(end):
            end += timedelta(1)
        if end > day:
            length = (end - day).days
            if any((day + timedelta(step)).weekday() < WEEKEND for step in range(length)):
                runs.append((day, end - timedelta(1)))
            day = end
        day += timedelta(1)
    return runs


def _annotated(draw: Draw, figure: go.Figure, course: Course) -> go.Figure:
    """Mark days off and outages behind the course; a year of months is too coarse for days."""
    if course.by_month:
        return figure
    shown = course.shown
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    theme = palette(dark=charts.is_dark())
    for first, last in days_off(draw, shown):
        _mark(shapes, notes, first, last, _("holiday"), theme.strong_line, 0.45, theme.quiet)
    for first, last in _days_of(draw, draw.outages(shown), shown):
        words = "⚠ " + _("source failed")
        _mark(shapes, notes, first, last, words, COLOURS[Meaning.DUE_SOON], 0.18, theme.text_colour(Meaning.DUE_SOON))
    return figure.update_layout(shapes=shapes, annotations=notes)


def _days_of(draw: Draw, found: list[Outage], shown: Period) -> list[tuple[date, date]]:
    """Return the civil days that outages touch, those that touch one another as one."""
    zone = draw.settings.zone
    spans = sorted(
        (one.start.astimezone(zone).date(), min(one.end or draw.as_of, shown.end).astimezone(zone).date())
        for one in found
    )
    joined: list[tuple[date, date]] = []
    for first, last in spans:
        if joined and first <= joined[-1][1] + timedelta(1):
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _mark(
    shapes: list[dict[str, Any]],
    notes: list[dict[str, Any]],
    first: date,
    last: date,
    words: str,
    colour: str,
    share: float,
    ink: str,
) -> None:
    """Add a band half a day wider than its days, and its word at the top."""
    left, right = (f"{first - timedelta(1)} 12:00", f"{last} 12:00")
    band = {"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "line": {"width": 0}}
    shapes.append({**band, "x0": left, "x1": right, "fillcolor": faint(colour, share)})
    notes.append(
        {
            "x": left, "xref": "x", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "top", "text": words,
            "showarrow": False, "font": {"size": 11, "color": ink},
        }
    )  # fmt: skip
