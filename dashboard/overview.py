"""The parts of the overview page: headline tiles, map, courses, channels, satisfaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard import charts, maps, navigation, numbers
from dashboard.cards import card, careful
from dashboard.course import Course, backlog_chart, flow_chart
from dashboard.draw import Draw, chosen, span
from dashboard.figures import Figure, figure, figure_texts, series
from dashboard.filters import View
from dashboard.shell import age_note
from dashboard.state import in_url, selected
from dashboard.texts import _
from dashboard.theme import ACHIEVEMENT, BURDEN, Meaning
from dashboard.tiles import Tile, explanation, goals, state_of, tile_row, title
from metrics import METRICS, Direction, Period, previous
from metrics.interval import wilson

HEADLINES = ("overdue", "due_soon_24h", "open", "received", "resolved", "on_time_06")
COURSE = ("received", "resolved", "open", "overdue")
STOCKS = ("overdue", "open")
COMPARED = tuple(name for name in HEADLINES if name != "due_soon_24h")
"""What has a course and a comparison: what was due soon at a past instant tells nobody anything."""
SOONER = "due_soon_8h"
COURSE_DAYS = 30
MEANINGS = {"overdue": Meaning.OVERDUE, "due_soon_24h": Meaning.DUE_SOON}
MAP_KEY = "unit_map"
MAP_METRIC_KEY = "shade"
MAP_METRICS = ("overdue", "open", "on_time_06", "online_share_eligible")
LONG_PERIOD, SHORT_PERIOD = timedelta(days=62), timedelta(days=13)

Filters = Mapping[str, Sequence[str]]


def last_days(draw: Draw, days: int = COURSE_DAYS) -> Period:
    """Return the civil days up to and with today."""
    zone = draw.settings.zone
    start = datetime.combine(draw.today - timedelta(days=days - 1), time(), zone)
    end = datetime.combine(draw.today + timedelta(days=1), time(), zone)
    return Period(start.astimezone(UTC), end.astimezone(UTC), f"{start:%Y-%m-%d}/{end:%Y-%m-%d}")


def _is_now(draw: Draw, period: Period) -> bool:
    return period.end >= draw.as_of


def course_period(draw: Draw, period: Period) -> Period:
    """The days that the small courses show: the last thirty, or the last thirty of a period that is over."""
    if _is_now(draw, period):
        return last_days(draw)
    start = max(period.start, period.end - timedelta(days=COURSE_DAYS))
    return Period(start, period.end, f"{start:%Y-%m-%d}/{period.end:%Y-%m-%d}")


def subject(draw: Draw, filters: Filters) -> str | None:
    """Return the unit whose targets a page about these filters is measured by; None where it is about several."""
    units = filters.get("unit", ())
    return (units[0] if len(units) == 1 else None) if units else draw.settings.display.root_unit


def tiles(draw: Draw, view: View) -> None:
    """Draw the headline figures: stocks against the day before, flows and shares against the compared period."""
    compared = span(view.compared) if view.compared else ""
    parts = (span(view.period), compared, view.compared_words, chosen(view.filters))
    tile_row(draw, draw.kept("headlines", *parts, make=lambda: _tiles(draw, view)))


def _tiles(draw: Draw, view: View) -> list[Tile]:
    filters = view.filters
    now = draw.ask((*HEADLINES, SOONER), view.period, filters=filters)
    before = draw.ask(COMPARED, view.compared, filters=filters) if view.compared else None
    course = draw.ask(COMPARED, course_period(draw, view.period), by=("day",), filters=filters)
    aims = goals(draw, HEADLINES, subject(draw, filters))
    changed = draw.corrections(now, view.period, filters)
    by_day = view.compared is not None and view.compared == previous(view.period)
    row = []
    for name in HEADLINES:
        shown = figure(now, name)
        values = list(series(course, name, "day").dropna().astype(float))  # a day without occurrence is no 0 %
        compared, words = _compared(draw, view, name, before, values if by_day else [])
        goal = aims.get(name)
        meaning = state_of(shown, goal, MEANINGS.get(name, Meaning.NEUTRAL))
        corrected = changed.get((None, name))
        note = ""
        if name == "due_soon_24h":
            sooner = figure(now, SOONER).text(draw.language)
            note = _("{count} of them within 8 hours of office time", count=sooner)
        row.append(Tile(shown, meaning, compared, words, values, note=note, goal=goal, correction=corrected))
    return row


def _compared(
    draw: Draw, view: View, name: str, before: pd.DataFrame | None, by_day: Sequence[float]
) -> tuple[Figure | None, str]:
    if before is None or name not in COMPARED:
        return None, ""
    if name not in STOCKS or not by_day:
        return figure(before, name), view.compared_words
    words = _("since yesterday") if _is_now(draw, view.period) else _("since the day before the last")
    return (Figure(name, by_day[-2], None, None) if len(by_day) > 1 else None), words


def map_card(draw: Draw, period: Period, filters: Filters | None = None) -> None:
    """Draw the map of the units, coloured by a metric that the reader chooses; a click opens the unit."""
    with card("map", _("Where"), age_note(draw)):
        st.segmented_control(
            _("Colour by"),
            MAP_METRICS,
            required=True,
            format_func=lambda metric: title(draw, metric),
            label_visibility="collapsed",
            **in_url(MAP_METRIC_KEY, MAP_METRICS[0], MAP_METRICS),
        )
        name = selected(MAP_METRIC_KEY, MAP_METRICS[0], MAP_METRICS)
        parts = (name, span(period), chosen(filters))
        shown = draw.kept("map", *parts, make=lambda: _shown(draw, name, period, filters or {}))
        metric, units, values = METRICS[name], shown.units, shown.values
        alt = _("Map of units coloured by {metric}", metric=metric.label.text(draw.language))
        if units["lat"].isna().all():
            _bars_instead(units, values, alt)
            return
        maps.unit_map(units, values, shown.texts, shown.shade, key=MAP_KEY, height=400, on_pick=_open_picked, alt=alt)
        st.caption(
            _("darker is better") if metric.direction is Direction.HIGHER else _("darker asks for more attention")
        )
    if code := st.session_state.pop("_picked", None):
        navigation.go(navigation.UNIT, unit=code)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the map shows: units with a place, values and their words by code, and the classes of colour."""

    units: pd.DataFrame
    values: pd.Series
    texts: pd.Series
    shade: maps.Shade


