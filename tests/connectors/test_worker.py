"""The worker and the freshness of sources."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from connectors.state import Freshness, data_age, source_states
from connectors.sync import sync_source
from connectors.worker import Worker
from tests.connectors.intake import Intake, Reply
from tests.connectors.support import NOW, record, rest_source, settings_of
from warehouse.schema import dossier, sync_run
from warehouse.vocabulary import RunState


def eventually(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


def test_the_worker_goes_on_through_trouble(
    warehouse: Engine, intake: Intake, caplog: pytest.LogCaptureFixture
) -> None:
    def dossiers() -> int:
        with warehouse.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(dossier)).scalar_one())

    source = rest_source(intake.url, interval_seconds=0.2, reader={"retries": 0})
    stop = threading.Event()
    worker = threading.Thread(target=Worker(warehouse, settings_of(source)).run, args=(stop,))
    with caplog.at_level(logging.INFO, "connectors"):
        worker.start()
        try:
            intake.records.append(record(1))
            eventually(lambda: dossiers() == 1)
            intake.answer = lambda number, cursor: Reply(b"<html>")
            eventually(lambda: any("run failed" in text for text in caplog.messages))
            intake.answer = None
            intake.records.append(record(2))
            eventually(lambda: dossiers() == 2)
        finally:
            stop.set()
            worker.join(timeout=15)
    assert not worker.is_alive()
    assert any("read 1 = stored 1 + unchanged 0 + quarantined 0" in text for text in caplog.messages)
    assert any("reads again" in text for text in caplog.messages)
    assert len(caplog.messages) < 12, "runs without change are not logged"
    with warehouse.connect() as connection:
        assert connection.execute(select(func.count()).select_from(sync_run)).scalar_one() < 12


def test_the_worker_reads_units_before_dossiers_and_stops_at_once(engine: Engine) -> None:
    stop = threading.Event()
    stop.set()
    Worker(engine, settings_of(rest_source("http://127.0.0.1:9/"))).run(stop)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(sync_run)).scalar_one() == 0


def test_freshness_of_sources(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(1)]
    good = rest_source(intake.url, name="good", max_age_seconds=60)
    never = rest_source("http://127.0.0.1:9/", name="never", reader={"retries": 0})
    settings = settings_of(good, never)

    def at(later: timedelta) -> dict[str, Freshness]:
        with warehouse.connect() as connection:
            return {state.name: state.freshness for state in source_states(connection, settings, NOW + later)}

    assert set(at(timedelta(0)).values()) == {Freshness.NEVER}
    sync_source(warehouse, settings, good, now=NOW)
    sync_source(warehouse, settings, never, now=NOW)
    assert at(timedelta(seconds=50)) == {"good": Freshness.FRESH, "never": Freshness.NEVER}
    assert at(timedelta(seconds=100))["good"] is Freshness.STALE
    assert at(timedelta(seconds=200))["good"] is Freshness.OLD
    intake.answer = lambda number, cursor: Reply(status=404)
    sync_source(warehouse, settings, good, now=NOW + timedelta(seconds=150))
    with warehouse.connect() as connection:
        states = source_states(connection, settings, NOW + timedelta(seconds=151))
    oldest = data_age(states)
    assert oldest is not None
    assert oldest.name == "never"
    [state] = [state for state in states if state.name == "good"]
    assert state.freshness is Freshness.OLD, "a failed run does not make data fresh"
    assert state.last_run is not None
    assert state.last_run.state is RunState.FAILED
    assert "404" in (state.last_run.error or "")
    assert state.age is not None
    assert timedelta(seconds=140) < state.age < timedelta(seconds=160)


def test_data_age_without_sources() -> None:
    assert data_age([]) is None


def test_times_of_runs_follow_the_given_clock(warehouse: Engine, intake: Intake) -> None:
    then = datetime(2030, 1, 1, tzinfo=UTC)
    sync_source(warehouse, settings_of(), rest_source(intake.url), now=then)
    with warehouse.connect() as connection:
        row = connection.execute(select(sync_run)).one()
    assert row.started_at == then
    assert then <= row.finished_at < then + timedelta(minutes=1)
