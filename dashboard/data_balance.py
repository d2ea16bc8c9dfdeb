"""The balance of the data page: what came in against what is told of it, ours beside what the units reported."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import data_ask, navigation, numbers
from dashboard.cards import card, careful
from dashboard.data_parts import difference, fact, facts, height_of, tinted
from dashboard.draw import Draw
from dashboard.shell import age_note
from dashboard.texts import _, later
from dashboard.theme import Meaning
from metrics import Period
from metrics.balance import ITSELF
from warehouse.vocabulary import UnitKind, label

OURS = {
    "carried_in": (later("Carried"), later("Carried in from before the period")),
    "received": (later("Received"), later("Received in the period")),
    "resolved": (later("Resolved"), later("Resolved with a result in the period")),
    "closed_without_result": (later("No result"), later("Refused after receipt, withdrawn or stopped")),
    "open": (later("Open"), later("Open at the end of the period")),
    "balance": (later("Difference"), later("Difference of our own data")),
}
REPORTED = {
    "reported_received_total": (later("Rep. in all"), later("Reported, form II.06 column 3: received and carried in")),
    "reported_resolved_total": (later("Rep. resolved"), later("Reported, form II.06 column 7")),
    "reported_open_total": (later("Rep. open"), later("Reported, form II.06 column 11")),
    "reported_balance": (later("Rep. difference"), later("Column 3 less columns 7 and 11 of the report")),
    "gap": (later("Rep. less ours"), later("Reported column 3 less what our data says of it")),
}
SIGNED = ("balance", "reported_balance", "gap")


def balance_view(draw: Draw, period: Period) -> None:
    """Draw the balance of every unit in the period, with its difference."""
    if period.start >= draw.as_of:
        careful(_("This period has not begun"))
        return
    frame, told = data_ask.balance(draw, period)
    _headlines(draw, frame)
    with card("balance", _("Balance of the units"), f"{_days(draw, period)} · {age_note(draw)}"):
        st.caption(
            _(
                "Carried in + received − resolved − closed without result − open. Above 0: dossiers of which nobody"
                " says what became of them. Below 0: more is told than came in."
            )
        )
        _table(draw, frame)
        _periods(told, period)


def _days(draw: Draw, period: Period) -> str:
    """Write the first and the last civil day of a period; the last is today where it is not over."""
    zone = draw.settings.zone
    last = min(period.end - timedelta(microseconds=1), draw.as_of)
    return f"{numbers.day(period.start, zone)} – {numbers.day(last, zone)}"


def _headlines(draw: Draw, frame: pd.DataFrame) -> None:
    own = frame[frame["level"] == ITSELF]
    ours = int(own["balance"].fillna(0).sum())
    broken = int((own["balance"].fillna(0) != 0).sum())
    reported = frame[frame["reported_balance"].notna()]
    claimed = int(reported["reported_balance"].sum())
    uneven = int((reported["reported_balance"] != 0).sum())
    apart = int((reported["gap"].fillna(0) != 0).sum())
    with facts(4):
        fact(
            "ours", _("Difference, our data"), numbers.signed(ours, draw.language), _word(ours),
            _meaning(ours), help=_("Sum over the units; above 0: dossiers without a known end"),
        )  # fmt: skip
        fact(
            "broken", _("Units out of balance"), numbers.number(broken, draw.language),
            _("of {count} units", count=numbers.number(len(own), draw.language)), _meaning(broken),
        )  # fmt: skip
        if reported.empty:
            fact("claimed", _("Difference, as reported"), numbers.NONE, _("nothing was reported for this period"))
            fact(
                "apart", _("Reports that differ from our data"), numbers.NONE, _("nothing was reported for this period")
            )
            return
        fact(
            "claimed", _("Difference, as reported"), numbers.signed(claimed, draw.language),
            _("{uneven} of {count} reports out of balance", uneven=numbers.number(uneven, draw.language),
              count=numbers.number(len(reported), draw.language)),
            _meaning(uneven), help=_("Sum over the reports; above 0: dossiers without a known end"),
        )  # fmt: skip
        fact(
            "apart", _("Reports that differ from our data"), numbers.number(apart, draw.language),
            _("of {count} reports", count=numbers.number(len(reported), draw.language)), _meaning(apart),
        )  # fmt: skip


def _word(value: int) -> str:
    return _("balanced") if value == 0 else _("dossiers unaccounted for") if value > 0 else _("more told than came in")


def _meaning(value: int) -> Meaning:
    return Meaning.OVERDUE if value else Meaning.ON_TIME


def _table(draw: Draw, frame: pd.DataFrame) -> None:
    shown = {**OURS, **(REPORTED if frame["reported_balance"].notna().any() else {})}
    ordered = frame.assign(_off=frame["balance"].fillna(0).abs() + frame["reported_balance"].fillna(0).abs())
    ordered = ordered.sort_values(["_off", "received"], ascending=False, kind="stable", ignore_index=True)
    table = ordered[list(shown)].astype("Float64").astype(float)
    table.insert(0, "unit", _names(draw, ordered))
    signed = [name for name in SIGNED if name in shown]
    writes: dict[Any, Callable[[Any], str]] = {name: (lambda value: _count(value, draw)) for name in shown}
    writes |= dict.fromkeys(signed, lambda value: difference(value, draw))
    if "gap" in shown:
        writes["gap"] = lambda value: _signed(value, draw)
    style = table.style.format(writes).map(tinted(draw), subset=signed)  # type: ignore[arg-type]
    columns: dict[str, Any] = {
        name: st.column_config.NumberColumn(_(words), width=125 if name in SIGNED[:2] else 92, help=_(help_))
        for name, (words, help_) in shown.items()
    }
    columns["unit"] = st.column_config.TextColumn(_("Unit"), pinned=True, width=165)
    st.dataframe(
        style, key="balance_table", hide_index=True, column_config=columns, height=height_of(len(table), 720),
        alt=_("Balance of the units"), placeholder=numbers.NONE, row_height=34,
    )  # fmt: skip


def _count(value: Any, draw: Draw) -> str:  # noqa: ANN401 - a cell
    return numbers.number(None if pd.isna(value) else float(value), draw.language)


def _signed(value: Any, draw: Draw) -> str:  # noqa: ANN401 - a cell
    return numbers.NONE if pd.isna(value) else numbers.signed(float(value), draw.language)


def _names(draw: Draw, frame: pd.DataFrame) -> list[str]:
    words = data_ask.names_of(draw, "unit", frame["unit"])
    return [
        str(name) if level == ITSELF else f"{name} · {label(UnitKind(level), draw.language)}"
        for name, level in zip(words, frame["level"], strict=True)
    ]


def _periods(told: list[str], period: Period) -> None:
    """Offer the periods that were reported."""
    others = [text for text in told if text != period.text][:8]
    if not others:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(_("Reported periods:"), width="content")
        for text in others:
            navigation.link(navigation.DATA, text, view="balance", period=text)
