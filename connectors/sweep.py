"""The nightly key sweep: every key of a source is read and compared with what is stored here.

What it tells, and what it never does:

- Records that are stored here and that the source no longer has are marked in `missing_record`. They stay stored and
  counted in every figure; a finding shows them. The mark goes when a later sweep finds the record, or when it is stored
  again. Before a record is marked first, the source is read twice: a list that moves while it is read may skip one.
- If more of the records than `sweep.limit` would be marked, the sweep fails and changes nothing: a source that gave
  half of its list must not mark the other half.
- Records of the source that are neither stored nor in quarantine are counted: `lost` when a sync should have brought
  them, `unread` when they are newer than that, or have no time.
- `drift`: civil days (of the last change at the source) on which count or hash of (key, second of that change) differ
  between there and here, for a reason that neither a mark nor quarantine shows. Each sweep replaces them.

Records that change while the sweep runs, or that no sync has read yet, are no drift and not lost: only what is older
than the beginning of the last whole sync, less five minutes for clocks that differ and commits that come late, is
compared, on both sides. (Something older cannot have changed since: the sweep holds the lock of the stream.)

A sweep is a run of its own kind: what it read it left unchanged, and the watermark stays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Engine, Table, case, func, select

from connectors.runs import RunLog, RunReport, new_version, stream_lock
from connectors.stream import Stream
from connectors.sweep_compare import Comparison, Gone
from connectors.sweep_keys import each_once, key_tables, read_keys
from connectors.trouble import BudgetError, StopError, ended_badly
from warehouse.errors import ConfigurationError, RefusedInput
from warehouse.schema import drift, sync_run
from warehouse.settings import Settings
from warehouse.sources import SourceSettings, SweepSettings
from warehouse.vocabulary import RunKind, RunState

LOCK_WAIT_SECONDS = 30.0
GRACE = timedelta(minutes=5)
Progress = Callable[["SweepReport"], None]


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What one sweep of one stream found; `state` RUNNING means that another process is at it, nothing was done."""

    run: RunReport
    keyless: int = 0
    """Records of the source without a whole key: they can be compared with nothing."""
    missing: int = 0
    newly_missing: int = 0
    back: int = 0
    lost: int = 0
    unread: int = 0
    drift_days: int = 0
    first_drift: date | None = None

    @property
    def state(self) -> RunState:
        """How it ended."""
        return self.run.state

    @property
    def error(self) -> str | None:
        """Why it failed."""
        return self.run.error


