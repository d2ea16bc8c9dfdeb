"""The parts of the worklist page."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboard import navigation, numbers
from dashboard.cards import card, good
from dashboard.draw import Draw
from dashboard.shell import age_note
from dashboard.state import in_url, selected
from dashboard.tables import clickable, dossier_columns, readable_dossiers
from dashboard.texts import _, later

KINDS = {
    "overdue": later("Overdue"),
    "due_soon_24h": later("Due within 24 working hours"),
    "waiting": later("Waiting for the applicant"),
    "open": later("All open"),
}
KIND_KEY, UNIT_KEY, PAGE_KEY = "kind", "of_unit", "page"
EVERY = ""
ROWS = 200


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader asked for."""

    kind: str
    unit: str
    page: int


def choices(draw: Draw) -> Choice:
    """Draw the choosers of kind and unit and return what was chosen."""
    units = draw.units()
    leaves = units[~units["code"].isin(units["parent"])]
    names = {EVERY: _("All units"), **dict(zip(leaves["code"].astype(str), leaves["name"], strict=True))}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            _("Which"),
            list(KINDS),
            required=True,
            format_func=lambda name: _(KINDS[name]),
            label_visibility="collapsed",
            **in_url(KIND_KEY, "overdue", KINDS),
        )
        with st.container(width=280):
            st.selectbox(
                _("Unit"),
                list(names),
                format_func=lambda code: names.get(code, code),
                label_visibility="collapsed",
                icon=":material/apartment:",
                **in_url(UNIT_KEY, EVERY, names),
            )
    page = max(1, int(st.session_state.get(PAGE_KEY) or 1))
    return Choice(selected(KIND_KEY, "overdue", KINDS), selected(UNIT_KEY, EVERY, names), page)


def worklist_table(draw: Draw, choice: Choice) -> None:
    """Draw the chosen dossiers, the longest overdue first, a page at a time."""
    filters = {"unit": (choice.unit,)} if choice.unit else {}
    frame, total = draw.worklist(choice.kind, filters, limit=ROWS, offset=(choice.page - 1) * ROWS)
    note = _("{total} dossiers", total=numbers.number(total, draw.language))
    with card("worklist", _(KINDS[choice.kind]), f"{note} · {age_note(draw)}"):
        if total == 0:
            good(_("Nothing to do here"))
            return
        units = [str(code) for code in frame["unit"]]
        codes = [f"{row.source}/{row.code}" for row in frame.itertuples()]
        procedures = [None if row.procedure is None else str(row.procedure) for row in frame.itertuples()]
        clickable(
            draw,
            readable_dossiers(draw, frame, leave_out=("finished_at",)),
            dossier_columns(draw),
            key="worklist_table",
            alt=_(KINDS[choice.kind]),
            counts=("days_late",),
            height=min(38 + 34 * len(frame), 620),
            on_row=lambda row: st.session_state.update(_opened=(units[row], codes[row], procedures[row])),
        )
        _pager(draw, total, choice.page)
    if opened := st.session_state.pop("_opened", None):
        unit, dossier, _procedure = opened
        navigation.go(navigation.UNIT, unit=unit, dossier=dossier)


def _pager(draw: Draw, total: int, page: int) -> None:
    pages = -(-total // ROWS)
    if pages <= 1:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.pagination(pages, key=PAGE_KEY)
        st.caption(
            _(
                "page {page} of {pages}",
                page=numbers.number(page, draw.language),
                pages=numbers.number(pages, draw.language),
            )
        )
