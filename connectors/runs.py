"""The record of runs: what each read, stored, left unchanged and refused; the watermark; the lock of a stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from connectors.straight import StraightWay
from warehouse.schema import data_state, sync_run, watermark
from warehouse.sources import SourceSettings
from warehouse.vocabulary import RunKind, RunState

ONE_RUN_SECONDS = 60.0
"""Calls that one system sends within this time are one run: a busy one would otherwise write thousands of rows."""
IDLE_SECONDS = 60.0
"""A worker that stands still so long inside a transaction loses it, and with it the locks that others wait for."""
AWAY_SECONDS = 600.0
"""Outside a transaction, where it may wait for its source, a worker that says nothing so long loses its streams."""
ABANDONED = "the worker ended before this run did; what it had committed is kept"
COUNTS = ("read", "stored", "unchanged", "quarantined")


class Ending(StrEnum):
    """How a run ended, as far as it says something about the source."""

    DONE = "done"
    TROUBLE = "trouble"
    """The source did not answer, or answered something that is no source as configured."""
    REFUSED = "refused"
    """Too large a share of its records would have been quarantined."""
    BUDGET = "budget"
    TOLD_TO_STOP = "told_to_stop"
    OURS = "ours"
    """Trouble of the warehouse, or something that is missing there."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one run of one stream did; `state` RUNNING means that another process is at it and nothing was done."""

    run_id: int | None
    source: str
    entity: str
    state: RunState
    read: int = 0
    stored: int = 0
    unchanged: int = 0
    quarantined: int = 0
    watermark_before: str | None = None
    watermark_after: str | None = None
    error: str | None = None
    seconds: float = 0.0
    kind: RunKind = RunKind.SYNC
    ending: Ending = Ending.DONE


@contextmanager
def stream_lock(
    connection: Connection, source: SourceSettings, wait_seconds: float, check: Callable[[], None] = lambda: None
) -> Iterator[bool]:
    """Hold the advisory lock of a stream for a run; gives whether it was obtained within the time.

    While it waits it asks `check`, which may raise. The session is one that the server ends when its process stands
    still, so that others can go on; whoever waits long for a source says `still_here` now and then.
    """
    key = func.hashtextextended(f"ioc-sync/{source.name}/{source.entity}", 0)
    held = False
    try:
        _limit(connection, IDLE_SECONDS, AWAY_SECONDS)
        deadline = time.monotonic() + wait_seconds
        while not (held := _ask(connection, func.pg_try_advisory_lock(key))) and time.monotonic() < deadline:
            check()
            time.sleep(0.1)
        yield held
    finally:
        if not connection.invalidated:
            connection.rollback()
            if held:
                _ask(connection, func.pg_advisory_unlock(key))
            _limit(connection, 0, 0)


def _limit(connection: Connection, inside: float, outside: float) -> None:
    """Say how long this session may stand still inside a transaction, and outside of one."""
    seconds = {"idle_in_transaction_session_timeout": inside, "idle_session_timeout": outside}
    connection.execute(select(*(func.set_config(name, f"{n * 1000:.0f}", False) for name, n in seconds.items())))
    connection.commit()


def still_here(connection: Connection) -> None:
    """Keep the session, and the lock that it holds, alive."""
    _ask(connection, literal(1))


def _ask(connection: Connection, question: Any) -> bool:  # noqa: ANN401 - a function call
    answer = bool(connection.execute(select(question)).scalar_one())
    connection.commit()
    return answer


