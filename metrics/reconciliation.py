"""Reconciliation: the dossiers of one source against the same dossiers as another system tells them, code by code.

`ours` is a source of `dossier`, `theirs` one of `reference_dossier`. A dossier can differ in several ways at once.

A difference is told only of dossiers that both sides can know: a version that changed at its source at or after
`until` is *too new to judge*, whatever the other side says, because the other source was last read before. `until` is
`known_until`: the earlier of the two instants up to which the sources were read to their end, less SETTLE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Table,
    and_,
    any_,
    case,
    func,
    or_,
    select,
)

from metrics.calendar import Clock
from metrics.counters import civil_day
from metrics.scope import Scope, UnitTree, resolve
from metrics.statements import texts
from warehouse.errors import BadQuestion
from warehouse.schema import dossier, reference_dossier, sync_run
from warehouse.vocabulary import Entity, Label, RunKind, RunState

SETTLE = timedelta(minutes=1)
"""Clocks of the sources and of the run are trusted to this much."""
LONGEST_PAGE = 200_000
SIDES: Mapping[Entity, Table] = {Entity.DOSSIER: dossier, Entity.REFERENCE_DOSSIER: reference_dossier}


class Difference(StrEnum):
    """How the two sides can differ about one dossier code."""

    MISSING_THERE = "missing_there"
    MISSING_HERE = "missing_here"
    STATUS = "status_differs"
    RECEIVED = "received_differs"
    DUE = "due_differs"
    FINISHED = "finished_differs"
    UNIT = "unit_differs"


class Precision(StrEnum):
    """When two instants count as the same: to the second, or on the same day of the civil clock."""

    SECOND = "second"
    DAY = "day"


LABELS: Mapping[Difference, Label] = {
    Difference.MISSING_THERE: Label("Nguồn đối chiếu thiếu", "Missing there"),
    Difference.MISSING_HERE: Label("Nguồn đối chiếu thừa", "Only there"),
    Difference.STATUS: Label("Khác trạng thái", "Status differs"),
    Difference.RECEIVED: Label("Khác ngày tiếp nhận", "Receipt differs"),
    Difference.DUE: Label("Khác hạn trả", "Due date differs"),
    Difference.FINISHED: Label("Khác ngày kết thúc", "End differs"),
    Difference.UNIT: Label("Khác đơn vị", "Unit differs"),
}
COLUMNS: Mapping[Difference, str] = {
    Difference.STATUS: "status",
    Difference.RECEIVED: "received_at",
    Difference.DUE: "due_at",
    Difference.FINISHED: "finished_at",
    Difference.UNIT: "unit",
}
"""The column that is compared, for the differences of dossiers that both sides have."""
INSTANTS = ("received_at", "due_at", "finished_at")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sources, how exactly instants are compared, and up to when both are known."""

    ours: str
    theirs: str
    until: datetime
    precision: Precision = Precision.SECOND


def known_until(connection: Connection, ours: str, theirs: str) -> datetime | None:
    """Return the instant before which both sources were read to their end; None where one of them never was."""
    read = [_read_until(connection, ours, Entity.DOSSIER), _read_until(connection, theirs, Entity.REFERENCE_DOSSIER)]
    known = [instant for instant in read if instant is not None]
    return min(known) - SETTLE if len(known) == len(read) else None


def _read_until(connection: Connection, source: str, entity: Entity) -> datetime | None:
    """Until when a source is known: a run knows what was there when it began; one that found nothing, when it ended."""
    c = sync_run.c
    asked = case((c.read == 0, c.finished_at), else_=c.started_at)
    whole = and_(c.state == RunState.OK, c.kind.in_([RunKind.SYNC, RunKind.PUSH]))
    statement = select(asked).where(c.source == source, c.entity == entity, whole).order_by(c.id.desc()).limit(1)
    found: datetime | None = connection.execute(statement).scalar_one_or_none()
    return found


def reconcile(connection: Connection, comparison: Comparison, *, clock: Clock, scope: Scope) -> pd.DataFrame:
    """Count the dossiers of each unit: one row a unit, with the unit of our side, or theirs where we have none.

    Columns: unit, `both` (dossiers that both sides have and that can be judged), one column for each Difference,
    `differing` (dossiers with at least one), `too_new` (not judged). Raises BadQuestion for an unknown unit.
    """
    rows = _rows(connection, comparison, clock, scope)
    counts = {
        "both": rows.c.both,
        **{str(kind): rows.c[f"is_{kind}"] for kind in Difference},
        "differing": or_(*(rows.c[f"is_{kind}"] for kind in Difference)),
    }
    columns = [func.count().filter(and_(test, ~rows.c.too_new)).label(name) for name, test in counts.items()]
    columns.append(func.count().filter(rows.c.too_new).label("too_new"))
    statement = select(rows.c.here, *columns).group_by(rows.c.here).order_by(rows.c.here)
    names = ["unit", *counts, "too_new"]
    found = [tuple(row) for row in connection.execute(statement)]
    return pd.DataFrame(found, columns=names).astype(dict.fromkeys(names[1:], "int64"))


