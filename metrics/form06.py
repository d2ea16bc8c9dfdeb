"""Form II.06 of TT 01/2020/TT-VPCP: what came in, what was resolved, what is open, by field or by unit.

The form has 13 columns and none for what is not as it expects: dossiers without a due date, closed without a result, or
handed in another way. Such dossiers are counted by name in REMAINDERS; they are never put into "on time" or "in time"
to make the columns fit, as the small print of existing software does. Every identity of the form is computed: what the
columns miss (`gap`), how much of it the remainders explain, and the difference that nothing explains.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

import pandas as pd
from sqlalchemy import Connection

from metrics.calendar import Clock
from metrics.carried_over import FORMULAS, CarriedOver, carried_over
from metrics.measure import measure
from metrics.period import Period, previous
from metrics.question import Filters
from metrics.scope import Scope
from warehouse.errors import BadQuestion
from warehouse.vocabulary import Channel, Label, ReportItem

LEGAL_BASIS = "TT 01/2020/TT-VPCP, biểu II.06"
NUMBERS: Mapping[ReportItem, int] = {item: number for number, item in enumerate(ReportItem, start=3)}
"""The number that stands under each column of the printed form."""
By = Literal["field", "unit"]


class Remainder(StrEnum):
    """What is in a total of the form and in none of the columns beside it."""

    RECEIVED_OTHERWISE = "received_otherwise"
    RECEIVED_UNKNOWN = "received_unknown_channel"
    RESOLVED_NO_DUE = "resolved_no_due"
    CLOSED_WITHOUT_RESULT = "closed_without_result"
    OPEN_NO_DUE = "open_no_due"


REMAINDERS: Mapping[Remainder, Label] = {
    Remainder.RECEIVED_OTHERWISE: Label("Tiếp nhận bằng hình thức khác", "Received in another way"),
    Remainder.RECEIVED_UNKNOWN: Label("Tiếp nhận, không rõ hình thức", "Received, channel unknown"),
    Remainder.RESOLVED_NO_DUE: Label("Đã giải quyết, không có hạn trả", "Resolved without due date"),
    Remainder.CLOSED_WITHOUT_RESULT: Label("Từ chối, rút, dừng xử lý", "Refused, withdrawn or stopped"),
    Remainder.OPEN_NO_DUE: Label("Đang giải quyết, không có hạn trả", "Open without due date"),
}
"""Their words, in the order of the form."""
ITEMS = (*(str(item) for item in ReportItem), *(str(item) for item in Remainder))
"""The figures of a row."""
_METRIC = {
    ReportItem.CARRIED_IN: "carried_in",
    ReportItem.RESOLVED_TOTAL: "resolved",
    ReportItem.RESOLVED_EARLY: "resolved_early",
    ReportItem.RESOLVED_ON_TIME: "resolved_on_time",
    ReportItem.RESOLVED_LATE: "resolved_late",
    ReportItem.OPEN_TOTAL: "open",
    ReportItem.OPEN_IN_TIME: "open_in_time",
    ReportItem.OPEN_LATE: "overdue",
    Remainder.RESOLVED_NO_DUE: "resolved_no_due",
    Remainder.CLOSED_WITHOUT_RESULT: "closed_without_result",
    Remainder.OPEN_NO_DUE: "open_no_due",
}
_OF_CHANNEL = {
    int(Channel.ONLINE): ReportItem.RECEIVED_ONLINE,
    int(Channel.IN_PERSON): ReportItem.RECEIVED_OTHER,
    int(Channel.POST): ReportItem.RECEIVED_OTHER,
    int(Channel.OTHER): Remainder.RECEIVED_OTHERWISE,
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A total of the form, the columns that should make it up, and the remainders that the form has no column for."""

    name: str
    formula: str
    total: ReportItem
    parts: tuple[ReportItem, ...]
    remainders: tuple[Remainder, ...]