class RunLog:
    """Writes the record of one run. Nothing is written before something is known: an empty run makes no new row.

    What is pushed to us has no end that could fail: its run is OK as soon as the rows are committed, and calls within
    a minute share one row, whose counts are their sums; `report` is of this call alone.
    """

    def __init__(self, source: SourceSettings, now: datetime, kind: RunKind = RunKind.SYNC) -> None:
        self.source, self.now, self.kind = source, now, kind
        self._started = time.monotonic()
        self._before = dict.fromkeys(COUNTS, 0)
        self.straight = StraightWay()
        self.report = RunReport(None, source.name, str(source.entity), RunState.RUNNING, kind=kind)

    @property
    def clock(self) -> datetime:
        """The time now, counted from the beginning of the run."""
        return self.now + timedelta(seconds=time.monotonic() - self._started)

    def begin(self, connection: Connection) -> str | None:
        """Close runs of dead workers and return the watermark; the stream's lock must be held."""
        connection.execute(
            update(sync_run)
            .where(self._stream(sync_run), sync_run.c.state == RunState.RUNNING)
            .values(state=RunState.FAILED, finished_at=self.clock, error=ABANDONED)
        )
        position = connection.execute(select(watermark.c.value).where(self._stream(watermark))).scalar_one_or_none()
        self.report = replace(self.report, watermark_before=position, watermark_after=position)
        return position

    def add(self, connection: Connection, *, read: int, stored: int, unchanged: int, refused: int) -> None:
        """Count a batch; in the transaction of its rows."""
        self.report = replace(
            self.report,
            read=self.report.read + read,
            stored=self.report.stored + stored,
            unchanged=self.report.unchanged + unchanged,
            quarantined=self.report.quarantined + refused,
        )
        self._write(connection, RunState.OK if self.kind is RunKind.PUSH else RunState.RUNNING, None)

    def move(self, connection: Connection, position: str | None) -> None:
        """Store the watermark; in the transaction of the rows before it."""
        if position is None or position == self.report.watermark_after:
            return
        values = {"source": self.source.name, "entity": str(self.source.entity), "value": position}
        statement = upsert(watermark).values(**values, updated_at=self.clock)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["source", "entity"],
                set_={"value": statement.excluded.value, "updated_at": statement.excluded.updated_at},
            )
        )
        self.report = replace(self.report, watermark_after=position)

    def finish(self, connection: Connection, error: str | None = None, ending: Ending = Ending.TROUBLE) -> RunReport:
        """Write the end of the run: OK, or failed with its error, which is of the kind `ending`."""
        self._write(connection, RunState.FAILED if error else RunState.OK, error)
        if error is None and self.kind is RunKind.SYNC and self.report.read == self.report.unchanged > 0:
            self._join_idle(connection)
        seconds = time.monotonic() - self._started
        self.report = replace(self.report, seconds=seconds, ending=ending if error else Ending.DONE)
        return self.report

    def _join_idle(self, connection: Connection) -> None:
        """Put runs that only read again what is stored (an overlap of each read) into one row with the one before."""
        runs = sync_run.c
        before = select(sync_run).where(self._stream(sync_run), runs.id < self.report.run_id)
        last = connection.execute(before.order_by(runs.id.desc()).limit(1)).one_or_none()
        if last is None or (last.state, last.kind) != (RunState.OK, self.kind) or last.read != last.unchanged:
            return
        connection.execute(delete(sync_run).where(runs.id == last.id))
        sums = {name: runs[name] + getattr(last, name) for name in COUNTS}
        joined = update(sync_run).where(runs.id == self.report.run_id)
        connection.execute(joined.values(**sums, started_at=last.started_at))

    def _write(self, connection: Connection, state: RunState, error: str | None) -> None:
        self.report = replace(self.report, state=state, error=error)
        row = self.report.run_id or self._continued(connection, state, error)
        values: dict[str, Any] = {
            **{name: self._before[name] + getattr(self.report, name) for name in COUNTS},
            "state": state,
            "error": error,
            "watermark_before": self.report.watermark_before,
            "watermark_after": self.report.watermark_after,
            "finished_at": None if state is RunState.RUNNING else self.clock,
        }
        if row is not None:
            connection.execute(update(sync_run).where(sync_run.c.id == row).values(**values))
        else:
            values |= {"source": self.source.name, "entity": str(self.source.entity)}
            values |= {"kind": self.kind, "started_at": self.now}
            row = connection.execute(insert(sync_run).values(**values).returning(sync_run.c.id)).scalar_one()
        self.report = replace(self.report, run_id=int(row))

    def _continued(self, connection: Connection, state: RunState, error: str | None) -> int | None:
        """The row of the last run where this one goes on with it: repetition is one row, not thousands.

        That is a run that ended like this one and, too, read nothing, or, of what is pushed to us, one that began less
        than a minute ago; its counts are kept.
        """
        last = connection.execute(
            select(sync_run).where(self._stream(sync_run)).order_by(sync_run.c.id.desc()).limit(1)
        ).one_or_none()
        if last is None or (last.state, last.kind) != (state, self.kind):
            return None
        idle = last.read == 0 and not self.report.read and last.error == error
        age = (self.now - last.started_at).total_seconds()
        if not idle and not (self.kind is RunKind.PUSH and 0 <= age < ONE_RUN_SECONDS):
            return None
        self._before = {name: getattr(last, name) for name in COUNTS}
        return int(last.id)

    def _stream(self, table: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a table with source and entity
        return and_(table.c.source == self.source.name, table.c.entity == str(self.source.entity))


def new_version(connection: Connection, now: datetime) -> None:
    """Say that a figure may have changed: every open screen draws again."""
    statement = upsert(data_state).values(one=True, version=1, changed_at=now)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["one"],
            set_={"version": data_state.c.version + 1, "changed_at": statement.excluded.changed_at},
        )
    )
