"""Findings of the data page: what is wrong with stored dossiers, in which units, and which dossiers they are."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from dashboard import data_ask, navigation, numbers
from dashboard.cards import card, good
from dashboard.data_parts import ROWS, first_page, height_of, page_number, pager
from dashboard.draw import Draw
from dashboard.export import export_button
from dashboard.shell import age_note
from dashboard.state import selected
from dashboard.tables import clickable, dossier_columns, readable_dossiers, term
from dashboard.texts import _
from metrics import Period
from metrics import findings as finding_lists
from metrics.findings import FINDINGS, Finding
from warehouse.vocabulary import Channel, Status

FINDING_KEY, UNIT_KEY = "finding", "of_unit"


def findings_view(draw: Draw, period: Period) -> None:
    """Draw every finding with its count, the units of the chosen one, and its dossiers."""
    del period
    counts = data_ask.finding_counts(draw)
    totals = counts.groupby("finding")["count"].sum()
    most = str(totals.idxmax()) if len(totals) else next(iter(FINDINGS))
    chosen = FINDINGS[selected(FINDING_KEY, most, FINDINGS)]
    own = counts[counts["finding"] == chosen.name]
    unit = selected(UNIT_KEY, "", [str(code) for code in own["unit"]]) or None
    left, right = st.columns([1.25, 1], gap="small")
    with left:
        _list_card(draw, counts, totals)
    with right:
        _finding_card(draw, chosen, own)
    total = int(own[own["unit"] == unit]["count"].sum() if unit else own["count"].sum())
    if total:
        _dossiers_card(draw, chosen, unit, total)


def _list_card(draw: Draw, counts: pd.DataFrame, totals: pd.Series) -> None:
    units = counts.groupby("finding")["unit"].nunique()
    names = sorted(FINDINGS, key=lambda name: -int(totals.get(name, 0)))
    table = pd.DataFrame(
        {
            "finding": [FINDINGS[name].label.text(draw.language) for name in names],
            "count": [int(totals.get(name, 0)) for name in names],
            "units": [int(units.get(name, 0)) for name in names],
        }
    )
    columns = {
        "finding": st.column_config.TextColumn(_("Finding"), width=380),
        "count": st.column_config.NumberColumn(_("Dossiers"), width=90),
        "units": st.column_config.NumberColumn(_("Units"), width=80),
    }
    with card("findings", _("What is wrong with stored dossiers"), age_note(draw)):
        clickable(
            draw, table, columns, key="findings_table", alt=_("What is wrong with stored dossiers"),
            counts=("count", "units"), height=height_of(len(table)), on_row=lambda row: _choose(names[row]),
        )  # fmt: skip
        st.caption(_("All stored dossiers, whatever the period. Choose a row to see its units and dossiers."))


def _choose(name: str) -> None:
    st.query_params[FINDING_KEY] = name
    st.query_params.pop(UNIT_KEY, None)
    first_page()


def _finding_card(draw: Draw, finding: Finding, own: pd.DataFrame) -> None:
    with card("finding", finding.label.text(draw.language)):
        st.markdown(finding.definition.text(draw.language))
        st.caption(_("Basis: {note}", note=finding.note.text(draw.language)))
        if own.empty:
            good(_("No dossier is like that"))
            return
        codes = [str(code) for code in own["unit"]]
        table = pd.DataFrame({"unit": data_ask.names_of(draw, "unit", own["unit"]).tolist(), "count": own["count"]})
        columns = {
            "unit": st.column_config.TextColumn(_("Unit"), width=260),
            "count": st.column_config.NumberColumn(_("Dossiers"), width=90),
        }
        clickable(
            draw, table, columns, key="finding_units", alt=finding.label.text(draw.language), counts=("count",),
            height=height_of(len(table), 330), on_row=lambda row: _choose_unit(codes[row]),
        )  # fmt: skip


def _choose_unit(code: str) -> None:
    st.query_params[UNIT_KEY] = code
    first_page()


def _forget_unit() -> None:
    st.query_params.pop(UNIT_KEY, None)
    first_page()


def _dossiers_card(draw: Draw, finding: Finding, unit: str | None, total: int) -> None:
    frame = data_ask.finding_dossiers(draw, finding.name, unit, ROWS, (page_number() - 1) * ROWS)
    note = _("{total} dossiers", total=numbers.number(total, draw.language))
    with card("finding-dossiers", finding.label.text(draw.language), note):
        with st.container(horizontal=True, vertical_alignment="center"):
            export_button(draw, f"chat-luong-{finding.name}", _whole_list(draw, finding.name, unit))
            if unit:
                name = draw.names("unit", [unit]).get(unit, unit)
                st.button(name, on_click=_forget_unit, icon=":material/close:", type="tertiary", help=_("All units"))
        codes = [(str(row.unit), f"{row.source}/{row.code}") for row in frame.itertuples()]
        clickable(
            draw, readable_dossiers(draw, frame), dossier_columns(draw), key="finding_table",
            alt=finding.label.text(draw.language), height=height_of(len(frame)),
            on_row=lambda row: st.session_state.update(_opened=codes[row]),
        )  # fmt: skip
        pager(draw, total)
    if opened := st.session_state.pop("_opened", None):
        navigation.go(navigation.UNIT, unit=opened[0], dossier=opened[1])


def _whole_list(draw: Draw, name: str, unit: str | None) -> Callable[[Connection], pd.DataFrame]:
    titles = {
        "code": _("Dossier code"), "unit": _("Unit"), "procedure": _("Procedure"), "channel": _("Channel"),
        "status": _("Status"), "received_at": _("Received"), "due_at": _("Due"), "finished_at": _("Finished"),
    }  # fmt: skip
    others, units, zone = data_ask.references(draw), draw.units(), draw.settings.zone
    names = dict(zip(units["code"].astype(str), units["name"], strict=True))

    def read(connection: Connection) -> pd.DataFrame:
        frame = finding_lists.finding_dossiers(
            connection, name, clock=draw.clock, scope=draw.scope, as_of=draw.as_of, others=others, unit=unit,
            limit=finding_lists.LONGEST_PAGE,
        )  # fmt: skip
        frame["unit"] = [names.get(code, code) for code in frame["unit"]]
        frame["channel"] = [term(draw, Channel, code) for code in frame["channel"]]
        frame["status"] = [term(draw, Status, code) for code in frame["status"]]
        for column in ("received_at", "due_at", "finished_at"):
            frame[column] = [numbers.moment(at, zone) for at in frame[column]]
        return frame[list(titles)].rename(columns=titles)

    return read
