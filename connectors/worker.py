"""The worker: reads every source on its own interval until it is told to stop."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime

from sqlalchemy import Engine

from connectors import breaker
from connectors.nightly import keep_sweeping
from connectors.replay import retry_units, units_known
from connectors.runs import Ending, RunReport
from connectors.stream import Stream
from connectors.sync import sync_source
from connectors.trouble import explain
from warehouse.errors import TransientError
from warehouse.settings import Settings
from warehouse.sources import SourceSettings
from warehouse.vocabulary import BreakerState, Entity, RunState

MOST_RUNS = 32
"""So many sources are read at once; each holds a connection to the warehouse and, at most, two batches."""
UNITS_FIRST_SECONDS = 10.0
"""Other sources wait so long for the first run of those that tell the units."""
LOOK_SECONDS = 0.2
"""How often the first thread, which alone obeys signals, looks whether it was told to stop.

It must not wait for the event: a signal that another thread receives would not wake it, and one that comes while it
holds the lock of the event would be its end, for the handler sets that event.
"""
STOP_SECONDS = 10.0
"""A run that does not end within this time after we were told to stop is cut off; its batch is rolled back."""

log = logging.getLogger(__name__)


class Worker:
    """Runs the configured sources, each in a thread of its own, so that a slow or hanging one delays no other."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings = engine, settings
        self._slots = threading.Semaphore(MOST_RUNS)
        self._units_ready = threading.Event()
        self._units: dict[tuple[str, str], int] = {}
        self._ours: dict[tuple[str, str], int] = {}
        """Failed runs in a row that were no fault of the source: they are not in the table of breakers."""

    def run(self, stop: threading.Event) -> None:
        """Read every source at once, those of units a little earlier, then each on its interval, until `stop` is set.

        Raises ConfigurationError when a source cannot be read as it is configured.
        """
        sources = self.settings.sources
        for source in sources:
            Stream.of(self.settings, source)
        units = [source for source in sources if source.entity is Entity.UNIT]
        waiting = threading.Semaphore(0)
        threads = [
            threading.Thread(target=self._keep_reading, args=(source, stop, waiting), name=source.name, daemon=True)
            for source in sources
        ]
        if any(source.sweep is not None for source in sources):
            night = (self.engine, self.settings, stop)
            threads.append(threading.Thread(target=keep_sweeping, args=night, name="sweeps", daemon=True))
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + UNITS_FIRST_SECONDS
        for _ in units:
            while not waiting.acquire(timeout=0.1) and time.monotonic() < deadline and not stop.is_set():
                pass
        self._units_ready.set()
        while not stop.is_set():
            time.sleep(LOOK_SECONDS)
        _end(threads)

    def _keep_reading(self, source: SourceSettings, stop: threading.Event, first_read: threading.Semaphore) -> None:
        if source.entity is not Entity.UNIT:
            self._units_ready.wait()
        while not stop.is_set():
            if not self._slots.acquire(timeout=0.5):
                continue
            try:
                pause = self.run_once(source, stop)
            finally:
                self._slots.release()
            first_read.release()
            stop.wait(pause)

    def run_once(self, source: SourceSettings, stop: threading.Event | None = None) -> float:
        """Read one source, unless it must be left alone still; return the seconds until it is to be called again."""
        started = time.monotonic()
        try:
            with self.engine.begin() as connection:
                wait = breaker.ask(connection, source, datetime.now(UTC)).total_seconds()
            if wait:
                return wait
            self._retry_units(source)
            if source.pushed:
                return source.interval_seconds  # there is nothing to read
            report = sync_source(self.engine, self.settings, source, now=datetime.now(UTC), stop=stop)
            if (pause := self._after(source, report)) is not None:
                return pause
        except Exception as error:  # noqa: BLE001 - whatever happens to one source, it is asked again, as are the others
            return self._failed_here(source, error, stopping=stop is not None and stop.is_set())
        return max(0.0, started + source.interval_seconds - time.monotonic())

    def _retry_units(self, source: SourceSettings) -> None:
        """Try quarantined rows again when units came since the last look, whoever loaded them."""
        stream = (source.name, str(source.entity))
        known = units_known(self.engine)
        if known != self._units.get(stream):
            for report in retry_units(self.engine, self.settings, source, now=datetime.now(UTC)):
                log.info("%s", line(report))
            self._units[stream] = known

    def _after(self, source: SourceSettings, report: RunReport) -> float | None:
        """Tell the breaker and the log about a run; return the pause after a failed one."""
        stream = (source.name, str(source.entity))
        if report.state is RunState.RUNNING:
            return None  # another process is at it
        if report.ending is Ending.OURS:
            raise TransientError(report.error or "")
        now = datetime.now(UTC)
        with self.engine.begin() as connection:
            before = breaker.breakers(connection).get(stream, breaker.CONNECTED)
            after = breaker.note(connection, source, report, now)
        if report.ending is Ending.TOLD_TO_STOP:
            return 0.0
        if report.state is RunState.FAILED and after.try_at is not None:
            pause = max(0.0, (after.try_at - now).total_seconds())
            state = "" if after.state is BreakerState.CLOSED else " and left alone"
            _warn(source, f"run failed{state}, next try in {pause:.0f} s: {report.error}")
            return pause
        if failures := before.failures + self._ours.pop(stream, 0):
            log.info("%s %s: reads again after %d failed run(s)", *stream, failures)
        if report.stored or report.quarantined:
            log.info("%s", line(report))
        if report.error:
            _warn(source, report.error)
        return None

    def _failed_here(self, source: SourceSettings, error: Exception, *, stopping: bool) -> float:
        """The warehouse is in trouble, not the source: wait, and try again."""
        stream = (source.name, str(source.entity))
        if stopping:
            return 0.0
        self._ours[stream] = self._ours.get(stream, 0) + 1
        pause = min(source.interval_seconds * 2.0 ** min(self._ours[stream], 20), breaker.LONGEST_PAUSE_SECONDS)
        told = str(error) if isinstance(error, TransientError) else explain(error)[0]
        _warn(source, f"run failed, next try in {pause:.0f} s: {told}")
        return pause


def _warn(source: SourceSettings, text: str) -> None:
    log.warning("%s %s: %s", source.name, source.entity, text)


def _end(threads: list[threading.Thread]) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            log.warning("%s: its run does not end; it is cut off, its batch will be read again", thread.name)


def line(report: RunReport) -> str:
    """Say what a run did in one line of the log."""
    kind = "" if report.kind == "sync" else f" ({report.kind})"
    return (
        f"{report.source} {report.entity}{kind}: read {report.read} = stored {report.stored} + unchanged"
        f" {report.unchanged} + quarantined {report.quarantined} in {report.seconds:.1f} s"
    )


__all__ = ["MOST_RUNS", "Worker", "line"]
