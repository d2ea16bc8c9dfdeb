"""The worker and the freshness of sources."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import ColumnElement, Engine, Table, func, select, text, update

from connectors.breaker import breakers
from connectors.state import Freshness, data_age, source_states
from connectors.sync import sync_source
from connectors.worker import Worker
from tests.connectors.intake import Intake, Reply, serve
from tests.connectors.support import NOW, insert_units, record, rest_source, settings_of
from tests.connectors.test_sync import UNIT
from warehouse.schema import breaker, dossier, quarantine, sync_run
from warehouse.sources import SourceSettings
from warehouse.vocabulary import BreakerState, Entity, RunState


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


class Running:
    """A worker in a thread."""

    def __init__(self, engine: Engine, *sources: SourceSettings) -> None:
        self.stop = threading.Event()
        self.thread = threading.Thread(target=Worker(engine, settings_of(*sources)).run, args=(self.stop,))

    def __enter__(self) -> Running:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> float:
        """Tell it to stop and return how long it took."""
        started = time.monotonic()
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()
        return time.monotonic() - started


def count(engine: Engine, table: Table, *where: ColumnElement[bool]) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())


def test_slow_sources_delay_no_other_and_the_worker_stops_while_they_drip(warehouse: Engine) -> None:
    free = threading.Event()

    def hang(number: int, cursor: str | None) -> None:
        free.wait(60)

    with ExitStack() as stack:
        slow = [stack.enter_context(serve(Intake(answer=hang))) for _ in range(10)]
        quick = stack.enter_context(serve(Intake([record(1)])))
        options = {"interval_seconds": 0.2, "reader": {"timeout_seconds": 60}}
        sources = [rest_source(intake.url, name=f"slow-{n}", **options) for n, intake in enumerate(slow)]
        sources.append(rest_source(quick.url, name="quick", interval_seconds=0.2))
        with Running(warehouse, *sources) as running:
            eventually(lambda: count(warehouse, dossier) == 1)
            quick.records.append(record(2))
            eventually(lambda: count(warehouse, dossier) == 2)
            eventually(lambda: all(intake.requests for intake in slow))
            assert running.end() < 5
        free.set()
    with warehouse.connect() as connection:
        ends = connection.execute(select(sync_run.c.state, sync_run.c.error).where(sync_run.c.source != "quick")).all()
        assert breakers(connection) == {}, "being told to stop is no failure"
    assert {state for state, _ in ends} == {"failed"}
    assert all("told to stop" in error for _, error in ends)


def test_a_restarted_worker_remembers_which_source_is_left_alone(warehouse: Engine, intake: Intake) -> None:
    intake.answer = lambda number, cursor: Reply(status=404)
    source = rest_source(
        intake.url, interval_seconds=0.05, breaker_failures=2, breaker_pause_seconds=30, reader={"retries": 0}
    )
    with Running(warehouse, source):
        eventually(lambda: count(warehouse, breaker, breaker.c.state == BreakerState.OPEN) == 1)
    asked = intake.requests
    with Running(warehouse, source):
        time.sleep(1)
    assert intake.requests == asked
    with warehouse.begin() as connection:
        connection.execute(update(breaker).values(try_at=datetime.now(UTC)))
    intake.answer = None
    intake.records = [record(1)]
    with Running(warehouse, source):
        eventually(lambda: count(warehouse, dossier) == 1)
        eventually(lambda: count(warehouse, breaker) == 0)


def test_a_warehouse_that_is_away_is_no_fault_of_the_source(
    warehouse: Engine, intake: Intake, caplog: pytest.LogCaptureFixture
) -> None:
    intake.records = [record(1)]
    worker = Worker(warehouse, settings_of(source := rest_source(intake.url, interval_seconds=1)))
    with warehouse.begin() as connection:
        connection.execute(text("alter table dossier rename to elsewhere"))
    assert worker.run_once(source) == 2
    assert worker.run_once(source) == 4
    with warehouse.begin() as connection:
        connection.execute(text("alter table elsewhere rename to dossier"))
    assert worker.run_once(source) <= 1
    assert count(warehouse, dossier) == 1
    assert count(warehouse, breaker) == 0
    assert any("UndefinedTable" in message for message in caplog.messages)


def test_rows_of_an_unknown_unit_are_stored_when_the_unit_comes(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(1), record(2, DonViXuLy="27009"), record(3, DonViXuLy="27010")]
    with Running(warehouse, rest_source(intake.url, interval_seconds=0.2)):
        eventually(lambda: count(warehouse, quarantine) == 2)
        insert_units(warehouse, ["27009"])
        eventually(lambda: count(warehouse, dossier) == 2)
    with warehouse.connect() as connection:
        rows = connection.execute(select(quarantine.c.code, quarantine.c.resolved_at).order_by(quarantine.c.code)).all()
        kinds = connection.execute(select(sync_run.c.kind, sync_run.c.read, sync_run.c.stored)).all()
    assert [resolved is not None for _, resolved in rows] == [True, False]
    assert ("replay", 1, 1) in kinds


def test_sources_wait_for_the_first_reading_of_the_units(engine: Engine) -> None:
    def slowly(number: int, cursor: str | None) -> None:
        time.sleep(0.5)

    with serve(Intake([UNIT], slowly)) as units, serve(Intake([record(1)])) as dossiers:
        sources = [
            rest_source(dossiers.url, interval_seconds=60),
            rest_source(units.url, Entity.UNIT, "dvcqg-unit", interval_seconds=60),
        ]
        with Running(engine, *sources):
            eventually(lambda: count(engine, dossier) == 1)
    assert count(engine, sync_run, sync_run.c.state == "failed") == 0


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
