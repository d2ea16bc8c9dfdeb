"""The one filter bar of every page: period, what it is compared with, units, fields, channels; all of it in the URL.

A page calls `page_head` and works with the `View` that it returns. On a wide screen each selection is a button of its
own; on a narrow one they are behind one button that counts them. Long lists are sent to the browser only when their
list is opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

import metrics
from dashboard import period_words
from dashboard.draw import Draw
from dashboard.frame_words import searchable
from dashboard.shell import corner
from dashboard.state import in_url, in_url_list, joined, put, selected, selected_list, unknown
from dashboard.texts import _, later, plain
from metrics import Period
from warehouse.errors import BadQuestion
from warehouse.vocabulary import Channel, label

PERIOD_KEY, COMPARE_KEY = "period", "compare"
URL_NAMES = {"unit": "units", "field": "fields", "channel": "channels"}
"""Dimension and the name of its selection in the URL."""
CARRIED = (PERIOD_KEY, COMPARE_KEY, *URL_NAMES.values())
TITLES = {"unit": later("Unit"), "field": later("Field"), "channel": later("Channel")}
SIGNS = {"unit": ":material/apartment:", "field": ":material/category:", "channel": ":material/input:"}
PREVIOUS, LAST_YEAR, NOTHING = "previous", "last-year", "none"
COMPARISONS = {
    PREVIOUS: later("Period before"),
    LAST_YEAR: later("Same period last year"),
    NOTHING: later("No comparison"),
}
CHIPS = 8
"""More chips than this are counted, not shown."""


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows: a period, what it is compared with, and the chosen codes by dimension."""

    period: Period
    compared: Period | None
    """None: compare with nothing."""
    filters: dict[str, tuple[str, ...]]
    """Only what was chosen; ready for `Draw.ask(filters=…)`."""
    words: str
    """The selection in words, for titles and exports."""
    compared_words: str = ""
    """"against the period before" and its like, for tiles; empty without comparison."""


