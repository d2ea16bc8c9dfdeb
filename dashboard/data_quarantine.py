"""The quarantine of the data page: why records were refused, which they are, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from dashboard import data_ask, numbers
from dashboard.cards import card, good
from dashboard.data_parts import ROWS, first_page, height_of, page_number, pager
from dashboard.draw import Draw
from dashboard.export import export_button
from dashboard.shell import age_note
from dashboard.tables import clickable, instant_column
from dashboard.texts import _, later
from metrics import Period
from metrics import quarantine as quarantines
from metrics.quarantine import REASONS, reason_of
from warehouse.vocabulary import Entity, Language, label

REASON_KEY = "reason"


def quarantine_view(draw: Draw, period: Period) -> None:
    """Draw the reasons with their counts, what to do about the chosen one, and its records."""
    del period
    frame = data_ask.reasons(draw)
    if frame.empty:
        with card("quarantine", _("Quarantine"), age_note(draw)):
            good(_("No record waits in quarantine: all that was read is stored"))
        return
    asked = st.query_params.get(REASON_KEY)
    reason = asked if asked in set(frame["reason"]) else None
    left, right = st.columns([1.5, 1], gap="small")
    with left:
        _reasons_card(draw, frame)
    page, units = data_ask.refused(draw, reason, ROWS, (page_number() - 1) * ROWS)
    with right:
        _remedy_card(draw, frame, reason, units)
    _records_card(draw, frame, reason, page)


def _reasons_card(draw: Draw, frame: pd.DataFrame) -> None:
    total = int(frame["count"].sum())
    table = pd.DataFrame(
        {
            "reason": [reason_of(name).label.text(draw.language) for name in frame["reason"]],
            "source": frame["source"],
            "entity": [label(Entity(entity), draw.language) for entity in frame["entity"]],
            "count": frame["count"],
            "share": frame["count"] / total,
            "oldest": pd.to_datetime(frame["oldest"], utc=True),
            "complete": frame["complete"],
        }
    )
    columns = {
        "reason": st.column_config.TextColumn(_("Reason"), width=240),
        "source": st.column_config.TextColumn(_("Source"), width=90),
        "entity": st.column_config.TextColumn(_("Data")),
        "count": st.column_config.NumberColumn(_("Records"), width=80),
        "share": st.column_config.NumberColumn(_("Share"), width=75),
        "oldest": instant_column(draw, _("Oldest")),
        "complete": st.column_config.NumberColumn(
            _("Can be replayed"), width=110, help=_("Enough of the record is kept to try it again")
        ),
    }
    note = _("{total} records wait", total=numbers.number(total, draw.language))
    with card("quarantine", _("Why records were refused"), f"{note} · {age_note(draw)}"):
        names = [str(name) for name in frame["reason"]]
        clickable(
            draw, table, columns, key="reasons_table", alt=_("Why records were refused"),
            counts=("count", "complete"), shares=("share",), height=height_of(len(table), 400),
            on_row=lambda row: _choose(names[row]),
        )  # fmt: skip


def _choose(reason: str) -> None:
    st.query_params[REASON_KEY] = reason
    first_page()


def _forget() -> None:
    st.query_params.pop(REASON_KEY, None)
    first_page()


def _remedy_card(draw: Draw, frame: pd.DataFrame, reason: str | None, units: pd.DataFrame) -> None:
    with card("remedy", _("What to do")):
        for name in [reason] if reason else dict.fromkeys(frame["reason"]):
            words = reason_of(str(name))
            st.markdown(f"**{words.label.text(draw.language)}**  \n{words.remedy.text(draw.language)}")
        known = units[units["unit"].notna()]
        if len(known):
            titles = {"unit": _("Unit that the record names"), "count": _("Records")}
            names = data_ask.names_of(draw, "unit", known["unit"])
            shown = pd.DataFrame({titles["unit"]: names, titles["count"]: known["count"]})
            st.dataframe(shown, hide_index=True, height=height_of(len(shown), 220), alt=_("Quarantine by unit"))


COLUMNS = {
    "code": later("Code"),
    "reason": later("Reason"),
    "unit": later("Unit"),
    "place": later("Position"),
    "detail": later("Detail"),
    "source": later("Source"),
    "entity": later("Data"),
    "first_seen_at": later("First seen"),
    "complete": later("Can be replayed"),
}


def _records_card(draw: Draw, frame: pd.DataFrame, reason: str | None, page: pd.DataFrame) -> None:
    total = int((frame[frame["reason"] == reason] if reason else frame)["count"].sum())
    title = reason_of(reason).label.text(draw.language) if reason else _("All refused records")
    note = _("{total} records", total=numbers.number(total, draw.language))
    with card("refused", title, note):
        with st.container(horizontal=True, vertical_alignment="center"):
            export_button(draw, "cach-ly", _whole_list(draw, reason))
            if reason:
                st.button(_("Show all reasons"), on_click=_forget, icon=":material/close:", type="tertiary")
        titles = {name: _(words) for name, words in COLUMNS.items()}
        columns = {name: st.column_config.TextColumn(words) for name, words in titles.items()}
        columns["code"] = st.column_config.TextColumn(titles["code"], pinned=True, width=190)
        columns["detail"] = st.column_config.TextColumn(titles["detail"], width=330)
        columns["first_seen_at"] = instant_column(draw, titles["first_seen_at"])
        shown = _readable(draw, page)
        st.dataframe(
            shown, key="refused_table", hide_index=True, column_config=columns, height=height_of(len(shown)),
            alt=title, placeholder=numbers.NONE, row_height=34,
        )  # fmt: skip
        pager(draw, total)


def _readable(draw: Draw, page: pd.DataFrame) -> pd.DataFrame:
    table = page.copy()
    table["unit"] = data_ask.names_of(draw, "unit", page["unit"])
    table["reason"] = [reason_of(name).label.text(draw.language) for name in page["reason"]]
    table["entity"] = [label(Entity(entity), draw.language) for entity in page["entity"]]
    yes, no = _("yes"), _("no")
    table["complete"] = [yes if complete else no for complete in page["complete"]]
    phrases = _phrases(draw.language)
    for name in ("place", "detail"):
        table[name] = [_said(text, phrases) for text in page[name]]
    return table[list(COLUMNS)]


PHRASES = {
    r"\bpage (\d+)": later("page {0}"),
    r"\bitem (\d+)": later("item {0}"),
    r"\brow (\d+)": later("row {0}"),
    r"= empty\b": later("= empty"),
    r"\bnot there\b": later("not there"),
    r"\bnot a list of records\b": later("not a list of records"),
}


def _phrases(language: Language) -> dict[str, str]:
    """The fixed words in what is kept of a place and a detail, as patterns, to those of the reader's language."""
    fixed = {pattern: _(words).replace("{0}", r"\1") for pattern, words in PHRASES.items()}
    return {**{rf"\b{name}\b": reason.label.text(language) for name, reason in REASONS.items()}, **fixed}


