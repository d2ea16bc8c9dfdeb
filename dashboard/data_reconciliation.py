"""Reconciliation of the data page: our dossiers against another system's, code by code, both values side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from dashboard import data_ask, navigation, numbers
from dashboard.cards import card, good
from dashboard.data_parts import ROWS, first_page, height_of, page_number, pager
from dashboard.draw import Draw
from dashboard.export import export_button
from dashboard.shell import nothing_here
from dashboard.state import in_url, selected
from dashboard.tables import clickable
from dashboard.texts import _, later, plain
from metrics import Period, reconciliation
from metrics.reconciliation import COLUMNS, INSTANTS, LABELS, Comparison, Difference, Precision
from warehouse.vocabulary import Entity, Status, label

OURS_KEY, THEIRS_KEY, PRECISION_KEY, KIND_KEY, UNIT_KEY = "ours", "theirs", "exact", "differs", "of_unit"
EVERY = "all"
PRECISIONS = {str(Precision.SECOND): later("To the second"), str(Precision.DAY): later("By day")}
EXACT = str(Precision.SECOND)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is compared and which of it is listed."""

    comparison: Comparison
    kind: Difference | None
    unit: str | None


def reconciliation_view(draw: Draw, period: Period) -> None:
    """Draw what differs by kind and unit, and the dossiers themselves."""
    del period
    mine = [source.name for source in draw.settings.sources if source.entity is Entity.DOSSIER]
    others = data_ask.references(draw)
    if not mine or not others:
        nothing_here(
            _("Nothing to compare with"),
            _("Name a second source in the settings: [[sources]] with entity = “reference_dossier”."),
        )
        return
    comparison = _compared(draw, mine, list(others))
    if comparison is None:
        nothing_here(_("Not read to the end yet"), _("The comparison begins when both sources were read once."))
        return
    counts = data_ask.reconciled(draw, comparison)
    choice = _narrowed(draw, comparison, counts)
    left, right = st.columns([1, 2.1], gap="small")
    with left:
        _units_card(draw, counts, choice)
    with right:
        _list_card(draw, counts, choice)


def _compared(draw: Draw, mine: list[str], others: list[str]) -> Comparison | None:
    """Draw the choosers of what is compared, those that leave a choice."""
    with st.container(horizontal=True, vertical_alignment="center"):
        for words, key, names in ((_("Ours"), OURS_KEY, mine), (_("Compared with"), THEIRS_KEY, others)):
            if len(names) > 1:
                with st.container(width=220):
                    st.selectbox(words, names, label_visibility="collapsed", **in_url(key, names[0], names))
        st.segmented_control(
            _("Instants"),
            list(PRECISIONS),
            required=True,
            format_func=lambda name: _(PRECISIONS[name]),
            label_visibility="collapsed",
            **in_url(PRECISION_KEY, EXACT, PRECISIONS),
        )
        ours, theirs = selected(OURS_KEY, mine[0], mine), selected(THEIRS_KEY, others[0], others)
        until = data_ask.compared_until(draw, ours, theirs)
        if until is not None:
            at = numbers.moment(until, draw.settings.zone)
            st.caption(
                _(
                    "{ours} against {theirs}, as both were known at {time}",
                    ours=plain(ours),
                    theirs=plain(theirs),
                    time=at,
                )
            )
    exact = Precision(selected(PRECISION_KEY, EXACT, PRECISIONS))
    return None if until is None else Comparison(ours, theirs, until, exact)


def _narrowed(draw: Draw, comparison: Comparison, counts: pd.DataFrame) -> Choice:
    """Draw the kinds with their counts; each narrows the list."""
    options = [EVERY, *(str(kind) for kind in Difference)]
    totals = {name: int(counts["differing" if name == EVERY else name].sum()) for name in options}
    unit = selected(UNIT_KEY, "", [str(code) for code in counts["unit"]]) or None

    def words(name: str) -> str:
        title = _("All differences") if name == EVERY else LABELS[Difference(name)].text(draw.language)
        return f"{title} **{numbers.number(totals[name], draw.language)}**"

    st.pills(
        _("Differences"), options, required=True, format_func=words, label_visibility="collapsed",
        **_restarting(in_url(KIND_KEY, EVERY, options)),
    )  # fmt: skip
    kind = selected(KIND_KEY, EVERY, options)
    return Choice(comparison, None if kind == EVERY else Difference(kind), unit)