def differences(
    connection: Connection,
    comparison: Comparison,
    *,
    clock: Clock,
    scope: Scope,
    kind: Difference | None = None,
    unit: str | None = None,
    limit: int = 200,
    offset: int = 0,
) -> pd.DataFrame:
    """Return one page of the dossiers that differ, the latest changed first; `reconcile` says how many there are.

    Columns: code, unit, `kinds` (the differences, in their order), and for status, received_at, due_at, finished_at and
    unit the values of both sides (`our_…`, `their_…`; missing where unknown), `…_seconds` theirs minus ours for
    instants that both have. Instants are on the civil clock. Raises BadQuestion.
    """
    if not (1 <= limit <= LONGEST_PAGE and offset >= 0):
        raise BadQuestion(f"limit must be 1 to {LONGEST_PAGE} and offset 0 or more, not {limit} and {offset}")
    rows = _rows(connection, comparison, clock, scope)
    wanted = [rows.c[f"is_{name}"] for name in ([kind] if kind else Difference)]
    chosen = [or_(*wanted), ~rows.c.too_new]
    if unit is not None:
        chosen.append(rows.c.here == unit)
    page = select(rows).where(*chosen).order_by(rows.c.changed.desc(), rows.c.code).limit(limit).offset(offset)
    return _page(connection.execute(page).mappings().all(), clock)


def _rows(connection: Connection, comparison: Comparison, clock: Clock, scope: Scope) -> Subquery:
    """One row for each code that either side has, what each says, and how they differ."""
    ours, theirs = _side(dossier, comparison.ours, "ours"), _side(reference_dossier, comparison.theirs, "theirs")
    a, b = ours.c, theirs.c
    both = and_(a.code.is_not(None), b.code.is_not(None))
    tests: dict[Difference, ColumnElement[bool]] = {
        Difference.MISSING_THERE: b.code.is_(None),
        Difference.MISSING_HERE: a.code.is_(None),
        **{kind: and_(both, _differ(a[name], b[name], name, comparison, clock)) for kind, name in COLUMNS.items()},
    }
    here = func.coalesce(a.unit, b.unit)
    statement = select(
        func.coalesce(a.code, b.code).label("code"),
        here.label("here"),
        both.label("both"),
        func.greatest(a.changed, b.changed).label("changed"),
        (func.greatest(a.changed, b.changed) >= comparison.until).label("too_new"),
        *(test.label(f"is_{kind}") for kind, test in tests.items()),
        *(side.c[name].label(f"{side.name}_{name}") for name in COLUMNS.values() for side in (ours, theirs)),
    ).select_from(ours.join(theirs, a.code == b.code, full=True))
    return _inside(connection, statement, here, comparison, scope).subquery("compared")


def _side(table: Table, source: str, name: str) -> Subquery:
    c = table.c
    changed = func.coalesce(c.source_updated_at, c.seen_at).label("changed")
    return select(c.code, changed, *(c[column] for column in COLUMNS.values())).where(c.source == source).subquery(name)


def _differ(
    ours: ColumnElement[Any], theirs: ColumnElement[Any], name: str, comparison: Comparison, clock: Clock
) -> ColumnElement[bool]:
    """Whether two values differ; unknown on one side only is a difference."""
    exactly = ours.is_distinct_from(theirs)
    if name not in INSTANTS or comparison.precision is Precision.SECOND:
        return exactly
    return and_(exactly, civil_day(ours, clock).is_distinct_from(civil_day(theirs, clock)))


def _inside(
    connection: Connection,
    statement: Select[*tuple[Any, ...]],
    here: ColumnElement[str],
    comparison: Comparison,
    scope: Scope,
) -> Select[*tuple[Any, ...]]:
    codes = resolve(connection, scope, UnitTree.load(connection, comparison.until.date()))
    return statement if codes is None else statement.where(here == any_(texts(sorted(codes))))


def _page(rows: Any, clock: Clock) -> pd.DataFrame:  # noqa: ANN401 - rows of any columns
    page = pd.DataFrame(
        {
            "code": [row["code"] for row in rows],
            "unit": [row["here"] for row in rows],
            "kinds": [tuple(kind for kind in Difference if row[f"is_{kind}"]) for row in rows],
        }
    )
    for name in COLUMNS.values():
        for side, prefix in (("ours", "our"), ("theirs", "their")):
            values = [row[f"{side}_{name}"] for row in rows]
            if name in INSTANTS:
                column: Any = pd.to_datetime(pd.Series(values, dtype=object), utc=True).dt.tz_convert(clock.zone)
            else:
                column = pd.Series(values, dtype="Int64" if name == "status" else "str")
            page[f"{prefix}_{name}"] = column
        if name in INSTANTS:
            gap = (page[f"their_{name}"] - page[f"our_{name}"]).dt.total_seconds()
            page[f"{name}_seconds"] = gap.astype("Int64")
    return page


__all__ = ["LABELS", "Comparison", "Difference", "Precision", "differences", "known_until", "reconcile"]
