"""From a unit down: its fields, the procedures of one field, the dossiers of one procedure, one dossier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import navigation, numbers, worklist_ask
from dashboard.cards import card, careful
from dashboard.draw import Draw
from dashboard.figures import wide
from dashboard.filters import View
from dashboard.shell import age_note
from dashboard.state import put
from dashboard.tables import clickable, dossier_columns, height_of, readable_dossiers
from dashboard.texts import _, later, plain
from dashboard.tiles import explanation, head
from warehouse.errors import BadQuestion

UNIT_KEY = "unit"
FIELD, PROCEDURE, DOSSIER = "field", "procedure", "dossier"
LEVEL_METRICS = ("received", "open", "overdue", "due_soon_24h", "on_time_06")
LEVEL_TITLES = {FIELD: later("Field"), PROCEDURE: later("Procedure")}
LISTED = 500
WIDTHS = {"open": 108, "due_soon_24h": 96}
UNKNOWN = "~"
"""Stands for an unknown field or procedure in the URL."""

Filters = Mapping[str, tuple[str, ...]]


def chosen_dossier() -> str | None:
    """Return the dossier of the URL as source/code; None where it names none."""
    asked = st.query_params.get(DOSSIER)
    return asked if asked and "/" in asked else None


def open_dossier(asked: str) -> None:
    """Show the course of a dossier, source/code."""
    put(DOSSIER, asked)


def trail(draw: Draw, unit: str) -> None:
    """Draw the way down as links, the present level in bold; without one, what to do."""
    field, procedure, dossier = (st.query_params.get(name) for name in (FIELD, PROCEDURE, DOSSIER))
    dossier = chosen_dossier() if dossier else None
    if not (field or procedure or dossier):
        st.caption(_("Choose a row to go one level down"))
        return
    steps: list[tuple[str, dict[str, str]]] = [(_("All fields"), {})]
    below: dict[str, str] = {}
    for name, code in ((FIELD, field), (PROCEDURE, procedure)):
        if code:
            below = {**below, name: code}
            steps.append((_names(draw, name, [code])[code], below))
    if dossier:
        steps.append((dossier.partition("/")[2], {}))
    with st.container(key="trail", horizontal=True, gap="xsmall", vertical_alignment="center"):
        for words, parameters in steps[:-1]:
            navigation.link(navigation.UNIT, plain(words), icon=False, unit=unit, **parameters)
            st.markdown("›", width="content")
        st.markdown(f"**{plain(steps[-1][0])}**", width="content")


def drill_down(draw: Draw, view: View, unit: str) -> None:
    """Draw fields, then the procedures of one field, then the dossiers of one procedure, with the way back above."""
    field, procedure = st.query_params.get(FIELD), st.query_params.get(PROCEDURE)
    title = _("Open dossiers") if procedure else _("Procedures") if field else _("Fields")
    filters = {**view.filters, "unit": (unit,)}
    with card("drill", title, age_note(draw)):
        trail(draw, unit)
        try:
            if procedure:
                _dossiers(draw, filters, procedure)
            elif field:
                _level(draw, view, PROCEDURE, {**filters, "field": (_asked(field),)})
            else:
                _level(draw, view, FIELD, filters)
        except BadQuestion:  # a field or procedure of the URL that nothing knows
            careful(_("The address names a field or procedure that is not there."))


def _asked(code: str) -> str:
    """Return the filter value of a code of the URL."""
    return "" if code == UNKNOWN else code


def _names(draw: Draw, dimension: str, codes: list[str]) -> dict[str, str]:
    known = draw.names(dimension, [code for code in codes if code != UNKNOWN])
    return {code: known.get(code, _("not recorded")) for code in codes}


def _level(draw: Draw, view: View, dimension: str, filters: Filters) -> None:
    frame = draw.ask(LEVEL_METRICS, view.period, by=(dimension,), filters=filters)
    frame[dimension] = frame[dimension].astype(object).where(frame[dimension].notna(), UNKNOWN)
    table = wide(frame, dimension, LEVEL_METRICS)
    table = table[(table[["received", "open"]].fillna(0) > 0).any(axis=1)]
    table = table.sort_values(["overdue", "open", "received"], ascending=False)
    if table.empty:
        st.caption(_("No dossier in this period"))
        return
    codes = [str(code) for code in table.index]
    names = _names(draw, dimension, codes)
    shown = table.reset_index(drop=True)
    shown.insert(0, dimension, [names.get(code, code) for code in codes])
    columns: dict[str, Any] = {dimension: st.column_config.TextColumn(_(LEVEL_TITLES[dimension]), width=205)}
    columns |= {
        name: st.column_config.NumberColumn(head(draw, name), width=WIDTHS.get(name, 80), help=explanation(draw, name))
        for name in LEVEL_METRICS
    }
    clickable(
        draw,
        shown,
        columns,
        key=f"level-{dimension}",
        alt=_(LEVEL_TITLES[dimension]),
        shares=("on_time_06",),
        counts=("received", "open", "overdue", "due_soon_24h"),
        on_row=lambda row: put(dimension, codes[row]),
        height=height_of(len(shown), 620),
    )


def _dossiers(draw: Draw, filters: Filters, procedure: str) -> None:
    selection = worklist_ask.asked({**filters, "procedure": (_asked(procedure),)})
    frame, total = worklist_ask.page(draw, "open", selection, None, LISTED, 0)
    if frame.empty:
        st.caption(_("No open dossier of this procedure"))
        return
    table = readable_dossiers(draw, frame, leave_out=("unit", "procedure", "finished_at"))
    if frame["department"].notna().any():
        table.insert(len(table.columns) - 1, "department", frame["department"])
    codes = [f"{row.source}/{row.code}" for row in frame.itertuples()]
    clickable(
        draw,
        table,
        _columns(draw),
        key="level-dossier",
        alt=_("Open dossiers"),
        counts=("days_late",),
        on_row=lambda row: open_dossier(codes[row]),
        height=height_of(len(table), 620),
    )
    if total > len(frame):
        shown, all_ = (numbers.number(count, draw.language) for count in (len(frame), total))
        st.caption(_("The first {shown} of {total} dossiers", shown=shown, total=all_))


def _columns(draw: Draw) -> dict[str, Any]:
    columns = dossier_columns(draw)
    columns["code"] = st.column_config.TextColumn(_("Dossier code"), width=192)
    columns["department"] = st.column_config.TextColumn(_("Department"), width=150)
    return columns


__all__ = ["DOSSIER", "FIELD", "PROCEDURE", "UNIT_KEY", "chosen_dossier", "drill_down", "open_dossier", "trail"]