def _shown(draw: Draw, name: str, period: Period, filters: Filters) -> Shown:
    frame = draw.ask((name,), period, by=("unit",), filters=filters)
    values = pd.to_numeric(frame[frame["metric"] == name].set_index("unit")["value"])
    units = draw.units()
    units = units[units["code"].isin(values.index)]
    texts = figure_texts(name, values, draw.language)
    return Shown(units, values, texts, _shade(METRICS[name].direction, values))


def _shade(direction: Direction, values: pd.Series) -> maps.Shade:
    if direction is Direction.HIGHER:
        return maps.Shade(ACHIEVEMENT, _quantiles(values))
    return maps.Shade(BURDEN, maps.nice_bounds(values))


def _bars_instead(units: pd.DataFrame, values: pd.Series, alt: str) -> None:
    """Draw the units as bars where the unit list has no places."""
    names = dict(zip(units["code"], units["name"], strict=True))
    ordered = values[values.index.isin(names)].dropna().sort_values(ascending=False)
    chart = charts.unit_bars([str(names[code]) for code in ordered.index], [float(value) for value in ordered])
    charts.show(chart, key="unit_bars", alt=alt)
    st.caption(_("The unit list has no coordinates: shown as bars"))


def _open_picked() -> None:
    if code := maps.picked(MAP_KEY):
        st.session_state["_picked"] = code


def _quantiles(values: pd.Series) -> tuple[float, ...]:
    known = values.dropna()
    if known.empty:
        return (1.0,)
    return tuple(sorted({round(float(known.quantile(step / 5)), 4) for step in range(5)}))


def courses(draw: Draw, period: Period, filters: Filters) -> Course:
    """Return the course of COURSE along a period, by day, or by month where it is long."""
    by_month = period.end - period.start > LONG_PERIOD
    dimension = "month" if by_month else "day"
    shown = period if period.end - period.start > SHORT_PERIOD else course_period(draw, period)
    frame = draw.ask(COURSE, shown, by=(dimension,), filters=filters)
    return Course({name: series(frame, name, dimension).astype(float) for name in COURSE}, shown, by_month=by_month)


