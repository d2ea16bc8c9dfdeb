"""The time line of one dossier as a chart: its life, its pauses and its steps under each other on one civil clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import plotly.graph_objects as go
import streamlit as st

from dashboard import numbers
from dashboard.draw import Draw
from dashboard.texts import _
from dashboard.theme import COLOURS, ON_MARK, Meaning, layout, palette
from metrics.course import Course
from warehouse.vocabulary import label

ROW, FREE = 34, 92
LONGEST_SHADED = timedelta(days=70)
"""Days off are shaded on shorter lines; on longer ones they are too narrow to be seen."""
LONG_DAYS = 5
FAINT = "rgba(124,138,163,0.14)"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its row, from when to when (UTC), what it means, what stands on it and what the pointer tells."""

    row: str
    since: datetime
    until: datetime
    meaning: Meaning
    words: str = ""
    told: str = ""
    hatched: bool = False


def office_time(draw: Draw, seconds: int | None) -> str:
    """Write office time: in hours, from five days on in working days; a dash where it is unknown."""
    if seconds is None:
        return numbers.NONE
    day = round(3600 * draw.clock.calendar.hours_of_a_day)
    if seconds >= LONG_DAYS * day:
        return _("{days} d", days=numbers.number(seconds / day, draw.language, 1))
    return _("{hours} h", hours=numbers.number(seconds / 3600, draw.language, 1 if seconds else 0))


def timeline(draw: Draw, course: Course) -> go.Figure | None:
    """Return the chart; None where nothing of the dossier has a time."""
    told = (*_life(draw, course), *_pauses(draw, course), *_steps(draw, course))
    bars = [bar for bar in told if bar.until > bar.since]
    if not bars:
        return None
    rows = list(dict.fromkeys(bar.row for bar in bars))
    dark = st.context.theme.type == "dark"
    figure = go.Figure(layout=layout(dark=dark, height=FREE + ROW * len(rows)))
    first, last = _span(draw, course, bars)
    for bar in bars:
        _add(draw, figure, bar, dark=dark)
    figure.update_layout(barmode="overlay", bargap=0.35, hovermode="closest", margin={"t": 44, "b": 8})
    figure.update_yaxes(autorange="reversed", categoryorder="array", categoryarray=rows, rangemode="normal")
    figure.update_yaxes(tickfont={"color": palette(dark=dark).ink})
    pad = (last - first) * 0.03
    figure.update_xaxes(type="date", range=[_local(draw, first - pad), _local(draw, last + pad)], showgrid=True)
    figure.update_xaxes(tickformat="%d/%m" if last - first > timedelta(days=3) else "%H:%M\n%d/%m")
    _days_off(draw, figure, course, first, last)
    _marks(draw, figure, course, last - (last - first) / 8, dark=dark)
    return figure


def _local(draw: Draw, instant: datetime) -> datetime:
    """A chart knows no time zones: the civil clock without one."""
    return instant.astimezone(draw.settings.zone).replace(tzinfo=None)


def _end(draw: Draw, course: Course) -> datetime:
    finished: datetime | None = course.dossier["finished_at"]
    return draw.as_of if finished is None else min(finished, draw.as_of)


def _span(draw: Draw, course: Course, bars: list[Bar]) -> tuple[datetime, datetime]:
    edges = [edge for bar in bars for edge in (bar.since, bar.until)]
    edges += [due.due_at for due in course.due_dates]
    if course.dossier["finished_at"] is None:
        edges.append(draw.as_of)
    return min(edges), max(edges)


def _life(draw: Draw, course: Course) -> Iterator[Bar]:
    found, end, row = course.dossier, _end(draw, course), _("Dossier")
    submitted, received, due = found["submitted_at"], found["received_at"], found["due_at"]
    if submitted is not None:
        yield Bar(row, submitted, received or end, Meaning.UNKNOWN, "", _("until it was received"), hatched=True)
    if received is None:
        return
    in_time = min(end, due) if due is not None else end
    yield Bar(row, received, in_time, Meaning.NEUTRAL, _("in handling"), _("in handling"))
    if due is not None and end > due:
        words = _("overdue")
        yield Bar(row, max(due, received), end, Meaning.OVERDUE, f"▲ {words}", _("past the due date"))
    if found["finished_at"] is not None and found["finished_at"] <= draw.as_of:
        handed = min(found["returned_at"] or draw.as_of, draw.as_of)
        told = _("until the result was handed over") if found["returned_at"] else _("result not handed over yet")
        yield Bar(row, found["finished_at"], handed, Meaning.UNKNOWN, "", told, hatched=True)


