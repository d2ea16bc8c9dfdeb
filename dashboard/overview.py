"""The parts of the overview page."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pandas as pd
import streamlit as st

from dashboard import charts, maps, navigation, numbers
from dashboard.cards import card, careful, good
from dashboard.draw import Draw
from dashboard.figures import Figure, figure, figure_texts, series, wide
from dashboard.shell import age_note
from dashboard.state import in_url, selected
from dashboard.texts import _
from dashboard.theme import ACHIEVEMENT, BURDEN, Meaning
from dashboard.tiles import Tile, explanation, tile_row, title
from metrics import METRICS, Direction, Period, previous

HEADLINES = ("overdue", "due_soon_24h", "open", "received", "resolved", "on_time_06")
COURSE = ("received", "resolved", "open", "overdue")
STOCKS = ("overdue", "due_soon_24h", "open")
COURSE_DAYS = 30
MEANINGS = {"overdue": Meaning.OVERDUE, "due_soon_24h": Meaning.DUE_SOON, "on_time_06": Meaning.ON_TIME}
MAP_KEY = "unit_map"
MAP_METRIC_KEY = "shade"
MAP_METRICS = ("overdue", "open", "on_time_06", "online_share_eligible")
CALL_ROWS = 7
LONG_PERIOD, SHORT_PERIOD = timedelta(days=62), timedelta(days=13)


def last_days(draw: Draw, days: int = COURSE_DAYS) -> Period:
    """Return the civil days up to and with today."""
    zone = draw.settings.zone
    start = datetime.combine(draw.today - timedelta(days=days - 1), time(), zone)
    end = datetime.combine(draw.today + timedelta(days=1), time(), zone)
    return Period(start.astimezone(UTC), end.astimezone(UTC), f"{start:%Y-%m-%d}/{end:%Y-%m-%d}")


def _is_now(draw: Draw, period: Period) -> bool:
    return period.end >= draw.as_of


def _course_period(draw: Draw, period: Period) -> Period:
    """The days that the small courses show: the last thirty, or the last thirty of a period that is over."""
    if _is_now(draw, period):
        return last_days(draw)
    start = max(period.start, period.end - timedelta(days=COURSE_DAYS))
    return Period(start, period.end, f"{start:%Y-%m-%d}/{period.end:%Y-%m-%d}")


def tiles(draw: Draw, period: Period, filters: dict[str, tuple[str, ...]] | None = None) -> None:
    """Draw the headline figures: stocks against the start of the day, flows against the period before."""
    now = draw.ask(HEADLINES, period, filters=filters)
    before = draw.ask(HEADLINES, previous(period), filters=filters)
    course = draw.ask(HEADLINES, _course_period(draw, period), by=("day",), filters=filters)
    stocks = _("since yesterday") if _is_now(draw, period) else _("since the day before the last")
    flows = _("against the period before")
    row = []
    for name in HEADLINES:
        values = (
            series(course, name, "day").astype("Float64").astype(float).dropna()
        )  # a day without occurrence is no 0 %
        if name in STOCKS:
            previous_day = Figure(name, float(values.iloc[-2]), None, None) if len(values) > 1 else None
            compared, words = previous_day, stocks
        else:
            compared, words = figure(before, name), flows
        row.append(Tile(figure(now, name), MEANINGS.get(name, Meaning.NEUTRAL), compared, words, list(values)))
    tile_row(draw, row)


def map_card(draw: Draw, period: Period) -> None:
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
        frame = draw.ask((name,), period, by=("unit",))
        rows = frame[frame["metric"] == name].set_index("unit")
        values = pd.to_numeric(rows["value"])
        texts = figure_texts(name, values, draw.language)
        metric = METRICS[name]
        if metric.direction is Direction.HIGHER:
            shade = maps.Shade(ACHIEVEMENT, _quantiles(values))
        else:
            shade = maps.Shade(BURDEN, maps.nice_bounds(values))
        units = draw.units()
        units = units[units["code"].isin(values.index)]
        alt = _("Map of units coloured by {metric}", metric=metric.label.text(draw.language))
        if units["lat"].isna().all():
            _bars_instead(draw, units, values, alt)
            return
        maps.unit_map(units, values, texts, shade, key=MAP_KEY, height=400, on_pick=_open_picked, alt=alt)
        reading = _("darker is better") if metric.direction is Direction.HIGHER else _("darker asks for more attention")
        st.caption(_("Schematic, not boundaries; {reading}", reading=reading))
    if code := st.session_state.pop("_picked", None):
        navigation.go(navigation.UNIT, unit=code)


def _bars_instead(draw: Draw, units: pd.DataFrame, values: pd.Series, alt: str) -> None:
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


def call_list(draw: Draw, period: Period) -> None:
    """List the units that need action: most overdue first, with the oldest case and what falls due next."""
    frame = draw.ask(("overdue", "due_soon_24h", "open"), period, by=("unit",))
    table = wide(frame, "unit", ("overdue", "due_soon_24h", "open")).fillna(0)
    table = table[table["overdue"] > 0].sort_values(["overdue", "open"], ascending=False)
    late = draw.worklist("overdue", limit=5000, at=period)[0]
    oldest = late.groupby("unit")["days_late"].max() if len(late) else pd.Series(dtype=float)
    names = draw.names("unit", [str(code) for code in table.index])
    with card("calls", _("Needs action"), age_note(draw)):
        if table.empty:
            good(_("No unit has overdue dossiers"))
        for code, row in table.head(CALL_ROWS).iterrows():
            _call(draw, str(code), names.get(code, str(code)), row, oldest.get(code))
        if len(table) > CALL_ROWS:
            navigation.link(navigation.WORKLIST, _("All {count} units with overdue dossiers", count=len(table)))


def _call(draw: Draw, code: str, name: str, row: pd.Series, oldest: float | None) -> None:
    with st.container(key=f"call-{code}", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch", gap=None):
            navigation.link(navigation.UNIT, name, unit=code)
            bits = [_("{count} open", count=numbers.number(row["open"], draw.language))]
            if row["due_soon_24h"]:
                bits.append(_("{count} due soon", count=numbers.number(row["due_soon_24h"], draw.language)))
            if oldest is not None and oldest == oldest:  # noqa: PLR0124 - NaN is not itself
                bits.append(_("latest by {days} days", days=numbers.number(oldest, draw.language)))
            st.caption(" · ".join(bits))
        st.badge(
            _("{count} overdue", count=numbers.number(row["overdue"], draw.language)),
            color="red",
            icon=":material/warning:",
        )


def _course(draw: Draw, period: Period) -> tuple[dict[str, pd.Series], bool]:
    """Return the course of COURSE along a period, by day, or by month where it is long, and whether it is by month."""
    by_month = period.end - period.start > LONG_PERIOD
    dimension = "month" if by_month else "day"
    shown = period if period.end - period.start > SHORT_PERIOD else _course_period(draw, period)
    frame = draw.ask(COURSE, shown, by=(dimension,))
    return {name: series(frame, name, dimension).astype(float) for name in COURSE}, by_month


def backlog_card(draw: Draw, period: Period) -> None:
    """Draw the course of the backlog and of what is overdue in it."""
    data, by_month = _course(draw, period)
    with card("stock", _("Open and overdue dossiers"), _("end of each month") if by_month else _("end of each day")):
        chart = charts.backlog(data["open"], data["overdue"], (_("Open"), _("Overdue")), by_month=by_month)
        charts.show(chart, key="backlog", alt=_("Course of open and overdue dossiers"))
        st.caption(age_note(draw))


def flow_card(draw: Draw, period: Period) -> None:
    """Draw what came in beside what was resolved."""
    data, by_month = _course(draw, period)
    with card("flow", _("Received and resolved"), _("dossiers a month") if by_month else _("dossiers a day")):
        chart = charts.in_and_out(data["received"], data["resolved"], (_("Received"), _("Resolved")), by_month=by_month)
        charts.show(chart, key="inout", alt=_("Course of received and resolved dossiers"))
        st.caption(age_note(draw))


def channel_card(draw: Draw, period: Period, filters: dict[str, tuple[str, ...]] | None = None) -> None:
    """Draw the channel mix of what was received, and the online share over eligible procedures."""
    counts = series(draw.ask(("received",), period, by=("channel",), filters=filters), "received", "channel")
    shares = draw.ask(("online_share_eligible", "post_out_share"), period, filters=filters)
    with card("channels", _("How dossiers come in"), age_note(draw)):
        if counts.sum() == 0:
            st.caption(_("Nothing was received in this period"))
            return
        charts.show(
            charts.channel_strip(draw, counts.astype(float)), key="channel_strip", alt=_("Mix of intake channels")
        )
        for name in ("online_share_eligible", "post_out_share"):
            _share_line(draw, figure(shares, name))


def _share_line(draw: Draw, item: Figure) -> None:
    metric = METRICS[item.metric]
    parts = item.parts(draw.language) if item.denominator else _("nothing occurred")
    st.markdown(
        f"{metric.label.text(draw.language)}: **{item.text(draw.language)}** :gray[({parts})]",
        help=explanation(draw, item.metric),
    )


def satisfaction_card(draw: Draw, period: Period, filters: dict[str, tuple[str, ...]] | None = None) -> None:
    """Draw the satisfied share with n and the response rate; a small n is said."""
    frame = draw.ask(("satisfied_share", "resolved"), period, filters=filters)
    share, resolved = figure(frame, "satisfied_share"), figure(frame, "resolved")
    with card("satisfaction", _("Satisfaction"), age_note(draw)):
        if not share.denominator:
            st.caption(_("Nobody has answered in this period"))
            return
        answers = numbers.number(share.denominator, draw.language)
        rate = numbers.percent(share.denominator / resolved.value if resolved.value else None, draw.language)
        st.markdown(
            _("**{share}** satisfied, of n = {answers} answers", share=share.text(draw.language), answers=answers)
        )
        st.caption(_("Answers to dossiers resolved: {rate}", rate=rate))
        if share.denominator < METRICS["satisfied_share"].minimum:
            careful(_("Few answers: read with care"))