def _course_card(draw: Draw, name: str, title_: str, period: Period, filters: Filters, *, alt: str) -> None:
    by_month = period.end - period.start > LONG_PERIOD
    parts = (span(period), chosen(filters), charts.is_dark())
    make = {"stock": backlog_chart, "flow": flow_chart}[name]
    drawn = draw.kept(f"chart-{name}", *parts, make=lambda: make(draw, courses(draw, period, filters)))
    words = {
        "stock": _("end of each month") if by_month else _("end of each day"),
        "flow": _("dossiers a month") if by_month else _("dossiers a day"),
    }
    with card(name, title_, f"{words[name]} · {age_note(draw)}"):
        charts.show(drawn, key=name, alt=alt)


def backlog_card(draw: Draw, period: Period, filters: Filters | None = None) -> None:
    """Draw the course of the backlog and of what is overdue in it, with days off and outages of sources marked."""
    alt = _("Course of open and overdue dossiers")
    _course_card(draw, "stock", _("Open and overdue dossiers"), period, filters or {}, alt=alt)


def flow_card(draw: Draw, period: Period, filters: Filters | None = None) -> None:
    """Draw what came in beside what was resolved."""
    alt = _("Course of received and resolved dossiers")
    _course_card(draw, "flow", _("Received and resolved"), period, filters or {}, alt=alt)


def channel_card(draw: Draw, period: Period, filters: Filters | None = None) -> None:
    """Draw the channel mix of what was received, and the online share over eligible procedures."""
    shares = draw.ask(("online_share_eligible", "post_out_share"), period, filters=filters)
    parts = (span(period), chosen(filters), charts.is_dark())
    strip = draw.kept("chart-channels", *parts, make=lambda: _strip(draw, period, filters or {}))
    with card("channels", _("How dossiers come in"), age_note(draw)):
        if strip is None:
            st.caption(_("Nothing was received in this period"))
            return
        charts.show(strip, key="channel_strip", alt=_("Mix of intake channels"))
        for name in ("online_share_eligible", "post_out_share"):
            _share_line(draw, figure(shares, name))


def _strip(draw: Draw, period: Period, filters: Filters) -> go.Figure | None:
    counts = series(draw.ask(("received",), period, by=("channel",), filters=filters), "received", "channel")
    return charts.channel_strip(draw, counts.astype(float)) if counts.sum() else None


def _share_line(draw: Draw, item: Figure) -> None:
    metric = METRICS[item.metric]
    parts = item.parts(draw.language) if item.denominator else _("nothing occurred")
    st.markdown(
        f"{metric.label.text(draw.language)}: **{item.text(draw.language)}** :gray[({parts})]",
        help=explanation(draw, item.metric),
    )


def satisfaction_card(draw: Draw, period: Period, filters: Filters | None = None) -> None:
    """Draw the satisfied share with n, its interval and the response rate; a small n is said."""
    frame = draw.ask(("satisfied_share", "response_rate"), period, filters=filters)
    share, rate = figure(frame, "satisfied_share"), figure(frame, "response_rate")
    with card("satisfaction", _("Satisfaction"), age_note(draw)):
        if not share.denominator:
            st.caption(_("Nobody has answered in this period"))
            return
        answers = numbers.number(share.denominator, draw.language)
        st.markdown(
            _("**{share}** satisfied, of n = {answers} answers", share=share.text(draw.language), answers=answers),
            help=explanation(draw, "satisfied_share"),
        )
        sure = wilson(int(share.numerator or 0), int(share.denominator))
        parts = [_("Answers to dossiers resolved: {rate}", rate=rate.text(draw.language))]
        if sure is not None:
            low, high = (numbers.percent(end, draw.language) for end in (sure.low, sure.high))
            parts.append(_("95 % interval {interval}", interval=f"{low} – {high}"))
        st.caption(" · ".join(parts))
        if share.is_few:
            careful(_("Few answers: read with care"))
