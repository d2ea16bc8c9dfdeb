"""When the sweeps are due: each once a civil day at its time, one after the other, beside the reading of the sources.

What was due while no worker ran is made up for when one runs again. A sweep that failed is tried again the next night.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func, select

from connectors.sweep import SweepReport, sweep_source
from connectors.trouble import explain
from warehouse.schema import sync_run
from warehouse.settings import Settings
from warehouse.sources import SourceSettings
from warehouse.vocabulary import RunKind, RunState

LOOK_SECONDS = 60.0
"""At least so often the clock is looked at: it may be set, or the machine may have slept."""

log = logging.getLogger(__name__)


def last_due(at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the newest instant, not after `now`, at which the civil clock showed `at`."""
    today = now.astimezone(zone).date()
    due = datetime.combine(today, at, zone)
    return (due if due <= now else datetime.combine(today - timedelta(days=1), at, zone)).astimezone(UTC)


def keep_sweeping(
    engine: Engine, settings: Settings, stop: threading.Event, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> None:
    """Sweep each source that wants it when it is due, until `stop` is set; no trouble of one ends it."""
    sources = [source for source in settings.sources if source.sweep is not None]
    began = clock()
    while not stop.is_set():
        for source in sources:
            if stop.is_set():
                return
            try:
                if _is_due(engine, source, settings.zone, began, clock()):
                    _tell(sweep_source(engine, settings, source, now=clock(), stop=stop))
            except Exception as error:  # noqa: BLE001 - the next source, and the next night, have theirs
                log.warning("%s %s: no sweep: %s", source.name, source.entity, explain(error)[0])
        stop.wait(_pause(sources, settings.zone, clock()))


def _pause(sources: list[SourceSettings], zone: ZoneInfo, now: datetime) -> float:
    """Seconds until the next sweep is due, or until it is time to look again."""
    waits = [
        last_due(source.sweep.at, zone, now + timedelta(days=1)) - now for source in sources if source.sweep is not None
    ]
    return max(0.1, min([LOOK_SECONDS, *(wait.total_seconds() for wait in waits)]))


def _is_due(engine: Engine, source: SourceSettings, zone: ZoneInfo, began: datetime, now: datetime) -> bool:
    """Whether a sweep of this source was due and none began since; a source never swept waits for its first night."""
    if source.sweep is None:
        return False
    # of failures that are one row, finished_at is that of the newest
    newest = select(func.max(func.coalesce(sync_run.c.finished_at, sync_run.c.started_at))).where(
        sync_run.c.source == source.name, sync_run.c.entity == str(source.entity), sync_run.c.kind == RunKind.SWEEP
    )
    with engine.connect() as connection:
        last = connection.execute(newest).scalar_one() or began
    return bool(last < last_due(source.sweep.at, zone, now))


def _tell(report: SweepReport) -> None:
    run = report.run
    if report.state is not RunState.OK:
        log.warning("%s %s: sweep failed: %s", run.source, run.entity, report.error)
        return
    log.info(
        "%s %s (sweep): %d keys in %.1f s: %d missing there (%d new, %d back), %d lost, %d unread, %d days differ",
        run.source, run.entity, run.read, run.seconds, report.missing, report.newly_missing, report.back, report.lost,
        report.unread, report.drift_days,
    )  # fmt: skip


__all__ = ["keep_sweeping", "last_due"]