def sweep_source(
    engine: Engine,
    settings: Settings,
    source: SourceSettings,
    *,
    now: datetime,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> SweepReport:
    """Compare all keys of one source with what is stored, and mark what is gone; `now` is the time of the marks.

    Trouble of the source is recorded and returned as a failed run that changed nothing. Raises ConfigurationError for a
    source that cannot be swept, TransientError when the warehouse does not answer.
    """
    if source.no_sweep is not None:
        raise ConfigurationError(f"source {source.name}: {source.no_sweep}")
    stream, log = Stream.of(settings, source), RunLog(source, now, RunKind.SWEEP)
    sweep = _Sweep(stream, log, progress, _limits(source, stop))
    with engine.connect() as connection, stream_lock(connection, source, LOCK_WAIT_SECONDS, sweep.check) as held:
        if not held:
            return SweepReport(replace(log.report, error="another process is reading this source; nothing was done"))
        with connection.begin():
            log.begin(connection)
        try:
            with key_tables(connection, stream.shape) as (came, found):
                return sweep.run(connection, came, found)
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the run is recorded as failed and others go on
            return replace(sweep.report, run=ended_badly(connection, log, error))


def _limits(source: SourceSettings, stop: threading.Event | None) -> Callable[[], None]:
    deadline = time.monotonic() + source.budget_seconds

    def check() -> None:
        if stop is not None and stop.is_set():
            raise StopError(f"source {source.name}: told to stop before the sweep was through; nothing was marked")
        if time.monotonic() > deadline:
            raise BudgetError(
                f"source {source.name}: not all keys were read within budget_seconds = {source.budget_seconds:g};"
                " nothing was marked"
            )

    return check


class _Sweep:
    """One sweep at work."""

    def __init__(self, stream: Stream, log: RunLog, progress: Progress | None, check: Callable[[], None]) -> None:
        self.stream, self.log, self.check = stream, log, check
        self._progress = progress
        self.report = SweepReport(log.report)

    def run(self, connection: Connection, came: Table, found: Table) -> SweepReport:
        """Read the keys, compare them, and write what was found in one transaction."""
        self._read(connection, came, counted=True)
        with connection.begin():
            compare = self._compare(connection, came, found)
            unsure = compare.gone().unmarked > 0
            if unsure:
                connection.execute(found.delete())
        if unsure:
            self._read(connection, came, counted=False)
        with connection.begin():
            compare = self._compare(connection, came, found) if unsure else compare
            self._write(connection, compare)
            return replace(self.report, run=self.log.finish(connection))

    def _read(self, connection: Connection, came: Table, *, counted: bool) -> None:
        def count(records: int, keyless: int) -> None:
            if counted:
                self.log.add(connection, read=records, stored=0, unchanged=records, refused=0)
                self.report = replace(self.report, run=self.log.report, keyless=self.report.keyless + keyless)
            if self._progress is not None:
                self._progress(self.report)

        read_keys(connection, self.stream, came, count, self.check)

    def _compare(self, connection: Connection, came: Table, found: Table) -> Comparison:
        each_once(connection, self.stream.shape, came, found)
        until = _synced_until(connection, self.stream.source, self.log.now)
        return Comparison(connection, self.stream.source.name, self.stream.shape, found, until)

    def _write(self, connection: Connection, compare: Comparison) -> None:
        gone = compare.gone()
        self._refuse_too_many(gone)
        newly, back = compare.mark(self.log.now)
        before = _drift_days(connection, self.stream.source)
        days = compare.drift(self.stream.zone, self.log.now)
        lost, unread = compare.unstored()
        self.report = replace(
            self.report, missing=gone.missing, newly_missing=newly, back=back, lost=lost, unread=unread,
            drift_days=len(days), first_drift=days[0][0] if days else None,
        )  # fmt: skip
        if newly or back or days != before:
            new_version(connection, self.log.clock)

    def _refuse_too_many(self, gone: Gone) -> None:
        limit = (self.stream.source.sweep or SweepSettings()).limit
        if gone.share > limit:
            raise RefusedInput(
                f"{gone.unmarked} of {gone.stored} stored records were not found at the source ({gone.share:.1%}), more"
                f" than sweep.limit = {limit:g}; nothing was marked: the source may have given only a part of its list,"
                " or the limit is too small for it"
            )


def _synced_until(connection: Connection, source: SourceSettings, now: datetime) -> datetime | None:
    """The instant until which everything should be here: when the last whole sync began; None: there was none."""
    began = case((sync_run.c.read == 0, sync_run.c.finished_at), else_=sync_run.c.started_at)
    last = connection.execute(
        select(func.max(began)).where(
            sync_run.c.source == source.name, sync_run.c.entity == str(source.entity),
            sync_run.c.kind == RunKind.SYNC, sync_run.c.state == RunState.OK,
        )
    ).scalar_one()  # fmt: skip
    return None if last is None else min(last, now) - GRACE


def _drift_days(connection: Connection, source: SourceSettings) -> list[tuple[object, ...]]:
    columns = (drift.c.day, drift.c.theirs, drift.c.ours, drift.c.their_hash, drift.c.our_hash)
    here = select(*columns).where(drift.c.source == source.name, drift.c.entity == str(source.entity))
    return [tuple(row) for row in connection.execute(here.order_by(drift.c.day))]


def sweep_all(
    engine: Engine, settings: Settings, *, now: datetime, only: str | None = None, progress: Progress | None = None
) -> list[SweepReport]:
    """Sweep every source that has `sweep` set, or whatever can be swept of the one named `only`.

    Raises ConfigurationError when there is none, and what sweep_source raises.
    """
    return [
        sweep_source(engine, settings, source, now=now, progress=progress) for source in chosen_sources(settings, only)
    ]


def chosen_sources(settings: Settings, only: str | None) -> Sequence[SourceSettings]:
    """Return the sources that `ioc sweep` is about.

    Raises ConfigurationError when there is none, with the reason.
    """
    if only is None:
        chosen = [source for source in settings.sources if source.sweep is not None]
        if not chosen:
            raise ConfigurationError("no source has a [sources.sweep]; add one, or name a source with --source")
        return chosen
    named = [source for source in settings.sources if source.name == only]
    if not named:
        names = ", ".join(sorted({source.name for source in settings.sources})) or "none"
        raise ConfigurationError(f"no source is called {only!r}; configured: {names}")
    chosen = [source for source in named if source.no_sweep is None]
    if not chosen:
        raise ConfigurationError(f"source {only}: {named[0].no_sweep}")
    return chosen


__all__ = ["SweepReport", "chosen_sources", "sweep_all", "sweep_source"]