def _restarting(widget: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a widget whose change begins the list anew."""
    change = widget["on_change"]

    def changed(*args: Any) -> None:  # noqa: ANN401 - the widget's own
        change(*args)
        first_page()

    return {**widget, "on_change": changed}


def _units_card(draw: Draw, counts: pd.DataFrame, choice: Choice) -> None:
    column = str(choice.kind) if choice.kind else "differing"
    table = counts[counts[column] > 0].sort_values([column, "unit"], ascending=[False, True])
    both, new = int(counts["both"].sum()), int(counts["too_new"].sum())
    with card("compared-units", _("By unit"), _("{both} compared", both=numbers.number(both, draw.language))):
        if table.empty:
            good(_("No difference of this kind"))
        else:
            codes = [str(code) for code in table["unit"]]
            shown = pd.DataFrame(
                {
                    "unit": data_ask.names_of(draw, "unit", table["unit"]).tolist(),
                    "count": table[column].tolist(),
                    "share": (
                        table[column] / (table["both"] + table["missing_there"] + table["missing_here"])
                    ).tolist(),
                }
            )
            columns = {
                "unit": st.column_config.TextColumn(_("Unit"), width=190),
                "count": st.column_config.NumberColumn(_("Dossiers"), width=80),
                "share": st.column_config.NumberColumn(_("Share"), width=75),
            }
            clickable(
                draw, shown, columns, key="compared_units", alt=_("Differences by unit"), counts=("count",),
                shares=("share",), height=height_of(len(shown), 620), on_row=lambda row: _choose_unit(codes[row]),
            )  # fmt: skip
        if new:
            words = numbers.number(new, draw.language)
            st.caption(_("{count} dossiers changed after that and are not judged yet", count=words))


def _choose_unit(code: str) -> None:
    st.query_params[UNIT_KEY] = code
    first_page()


def _forget_unit() -> None:
    st.query_params.pop(UNIT_KEY, None)
    first_page()


def _list_card(draw: Draw, counts: pd.DataFrame, choice: Choice) -> None:
    inside = counts[counts["unit"] == choice.unit] if choice.unit else counts
    total = int(inside[str(choice.kind) if choice.kind else "differing"].sum())
    title = LABELS[choice.kind].text(draw.language) if choice.kind else _("All differences")
    with card("compared", title, _("{total} dossiers", total=numbers.number(total, draw.language))):
        if total == 0:
            good(_("No difference of this kind"))
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            export_button(draw, "doi-soat", _whole_list(draw, choice))
            if choice.unit:
                name = draw.names("unit", [choice.unit]).get(choice.unit, choice.unit)
                st.button(name, on_click=_forget_unit, icon=":material/close:", type="tertiary", help=_("All units"))
        page = data_ask.differences(draw, choice.comparison, choice.kind, choice.unit, ROWS, (page_number() - 1) * ROWS)
        _list(draw, page, choice)
        pager(draw, total)


TITLES = {
    "code": later("Dossier code"),
    "unit": later("Unit"),
    "kind": later("Difference"),
    "ours": later("Here"),
    "theirs": later("There"),
    "gap": later("There less here"),
}


def _list(draw: Draw, page: pd.DataFrame, choice: Choice) -> None:
    names = draw.names("unit", _unit_codes(page))
    table = side_by_side(draw, page, choice.kind, names, (_("not there"), _("not here")))
    widths = {"code": 188, "unit": 112, "kind": 150, "ours": 158, "theirs": 150, "gap": 84}
    titles = {name: _(words) for name, words in TITLES.items()}
    if choice.kind:
        del titles["kind"]  # the title of the card says it
    columns = {name: st.column_config.TextColumn(words, width=widths[name]) for name, words in titles.items()}
    opened = [_address(row, choice.comparison) for row in table.itertuples()]
    clickable(
        draw, table[list(titles)], columns, key="compared_table", alt=_("Dossiers that differ"),
        height=height_of(len(table), 620), on_row=lambda row: st.session_state.update(_opened=opened[row]),
    )  # fmt: skip
    if found := st.session_state.pop("_opened", None):
        navigation.go(navigation.UNIT, unit=found[0], dossier=found[1])


def _address(row: Any, comparison: Comparison) -> tuple[str, str] | None:  # noqa: ANN401 - a named row
    """Where our dossier is shown; None where we have none."""
    return (row.unit_code, f"{comparison.ours}/{row.code}") if row.here else None


def _unit_codes(page: pd.DataFrame) -> list[str]:
    return sorted({str(code) for name in ("unit", "our_unit", "their_unit") for code in page[name] if pd.notna(code)})


def side_by_side(
    draw: Draw, page: pd.DataFrame, only: Difference | None, names: dict[Any, str], absent: tuple[str, str]
) -> pd.DataFrame:
    """One line for each difference of each dossier: what we have, what they have, and how far instants are apart.

    Columns: those of TITLES, and unit_code and `here` (whether we have the dossier). `absent` are the words for a
    dossier that is not there and not here: the session's language is not known where a file is written.
    """
    rows = []
    for row in page.to_dict("records"):
        for kind in row["kinds"] if only is None else [only]:
            ours, theirs, gap = _values(draw, row, kind, names, absent)
            rows.append(
                (row["code"], names.get(row["unit"], row["unit"]), LABELS[kind].text(draw.language), ours, theirs, gap,
                 row["unit"], kind is not Difference.MISSING_HERE)
            )  # fmt: skip
    return pd.DataFrame(rows, columns=[*TITLES, "unit_code", "here"])


def _values(
    draw: Draw, row: dict[Any, Any], kind: Difference, names: dict[Any, str], absent: tuple[str, str]
) -> tuple[str, str, str]:
    if kind is Difference.MISSING_THERE:
        return _status(draw, row["our_status"]), absent[0], numbers.NONE
    if kind is Difference.MISSING_HERE:
        return absent[1], _status(draw, row["their_status"]), numbers.NONE
    name = COLUMNS[kind]
    ours, theirs = row[f"our_{name}"], row[f"their_{name}"]
    if name in INSTANTS:
        zone = draw.settings.zone
        return numbers.moment(ours, zone), numbers.moment(theirs, zone), _apart(draw, row[f"{name}_seconds"])
    if kind is Difference.STATUS:
        return _status(draw, ours), _status(draw, theirs), numbers.NONE
    return names.get(ours, numbers.NONE), names.get(theirs, numbers.NONE), numbers.NONE


def _status(draw: Draw, code: Any) -> str:  # noqa: ANN401 - a cell
    return numbers.NONE if pd.isna(code) else f"{int(code)} · {label(Status(int(code)), draw.language)}"


def _apart(draw: Draw, seconds: Any) -> str:  # noqa: ANN401 - a cell
    if pd.isna(seconds):
        return numbers.NONE
    sign = "+" if seconds > 0 else "\u2212"
    return sign + numbers.span(timedelta(seconds=abs(int(seconds))), draw.language)


def _whole_list(draw: Draw, choice: Choice) -> Callable[[Connection], pd.DataFrame]:
    titles = {name: _(words) for name, words in TITLES.items()}
    absent = (_("not there"), _("not here"))
    units = draw.units()
    names: dict[Any, str] = dict(zip(units["code"].astype(str), units["name"], strict=True))

    def read(connection: Connection) -> pd.DataFrame:
        page = reconciliation.differences(
            connection, choice.comparison, clock=draw.clock, scope=draw.scope, kind=choice.kind, unit=choice.unit,
            limit=reconciliation.LONGEST_PAGE,
        )  # fmt: skip
        return side_by_side(draw, page, choice.kind, names, absent)[list(TITLES)].rename(columns=titles)

    return read
