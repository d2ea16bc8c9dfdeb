"""Keeps the cells of warehouse/rollups.py up to date: carries the log of changed versions into them, or makes all anew.

Both see one state of the data, take away exactly the part of the log that they saw, and are one transaction: a question
sees cells and log together always tell what the rows tell. One process at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Date,
    Engine,
    Executable,
    Select,
    Table,
    case,
    cast,
    delete,
    extract,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    union,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from metrics.calendar import Clock
from metrics.cell_clocks import cell_clocks, fingerprint, horizon, of_dossiers, sums
from metrics.working_time import WorkingTime
from warehouse import rollups
from warehouse.rollups import DAY, HALF, answer_log, cell_state, dossier_log, kind_cell, unit_cell
from warehouse.schema import dossier, survey_answer

REFRESH_LOCK = 0x10C_CE115
MOST_LOGGED = 200_000
"""With a longer log it is cheaper to make all cells anew."""
KIND_KEYS = ("procedure", "channel")
TABLES = {"dossier": dossier, "survey_answer": survey_answer}
MEMORY = "64MB"
"""For each of the sums of all rows; only while they are made anew."""


class Refreshed(StrEnum):
    """What a refresh did."""

    NOTHING = "nothing"
    CARRIED = "carried over"
    ANEW = "made anew"
    BUSY = "busy elsewhere"


def refresh(engine: Engine, *, clock: Clock, now: datetime) -> Refreshed:
    """Bring the cells up to date with the rows as they are; safe to repeat and to call from several processes."""
    with engine.connect() as holder:
        held = holder.execute(select(func.pg_try_advisory_lock(REFRESH_LOCK))).scalar_one()
        holder.commit()  # the lock is the session's: the next transaction must see what others committed before it
        if not held:
            return Refreshed.BUSY
        try:
            with (
                engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
                connection.begin(),
            ):
                return refresh_here(connection, clock=clock, now=now)
        finally:
            holder.execute(select(func.pg_advisory_unlock(REFRESH_LOCK)))
            holder.commit()


def refresh_here(connection: Connection, *, clock: Clock, now: datetime) -> Refreshed:
    """Do the same in a transaction of the caller's, which must see one state of the data and be alone in doing so."""
    mark = fingerprint(clock, clock.day(now).year)
    known = connection.execute(select(cell_state.c.fingerprint)).scalar_one_or_none()
    logged, everything = connection.execute(
        select(func.count(), func.coalesce(func.bool_or(dossier_log.c.sign == 0), False)).select_from(dossier_log)
    ).one()
    logged += connection.execute(select(func.count()).select_from(answer_log)).scalar_one()
    if known == mark and not logged:
        return Refreshed.NOTHING
    maker = _Maker(connection, clock, clock.day(now).year)
    anew = everything or known != mark or logged > MOST_LOGGED
    if anew:
        maker.make_anew()
    else:
        maker.carry_over()
    maker.write_state(mark, anew=anew)
    for log in (dossier_log, answer_log):
        connection.execute(delete(log))  # what this transaction sees, and nothing that came since
    return Refreshed.ANEW if anew else Refreshed.CARRIED


@dataclass(frozen=True)
class _Statements:
    """The statements of a refresh, in their order."""

    anew: tuple[Executable, ...]
    carry: tuple[Executable, ...]


@lru_cache(maxsize=4)
def _statements(clock: Clock, year: int) -> _Statements:
    """Write the statements: they are long, and always the same."""
    clocks = cell_clocks(clock, WorkingTime.until(clock, horizon(year)))
    anew: list[Executable] = []
    carry: list[Executable] = []
    for cells, keys, counted in ((unit_cell, ("unit",), clocks), (kind_cell, KIND_KEYS, of_dossiers(clocks))):
        names = [name for one in counted for name in one.counters]
        columns = ["step", "start", *keys, *names]
        rows = sums(counted, keys, logged=False).subquery("days")
        halves = _halves(cells, cells.c.start, keys, names).where(cells.c.step == DAY)
        anew += [
            delete(cells),
            insert(cells).from_select(columns, _daily(rows, keys, names)),
            insert(cells).from_select(columns, halves),
        ]
        moved = sums(counted, keys, logged=True).cte("days")
        both = _daily(moved, keys, names).union_all(_halves(moved, moved.c.day, keys, names))
        carry.append(_added(cells, keys, names, both))
    return _Statements(tuple(anew), tuple(carry))


class _Maker:
    """What a refresh does."""

    def __init__(self, connection: Connection, clock: Clock, year: int) -> None:
        self.connection = connection
        self.statements = _statements(clock, year)

    def make_anew(self) -> None:
        """Sum up all rows; the halves of months from the days."""
        self.connection.execute(select(func.set_config("work_mem", MEMORY, True)))
        for statement in self.statements.anew:
            self.connection.execute(statement)
        self.connection.execute(text("analyze unit_cell, kind_cell"))  # for the first question

    def carry_over(self) -> None:
        """Add what the log tells to the cells."""
        for statement in self.statements.carry:
            self.connection.execute(statement)

    def write_state(self, mark: str, *, anew: bool) -> None:
        """Write by what the cells were made, which units they have and when their last events were."""
        values: dict[str, Any] = {"fingerprint": mark, "units": self._units(anew=anew)}
        for clock, (name, column) in rollups.LATEST.items():
            source = TABLES[name] if anew else rollups.LOGS[name]
            values[rollups.latest_column(clock)] = select(func.max(source.c[column])).scalar_subquery()
        statement = upsert(cell_state).values(one=True, **values)
        new, old = statement.excluded, cell_state.c
        kept = {
            name: new[name] if anew or name in {"fingerprint", "units"} else func.greatest(new[name], old[name])
            for name in values
        }
        self.connection.execute(statement.on_conflict_do_update(index_elements=["one"], set_=kept))

    def _units(self, *, anew: bool) -> list[str]:
        if anew:
            found = select(unit_cell.c.unit).distinct().where(unit_cell.c.step == HALF)
            return sorted(self.connection.execute(found).scalars())
        known = self.connection.execute(select(cell_state.c.units)).scalar_one()
        fresh = union(select(dossier_log.c.unit), select(answer_log.c.unit))
        return sorted({*known, *self.connection.execute(fresh).scalars()})


def half_of(day: Any) -> Any:  # noqa: ANN401 - a column of days
    """The first day of the half of a month that a day belongs to."""
    month = cast(func.date_trunc("month", day), Date)
    return case((extract("day", day) < 15, month), else_=month + 14)


def _daily(days: Any, keys: Sequence[str], names: Sequence[str]) -> Select[Any]:  # noqa: ANN401
    return select(literal(DAY), days.c.day, *(days.c[name] for name in (*keys, *names)))


def _halves(days: Any, day: Any, keys: Sequence[str], names: Sequence[str]) -> Select[Any]:  # noqa: ANN401
    half = half_of(day).label("half")
    key = [days.c[name] for name in keys]
    totals = [cast(func.sum(days.c[name]), days.c[name].type).label(name) for name in names]
    return select(literal(HALF), half, *key, *totals).group_by(half, *key)


def _added(cells: Table, keys: Sequence[str], names: Sequence[str], found: Any) -> Any:  # noqa: ANN401
    statement = upsert(cells).from_select(["step", "start", *keys, *names], found)
    new, old = statement.excluded, cells.c
    totals = {name: func.nullif(func.coalesce(old[name], 0) + func.coalesce(new[name], 0), 0) for name in names}
    changed = or_(*(new[name].is_not(None) for name in names))
    return statement.on_conflict_do_update(index_elements=["step", "start", *keys], set_=totals, where=changed)
