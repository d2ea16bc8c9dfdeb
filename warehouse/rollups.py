"""Rollups: one row of `flow_day` for each unit, channel and civil day on which something happened.

A cell is the sum of what each dossier contributes to it, so a batch moves a cell by (new versions - old versions) and
the cost does not depend on how much history the cell has. `rebuild` gives the same cells from nothing. There is no
procedure in the key: with it there are nearly three cells to a dossier, and the rollup saves nothing (ADR 6).

What a dossier contributes, and to which day (only when it was received, and not when its status says closed although
no closing time is known):

    day of received_at   received
    day of due_at        fell_due; became_overdue when it is open or finished after due_at
    day of finished_at   one of resolved_early / on_time / late / no_due (result, or status unknown),
                         closed_without_result; left_overdue when it had become overdue
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Executable,
    Integer,
    SmallInteger,
    and_,
    case,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.selectable import FromClause

from warehouse.schema import dossier, flow_day
from warehouse.vocabulary import CLOSED, WITH_RESULT, WITHOUT_RESULT

KEYS = ("unit", "channel", "day")
COUNTERS = tuple(column.name for column in flow_day.columns if column.name not in KEYS)
ROLLUP_LOCK = 0x10C_F10_DA
"""Advisory lock under which cells change: two transactions never sum up the same cell at once."""

Sum = ColumnElement[Any]
_union: Any = union_all  # its variadic generics are too much for the type checker


def refresh(connection: Connection, zone: ZoneInfo, *, added: FromClause, removed: FromClause | None = None) -> None:
    """Move the cells touched by the dossier versions in `added` and, with the other sign, those in `removed`.

    Both must have the columns of `dossier` that cells are made of. Runs inside the caller's transaction and holds the
    rollup lock until its end.
    """
    connection.execute(select(func.pg_advisory_xact_lock(ROLLUP_LOCK)))
    connection.execute(_move_cells(zone, added, removed))
    if removed is not None:
        connection.execute(_delete_empty(zone, removed))


def add(connection: Connection, cells: FromClause) -> None:
    """Add cells that were summed up elsewhere (the columns of `flow_day`, each key once), as `refresh` does."""
    connection.execute(select(func.pg_advisory_xact_lock(ROLLUP_LOCK)))
    connection.execute(_added(select(*(cells.c[name] for name in (*KEYS, *COUNTERS)))))


def rebuild(connection: Connection, zone: ZoneInfo) -> None:
    """Make every cell anew from `dossier`, as after a change of the civil clock."""
    connection.execute(select(func.pg_advisory_xact_lock(ROLLUP_LOCK)))
    connection.execute(delete(flow_day))
    cells = _summed(_contributions(dossier, zone, 1))
    connection.execute(insert(flow_day).from_select([*KEYS, *COUNTERS], cells))


@cache
def _move_cells(zone: ZoneInfo, added: FromClause, removed: FromClause | None) -> Executable:
    moves = _contributions(added, zone, 1) + ([] if removed is None else _contributions(removed, zone, -1))
    return _added(_summed(moves))


def _added(cells: Any) -> Executable:  # noqa: ANN401 - a select of cells
    statement = insert(flow_day).from_select([*KEYS, *COUNTERS], cells)
    sums = {name: flow_day.c[name] + statement.excluded[name] for name in COUNTERS}
    return statement.on_conflict_do_update(index_elements=list(KEYS), set_=sums)


@cache
def _delete_empty(zone: ZoneInfo, removed: FromClause) -> Executable:
    """A cell in which nothing is left is no cell."""
    left = _union(*_contributions(removed, zone, -1)).subquery()
    same_cell = and_(*(flow_day.c[name] == left.c[name] for name in KEYS))
    nothing = and_(*(flow_day.c[name] == 0 for name in COUNTERS))
    return delete(flow_day).where(same_cell, nothing)


def _summed(events: Sequence[Any]) -> Any:  # noqa: ANN401 - a select of cells
    """Add up the events of each cell; a sum of nothing but zeros is left out.

    In the order of the key: the index is then filled page by page, which halves the time of a large batch.
    """
    rows = _union(*events).subquery()
    keys = [rows.c[name] for name in KEYS]
    sums = {name: cast(func.sum(rows.c[name]), Integer) for name in COUNTERS}
    moved = or_(*(total != 0 for total in sums.values()))
    cells = select(*keys, *(total.label(name) for name, total in sums.items())).group_by(*keys).having(moved)
    return cells.order_by(*keys)


def _contributions(rows: FromClause, zone: ZoneInfo, sign: int) -> list[Any]:
    """One select for each of the three events of a dossier."""
    d = rows.c
    counts = and_(
        d.received_at.is_not(None),
        or_(d.finished_at.is_not(None), d.status.is_(None), d.status.not_in(_codes(CLOSED))),
    )
    late = and_(d.due_at.is_not(None), d.due_at < d.finished_at)
    return [
        _event(rows, zone, sign, d.received_at, d.received_at.is_not(None), {"received": literal(True)}),
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
        cast(case((happened[name], sign), else_=0) if name in happened else literal(0), Integer).label(name)
        for name in COUNTERS
    ]
    keys = [
        rows.c.unit.label("unit"),
        cast(func.coalesce(rows.c.channel, 0), SmallInteger).label("channel"),
        civil_day(at, zone).label("day"),
    ]
    return select(*keys, *columns).where(counts, at.is_not(None))


def civil_day(at: Sum, zone: ZoneInfo) -> Sum:
    """The calendar day of an instant on the civil clock."""
    return type_coerce(cast(func.timezone(zone.key, at), Date), Date)


def _codes(statuses: frozenset[Any]) -> list[int]:
    return sorted(int(status) for status in statuses)
