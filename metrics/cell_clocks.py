"""What the cells of warehouse/rollups.py count: each clock with the civil day on which a row counts, and its counters.

The conditions are those of metrics/counters.py, judged when all has happened: a question may use a cell where nothing
that happened after its instant could matter (metrics/cells.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from typing import cast as cast_type

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Select,
    Table,
    and_,
    case,
    cast,
    func,
    null,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import visitors

from metrics import counters
from metrics.calendar import Clock
from metrics.counters import (
    ACCEPTANCE_SECONDS,
    ACCEPTED_AT,
    HAS_RESULT,
    IN_TIME,
    NOT_LOST,
    OF_CATALOGUE,
    Condition,
    Whole,
)
from metrics.statements import aggregate
from metrics.working_time import WorkingTime
from warehouse import rollups
from warehouse.schema import dossier, procedure, survey_answer
from warehouse.vocabulary import Channel, Status

_d = dossier.c
_OVERDUE_AT = func.greatest(_d.received_at, _d.due_at)
YEARS_AHEAD = 1
"""The cells know the office time up to the end of the year that is so far ahead, and another year."""


@dataclass(frozen=True)
class CellClock:
    """Rows of `table` count on a civil `day` where `condition` holds; `counters` says as what."""

    name: str
    table: Table
    day: ColumnElement[Any]
    condition: Condition
    counters: Mapping[str, Condition | Whole]

    @property
    def needs_catalogue(self) -> bool:
        """Whether a counter looks at the catalogue of procedures."""
        return bool(self.counters.keys() & OF_CATALOGUE)


def horizon(year: int) -> datetime:
    """The instant up to which cells of a year know the office time, apart from the year that WorkingTime adds."""
    return datetime(year + YEARS_AHEAD, 12, 31, tzinfo=UTC)


def cell_clocks(clock: Clock, working: WorkingTime) -> tuple[CellClock, ...]:
    """Return every clock of the cells."""
    received, answers = _d.received_at.is_not(None), survey_answer.c
    by_submission = {"submitted_online": true(), "accepted_late": _accepted_late(working)}
    by_receipt = {
        **counters.RECEIPT, "received_on_time": and_(IN_TIME, HAS_RESULT),
        "open_in": _stays(_d.received_at), "no_due_in": and_(_stays(_d.received_at), _d.due_at.is_(None)),
    }  # fmt: skip
    closed_open = _d.finished_at > _d.received_at
    by_closing = {
        **{name: make() for name, make in counters.closing(clock, working).items() if name in rollups.BY_CLOSING},
        "open_out": closed_open, "no_due_out": and_(closed_open, _d.due_at.is_(None)),
        "overdue_out": and_(_d.due_at.is_not(None), _d.finished_at > _OVERDUE_AT),
    }  # fmt: skip
    both = and_(received, _d.due_at.is_not(None))
    return (
        CellClock("submission", dossier, _day(_d.submitted_at, clock), _online_submitted(), by_submission),
        CellClock("receipt", dossier, _day(_d.received_at, clock), received, by_receipt),
        CellClock(
            "closing", dossier, _day(_d.finished_at, clock), and_(received, _d.finished_at.is_not(None)), by_closing
        ),
        CellClock("due", dossier, _day(_d.due_at, clock), both, counters.DUE),
        CellClock(
            "hand-over", dossier, _day(_d.returned_at, clock), and_(received, _d.returned_at.is_not(None)),
            counters.HAND_OVER,
        ),
        CellClock("overdue", dossier, _day(_OVERDUE_AT, clock), both, {"overdue_in": _stays(_OVERDUE_AT)}),
        CellClock("answers", survey_answer, _day(answers.answered_at, clock), true(), counters.ANSWERS),
    )  # fmt: skip


def _day(instant: ColumnElement[Any], clock: Clock) -> ColumnElement[Any]:
    return type_coerce(counters.civil_day(instant, clock), Date)


def _online_submitted() -> Condition:
    return and_(_d.channel == Channel.ONLINE, _d.submitted_at.is_not(None))


def _accepted_late(working: WorkingTime) -> Condition:
    """One that is not accepted yet will be accepted late: a question looks only at days that are long enough ago."""
    waited = working.at(ACCEPTED_AT) - working.at(_d.submitted_at) > ACCEPTANCE_SECONDS
    return case((ACCEPTED_AT.is_(None), _d.status == Status.REGISTERED), else_=waited)


def _stays(since: ColumnElement[Any]) -> Condition:
    """Whether a dossier is in a stock at all that it enters at an instant and leaves when it is closed."""
    return and_(NOT_LOST, or_(_d.finished_at.is_(None), _d.finished_at > since))


# --- sums ---------------------------------------------------------------------------------------------------------


def sums(clocks: Sequence[CellClock], keys: Sequence[str], *, logged: bool) -> Select[Any]:
    """Sum up every counter by `keys` (columns of dossier and of the cells) and day, from the rows or from the log.

    Columns: the keys, `day` and the counters of the clocks; versions that were replaced count as negative.
    """
    names = [name for cell_clock in clocks for name in cell_clock.counters]
    rows = union_all(*(_of_clock(one, keys, names, logged=logged) for one in clocks)).subquery("counted")
    key = [*(rows.c[name] for name in keys), rows.c.day]
    totals = [_total(rows, name, logged=logged) for name in names]
    return select(*key, *totals).group_by(*key)


def _total(rows: FromClause, name: str, *, logged: bool) -> ColumnElement[Any]:
    value = rows.c[name] * rows.c.sign if logged else rows.c[name]
    kind = BigInteger if name == "worked_seconds" else Integer
    return cast(func.nullif(func.sum(value), 0), kind).label(name)


def _of_clock(one: CellClock, keys: Sequence[str], names: Sequence[str], *, logged: bool) -> Select[Any]:
    source: FromClause = one.table
    if one.needs_catalogue:
        source = source.outerjoin(procedure, procedure.c.code == _d.procedure)
    key = [_key(one.table, name).label(name) for name in keys]
    values = [
        (aggregate(one.counters[name]) if name in one.counters else cast(null(), BigInteger)).label(name)
        for name in names
    ]
    found = select(*key, one.day.label("day"), *values).select_from(source)
    found = found.where(one.condition).group_by(*(label.name for label in key), "day")
    return of_log(found, one.table) if logged else found


def _key(table: Table, name: str) -> ColumnElement[Any]:
    return func.coalesce(table.c[name], {"procedure": "", "channel": 0}[name]) if name != "unit" else table.c.unit


def of_log(found: Select[Any], table: Table) -> Select[Any]:
    """The same question asked of the log of a table, a row for each `sign`."""
    log = rollups.LOGS[table.name]

    def logged(element: Any, **_: object) -> Any:  # noqa: ANN401 - a visitor of SQLAlchemy
        if element is table:
            return log
        return log.c[element.name] if getattr(element, "table", None) is table else None

    versions = cast_type("Select[Any]", visitors.replacement_traverse(found, {}, logged))
    return versions.add_columns(log.c.sign).where(log.c.sign != 0).group_by(log.c.sign)


# --- by what they were made ---------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def fingerprint(clock: Clock, year: int) -> str:
    """A text that differs when the definitions of counters, the office time or the civil clock differ."""
    working = WorkingTime.until(clock, horizon(year))
    mark = blake2b(digest_size=16)
    for one in cell_clocks(clock, working):
        names = list(one.counters)
        dialect: Any = postgresql.dialect()  # type: ignore[no-untyped-call]
        compiled = _of_clock(one, ("unit",), names, logged=False).compile(dialect=dialect)
        mark.update(f"{names} {compiled} {sorted(compiled.params.items())}".encode())
    return f"{year}:{mark.hexdigest()}"


def of_dossiers(clocks: Sequence[CellClock]) -> tuple[CellClock, ...]:
    """The clocks of dossiers: an answer has neither procedure nor channel."""
    return tuple(one for one in clocks if one.table is dossier)