IDENTITIES = (
    Identity(
        "received", "(3) = (4) + (5) + (6)", ReportItem.RECEIVED_TOTAL,
        (ReportItem.RECEIVED_ONLINE, ReportItem.RECEIVED_OTHER, ReportItem.CARRIED_IN),
        (Remainder.RECEIVED_OTHERWISE, Remainder.RECEIVED_UNKNOWN),
    ),
    Identity(
        "resolved", "(7) = (8) + (9) + (10)", ReportItem.RESOLVED_TOTAL,
        (ReportItem.RESOLVED_EARLY, ReportItem.RESOLVED_ON_TIME, ReportItem.RESOLVED_LATE),
        (Remainder.RESOLVED_NO_DUE,),
    ),
    Identity(
        "open", "(11) = (12) + (13)", ReportItem.OPEN_TOTAL, (ReportItem.OPEN_IN_TIME, ReportItem.OPEN_LATE),
        (Remainder.OPEN_NO_DUE,),
    ),
    Identity(
        "balance", "(3) = (7) + (11)", ReportItem.RECEIVED_TOTAL, (ReportItem.RESOLVED_TOTAL, ReportItem.OPEN_TOTAL),
        (Remainder.CLOSED_WITHOUT_RESULT,),
    ),
)  # fmt: skip
FINDING_COLUMNS = ("identity", "formula", "row", "left", "right", "gap", "explained", "difference")
Row = dict[str, int]
Code = str | None


@dataclass(frozen=True)
class Form06:
    """The form: `rows` by code (`by`, then ITEMS), the `total` asked for by itself, and identities that do not hold.

    `findings` has FINDING_COLUMNS: `row` is a code, '' for the total; `left` and `right` are the two sides as printed,
    `gap` their difference, `explained` what the remainders say of it, `difference` what nothing explains.
    `carried_over` is what (6) was compared with: what the period before was said to leave open; empty where nobody did.
    """

    by: By
    period: Period
    rows: pd.DataFrame
    total: Mapping[str, int]
    findings: pd.DataFrame
    carried_over: tuple[CarriedOver, ...] = ()


def form06(
    connection: Connection,
    *,
    clock: Clock,
    period: Period,
    as_of: datetime,
    scope: Scope,
    by: By = "field",
    filters: Filters | None = None,
) -> Form06:
    """Fill the form for a period, from the 15th to the 14th or any other; ask in one snapshot.

    Rows are fields (missing: dossiers of procedures that the catalogue does not know) or units. Raises BadQuestion.
    """
    if by not in ("field", "unit"):
        raise BadQuestion(f"form II.06 is made by field or by unit, not by {by!r}")
    ask = _Asker(connection, clock, as_of, scope, filters)
    rows = ask.rows(period, (by,))
    total = ask.rows(period, ()).get(None, dict.fromkeys(ITEMS, 0))
    found = [finding for code, row in (*rows.items(), ("", total)) for finding in _broken(code, row)]
    found += [_finding("sum_of_rows", f"total = sum of the rows: {item}", "", total[item], _sum(rows, item))
              for item in ITEMS]  # fmt: skip
    before = previous(period)
    told: tuple[CarriedOver, ...] = ()
    if before.end == period.start and not filters:  # nobody tells figures of a filter
        told = carried_over(connection, clock=clock, before=before, as_of=as_of, scope=scope)
    found += [finding for said in told for finding in _carried(said, by, rows, total)]
    findings = [finding for finding in found if finding["gap"]]
    return Form06(by, period, _frame(by, rows), total, pd.DataFrame(findings, columns=list(FINDING_COLUMNS)), told)


