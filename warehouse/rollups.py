"""Rollups: one row of `flow_day` for each unit, procedure, channel and civil day on which something happened.

A cell is the sum of what each dossier contributes to it, so a batch moves a cell by (new versions - old versions) and
the cost does not depend on how much history the cell has. `rebuild` gives the same cells from nothing.

What a dossier contributes, and to which day (only when it was received, and not when its status says closed although
no closing time is known):

    day of received_at   received
    day of due_at        fell_due; became_overdue when it is open or finished after due_at
    day of finished_at   one of resolved_early / on_time / late / no_due (result, or status unknown),
                         closed_without_result; left_overdue when it had become overdue
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.selectable import FromClause

from warehouse.schema import dossier, flow_day
from warehouse.vocabulary import CLOSED, WITH_RESULT, WITHOUT_RESULT

KEYS = ("unit", "procedure", "channel", "day")
COUNTERS = tuple(column.name for column in flow_day.columns if column.name not in KEYS)
ROLLUP_LOCK = 0x10C_F10_DA
"""Advisory lock under which cells change: two transactions never sum up the same cell at once."""

touched_cell = Table(
    "touched_cell",
    MetaData(),
    *(Column(name, flow_day.c[name].type) for name in KEYS),
    *(Column(name, Integer) for name in COUNTERS),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)

Sum = ColumnElement[Any]
_union: Any = union_all  # its variadic generics are too much for the type checker


def refresh(connection: Connection, zone: ZoneInfo, *, added: FromClause, removed: FromClause) -> int:
    """Move the cells touched by the dossier versions in `added` and `removed`; return how many cells were touched.

    Both must have the columns of `dossier` that cells are made of. Runs inside the caller's transaction and holds the
    rollup lock until its end.
    """
    connection.execute(CreateTable(touched_cell, if_not_exists=True))
    connection.execute(delete(touched_cell))
    connection.execute(select(func.pg_advisory_xact_lock(ROLLUP_LOCK)))
    moves = _union(*_contributions(added, zone, 1), *_contributions(removed, zone, -1))
    connection.execute(insert(touched_cell).from_select([*KEYS, *COUNTERS], _summed(moves)))
    touched = connection.execute(select(func.count()).select_from(touched_cell)).scalar_one()
    if touched:
        _replace_touched(connection)
    return int(touched)


def rebuild(connection: Connection, zone: ZoneInfo) -> None:
    """Make every cell anew from `dossier`, as after a change of the civil clock."""
    connection.execute(select(func.pg_advisory_xact_lock(ROLLUP_LOCK)))
    connection.execute(delete(flow_day))
    cells = _summed(_union(*_contributions(dossier, zone, 1)))
    connection.execute(insert(flow_day).from_select([*KEYS, *COUNTERS], cells))


def _replace_touched(connection: Connection) -> None:
    same_cell = and_(*(flow_day.c[name] == touched_cell.c[name] for name in KEYS))
    kept = select(*flow_day.columns).where(
        select(literal(1)).select_from(touched_cell).where(same_cell).correlate(flow_day).exists()
    )
    connection.execute(insert(touched_cell).from_select([column.name for column in flow_day.columns], kept))
    connection.execute(delete(flow_day).where(same_cell))
    totals = _summed(select(*touched_cell.columns))
    connection.execute(insert(flow_day).from_select([*KEYS, *COUNTERS], totals))


def _summed(cells: Any) -> Any:  # noqa: ANN401 - any selectable of cells
    """Add up cells of one key; a cell in which nothing is left is no cell."""
    rows = cells.subquery()
    sums = [cast(func.sum(rows.c[name]), Integer).label(name) for name in COUNTERS]
    return (
        select(*(rows.c[name] for name in KEYS), *sums)
        .group_by(*(rows.c[name] for name in KEYS))
        .having(or_(*(func.sum(rows.c[name]) != 0 for name in COUNTERS)))
    )


def _contributions(rows: FromClause, zone: ZoneInfo, sign: int) -> list[Any]:
    """One select for each of the three events of a dossier."""
    d = rows.c
    counts = and_(
        d.received_at.is_not(None),
        or_(d.finished_at.is_not(None), d.status.is_(None), d.status.not_in(_codes(CLOSED))),
    )
    received_only = and_(d.received_at.is_not(None))
    late = and_(d.due_at.is_not(None), d.due_at < d.finished_at)
    return [
        _event(rows, zone, sign, d.received_at, received_only, {"received": literal(True)}),
        _event(
            rows, zone, sign, d.due_at, counts,
            {"fell_due": literal(True), "became_overdue": or_(d.finished_at.is_(None), late)},
        ),
        _event(rows, zone, sign, d.finished_at, counts, _closings(rows, zone) | {"left_overdue": late}),
    ]  # fmt: skip


def _closings(rows: FromClause, zone: ZoneInfo) -> dict[str, Sum]:
    d = rows.c
    result = or_(d.status.is_(None), d.status.in_(_codes(WITH_RESULT)))
    in_time = and_(result, d.finished_at <= d.due_at)
    earlier_day = civil_day(d.finished_at, zone) < civil_day(d.due_at, zone)
    return {
        "resolved_early": and_(in_time, earlier_day),
        "resolved_on_time": and_(in_time, ~earlier_day),
        "resolved_late": and_(result, d.finished_at > d.due_at),
        "resolved_no_due": and_(result, d.due_at.is_(None)),
        "closed_without_result": d.status.in_(_codes(WITHOUT_RESULT)),
    }


def _event(rows: FromClause, zone: ZoneInfo, sign: int, at: Sum, counts: Sum, happened: dict[str, Sum]) -> Any:  # noqa: ANN401 - a select of cells
    columns = [
        func.sum(case((happened[name], sign), else_=0)).label(name)
        if name in happened
        else cast(literal(0), Integer).label(name)
        for name in COUNTERS
    ]
    keys = [
        rows.c.unit.label("unit"),
        func.coalesce(rows.c.procedure, "").label("procedure"),
        cast(func.coalesce(rows.c.channel, 0), SmallInteger).label("channel"),
        civil_day(at, zone).label("day"),
    ]
    return select(*keys, *columns).where(counts, at.is_not(None)).group_by(*keys)


def civil_day(at: Sum, zone: ZoneInfo) -> Sum:
    """The calendar day of an instant on the civil clock."""
    return type_coerce(cast(func.timezone(zone.key, at), Date), Date)


def _codes(statuses: frozenset[Any]) -> list[int]:
    return sorted(int(status) for status in statuses)
