"""The breaker: opens after failures in a row, lets one run try now and then, is the same for all workers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from connectors.breaker import CONNECTED, Breaker, ask, breakers, note, pause_seconds
from connectors.runs import Ending, RunReport
from connectors.state import source_states
from connectors.sync import sync_all
from tests.connectors.intake import Intake, Reply
from tests.connectors.support import NOW, record, rest_source, settings_of
from warehouse.sources import SourceSettings
from warehouse.vocabulary import BreakerState, RunState

SOURCE = rest_source("http://127.0.0.1:9/", interval_seconds=2, breaker_failures=3, breaker_pause_seconds=10)
FAILED = RunReport(1, "mot-cua", "dossier", RunState.FAILED, error="x", ending=Ending.TROUBLE)
OK = RunReport(1, "mot-cua", "dossier", RunState.OK)


def seconds(count: float) -> datetime:
    return NOW + timedelta(seconds=count)


def told(engine: Engine, report: RunReport, at: datetime, source: SourceSettings = SOURCE) -> Breaker:
    with engine.begin() as connection:
        return note(connection, source, report, at)


def wait(engine: Engine, at: datetime, source: SourceSettings = SOURCE) -> float:
    with engine.begin() as connection:
        return ask(connection, source, at).total_seconds()


def test_a_stream_that_never_failed_is_asked(engine: Engine) -> None:
    assert wait(engine, NOW) == 0
    assert told(engine, OK, NOW) == CONNECTED
    with engine.connect() as connection:
        assert breakers(connection) == {}


def test_it_opens_after_failures_in_a_row_and_one_success_closes_it(engine: Engine) -> None:
    states = [told(engine, FAILED, seconds(number)) for number in range(3)]
    assert [(item.state, item.failures) for item in states] == [
        (BreakerState.CLOSED, 1), (BreakerState.CLOSED, 2), (BreakerState.OPEN, 3),
    ]  # fmt: skip
    assert [item.since for item in states] == [NOW, NOW, seconds(2)], "first failure; then since it is open"
    assert [item.try_at for item in states] == [seconds(4), seconds(1 + 8), seconds(2 + 10)]
    assert wait(engine, seconds(3)) == 9
    assert wait(engine, seconds(12)) == 0, "the trial"
    assert told(engine, OK, seconds(13)) == CONNECTED
    assert wait(engine, seconds(13)) == 0
    assert told(engine, FAILED, seconds(14)).failures == 1, "the count begins anew"


def test_a_failed_trial_opens_again_at_once(engine: Engine) -> None:
    for number in range(3):
        told(engine, FAILED, seconds(number))
    assert wait(engine, seconds(12)) == 0
    again = told(engine, FAILED, seconds(15))
    assert (again.state, again.failures, again.since) == (BreakerState.OPEN, 4, seconds(2))
    assert again.try_at == seconds(25)


def test_a_success_in_between_starts_the_count_anew(engine: Engine) -> None:
    for report in (FAILED, FAILED, OK, FAILED, FAILED):
        state = told(engine, report, NOW)
    assert (state.state, state.failures) == (BreakerState.CLOSED, 2)


def test_one_of_several_workers_gets_the_trial(engine: Engine) -> None:
    for number in range(3):
        told(engine, FAILED, seconds(number))
    with ThreadPoolExecutor(6) as pool:
        waits = list(pool.map(lambda _: wait(engine, seconds(12)), range(6)))
    assert sorted(waits) == [0, 10, 10, 10, 10, 10]
    with engine.connect() as connection:
        [state] = breakers(connection).values()
    assert state.state is BreakerState.HALF_OPEN


def test_a_trial_whose_worker_died_is_given_again(engine: Engine) -> None:
    for number in range(3):
        told(engine, FAILED, seconds(number))
    assert wait(engine, seconds(12)) == 0
    assert wait(engine, seconds(13)) == 9
    assert wait(engine, seconds(22)) == 0


def test_a_clock_that_is_set_back_does_not_shut_a_source_out(engine: Engine) -> None:
    for number in range(3):
        told(engine, FAILED, seconds(number))
    assert wait(engine, seconds(-7200)) == 0


@pytest.mark.parametrize(
    ("ending", "read", "counts"),
    [
        (Ending.BUDGET, 100, False), (Ending.BUDGET, 0, True), (Ending.TOLD_TO_STOP, 0, False), (Ending.OURS, 0, False),
        (Ending.TROUBLE, 100, True), (Ending.REFUSED, 100, True),
    ],
)  # fmt: skip
def test_what_counts_as_a_failure_of_the_source(engine: Engine, ending: Ending, read: int, *, counts: bool) -> None:
    report = RunReport(1, "mot-cua", "dossier", RunState.FAILED, read=read, stored=read, error="x", ending=ending)
    assert told(engine, report, NOW).failures == counts


def test_another_process_at_it_says_nothing(engine: Engine) -> None:
    told(engine, FAILED, NOW)
    assert told(engine, RunReport(None, "mot-cua", "dossier", RunState.RUNNING), NOW).failures == 1


def test_with_the_defaults_a_source_that_is_back_is_read_within_15_seconds() -> None:
    for interval in (1, 60, 3600):
        source = rest_source("http://127.0.0.1:9/", interval_seconds=interval)
        assert max(pause_seconds(source, failures) for failures in range(1, 100)) == 15


def test_what_is_refused_is_read_again_at_growing_pauses() -> None:
    pauses = [pause_seconds(SOURCE, failures, Ending.REFUSED) for failures in range(1, 9)]
    assert pauses == [4, 8, 10, 20, 40, 80, 80, 80]


def test_states_show_the_breaker(warehouse: Engine, intake: Intake) -> None:
    source = rest_source(intake.url, breaker_failures=2)
    settings = settings_of(source, rest_source(intake.url, name="other"))
    intake.records = [record(1)]
    intake.answer = lambda number, cursor: Reply(status=404)
    for number in range(2):
        sync_all(warehouse, settings, now=seconds(number), only="mot-cua")
    with warehouse.connect() as connection:
        state, other = source_states(connection, settings, seconds(3))
    assert (state.breaker, state.failures) == (BreakerState.OPEN, 2)
    assert state.since is not None
    assert state.try_at == state.since + timedelta(seconds=15)
    assert (other.breaker, other.failures, other.since, other.try_at) == (BreakerState.CLOSED, 0, None, None)
    intake.answer = None
    [report] = sync_all(warehouse, settings, now=seconds(4), only="mot-cua")
    assert report.state is RunState.OK, "whoever asks by hand does not wait for the breaker"
    with warehouse.connect() as connection:
        assert source_states(connection, settings, seconds(5))[0].breaker is BreakerState.CLOSED