def _said(text: str | None, phrases: dict[str, str]) -> str | None:
    if text is None:
        return None
    for pattern, words in phrases.items():
        text = re.sub(pattern, words, text)
    return text


def _whole_list(draw: Draw, reason: str | None) -> Callable[[Connection], pd.DataFrame]:
    titles = {name: _(words) for name, words in COLUMNS.items()}
    words, phrases = {"yes": _("yes"), "no": _("no")}, _phrases(draw.language)
    names = dict(zip(draw.units()["code"].astype(str), draw.units()["name"], strict=True))
    language, clock, zone, fields = draw.language, draw.clock, draw.settings.zone, data_ask.unit_fields()

    def read(connection: Connection) -> pd.DataFrame:
        most = quarantines.LONGEST_PAGE
        frame = quarantines.records(connection, fields, clock=clock, reason=reason, limit=most)
        frame["reason"] = [reason_of(name).label.text(language) for name in frame["reason"]]
        frame["unit"] = [names.get(code, code) for code in frame["unit"]]
        frame["entity"] = [label(Entity(entity), language) for entity in frame["entity"]]
        for name in ("place", "detail"):
            frame[name] = [_said(text, phrases) for text in frame[name]]
        frame["complete"] = [words["yes" if complete else "no"] for complete in frame["complete"]]
        frame["first_seen_at"] = [numbers.moment(at, zone) for at in frame["first_seen_at"]]
        return frame[list(COLUMNS)].rename(columns=titles)

    return read