def _pauses(draw: Draw, course: Course) -> Iterator[Bar]:
    for pause in course.pauses:
        words = label(pause.status, draw.language)
        seen = " *" if pause.seen else ""
        yield Bar(
            _("Paused"), pause.since, min(pause.until or draw.as_of, draw.as_of), Meaning.DUE_SOON, "",
            f"{words}{seen}", hatched=True,
        )  # fmt: skip


def _steps(draw: Draw, course: Course) -> Iterator[Bar]:
    end = _end(draw, course)
    for number, step in enumerate(course.steps, start=1):
        if step.started_at is None:
            continue
        row = f"{number}. {step.department or _('unknown')}"
        last = step.finished_at or end
        words = office_time(draw, step.office_seconds)
        if not step.over_long or step.due_at is None:
            yield Bar(row, step.started_at, last, Meaning.NEUTRAL, words, _("office time {time}", time=words))
            continue
        turn = max(step.due_at, step.started_at)
        yield Bar(row, step.started_at, turn, Meaning.NEUTRAL, "", _("within the term of the step"))
        told = _("past the due date of the step; office time {time} in all", time=words)
        yield Bar(row, turn, last, Meaning.OVERDUE, f"▲ {words}", told)


def _add(draw: Draw, figure: go.Figure, bar: Bar, *, dark: bool) -> None:
    colour, zone = COLOURS[bar.meaning], draw.settings.zone
    times = f"{numbers.moment(bar.since, zone)} – {numbers.moment(bar.until, zone)}"
    marker: dict[str, object] = {"color": colour, "line": {"width": 0}, "cornerradius": 3}
    if bar.hatched:
        marker["pattern"] = {"shape": "/", "fgcolor": colour, "bgcolor": palette(dark=dark).card, "size": 6}
    figure.add_bar(
        y=[bar.row],
        base=[_local(draw, bar.since)],
        x=[(bar.until - bar.since) / timedelta(milliseconds=1)],
        orientation="h",
        marker=marker,
        text=bar.words,
        textposition="auto",
        insidetextanchor="start",
        textangle=0,
        insidetextfont={"color": ON_MARK, "size": 12},
        outsidetextfont={"color": palette(dark=dark).ink, "size": 12},
        constraintext="none",
        cliponaxis=False,
        hovertemplate=f"{bar.told}<br>{times}<extra></extra>",
    )


def _days_off(draw: Draw, figure: go.Figure, course: Course, first: datetime, last: datetime) -> None:
    if last - first > LONGEST_SHADED:
        return
    calendar = draw.clock.calendar_of(course.dossier["unit"])
    day = _local(draw, first).date()
    while day <= _local(draw, last).date():
        if not calendar.is_working(day):
            start = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a chart knows no time zones
            figure.add_vrect(x0=start, x1=start + timedelta(1), fillcolor=FAINT, line_width=0, layer="below")
        day += timedelta(1)


def _marks(draw: Draw, figure: go.Figure, course: Course, edge: datetime, *, dark: bool) -> None:
    """Draw the due dates and the present as lines through all rows, each with its word at the top.

    Words after `edge` stand to the left of their line: on a phone there is no room on its right.
    """
    colours = palette(dark=dark)
    zone = draw.settings.zone
    for due in course.due_dates:
        holds = due.due_at == course.dossier["due_at"]
        words = _("Due {day}", day=numbers.day(due.due_at, zone)[:5])
        _line(
            draw, figure, due.due_at, words if holds else _("earlier due date"),
            colours.text_colour(Meaning.OVERDUE) if holds else colours.quiet, "solid" if holds else "dot",
            y=1.0 if holds else 1.09, left=due.due_at > edge,
        )  # fmt: skip
    if course.dossier["finished_at"] is None:
        _line(draw, figure, draw.as_of, _("Now"), colours.ink, "dash", y=1.09, left=draw.as_of > edge)


def _line(
    draw: Draw, figure: go.Figure, at: datetime, words: str, colour: str, dash: str, *, y: float, left: bool
) -> None:
    x = _local(draw, at)
    figure.add_shape(
        type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", line={"color": colour, "width": 1.6, "dash": dash}
    )
    figure.add_annotation(
        x=x,
        y=y,
        yref="paper",
        text=words,
        showarrow=False,
        yanchor="bottom",
        xanchor="right" if left else "center",
        font={"color": colour, "size": 12},
    )


__all__ = ["Bar", "office_time", "timeline"]
