"""The chosen list of the worklist page: found, ordered, a page at a time; and the whole of it as a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from dashboard import navigation, numbers, worklist_ask
from dashboard.cards import card, good
from dashboard.draw import Draw
from dashboard.export import export_button
from dashboard.filters import View
from dashboard.shell import age_note
from dashboard.state import in_url, put
from dashboard.tables import clickable, height_of, instant_column, term, with_words
from dashboard.texts import _, later, plain
from dashboard.worklist_choice import (
    AGE_KEY,
    DEPARTMENT_KEY,
    ORDER_KEY,
    PAGE_KEY,
    ROWS,
    SEARCH_KEY,
    SORTED,
    TABS,
    Choice,
    change,
    direction,
    list_mark,
    order_by,
    page_text,
)
from metrics import METRICS, names, worklist
from metrics.worklist import KINDS, LONGEST_PAGE, Elapsed
from warehouse.vocabulary import Channel, Status

ELAPSED = {
    Elapsed.DAYS_LATE: later("Days late"),
    Elapsed.HOURS_LEFT: later("Hours left"),
    Elapsed.HOURS_WAITED: later("Hours waited"),
    Elapsed.WORKING_DAYS: later("Working days"),
    Elapsed.DAYS_LYING: later("Days lying"),
}
ELAPSED_HELP = {
    Elapsed.DAYS_LATE: later("Whole days past the due date; empty where not late"),
    Elapsed.HOURS_LEFT: later("Hours of office time until the due date"),
    Elapsed.HOURS_WAITED: later("Hours of office time since the dossier was handed in"),
    Elapsed.WORKING_DAYS: later("Working days since the last change at the source"),
    Elapsed.DAYS_LYING: later("Whole days since the result was there"),
}
INSTANTS = {
    "submitted_at": later("Handed in"),
    "received_at": later("Received"),
    "due_at": later("Due"),
    "finished_at": later("Finished"),
    "changed_at": later("Last change"),
}
SHOWN = {
    "slow_acceptance": ("submitted_at",),
    "waiting": ("changed_at", "due_at", "received_at"),
    "stale": ("changed_at", "due_at", "received_at"),
    "finished_not_returned": ("finished_at", "due_at", "received_at"),
}
"""Instants of a list that are not the due date and the receipt."""
WIDTHS = {"code": 192, "elapsed": 100, "procedure": 270, "unit": 140, "department": 150, "status": 150, "channel": 120}
HEIGHT = 590


def list_card(draw: Draw, choice: Choice, view: View) -> None:
    """Draw the tools and the page of the list; a row opens the course of its dossier."""
    frame, total = worklist_ask.page(draw, choice.kind, choice.selection, choice.order, ROWS, ROWS * (choice.page - 1))
    note = _("{total} dossiers", total=numbers.number(total, draw.language))
    with card("worklist", _(TABS[choice.kind]), f"{note} · {age_note(draw)}"):
        _tools(draw, choice, view)
        if total == 0:
            _nothing(choice)
            return
        if frame.empty:
            st.caption(_("The list has become shorter than this page"))
        else:
            _table(draw, choice, frame)
        _pager(draw, choice, total)
    if opened := st.session_state.pop("_opened", None):
        navigation.go(navigation.UNIT, unit=opened[0], dossier=opened[1])


def _tools(draw: Draw, choice: Choice, view: View) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width=300):
            st.text_input(
                _("Find"),
                type="search",
                placeholder=_("Code or name of the procedure"),
                label_visibility="collapsed",
                icon=":material/search:",
                **in_url(SEARCH_KEY, ""),
            )
        with st.container(width=215):
            _order_box()
        if choice.department is not None:
            name = plain(choice.department) or _("Department unknown")
            st.button(f"{name} :material/close:", key="chip-department", on_click=put, args=(DEPARTMENT_KEY, ""))
        export_button(
            draw,
            f"ho-so-{choice.kind.replace('_', '-')}",
            _whole_list(draw, choice),
            codes=(_("Dossier code"), _("Unit code"), _("Procedure code")),
            what=_provenance(draw, choice, view),
        )


def _order_box() -> None:
    """Draw the chooser of the order: the heads of the table do the same, but not for a keyboard."""
    options = ["", *(f"{sign}{name}" for name in SORTED for sign in ("", "-"))]
    st.selectbox(
        _("Order"),
        options,
        format_func=_order_words,
        label_visibility="collapsed",
        icon=":material/sort:",
        **in_url(ORDER_KEY, "", options),
    )


def _order_words(order: str) -> str:
    if not order:
        return _("Most urgent first")
    name = order.removeprefix("-")
    words = _titles()[name]
    if name in INSTANTS:
        return _("{what}: latest first", what=words) if order[0] == "-" else _("{what}: earliest first", what=words)
    return f"{words} ▼" if order[0] == "-" else f"{words} ▲"


def _titles() -> dict[str, str]:
    return {
        "code": _("Dossier code"),
        "procedure": _("Procedure"),
        "unit": _("Unit"),
        "department": _("Department"),
        **{name: _(words) for name, words in INSTANTS.items()},
        "status": _("Status"),
        "channel": _("Channel"),
    }


def _columns(choice: Choice) -> tuple[str, ...]:
    unit = () if len(choice.filters.get("unit", ())) == 1 else ("unit",)
    first, *others = SHOWN.get(choice.kind, ("due_at", "received_at"))
    return ("code", "elapsed", first, "procedure", "department", *unit, *others, "status", "channel")


def _table(draw: Draw, choice: Choice, frame: pd.DataFrame) -> None:
    elapsed = KINDS[choice.kind].elapsed
    unheld = frame["department"].isna().all()
    table = with_words(draw, frame)[[name for name in _columns(choice) if not (unheld and name == "department")]]
    titles = _titles()
    columns: dict[str, Any] = {}
    for name in table.columns:
        title = f"{titles.get(name, '')}{direction(name, choice)}"
        if name == "elapsed":
            digits = 0 if elapsed in {Elapsed.DAYS_LATE, Elapsed.DAYS_LYING} else 1
            table[name] = [numbers.number(_known(value), draw.language, digits) for value in table[name]]
            columns[name] = st.column_config.TextColumn(
                f"{_(ELAPSED[elapsed])}{direction(name, choice)}", width=WIDTHS[name], alignment="right",
                help=_(ELAPSED_HELP[elapsed]),
            )  # fmt: skip
        elif name in INSTANTS:
            columns[name] = instant_column(draw, title, width=128)
        else:
            columns[name] = st.column_config.TextColumn(title, width=WIDTHS[name])
    units = [str(code) for code in frame["unit"]]
    codes = [f"{row.source}/{row.code}" for row in frame.itertuples()]
    clickable(
        draw,
        table,
        columns,
        key="worklist_table",
        about=f"{list_mark(choice)}-{choice.page}",
        alt=_(TABS[choice.kind]),
        on_row=lambda row: st.session_state.update(_opened=(units[row], codes[row])),
        on_head=lambda name: order_by(name, choice),
        height=height_of(len(table), HEIGHT),
    )


def _known(value: Any) -> float | None:  # noqa: ANN401 - a cell
    return None if pd.isna(value) else float(value)


def _nothing(choice: Choice) -> None:
    if not choice.is_narrow:
        good(_("Nothing to do here"))
        return
    st.caption(_("No dossier of this list is like that"))
    st.button(_("Show the whole list"), key="worklist-whole", on_click=_widen, icon=":material/close:")


def _widen() -> None:
    change(**dict.fromkeys((SEARCH_KEY, AGE_KEY, DEPARTMENT_KEY), ""))


def _pager(draw: Draw, choice: Choice, total: int) -> None:
    pages = -(-total // ROWS)
    if pages <= 1 and choice.page <= 1:
        return
    page = min(choice.page, pages)
    key = f"worklist-page-{page}"  # the page is that of the URL: another page is another widget
    with st.container(horizontal=True, vertical_alignment="center"):
        st.pagination(pages, default=page, key=key, on_change=_turn, args=(key, choice))
        number, last = (numbers.number(value, draw.language) for value in (page, pages))
        st.caption(_("page {page} of {pages}", page=number, pages=last))


def _turn(key: str, choice: Choice) -> None:
    put(PAGE_KEY, page_text(int(st.session_state[key]), choice))


def _provenance(draw: Draw, choice: Choice, view: View) -> str:
    metric = METRICS[KINDS[choice.kind].metric]
    parts = [
        _("To act on"),
        metric.label.text(draw.language),
        view.words,
        *([_("Found by “{words}”", words=choice.search)] if choice.search else []),
        *([draw.names("overdue_age", [choice.age])[choice.age]] if choice.age else []),
        *([choice.department or _("Department unknown")] if choice.department is not None else []),
        _("Definition: {words}", words=metric.definition.text(draw.language)),
    ]
    return " · ".join(parts)


def _whole_list(draw: Draw, choice: Choice) -> Callable[[Connection], pd.DataFrame]:
    """Return what reads the whole list; its words are made now, as a download runs outside of the page."""
    titles, elapsed = _titles(), KINDS[choice.kind].elapsed
    heads = {
        "code": titles["code"], "unit_code": _("Unit code"), "unit": titles["unit"],
        "procedure_code": _("Procedure code"), "procedure": titles["procedure"], "department": titles["department"],
        "channel": titles["channel"], "status": titles["status"],
        **{name: _(words) for name, words in INSTANTS.items()},
        "elapsed": f"{_(ELAPSED[elapsed])} ({_(ELAPSED_HELP[elapsed])})",
    }  # fmt: skip
    terms = {"channel": _terms(draw, Channel), "status": _terms(draw, Status)}
    wanted = worklist_ask.wanted(choice.selection)

    def read(connection: Connection) -> pd.DataFrame:
        frame, _total = worklist(
            connection, choice.kind, clock=draw.clock, as_of=draw.as_of, scope=draw.scope, wanted=wanted,
            order=choice.order, limit=LONGEST_PAGE,
        )  # fmt: skip
        for dimension in ("unit", "procedure"):
            codes = [code for code in frame[dimension].unique() if pd.notna(code)]
            frame[f"{dimension}_code"] = frame[dimension]
            frame[dimension] = frame[dimension].map(_names(connection, dimension, codes, draw))
        for name, words in terms.items():
            frame[name] = frame[name].map(words)
        for name in INSTANTS:
            frame[name] = frame[name].dt.strftime("%Y-%m-%d %H:%M")
        frame["elapsed"] = frame["elapsed"].round(1)
        return frame[list(heads)].rename(columns=heads)

    return read


def _names(connection: Connection, dimension: str, codes: list[Any], draw: Draw) -> dict[Any, str]:
    return names(connection, dimension, codes, draw.language, draw.today)


def _terms(draw: Draw, terms: type[Channel] | type[Status]) -> dict[int, str]:
    return {int(code): term(draw, terms, int(code)) for code in terms}
