"""The course of one dossier: its times counted again from the calendar, its pauses, its due dates, its steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, insert

from metrics import Scope
from metrics.course import Course, DueDate, Event, dossier_course
from tests.metrics.test_worklist import CLOCK, NOW
from tests.metrics.world import SEEN, Dossier, store
from warehouse.errors import BadQuestion
from warehouse.schema import dossier_change, dossier_step, dossier_supplement
from warehouse.vocabulary import Status

MONDAY = datetime(2024, 2, 19, 1, tzinfo=UTC)  # 08:00 in Hà Nội
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEYS = {"source": "s", "code": "0"}
STORED = {**KEYS, "seen_at": SEEN, "payload_hash": ""}
CALENDAR = CLOCK.calendar


def course(connection: Connection, as_of: datetime = NOW, scope: Scope | None = None) -> Course:
    return dossier_course(connection, "s", "0", clock=CLOCK, as_of=as_of, scope=scope or Scope.everything())


def put(connection: Connection, **changed: object) -> None:
    values = {"due_at": MONDAY + 4 * DAY, "finished_at": None, "status": 4, "first_due_at": MONDAY + 4 * DAY, **changed}
    store(
        connection,
        [Dossier("u1", "a", 1, MONDAY, return_channel=None, supplements=None, paused_seconds=None, **values)],
    )  # type: ignore[arg-type]


def office(start: datetime, end: datetime) -> int:
    """Seconds of office time, minute by minute."""
    minutes = int((end - start) / timedelta(minutes=1))
    opened = 0
    for number in range(minutes):
        local = (start + timedelta(minutes=number)).astimezone(CLOCK.zone)
        clock = local.hour * 60 + local.minute
        opened += local.weekday() < 5 and (420 <= clock < 690 or 810 <= clock < 1020)
    return opened * 60


def test_a_dossier_in_time_late_and_finished(engine: Engine) -> None:
    with engine.begin() as connection:
        put(connection)
        early = course(connection, MONDAY + 2 * DAY).time
        late = course(connection, MONDAY + 8 * DAY).time
        put(connection, finished_at=MONDAY + 3 * DAY, status=9)
        done = course(connection).time
    assert (early.passed, early.left) == (office(MONDAY, MONDAY + 2 * DAY), office(MONDAY + 2 * DAY, MONDAY + 4 * DAY))
    assert (late.passed, late.left) == (office(MONDAY, MONDAY + 8 * DAY), -office(MONDAY + 4 * DAY, MONDAY + 8 * DAY))
    assert (done.passed, done.left) == (office(MONDAY, MONDAY + 3 * DAY), office(MONDAY + 3 * DAY, MONDAY + 4 * DAY))
    assert early.paused == 0


def test_what_is_unknown_stays_unknown(engine: Engine) -> None:
    with engine.begin() as connection:
        put(connection, due_at=None, first_due_at=None)
        assert course(connection).time.left is None
        assert course(connection).due_dates == ()
        store(connection, [Dossier("u1", "a", 2, None, None, None, 1, None, None, None, submitted_at=MONDAY)])
        found = course(connection)
    assert (found.time.passed, found.time.paused, found.time.left) == (None, None, None)
    assert [item.event for item in found.events] == [Event.SUBMITTED]


def test_supplements_pause_the_clock_once_and_move_the_due_date(engine: Engine) -> None:
    moved = MONDAY + 9 * DAY
    spans = [(MONDAY + DAY, MONDAY + 2 * DAY, moved), (MONDAY + DAY + 4 * HOUR, MONDAY + 2 * DAY + HOUR, None)]
    rows = [
        {**STORED, "supplement": str(n), "requested_at": since, "received_at": until, "old_due_at": MONDAY + 4 * DAY,
         "new_due_at": due}
        for n, (since, until, due) in enumerate(spans)
    ]  # fmt: skip
    with engine.begin() as connection:
        put(connection, due_at=moved)
        connection.execute(insert(dossier_supplement), rows)
        found = course(connection, MONDAY + 7 * DAY)
    assert found.time.paused == office(MONDAY + DAY, MONDAY + 2 * DAY + HOUR)
    assert [pause.office_seconds for pause in found.pauses] == [office(*span[:2]) for span in spans]
    assert found.due_dates == (DueDate(MONDAY + 4 * DAY, MONDAY), DueDate(moved, MONDAY + 2 * DAY))
    assert {item.event for item in found.events} >= {Event.SUPPLEMENT_ASKED, Event.SUPPLEMENT_GIVEN, Event.DUE}


def test_a_pause_that_lasts_counts_until_now_and_a_payment_is_known_by_what_was_seen(engine: Engine) -> None:
    told = [(MONDAY + DAY, "4", "6"), (MONDAY + 2 * DAY, "6", "4"), (MONDAY + 3 * DAY, "4", "5")]
    changes = [{**KEYS, "seen_at": at, "field": "status", "old": old, "new": new} for at, old, new in told]
    with engine.begin() as connection:
        put(connection, status=5)
        connection.execute(insert(dossier_change), changes)
        found = course(connection, MONDAY + 4 * DAY)
        before = course(connection, MONDAY + 2 * DAY + HOUR)
    assert [(p.status, p.since, p.until, p.seen) for p in found.pauses] == [
        (Status.PAYMENT_REQUESTED, MONDAY + DAY, MONDAY + 2 * DAY, True),
        (Status.SUPPLEMENT_REQUESTED, MONDAY + 3 * DAY, None, True),
    ]
    assert found.time.paused == office(MONDAY + DAY, MONDAY + 2 * DAY) + office(MONDAY + 3 * DAY, MONDAY + 4 * DAY)
    assert len(before.pauses) == 1


def test_due_dates_from_changes_and_one_that_nobody_recorded(engine: Engine) -> None:
    change = {**KEYS, "seen_at": MONDAY + 3 * DAY, "field": "due_at", "old": (MONDAY + 4 * DAY).isoformat(),
              "new": (MONDAY + 6 * DAY).isoformat()}  # fmt: skip
    with engine.begin() as connection:
        put(connection, due_at=MONDAY + 8 * DAY)
        connection.execute(insert(dossier_change), [change])
        found = course(connection)
    assert found.due_dates == (
        DueDate(MONDAY + 4 * DAY, MONDAY), DueDate(MONDAY + 6 * DAY, MONDAY + 3 * DAY), DueDate(MONDAY + 8 * DAY, None)
    )  # fmt: skip
    moved = next(item for item in found.events if item.event is Event.DUE_MOVED)
    assert moved.seen
    assert datetime.fromisoformat(str(moved.new)) == MONDAY + 6 * DAY


def test_steps_in_order_with_those_that_took_too_long(engine: Engine) -> None:
    rows = [
        {"step": "b", "department": "Địa chính", "started_at": None, "due_at": MONDAY + 2 * DAY, "finished_at": None},
        {"step": "a", "department": "Một cửa", "started_at": MONDAY, "due_at": MONDAY + 4 * HOUR,
         "finished_at": MONDAY + 3 * HOUR},
        {"step": "c", "department": None, "started_at": MONDAY + 3 * HOUR, "due_at": None,
         "finished_at": MONDAY + 5 * HOUR},
        {"step": "z", "department": "Sau này", "started_at": MONDAY + 30 * DAY, "due_at": None, "finished_at": None},
    ]  # fmt: skip
    with engine.begin() as connection:
        put(connection)
        connection.execute(insert(dossier_step), [{**STORED, **row} for row in rows])
        found = course(connection, MONDAY + 3 * DAY)
    assert [(s.department, s.over_long) for s in found.steps] == [("Một cửa", False), (None, None), ("Địa chính", True)]
    assert found.steps[2].started_at == MONDAY + 5 * HOUR  # where the step before it ended
    assert found.steps[2].office_seconds == office(MONDAY + 5 * HOUR, MONDAY + 3 * DAY)
    assert found.steps[0].office_seconds == 3 * 3600


def test_a_dossier_outside_of_the_scope_is_not_told(engine: Engine) -> None:
    with engine.begin() as connection:
        put(connection)
        with pytest.raises(BadQuestion, match="no dossier"):
            course(connection, scope=Scope.of({"p9"}))
