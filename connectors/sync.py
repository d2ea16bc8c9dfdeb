"""One run of a source: read, map, check, and store each batch with all its effects in one transaction.

After a crash at any step the next run goes on from the last batch that is wholly there, and reading a batch again
changes nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Engine

from connectors import breaker
from connectors.ahead import ahead
from connectors.batch import Batch
from connectors.checks import Refusal, needs_units
from connectors.judged import Judged, judge
from connectors.replay import retry_units
from connectors.runs import RunLog, RunReport, still_here, stream_lock
from connectors.steps import reached
from connectors.stream import Stream
from connectors.take import take_batch, unit_codes, units_for
from connectors.transform import Mapped
from connectors.trouble import BudgetError, NotReadyError, StopError, ended_badly
from warehouse.errors import ConfigurationError, RefusedInput, TransientError
from warehouse.settings import Settings
from warehouse.sources import SourceSettings
from warehouse.vocabulary import Entity, RunKind, RunState

Progress = Callable[[RunReport], None]
LOCK_WAIT_SECONDS = 30.0
STILL_HERE_SECONDS = 60.0
ENTITY_ORDER = (
    Entity.UNIT, Entity.PROCEDURE, Entity.DOSSIER, Entity.DOSSIER_STEP, Entity.DOSSIER_SUPPLEMENT,
    Entity.SURVEY_ANSWER, Entity.REFERENCE_DOSSIER, Entity.REPORTED_FIGURE, Entity.EXTERNAL_SCORE,
)  # fmt: skip
"""Units and procedures first: the others refer to them."""


def sync_source(
    engine: Engine,
    settings: Settings,
    source: SourceSettings,
    *,
    now: datetime,
    progress: Progress | None = None,
    from_start: bool = False,
    stop: threading.Event | None = None,
) -> RunReport:
    """Read one source to its end and return what was done; `now` is the clock of checks and records.

    `from_start` reads everything again, whatever the watermark: what is stored in this version already stays unchanged,
    what reads differently by a corrected mapping is written anew. Once `stop` is
    set, the run ends within a second, but for the batch that is being stored. Trouble is recorded and returned as a
    failed run, batches before it stay. Raises ConfigurationError for a wrong mapping or setting, TransientError when
    the warehouse does not answer.
    """
    stream = Stream.of(settings, source)
    stream = replace(stream, restates=stream.restates or from_start)
    if source.pushed:  # an empty run would make its data look fresh
        raise ConfigurationError(f"source {source.name}: its records are sent to us (kind = push); nothing to read")
    log = RunLog(source, now)
    check = _Limits(source, stop).check
    with engine.connect() as connection, stream_lock(connection, source, LOCK_WAIT_SECONDS, check) as held:
        if not held:
            return replace(log.report, error="another process is reading this source; nothing was done here")
        with connection.begin():
            position = log.begin(connection)
        reached("run begun")
        try:
            _require_units(connection, stream)
            _read_to_end(connection, stream, log, None if from_start else position, progress, check)
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the run is recorded as failed and others go on
            return ended_badly(connection, log, error)
        with connection.begin():
            report = log.finish(connection)
        reached("run finished")
        return report


class _Limits:
    """What ends a run early: its budget of time, and being told to stop."""

    def __init__(self, source: SourceSettings, stop: threading.Event | None) -> None:
        self._source, self._stop = source, stop
        self._deadline = time.monotonic() + source.budget_seconds

    def check(self) -> None:
        if self._stop is not None and self._stop.is_set():
            raise StopError(f"source {self._source.name}: told to stop before its end; the next run goes on from there")
        if time.monotonic() > self._deadline:
            raise BudgetError(
                f"source {self._source.name}: not read to its end within budget_seconds ="
                f" {self._source.budget_seconds:g}; what was read is stored, the next run goes on from there"
            )


def _read_to_end(
    connection: Connection,
    stream: Stream,
    log: RunLog,
    position: str | None,
    progress: Progress | None,
    check: Callable[[], None],
) -> None:
    heard_at = time.monotonic()
    units = units_for(connection, stream)
    connection.rollback()

    def wait() -> None:
        nonlocal heard_at
        check()
        if time.monotonic() - heard_at > STILL_HERE_SECONDS:
            still_here(connection)
            heard_at = time.monotonic()

    for batch, mapped, ready in ahead(_judged(stream, position, log.now, units), wait):
        take_batch(connection, stream, log, batch, mapped, ready)
        if progress is not None:
            progress(log.report)
        check()


def _judged(
    stream: Stream, position: str | None, now: datetime, units: frozenset[str]
) -> Generator[tuple[Batch, Mapped, Judged | None]]:
    """Read everything after a position, map and judge it."""
    for batch, mapped in stream.mapped(position):
        yield batch, mapped, judge(stream, mapped, now, units) if len(batch.frame) else None


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a batch that the other side sent: its counts, and its refused rows with their reasons."""

    report: RunReport
    mapped: Mapped
    refusals: tuple[Refusal, ...]


