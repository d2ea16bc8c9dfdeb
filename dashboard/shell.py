"""What stands around every page: the headline with the filter bar, the live pulse, and the designed states."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import streamlit as st

from connectors.state import Freshness, SourceState
from dashboard import numbers, resources
from dashboard.draw import Draw
from dashboard.state import in_url
from dashboard.texts import LANGUAGE_KEY, LANGUAGES, _, current_language
from dashboard.theme import MARKDOWN, Meaning
from dashboard.theme_switch import theme_switch
from metrics import Period
from warehouse.vocabulary import Entity

FRESHNESS = {
    Freshness.FRESH: (Meaning.ON_TIME, ":material/sensors:"),
    Freshness.STALE: (Meaning.DUE_SOON, ":material/schedule:"),
    Freshness.OLD: (Meaning.OVERDUE, ":material/warning:"),
    Freshness.NEVER: (Meaning.OVERDUE, ":material/warning:"),
}


def corner(draw: Draw) -> None:
    """Draw what stands in the corner of every page: the age of the data, the language, the theme."""
    with st.container(key="corner", horizontal=True, width="content", vertical_alignment="center", gap="small"):
        _live_pulse(draw.version)
        st.segmented_control(
            _("Language"),
            list(LANGUAGES),
            required=True,
            format_func=lambda code: code.upper(),
            label_visibility="collapsed",
            **in_url(LANGUAGE_KEY, draw.settings.display.language, LANGUAGES),
        )
        theme_switch()


def headline(draw: Draw, title: str, *, with_period: bool = True) -> Period:
    """Draw the head of a page that cannot be narrowed, and return the chosen period."""
    from dashboard.filters import page_head  # noqa: PLC0415 - the bar stands on this module

    return page_head(draw, title, with_period=with_period, with_compare=False, dimensions=()).period


def _live_pulse(version: int) -> None:
    """Draw the age of the data and redraw the page when a newer version, minute or freshness is there."""
    seconds = resources.settings().display.refresh_seconds

    @st.fragment(run_every=timedelta(seconds=seconds))
    def pulse() -> None:
        beat = resources.pulse()
        mark = _mark(beat)
        if not beat.reachable:
            st.badge(_("Warehouse does not answer"), icon=":material/cloud_off:", color="red")
            return
        freshness_badge(oldest_source(beat.states))
        shown = st.session_state.setdefault("_shown", {"version": version, "mark": mark})
        if beat.version != shown["version"] or mark != shown["mark"]:
            st.session_state["_shown"] = {"version": beat.version, "mark": mark}
            st.rerun()

    beat = resources.pulse()
    st.session_state["_shown"] = {"version": version, "mark": _mark(beat)}
    with st.container(width="content"):
        pulse()


def _mark(beat: resources.Pulse) -> tuple[object, ...]:
    return (beat.checked_at.replace(second=0, microsecond=0), *(state.freshness for state in beat.states))


def oldest_source(states: Iterable[SourceState]) -> SourceState | None:
    """Return the source of figures that is the most behind what it may be; catalogues of names do not count."""
    figures = [state for state in states if state.entity in {Entity.DOSSIER, Entity.SURVEY_ANSWER}]
    order = list(FRESHNESS)
    return max(figures, key=lambda state: (order.index(state.freshness), state.age or timedelta.max), default=None)


def freshness_badge(oldest: SourceState | None) -> None:
    """Draw how old the data is: sign, words, colour; the state of the source that is the most behind."""
    if oldest is None:
        st.badge(_("No source configured"), icon=":material/help:", color="gray")
        return
    meaning, icon = FRESHNESS[oldest.freshness]
    age = numbers.span(oldest.age, current_language())
    words = {
        Freshness.FRESH: _("Updated {age} ago", age=age),
        Freshness.STALE: _("Data {age} old", age=age),
        Freshness.OLD: _("Data {age} old: source does not answer", age=age),
        Freshness.NEVER: _("No data yet"),
    }
    st.badge(words[oldest.freshness], icon=icon, color=MARKDOWN[meaning])  # type: ignore[arg-type]


def age_note(draw: Draw) -> str:
    """Return the text of a tile's data age: time of the oldest source, coloured when it is stale."""
    oldest = oldest_source(draw.states)
    if oldest is None or oldest.last_ok_at is None:
        return _("no data yet")
    meaning, _icon = FRESHNESS[oldest.freshness]
    clock = oldest.last_ok_at.astimezone(draw.settings.zone)
    same_day = clock.date() == draw.now.astimezone(draw.settings.zone).date()
    text = _("data of {time}", time=clock.strftime("%H:%M" if same_day else "%H:%M %d/%m"))
    return text if meaning is Meaning.ON_TIME else f":{MARKDOWN[meaning]}[:material/schedule: {text}]"


def nothing_here(title: str, body: str) -> None:
    """Draw the designed empty state."""
    with st.container(key="card-empty", horizontal_alignment="center"):
        st.markdown(f"### :material/inbox: {title}")
        st.caption(body)


def trouble(title: str, body: str) -> None:
    """Draw the designed error state: what happened and what to do, never a traceback."""
    st.error(body, title=title, icon=":material/cloud_off:")
