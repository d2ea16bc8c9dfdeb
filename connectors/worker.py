"""The worker: reads every source on its own interval until it is told to stop."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine

from connectors.runs import RunReport
from connectors.sync import ENTITY_ORDER, sync_source
from warehouse.errors import TransientError
from warehouse.settings import Settings
from warehouse.sources import SourceSettings
from warehouse.vocabulary import RunState

LONGEST_PAUSE_SECONDS = 15.0
THREADS = 4

log = logging.getLogger(__name__)


@dataclass
class _Patience:
    """How often a stream failed in a row, and when it may be asked again."""

    failures: int = 0
    not_before: float = 0.0


class Worker:
    """Runs the configured sources; one run at a time for each, longer pauses while one fails."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings = engine, settings
        self._patience = {(source.name, source.entity): _Patience() for source in settings.sources}

    def run(self, stop: threading.Event) -> None:
        """Read every source once, units first, then each on its interval, until `stop` is set.

        Raises ConfigurationError when a source cannot be read as it is configured.
        """
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of each run that outlasts its interval
        sources = [source for source in self.settings.sources if not source.pushed]
        sources.sort(key=lambda source: ENTITY_ORDER.index(source.entity))
        for source in sources:
            if stop.is_set():
                return
            self.run_once(source)
        scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(THREADS)}, timezone=UTC)
        for source in sources:
            scheduler.add_job(
                self.run_once, "interval", args=[source], seconds=source.interval_seconds,
                max_instances=1, coalesce=True, misfire_grace_time=None,
            )  # fmt: skip
        scheduler.start()
        try:
            stop.wait()
        finally:
            scheduler.shutdown(wait=True)

    def run_once(self, source: SourceSettings) -> None:
        """Read one source, unless it failed just now and its pause is not over."""
        patience = self._patience[source.name, source.entity]
        if time.monotonic() < patience.not_before:
            return
        try:
            report = sync_source(self.engine, self.settings, source, now=datetime.now(UTC))
        except TransientError as error:  # the warehouse itself: nothing could be recorded
            self._failed(source, patience, str(error))
            return
        if report.state is RunState.FAILED:
            self._failed(source, patience, report.error or "")
            return
        if patience.failures:
            log.info("%s %s: reads again after %d failed run(s)", source.name, source.entity, patience.failures)
        self._patience[source.name, source.entity] = _Patience()
        if report.stored or report.quarantined:
            log.info("%s", _line(report))

    def _failed(self, source: SourceSettings, patience: _Patience, error: str) -> None:
        patience.failures += 1
        pause = min(source.interval_seconds * 2**patience.failures, max(LONGEST_PAUSE_SECONDS, source.interval_seconds))
        patience.not_before = time.monotonic() + pause
        log.warning("%s %s: run failed, next try in %.0f s: %s", source.name, source.entity, pause, error)


def _line(report: RunReport) -> str:
    return (
        f"{report.source} {report.entity}: read {report.read} = stored {report.stored} + unchanged {report.unchanged}"
        f" + quarantined {report.quarantined} in {report.seconds:.1f} s"
    )