def _carried(said: CarriedOver, by: By, rows: Mapping[Code, Row], total: Row) -> Iterator[dict[str, Any]]:
    """Both sides of (6) = (11) of the period before, of the total and, in a form by unit, of the units."""
    pairs: list[tuple[Code, int, int | None]] = [("", total[ReportItem.CARRIED_IN], said.total)]
    if by == "unit":
        codes = sorted({*said.units, *(code for code in rows if code is not None)})
        pairs += [(code, rows.get(code, {}).get(ReportItem.CARRIED_IN, 0), said.of(code)) for code in codes]
    for code, entered, left in pairs:
        if left is not None:
            yield _finding(f"carried_over_{said.told}", FORMULAS[said.told], code, entered, left)


class _Asker:
    """The questions that the form is made of."""

    def __init__(
        self, connection: Connection, clock: Clock, as_of: datetime, scope: Scope, filters: Filters | None
    ) -> None:
        self._connection, self._as_of = connection, as_of
        self._fixed: dict[str, Any] = {"clock": clock, "as_of": as_of, "scope": scope, "filters": filters}

    def rows(self, period: Period, by: tuple[str, ...]) -> dict[Code, Row]:
        """The figures by code; None where it is unknown, and where nothing is grouped."""
        found: dict[Code, Row] = defaultdict(lambda: dict.fromkeys(ITEMS, 0))
        item_of = {metric: str(item) for item, metric in _METRIC.items()}
        for code, _, metric, count in self._ask(tuple(_METRIC.values()), period, by):
            found[code][item_of[metric]] = count
        for code, channel, _, count in self._ask(("received",), period, (*by, "channel")):
            found[code][str(_OF_CHANNEL.get(channel or 0, Remainder.RECEIVED_UNKNOWN))] += count
            found[code][ReportItem.RECEIVED_TOTAL] += count
        for row in found.values():
            row[ReportItem.RECEIVED_TOTAL] += row[ReportItem.CARRIED_IN]
        return dict(found)

    def _ask(
        self, names: tuple[str, ...], period: Period, by: tuple[str, ...]
    ) -> list[tuple[Code, int | None, str, int]]:
        frame = measure(self._connection, names, period=period, by=by, **self._fixed)
        groups = [name for name in by if name != "channel"]
        codes = [_code(value) for value in frame[groups[0]]] if groups else [None] * len(frame)
        channels = [_number(value) for value in frame["channel"]] if "channel" in by else [None] * len(frame)
        counts = [int(value) for value in frame["numerator"]]
        return list(zip(codes, channels, map(str, frame["metric"]), counts, strict=True))


def _code(value: object) -> Code:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | None:  # noqa: ANN401 - a cell
    return None if pd.isna(value) else int(value)


def _broken(code: Code, row: Row) -> list[dict[str, Any]]:
    """Both sides of every identity of a row, with what the remainders explain."""
    return [
        _finding(
            identity.name, identity.formula, code, row[identity.total], sum(row[part] for part in identity.parts),
            sum(row[name] for name in identity.remainders),
        )
        for identity in IDENTITIES
    ]  # fmt: skip


def _finding(name: str, formula: str, code: Code, left: int, right: int, explained: int = 0) -> dict[str, Any]:
    gap = left - right
    values = (name, formula, code, left, right, gap, explained, gap - explained)
    return dict(zip(FINDING_COLUMNS, values, strict=True))


def _sum(rows: Mapping[Code, Row], item: str) -> int:
    return sum(row[item] for row in rows.values())


def _frame(by: By, rows: Mapping[Code, Row]) -> pd.DataFrame:
    """Rows in the order of their codes, the unknown one last; fields in which nothing happened are left out."""
    shown = {code: row for code, row in rows.items() if by == "unit" or any(row.values())}
    codes = sorted(shown, key=lambda code: (code is None, code or ""))
    table: dict[str, pd.Series] = {by: pd.Series(codes, dtype="str")}
    for item in ITEMS:
        table[item] = pd.Series([shown[code][item] for code in codes], dtype="Int64")
    return pd.DataFrame(table)


__all__ = ["IDENTITIES", "ITEMS", "LEGAL_BASIS", "NUMBERS", "REMAINDERS", "Form06", "Identity", "Remainder", "form06"]
