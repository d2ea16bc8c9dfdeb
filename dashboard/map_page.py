"""The parts of the map page: choosers, the map with its months, and the list of units beside it."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from dashboard import maps, metric_words, navigation
from dashboard.cards import card, careful
from dashboard.draw import Draw
from dashboard.filters import View
from dashboard.map_ask import CHOICES, FIRST, WHOLE, Answer, answer, marks, months_of
from dashboard.map_places import Places, places_of
from dashboard.map_side import ORDER_KEY, side
from dashboard.shell import age_note, nothing_here
from dashboard.state import in_url, put, selected
from dashboard.texts import _, later, plain
from metrics import METRICS
from warehouse.errors import BadQuestion

STYLE = Path(__file__).parent / "static" / "map.css"
METRIC_KEY, MONTH_KEY, STYLE_KEY = "metric", "month", "style"
MAP_KEY = "unit_map"
FLAT, COLUMNS = "flat", "columns"
STYLES = {FLAT: later("Flat"), COLUMNS: later("Columns")}
SIGNS = {FLAT: ":material/layers:", COLUMNS: ":material/bar_chart:"}
CANVAS = (880, 465)
"""The map is laid out for 1366 × 768; the stylesheet enlarges it on a larger screen."""
PLAYING, DRAWN_AT = "_map_playing", "_map_drawn_at"
BEAT = 1.6
"""Seconds that a month stays while the months are played."""


def map_screen(draw: Draw, view: View) -> None:
    """Draw the whole page below its head."""
    st.html(STYLE)
    metric = choose(draw)
    months = months_of(draw, view.period)
    month = selected(MONTH_KEY, WHOLE, months)
    try:
        found = answer(draw, metric, view.period, month, view.filters)
    except BadQuestion:
        careful(_("This figure cannot be narrowed by the chosen filters. Remove a filter or choose another figure."))
        return
    units = draw.units()
    units = units[units["code"].isin(found.rows.index)]
    places = places_of(units)
    left, right = st.columns([2.45, 1], gap="small")
    with left, card("map", _title(draw, metric, month), _ground(places)):
        _map(
            draw, found, places, {str(code): str(name) for code, name in zip(units["code"], units["name"], strict=True)}
        )
        choose_month(months)
    with right, card("map-side", metric_words.short_title(metric, draw.language), age_note(draw)):
        side(draw, found, units, places, month)
    if code := st.session_state.pop("_picked", None):
        navigation.go(navigation.UNIT, unit=code, **_chosen())


def _chosen() -> dict[str, str]:
    """Return what the URL chooses on this page: it goes along, for the back button comes back to the last address."""
    names = (METRIC_KEY, MONTH_KEY, STYLE_KEY, ORDER_KEY)
    return {name: st.query_params[name] for name in names if name in st.query_params}


def choose(draw: Draw) -> str:
    """Draw the choosers of metric and style, and return the metric."""
    with st.container(key="map-bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.selectbox(
            _("Colour by"),
            list(CHOICES),
            format_func=lambda name: f"{_(CHOICES[name])} · {metric_words.short_title(name, draw.language)}",
            label_visibility="collapsed",
            icon=":material/palette:",
            width=430,
            **in_url(METRIC_KEY, FIRST, CHOICES),
        )
        st.segmented_control(
            _("Style of the map"),
            list(STYLES),
            required=True,
            format_func=lambda name: f"{SIGNS[name]} {_(STYLES[name])}",
            label_visibility="collapsed",
            **in_url(STYLE_KEY, FLAT, STYLES),
        )
        metric = selected(METRIC_KEY, FIRST, CHOICES)
        st.caption(plain(METRICS[metric].short.text(draw.language)), width="stretch")
    return metric


def _title(draw: Draw, metric: str, month: str) -> str:
    name = metric_words.short_title(metric, draw.language)
    return name if month == WHOLE else _("{metric}, {month}", metric=name, month=_month(month))


def _month(code: str) -> str:
    return _("whole period") if code == WHOLE else f"{code[5:]}/{code[:4]}"


def _ground(places: Places) -> str:
    """Say what the shapes are."""
    if places.schematic:
        return _("Schematic, not boundaries")
    moved = _("the frame shows islands far away") if places.inset else ""
    return " · ".join(part for part in (_("Imported boundaries, simplified"), moved) if part)


def _map(draw: Draw, found: Answer, places: Places, names: dict[str, str]) -> None:
    """Draw the map, or say what is missing where no unit has a place."""
    if not places.found:
        nothing_here(
            _("No unit has a place on the map"),
            _(
                "Give the units coordinates (ioc units load) or boundaries (ioc geo import)."
                " The list beside it is complete."
            ),
        )
        return
    words = metric_words.short_title(found.metric, draw.language)
    canvas = maps.Canvas(*CANVAS, columns=selected(STYLE_KEY, FLAT, STYLES) == COLUMNS, stretch=True)
    with st.container(key="map-stage"):
        maps.draw_map(
            places,
            names,
            marks(draw, found, list(places.found)),
            found.classes,
            canvas,
            key=MAP_KEY,
            alt=_("Map of {count} units coloured by {metric}; the list beside it has the same figures",
                  count=len(places.found), metric=words),
            on_pick=_open_picked,
        )  # fmt: skip


def _open_picked() -> None:
    if code := maps.picked(MAP_KEY):
        st.session_state["_picked"] = code


def choose_month(months: list[str]) -> None:
    """Draw the slider over the months with the button that plays them; the whole period is at its left end."""
    playing = bool(st.session_state.get(PLAYING))
    with st.container(key="map-months", horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            _("Stop") if playing else _("Play the months"),
            key="map-play",
            icon=":material/pause:" if playing else ":material/play_arrow:",
            type="tertiary",
            on_click=_toggle,
        )
        st.select_slider(
            _("Month"),
            [WHOLE, *months],
            format_func=_month,
            label_visibility="collapsed",
            **in_url(MONTH_KEY, WHOLE, months),
        )
    st.session_state[DRAWN_AT] = time.monotonic()
    if playing:
        _play(months)


def _toggle() -> None:
    st.session_state[PLAYING] = not st.session_state.get(PLAYING)


def _play(months: list[str]) -> None:
    """Go on to the next month when this one has been seen; end at the last one."""

    @st.fragment(run_every=BEAT)
    def beat() -> None:
        if time.monotonic() - st.session_state[DRAWN_AT] < BEAT / 2:
            return
        now = selected(MONTH_KEY, WHOLE, months)
        following = months.index(now) + 1 if now in months else 0
        if following >= len(months):
            st.session_state[PLAYING] = False
        else:
            put(MONTH_KEY, months[following])
        st.rerun()

    beat()
