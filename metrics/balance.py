"""The balance of dossiers, ours and as the units reported it: what came in against what is told of it.

    carried in + received = resolved + closed without result + open

The difference (left less right) is shown, never hidden: above 0 there are dossiers of which nobody says what became of
them, below 0 more is told than came in. Form II.06 (TT 01/2020/TT-VPCP) has no column for dossiers closed without a
result: its identity is total received (3) = resolved (7) + open (11), where (3) holds what was carried in.

A reported figure is matched by the bounds of its period, so that 2022Q4 and 2022-10-01/2022-12-31 are the same. Its
`field` '' is the unit itself; the name of a unit kind (`commune`, `Cấp xã`) is the row of a summary by level: all units
of that kind under the unit. Where only rows by field are there, their sum stands for the unit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import pandas as pd
from sqlalchemy import Connection, select

from metrics.calendar import Clock
from metrics.measure import measure
from metrics.period import Period
from metrics.scope import Scope, UnitTree, resolve
from warehouse.errors import BadQuestion
from warehouse.schema import reported_figure
from warehouse.vocabulary import LABELS, REPORT_FORM, ReportItem, UnitKind

OURS = ("carried_in", "received", "resolved", "closed_without_result", "open", "balance")
REPORTED = tuple(str(item) for item in ReportItem)
COLUMNS = ("unit", "level", *OURS, "total", *(f"reported_{name}" for name in REPORTED), "reported_balance", "gap")
ITSELF = ""


def balance(connection: Connection, *, clock: Clock, period: Period, as_of: datetime, scope: Scope) -> pd.DataFrame:
    """Return the balance of every unit of the scope in a period, ours beside the reported one.

    Columns: COLUMNS. `level` is '' for a unit itself, a unit kind for the summary of the units of that kind under it
    (only where that was reported). `total` is carried in + received, `balance` the difference of ours,
    `reported_balance` that of the reported figures, `gap` reported total less ours; Int64, missing where not reported.
    Raises BadQuestion.
    """
    ours = _ours(connection, clock, period, as_of, scope)
    told = reported(connection, clock, period, as_of, scope)
    tree = UnitTree.load(connection, clock.day(min(period.end, as_of)))
    keys = [(unit, ITSELF) for unit in ours] + [key for key in told if key[1] != ITSELF or key[0] not in ours]
    rows = [_row(unit, level, _sum_of(ours, tree, unit, level), told.get((unit, level), {})) for unit, level in keys]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame = frame.astype(dict.fromkeys(COLUMNS[2:], "Int64")).astype({"unit": "str", "level": "str"})
    return frame.sort_values(["unit", "level"], kind="stable", ignore_index=True)


def reported_periods(connection: Connection) -> list[str]:
    """Return the texts of the periods that were reported, the latest first."""
    c = reported_figure.c
    found = connection.execute(select(c.period).where(c.form == REPORT_FORM).distinct()).scalars()
    return sorted(found, reverse=True)


def _ours(
    connection: Connection, clock: Clock, period: Period, as_of: datetime, scope: Scope
) -> dict[str, dict[str, int]]:
    frame = measure(connection, OURS, clock=clock, period=period, as_of=as_of, scope=scope, by=("unit",))
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for unit, metric, value in zip(frame["unit"], frame["metric"], frame["value"], strict=True):
        found[str(unit)][str(metric)] = int(value)
    return dict(found)


def reported(
    connection: Connection, clock: Clock, period: Period, as_of: datetime, scope: Scope
) -> dict[tuple[str, str], dict[str, int]]:
    """Return the reported figures by unit and level, each by item.

    Of several sources the one that comes last in the order of their names stands.
    """
    c = reported_figure.c
    codes = resolve(connection, scope, UnitTree.load(connection, clock.day(min(period.end, as_of))))
    texts = [text for text in reported_periods(connection) if _same(text, period, clock)]
    statement = select(c.unit, c.field, c.item, c.value).where(c.form == REPORT_FORM, c.period.in_(texts))
    totals: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    of_fields: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for unit, field, item, value in connection.execute(statement.order_by(c.source)) if texts else ():
        if codes is not None and unit not in codes:
            continue
        level = _levels().get(field.strip().casefold())
        if field == ITSELF or level is not None:
            totals[unit, level or ITSELF][item] = value
        else:
            of_fields[unit][item] += value
    for unit, items in of_fields.items():
        totals.setdefault((unit, ITSELF), dict(items))
    return dict(totals)


def _same(text: str, period: Period, clock: Clock) -> bool:
    try:
        told = Period.parse(text, clock.zone)
    except BadQuestion:
        return False
    return (told.start, told.end) == (period.start, period.end)


@cache
def _levels() -> Mapping[str, str]:
    """The words that name a level: the code of a unit kind, or its name in either language."""
    words: dict[str, str] = {}
    for kind in UnitKind:
        label = LABELS[UnitKind, kind]
        words |= {word.casefold(): str(kind) for word in (str(kind), label.vi, label.en)}
    return words


def _sum_of(ours: Mapping[str, Mapping[str, int]], tree: UnitTree, unit: str, level: str) -> dict[str, int]:
    """Ours of a unit, or of all units of a kind under it; nothing where no such unit was asked about."""
    if level == ITSELF:
        return dict(ours.get(unit, {}))
    below = [ours[code] for code in tree.under([unit]) if code in ours and tree.kind(code) == level]
    return {name: sum(row[name] for row in below) for name in OURS} if below else {}


def _row(unit: str, level: str, ours: Mapping[str, int], told: Mapping[str, int]) -> tuple[Any, ...]:
    total = ours["carried_in"] + ours["received"] if ours else None
    claimed = told.get(ReportItem.RECEIVED_TOTAL)
    if claimed is None:
        claimed = _whole(told, ReportItem.RECEIVED_ONLINE, ReportItem.RECEIVED_OTHER, ReportItem.CARRIED_IN)
    parts = [told.get(ReportItem.RESOLVED_TOTAL), told.get(ReportItem.OPEN_TOTAL)]
    missing = None if claimed is None or None in parts else claimed - sum(part or 0 for part in parts)
    gap = None if claimed is None or total is None else claimed - total
    return (unit, level, *(ours.get(name) for name in OURS), total, *_items(told, claimed), missing, gap)


def _items(told: Mapping[str, int], total: int | None) -> Iterator[int | None]:
    for item in ReportItem:
        yield total if item is ReportItem.RECEIVED_TOTAL else told.get(item)


def _whole(told: Mapping[str, int], *parts: ReportItem) -> int | None:
    """The sum of the parts where all are there."""
    values = [told[part] for part in parts if part in told]
    return sum(values) if len(values) == len(parts) else None


__all__ = ["COLUMNS", "ITSELF", "balance", "reported", "reported_periods"]
