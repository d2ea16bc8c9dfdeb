"""How fresh the data of each configured source is: read by the screens, which never show old data as fresh.

Only runs that asked the source count, and calls of those that push: a retry of quarantined rows says nothing
of its age.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Row, and_, func, select

from connectors.breaker import CONNECTED, Breaker, breakers
from warehouse.schema import sync_run
from warehouse.settings import Settings
from warehouse.sources import SourceSettings
from warehouse.vocabulary import BreakerState, Entity, RunKind, RunState

ASKING = (RunKind.SYNC, RunKind.PUSH)


class Freshness(StrEnum):
    """Age of a source's data against its `max_age_seconds`."""

    FRESH = "fresh"
    STALE = "stale"
    OLD = "old"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run of a stream, whatever became of it."""

    state: RunState
    started_at: datetime
    finished_at: datetime | None
    read: int
    stored: int
    unchanged: int
    quarantined: int
    error: str | None


@dataclass(frozen=True, slots=True)
class SourceState:
    """A configured stream: when it was last read to its end, how old that is, its newest run and its breaker.

    `failures` counts failed runs in a row, `since` is when the first of them ended or the breaker opened; before
    `try_at` the source is not asked again.
    """

    name: str
    entity: Entity
    last_ok_at: datetime | None
    age: timedelta | None
    max_age: timedelta
    freshness: Freshness
    last_run: LastRun | None
    breaker: BreakerState = BreakerState.CLOSED
    failures: int = 0
    since: datetime | None = None
    try_at: datetime | None = None


def source_states(connection: Connection, settings: Settings, now: datetime) -> list[SourceState]:
    """Return the state of every configured source at `now`, in the order of the settings."""
    last_ok = _last_ok(connection)
    last_runs = _last_runs(connection)
    failing = breakers(connection)
    states = []
    for source in settings.sources:
        stream = (source.name, str(source.entity))
        states.append(_state(source, last_ok.get(stream), last_runs.get(stream), failing.get(stream, CONNECTED), now))
    return states


def data_age(states: Sequence[SourceState]) -> SourceState | None:
    """Return the source with the oldest data, one that was never read before all others; None without sources."""
    return min(states, key=lambda state: (state.last_ok_at is not None, state.last_ok_at), default=None)


def _state(
    source: SourceSettings, ok_at: datetime | None, last: LastRun | None, breaker: Breaker, now: datetime
) -> SourceState:
    age = None if ok_at is None else max(now - ok_at, timedelta(0))
    return SourceState(
        source.name, source.entity, ok_at, age, source.max_age, _freshness(age, source.max_age), last,
        breaker.state, breaker.failures, breaker.since, breaker.try_at,
    )  # fmt: skip


def _freshness(age: timedelta | None, max_age: timedelta) -> Freshness:
    if age is None:
        return Freshness.NEVER
    if age <= max_age:
        return Freshness.FRESH
    return Freshness.STALE if age <= 2 * max_age else Freshness.OLD


def _last_ok(connection: Connection) -> dict[tuple[str, str], datetime]:
    stream = (sync_run.c.source, sync_run.c.entity)
    ok = and_(sync_run.c.state == RunState.OK, sync_run.c.kind.in_(ASKING))
    query = select(*stream, func.max(sync_run.c.finished_at)).where(ok).group_by(*stream)
    return {(source, entity): at for source, entity, at in connection.execute(query)}


def _last_runs(connection: Connection) -> dict[tuple[str, str], LastRun]:
    stream = (sync_run.c.source, sync_run.c.entity)
    newest = select(func.max(sync_run.c.id)).where(sync_run.c.kind.in_(ASKING)).group_by(*stream)
    rows = connection.execute(select(sync_run).where(sync_run.c.id.in_(newest)))
    return {(row.source, row.entity): _run(row) for row in rows}


def _run(row: Row[tuple[object, ...]]) -> LastRun:
    return LastRun(
        RunState(row.state), row.started_at, row.finished_at,
        row.read, row.stored, row.unchanged, row.quarantined, row.error,
    )  # fmt: skip