def page_head(
    draw: Draw,
    title: str,
    *,
    with_period: bool = True,
    with_compare: bool = True,
    dimensions: Sequence[str] = ("unit", "field", "channel"),
) -> View:
    """Draw the head of a page: title, filter bar, age of the data, language and theme; return what was chosen.

    `with_period` and `with_compare` leave these two out where a page is about now; `dimensions` are those of
    URL_NAMES by which the page can be narrowed. What a page does not offer does not narrow it, but stays in the URL.
    """
    corner(draw)
    options = {dimension: _options_of(draw, dimension) for dimension in dimensions}
    with st.container(key="head", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch", horizontal=True, vertical_alignment="bottom", gap="small"):
            st.title(title, anchor=False, width="content")
            st.caption(plain(draw.settings.display.area) or _("All units"), width="content")
        if with_period:
            _period_box(draw)
        if options or (with_period and with_compare):
            with st.container(key="bar-wide", horizontal=True, width="content", gap="xsmall"):
                _choosers(options, with_compare=with_period and with_compare)
            with st.container(key="bar-narrow", width="content"):
                _behind_one_button(options, with_compare=with_period and with_compare)
    _chips(_chosen(options), options)
    _warn(options)
    return _view(draw, options, with_period=with_period, with_compare=with_compare)


def view_of_url(draw: Draw, *, dimensions: Sequence[str] = ("unit", "field", "channel")) -> View:
    """Return what the URL chooses, for a page that shows no filter bar."""
    options = {dimension: _options_of(draw, dimension) for dimension in dimensions}
    return _view(draw, options, with_period=True, with_compare=True)


def _chosen(options: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    return {name: codes for name in options if (codes := selected_list(URL_NAMES[name], options[name]))}


def _view(draw: Draw, options: Mapping[str, Mapping[str, str]], *, with_period: bool, with_compare: bool) -> View:
    chosen, period = _chosen(options), _period(draw)
    compared, compared_words = _compared(period) if with_period and with_compare else (None, "")
    words = _words(draw, period if with_period else None, compared, chosen, options)
    return View(period, compared, chosen, words, compared_words)


def _period_box(draw: Draw) -> None:
    default, zone = draw.settings.display.default_period, draw.settings.zone
    options = [*period_words.PRESET_TITLES, *period_words.reporting_periods(draw.today)]
    options += [name for name in {default, selected(PERIOD_KEY, default)} if name not in options]
    with st.container(key="bar-period", width="content"):
        st.selectbox(
            _("Period"),
            options,
            accept_new_options=True,
            format_func=lambda text: period_words.title(period_words.understood(text), zone, draw.today),
            label_visibility="collapsed",
            icon=":material/calendar_month:",
            placeholder=_("Period"),
            **in_url(PERIOD_KEY, default, meant=period_words.understood),
        )


def _choosers(options: Mapping[str, Mapping[str, str]], *, with_compare: bool) -> None:
    """Draw one button for each selection; its list is made only while it is open."""
    if with_compare:
        with st.container(key="bar-compare", width="content"):
            _compare_box("wide", collapsed=True)
    for dimension, names in options.items():
        chosen = selected_list(URL_NAMES[dimension], names)
        with _lazy(_summary(dimension, chosen, names), SIGNS[dimension], f"bar-{dimension}") as popover:
            if popover.open:
                _list(dimension, names, "wide")


def _behind_one_button(options: Mapping[str, Mapping[str, str]], *, with_compare: bool) -> None:
    count = sum(bool(selected_list(URL_NAMES[dimension], names)) for dimension, names in options.items())
    count += with_compare and selected(COMPARE_KEY, PREVIOUS, COMPARISONS) != PREVIOUS
    words = _("Filters ({count})", count=count) if count else _("Filters")
    with _lazy(words, ":material/tune:", "bar-all") as popover:
        if popover.open:
            if with_compare:
                _compare_box("narrow", collapsed=False)
            for dimension, names in options.items():
                _list(dimension, names, "narrow", collapsed=False)


def _lazy(words: str, icon: str, key: str) -> Any:  # noqa: ANN401 - Streamlit's PopoverContainer is not public
    return st.popover(words, icon=icon, key=key, on_change="rerun")


def _compare_box(place: str, *, collapsed: bool) -> None:
    st.selectbox(
        _("Compare with"),
        list(COMPARISONS),
        required=True,
        format_func=lambda name: _(COMPARISONS[name]),
        label_visibility="collapsed" if collapsed else "visible",
        icon=":material/compare_arrows:",
        **in_url(COMPARE_KEY, PREVIOUS, COMPARISONS, place=place),
    )


def _list(dimension: str, names: Mapping[str, str], place: str, *, collapsed: bool = True) -> None:
    st.multiselect(
        _(TITLES[dimension]),
        list(names),
        format_func=lambda code: searchable(names.get(code, code)),
        label_visibility="collapsed" if collapsed else "visible",
        placeholder=_("Type to search"),
        select_all=False,
        width=320,
        **in_url_list(URL_NAMES[dimension], names, place=place),
    )


def _summary(dimension: str, chosen: Sequence[str], names: Mapping[str, str]) -> str:
    title = _(TITLES[dimension])
    if not chosen:
        return title
    if len(chosen) == 1 and len(names[chosen[0]]) <= 16:
        return plain(names[chosen[0]])
    return f"{title} ({len(chosen)})"


def _chips(chosen: Mapping[str, Sequence[str]], options: Mapping[str, Mapping[str, str]]) -> None:
    """Draw every active filter as a button that removes it."""
    pairs = [(dimension, code) for dimension, codes in chosen.items() for code in codes]
    if not pairs:
        return
    with st.container(key="chips", horizontal=True, vertical_alignment="center", gap="xsmall"):
        for dimension, code in pairs[:CHIPS]:
            name = plain(options[dimension][code])
            st.button(
                f"{name} :material/close:",
                key=f"chip-{dimension}-{code}",
                help=_("Remove this filter"),
                on_click=_remove,
                args=(URL_NAMES[dimension], code),
            )
        if len(pairs) > CHIPS:
            st.caption(_("and {count} more", count=len(pairs) - CHIPS), width="content")
        if len(pairs) > 1:
            st.button(_("Remove all filters"), key="chips-none", type="tertiary", on_click=_remove_all)


def _remove(name: str, code: str) -> None:
    put(name, joined(other for other in selected_list(name) if other != code))


def _remove_all() -> None:
    for name in URL_NAMES.values():
        put(name, "")


def _warn(options: Mapping[str, Mapping[str, str]]) -> None:
    """Say which codes of the URL are none; a warehouse that is still empty knows no code at all."""
    lost = [
        f"{_(TITLES[name])} “{plain(code)}”"
        for name, known in options.items()
        for code in unknown(URL_NAMES[name], known)
        if known
    ]
    if lost:
        st.warning(
            _("The address names what is not there: {what}. It is left out.", what=", ".join(lost[:CHIPS])),
            title=_("Filter not understood"),
            icon=":material/filter_alt_off:",
        )


def _period(draw: Draw) -> Period:
    default = draw.settings.display.default_period
    text = selected(PERIOD_KEY, default)
    try:
        return draw.period(period_words.understood(text))
    except BadQuestion:
        st.warning(
            _(
                "The period “{words}” cannot be read. The page shows the usual period. Examples: 11/2026, 2022-W48,"
                " 2022Q1, report-2026-11.",
                words=plain(text),
            ),
            title=_("Period not understood"),
            icon=":material/event_busy:",
        )
        return draw.period(default)


def _compared(period: Period) -> tuple[Period | None, str]:
    chosen = selected(COMPARE_KEY, PREVIOUS, COMPARISONS)
    if chosen == NOTHING:
        return None, ""
    if chosen == LAST_YEAR:
        return metrics.year_before(period), _("against the same period last year")
    return metrics.previous(period), _("against the period before")


def _words(
    draw: Draw,
    period: Period | None,
    compared: Period | None,
    chosen: Mapping[str, Sequence[str]],
    options: Mapping[str, Mapping[str, str]],
) -> str:
    zone = draw.settings.zone
    parts = [draw.settings.display.area or _("All units")]
    if period is not None:
        parts.append(period_words.full_title(period, zone))
    if compared is not None:
        parts.append(_("compared with {period}", period=period_words.days(compared, zone)))
    for dimension, codes in chosen.items():
        names = ", ".join(options[dimension][code] for code in codes[:CHIPS])
        more = f" … ({len(codes)})" if len(codes) > CHIPS else ""
        parts.append(f"{_(TITLES[dimension])}: {names}{more}")
    return " · ".join(parts)


def _options_of(draw: Draw, dimension: str) -> Mapping[str, str]:
    """Return the words for every code that a dimension can be narrowed to; no two words are the same."""
    if dimension == "channel":
        return {str(int(term)): label(term, draw.language) for term in Channel}
    if dimension == "field":
        return draw.kept("fields", make=lambda: _distinct(metrics.fields(draw.connection), {}))
    return draw.kept("units-by-name", make=lambda: _units(draw))


def _units(draw: Draw) -> Mapping[str, str]:
    units = draw.units()
    below = units[units["parent"].isin(units["code"]) | (units["kind"] == "commune")]
    ordered = (below if len(below) else units).sort_values(["name", "code"])
    names = dict(zip(units["code"].astype(str), units["name"].astype(str), strict=True))
    parents = dict(zip(ordered["code"].astype(str), ordered["parent"].map(names).fillna(""), strict=True))
    return _distinct(dict(zip(ordered["code"].astype(str), ordered["name"].astype(str), strict=True)), parents)


def _distinct(names: Mapping[str, str], apart: Mapping[str, str]) -> dict[str, str]:
    """Set words apart that several codes share: by the unit above, else by the code."""
    found = dict(names)
    for marks in (apart, {code: code for code in names}):
        often = Counter(found.values())
        found = {
            code: f"{word} ({marks[code]})" if often[word] > 1 and marks.get(code) else word
            for code, word in found.items()
        }
    return found


__all__ = ["CARRIED", "View", "page_head", "view_of_url"]
