"""Sweeps are made once a civil day at their time, by the worker, and made up for when none ran."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

from connectors.nightly import keep_sweeping, last_due
from connectors.sync import sync_source
from connectors.worker import Worker
from tests.connectors.databases import eventually
from tests.connectors.intake import Intake
from tests.connectors.support import NOW, record, rest_source, settings_of, table_rows
from warehouse.schema import missing_record, sync_run
from warehouse.sources import SweepSettings
from warehouse.vocabulary import RunKind

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def test_the_last_time_that_a_sweep_was_due() -> None:
    at = time(1, 30)
    night = datetime(2022, 5, 31, 18, 30, tzinfo=UTC)  # 01:30 of 1 June in Vietnam
    assert last_due(at, ZONE, night) == night
    assert last_due(at, ZONE, night + timedelta(hours=23, minutes=59)) == night
    assert last_due(at, ZONE, night - timedelta(seconds=1)) == night - timedelta(days=1)
    paris = ZoneInfo("Europe/Paris")
    assert last_due(time(2, 30), paris, datetime(2022, 3, 27, 12, tzinfo=UTC)) == datetime(
        2022, 3, 27, 1, 30, tzinfo=UTC
    )


def sweeps(engine: Engine) -> list[datetime]:
    query = select(sync_run.c.started_at).where(sync_run.c.kind == RunKind.SWEEP).order_by(sync_run.c.id)
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def test_the_worker_sweeps_when_it_is_time(
    warehouse: Engine, intake: Intake, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    intake.records = [record(number) for number in range(1, 21)]
    at = (datetime.now(ZONE) + timedelta(seconds=3)).time().replace(microsecond=0)
    source = rest_source(intake.url, interval_seconds=0.5, sweep=SweepSettings(at=at, limit=0.5))
    sync_source(warehouse, settings_of(source), source, now=NOW)
    del intake.records[19]
    stop = threading.Event()
    worker = threading.Thread(target=Worker(warehouse, settings_of(source)).run, args=(stop,))
    with caplog.at_level(logging.INFO, "connectors"):
        worker.start()
        try:
            eventually(lambda: any("(sweep): 19 keys" in text for text in caplog.messages))
        finally:
            stop.set()
            worker.join(timeout=20)
    assert not worker.is_alive()
    assert [row[2] for row in table_rows(warehouse, missing_record)] == [record(20)["MaHoSo"]]
    assert len(sweeps(warehouse)) == 1


def test_a_night_that_was_missed_is_made_up_for_once(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(1)]
    source = rest_source(intake.url, sweep=SweepSettings(at=time(1, 30)))
    sync_source(warehouse, settings_of(source), source, now=NOW)

    def work(now: datetime) -> None:
        """One look of a worker that starts at `now`."""
        looked = threading.Event()

        def clock() -> datetime:
            return now

        thread = threading.Thread(target=keep_sweeping, args=(warehouse, settings_of(source), looked, clock))
        thread.start()
        threading.Event().wait(0.6)
        looked.set()
        thread.join()

    noon = datetime(2022, 6, 2, 5, 0, tzinfo=UTC)
    work(noon)
    assert sweeps(warehouse) == [], "never swept: it waits for its first night"
    sweep_night = datetime(2022, 6, 2, 18, 30, tzinfo=UTC)
    with warehouse.begin() as connection:
        connection.execute(
            sync_run.insert().values(
                source="mot-cua", entity="dossier", kind=RunKind.SWEEP, started_at=noon, state="ok"
            )
        )
    work(sweep_night - timedelta(seconds=1))
    assert sweeps(warehouse) == [noon]
    late = sweep_night + timedelta(hours=7)
    work(late)
    work(late + timedelta(hours=1))
    assert sweeps(warehouse) == [noon, late]
