"""The breaker of a stream: a source that fails again and again is left alone, but for one run now and then.

closed ── `breaker_failures` failed runs in a row ──▶ open ── after a pause ──▶ half open: one run tries
  ▲                                                    ▲                          │ fails      │ reads
  │                                                    └──────────────────────────┘            │
  └────────────────────────────────────────────────────────────────────────────────────────────┘

The state is a row of the table `breaker`, so that it outlives the worker, is one for all workers, and can be shown; a
stream without a row is closed and has not failed. While the breaker is closed, failed runs are repeated after pauses
that grow from the interval to LONGEST_PAUSE_SECONDS. With the defaults a source that is back is read within 15 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from connectors.runs import Ending, RunReport
from warehouse.schema import breaker
from warehouse.sources import SourceSettings
from warehouse.vocabulary import BreakerState, RunState

LONGEST_PAUSE_SECONDS = 15.0
"""The longest pause between failed runs as long as the breaker is closed."""
GROWTH = 8
"""So many times `breaker_pause_seconds` is the pause at most when what the source sends is refused again and again."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """State of a stream's breaker: failed runs in a row, since when it is so, and before when it is not asked."""

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    since: datetime | None = None
    try_at: datetime | None = None


CONNECTED = Breaker()


def breakers(connection: Connection) -> Mapping[tuple[str, str], Breaker]:
    """Return the breakers of all streams (source, entity) that failed lately; all others are CONNECTED."""
    return {
        (row.source, row.entity): Breaker(BreakerState(row.state), row.failures, row.since, row.try_at)
        for row in connection.execute(select(breaker))
    }


def ask(connection: Connection, source: SourceSettings, now: datetime) -> timedelta:
    """Return how long the stream must be left alone still; zero: it may be read now, and perhaps as the one trial.

    Of several workers one gets the trial; a trial whose worker died is given again after the pause.
    """
    row = connection.execute(select(breaker).where(_stream(source))).one_or_none()
    if row is None or row.try_at is None:
        return timedelta(0)
    longest = timedelta(seconds=max(LONGEST_PAUSE_SECONDS, GROWTH * source.breaker_pause_seconds))
    try_at: datetime = row.try_at
    if now < try_at <= now + longest:  # later than that: our clock was set back
        return try_at - now
    if row.state == BreakerState.CLOSED:
        return timedelta(0)
    pause = timedelta(seconds=source.breaker_pause_seconds)
    due = or_(breaker.c.try_at <= now, breaker.c.try_at > now + longest)
    claim = update(breaker).where(_stream(source), breaker.c.state != BreakerState.CLOSED, due)
    taken = connection.execute(claim.values(state=BreakerState.HALF_OPEN, try_at=now + pause)).rowcount
    return timedelta(0) if taken else pause


def note(connection: Connection, source: SourceSettings, report: RunReport, now: datetime) -> Breaker:
    """Write what a run means for the breaker and return its state after it.

    A run that ended early, by its budget or because we were told to stop, is no failure when it read something; trouble
    of our own says nothing about the source, nor does a run that another process is at.
    """
    row = connection.execute(select(breaker).where(_stream(source))).one_or_none()
    before = CONNECTED if row is None else Breaker(BreakerState(row.state), row.failures, row.since, row.try_at)
    if report.ending is Ending.OURS or report.state is RunState.RUNNING:
        return before
    if report.ending is Ending.TOLD_TO_STOP and not report.read:
        return before
    if report.state is RunState.OK or (report.read and report.ending in {Ending.BUDGET, Ending.TOLD_TO_STOP}):
        if row is not None:
            connection.execute(delete(breaker).where(_stream(source)))
        return CONNECTED
    after = _failed(source, before, report.ending, now)
    values = {"state": after.state, "failures": after.failures, "since": after.since, "try_at": after.try_at}
    statement = insert(breaker).values(source=source.name, entity=str(source.entity), **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["source", "entity"], set_=values))
    return after


def _failed(source: SourceSettings, before: Breaker, ending: Ending, now: datetime) -> Breaker:
    failures = before.failures + 1
    if failures < source.breaker_failures and before.state is BreakerState.CLOSED:
        state, since = BreakerState.CLOSED, before.since
    else:
        state, since = BreakerState.OPEN, before.since if before.state is not BreakerState.CLOSED else now
    return Breaker(state, failures, since or now, now + timedelta(seconds=pause_seconds(source, failures, ending)))


def pause_seconds(source: SourceSettings, failures: int, ending: Ending = Ending.TROUBLE) -> float:
    """Return how long to wait after so many failed runs in a row.

    What a source sends and we refuse is read again at growing pauses: such a trial costs it a whole batch.
    """
    if failures < source.breaker_failures:
        return min(source.interval_seconds * 2.0 ** min(failures, 20), LONGEST_PAUSE_SECONDS)
    if ending is Ending.REFUSED:
        return source.breaker_pause_seconds * min(2.0 ** min(failures - source.breaker_failures, 20), GROWTH)
    return source.breaker_pause_seconds


def _stream(source: SourceSettings) -> ColumnElement[bool]:
    table: Any = breaker.c
    return and_(table.source == source.name, table.entity == str(source.entity))


__all__ = ["CONNECTED", "Breaker", "ask", "breakers", "note", "pause_seconds"]