def receive(engine: Engine, settings: Settings, source: SourceSettings, batch: Batch, *, now: datetime) -> Received:
    """Store one batch that the other side sent; the answer to it may promise that it is kept.

    Raises RefusedInput when too large a share is refused, TransientError when the warehouse does not answer or another
    call of this stream takes too long; nothing of the batch is stored then.
    """
    stream = Stream.of(settings, source)
    log = RunLog(source, now, RunKind.PUSH)
    with engine.connect() as connection, stream_lock(connection, source, LOCK_WAIT_SECONDS) as held:
        if not held:
            raise TransientError(f"source {source.name}: another call is being stored; send it again later")
        with connection.begin():
            log.begin(connection)
        mapped = stream.map(batch)
        try:
            _require_units(connection, stream)
            refusals = take_batch(connection, stream, log, batch, mapped)
        except Exception as error:
            failed = ended_badly(connection, log, error)
            if isinstance(error, RefusedInput):
                raise
            raise TransientError(str(failed.error)) from None
        with connection.begin():
            return Received(log.finish(connection), mapped, refusals)


def sync_all(
    engine: Engine,
    settings: Settings,
    *,
    now: datetime,
    only: str | None = None,
    progress: Progress | None = None,
    from_start: bool = False,
) -> list[RunReport]:
    """Run every configured source once (or those named `only`), units first; what is sent to us is not read.

    What was refused for an unknown unit is tried again first where the unit is known now; such a retry has a report of
    its own. Raises ConfigurationError when no source is called `only`, and what sync_source raises.
    """
    chosen = [source for source in settings.sources if only is None or source.name == only]
    if not chosen:
        names = ", ".join(sorted({source.name for source in settings.sources})) or "none"
        raise ConfigurationError(
            f"no source is called {only!r}; configured: {names}" if only else "no source is configured: add [[sources]]"
        )
    for source in chosen:
        Stream.of(settings, source)
    chosen.sort(key=lambda source: ENTITY_ORDER.index(source.entity))
    reports = []
    for source in chosen:
        reports += retry_units(engine, settings, source, now=now)
        if source.pushed and only is None:
            continue
        reports.append(sync_source(engine, settings, source, now=now, progress=progress, from_start=from_start))
        with engine.begin() as connection:
            breaker.note(connection, source, reports[-1], now)
    return reports


def _require_units(connection: Connection, stream: Stream) -> None:
    """Refuse to read dossiers before any unit is known: all of them would be refused."""
    if needs_units(stream.source.entity, stream.checks) and not unit_codes(connection):
        connection.rollback()
        raise NotReadyError(
            f"source {stream.source.name}: no unit is loaded yet, so no {stream.source.entity} can be placed;"
            " load the units first ([units] in the settings, or a source with entity = unit)"
        )
    connection.rollback()


__all__ = ["ENTITY_ORDER", "Progress", "Received", "RunReport", "RunState", "receive", "sync_all", "sync_source"]
