"""Reading changes since the last read: windows overlap, end at the source's clock, and move only when they are read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from connectors.batch import Batch
from connectors.readers import rest, since
from connectors.readers.since import Position, read_date
from connectors.sync import sync_source
from tests.connectors.intake import Call, Intake, Reply, plain
from tests.connectors.moving_list import FIELDS, batches, codes, settings
from tests.connectors.support import NOW, record, rest_source, settings_of, table_rows
from warehouse.errors import TransientError
from warehouse.schema import dossier
from warehouse.sources import RestSettings, UpdatedSince

NOON = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
"""The time of a reply, rounded up, is taken off the clock that it tells."""


class Clock:
    """Our clock and the source's, which stores records by its own and answers what changed since an instant."""

    def __init__(self, ahead: timedelta | None = timedelta(0)) -> None:
        self.now, self.ahead = NOON, ahead
        self.changed: dict[str, datetime] = {}

    @property
    def source(self) -> datetime:
        return self.now + (self.ahead or timedelta(0))

    def change(self, code: str) -> None:
        self.changed[code] = self.source

    def __call__(self, call: Call) -> Reply:
        after = datetime.fromisoformat(call.query.get("updated_since", "1970-01-01T00:00:00Z"))
        until = datetime.fromisoformat(call.query.get("until", "2999-01-01T00:00:00Z"))
        window = sorted((at, code) for code, at in self.changed.items() if after <= at < until)
        start, size = int(call.query["o"]), int(call.query["n"])
        found = [{"MaHoSo": code, "NgayCapNhat": str(at)} for at, code in window[start : start + size]]
        date = None if self.ahead is None else format_datetime(self.source, usegmt=True)
        return Reply(plain(found).body, date=date)


@pytest.fixture
def clock(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("connectors.readers.rest.our_clock", lambda: made.now)
    intake.on_call = made
    return made


def windowed(intake: Intake, **options: Any) -> RestSettings:  # noqa: ANN401
    return settings(intake, "offset", since=UpdatedSince(**({"until_parameter": "until"} | options)))


def read(intake: Intake, position: str | None, **options: Any) -> list[Batch]:  # noqa: ANN401
    intake.calls.clear()
    return batches(windowed(intake, **options), position)


def until(position: str | None) -> datetime:
    return datetime.fromisoformat(json.loads(position or "")["until"])


def test_the_first_read_has_no_lower_bound_and_the_next_overlaps(intake: Intake, clock: Clock) -> None:
    clock.change("A")
    clock.now += timedelta(hours=1)
    first = read(intake, None)
    assert (codes(first), until(first[-1].position)) == (["A"], clock.now - SECOND)
    assert "updated_since" not in intake.calls[0].query
    assert intake.calls[0].query["until"] == "2026-03-02T06:00:00Z"
    clock.change("B")
    clock.now += timedelta(minutes=1)
    second = read(intake, first[-1].position)
    assert intake.calls[0].query["updated_since"] == "2026-03-02T05:54:59Z"
    assert codes(second) == ["B"]


@pytest.mark.parametrize(
    ("form", "written"),
    [("iso", "2026-03-02T04:55:00Z"), ("yyyyMMddHHmmss", "20260302115500"), ("epoch", "1772427300")],
)
def test_instants_are_written_as_the_source_wants_them(intake: Intake, form: Any, written: str) -> None:  # noqa: ANN401
    intake.on_call = lambda call: plain([])
    position = Position(NOON, by_source=True).text()
    chosen = windowed(intake, format=form)
    list(rest.read(chosen, position, FIELDS, ("MaHoSo",), 10, ZoneInfo("Asia/Ho_Chi_Minh")))
    assert intake.calls[0].query["updated_since"] == written


def test_a_read_that_breaks_off_does_not_move_the_watermark(intake: Intake, clock: Clock) -> None:
    for number in range(10):
        clock.change(f"A{number}")
    clock.now += timedelta(minutes=1)
    position = Position(NOON - timedelta(hours=1), by_source=True).text()
    intake.on_call = lambda call: Reply(status=500) if call.number == 3 else clock(call)
    reading = rest.read(windowed(intake), position, FIELDS, ("MaHoSo",), 1000)
    first = next(reading)
    with pytest.raises(TransientError):
        next(reading)
    assert until(first.position) == NOON - timedelta(hours=1)
    intake.on_call = clock
    clock.now += timedelta(minutes=30)
    rest_of = read(intake, first.position)
    assert set(codes([first, *rest_of])) == {f"A{number}" for number in range(10)}
    assert until(rest_of[-1].position) == NOON + timedelta(minutes=1) - SECOND, "that of the window that was begun"
    assert intake.calls[0].query["until"] == "2026-03-02T05:00:59Z"


@pytest.mark.parametrize("hours", [-30, -3, 3, 30])
@pytest.mark.parametrize("bounded", ["until", ""])
def test_a_source_clock_that_is_wrong_loses_nothing(intake: Intake, clock: Clock, hours: int, bounded: str) -> None:
    """Records are stamped by that clock too; it is even put right in between, while ours stays as it is."""
    position, seen = None, set()
    for step in range(12):
        clock.ahead = timedelta(hours=hours if step < 6 else 0)
        clock.change(f"A{step}")
        clock.now += timedelta(seconds=30)
        found = read(intake, position, until_parameter=bounded)
        position, seen = found[-1].position, seen | set(codes(found))
        assert until(position) <= min(clock.now, clock.source)
        assert all(call.query.get("until", "") <= f"{clock.source:%Y-%m-%dT%H:%M:%SZ}" for call in intake.calls[1:])
    assert seen == {f"A{step}" for step in range(12)}


def test_a_source_without_clock_goes_by_ours(intake: Intake, clock: Clock) -> None:
    clock.ahead = None
    clock.change("A")
    clock.now += timedelta(seconds=30)
    found = read(intake, None)
    assert (codes(found), json.loads(found[-1].position or "")["clock"]) == (["A"], "own")


def test_a_watermark_in_the_future_by_our_own_clock_is_not_believed(intake: Intake, clock: Clock) -> None:
    """Our clock was three hours ahead, and the source told none; what changed since then is not skipped."""
    clock.change("A")
    clock.now += timedelta(minutes=10)
    wrong = Position(clock.now + timedelta(hours=3), by_source=False).text()
    assert codes(read(intake, wrong)) == ["A"]
    assert "updated_since" not in intake.calls[-1].query


def test_a_slow_reply_takes_its_time_off_the_clock() -> None:
    window = since.Window(UpdatedSince(), Position(), clock=lambda: NOON)
    window.hear(format_datetime(NOON + timedelta(seconds=7), usegmt=True), 9.2, "here")
    assert window.bound == NOON - timedelta(seconds=3)


def test_the_operator_is_told_of_clocks_that_differ(
    intake: Intake, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.ahead = timedelta(hours=2)
    read(intake, None)
    assert f"{intake.url}: its clock differs from ours by 7199 s" in caplog.text


@pytest.mark.parametrize(
    "text", [None, "", "15", "[]", "soon", '{"until": 3}', '{"until": "x"}', '{"part": {"at": 1}}']
)
def test_a_watermark_that_is_none_of_ours_starts_anew(text: str | None) -> None:
    assert Position.parse(text) == Position()


@pytest.mark.parametrize("text", [None, "", "x", "Mon, 99 Foo 2026 00:00:00 GMT", "Mon, 01 Jan 1900 00:00:00 GMT", "1"])
def test_a_date_that_is_none_is_none(text: str | None) -> None:
    assert read_date(text) is None


def test_an_empty_window_still_moves_the_watermark(intake: Intake, clock: Clock) -> None:
    position = Position(NOON - timedelta(hours=1), by_source=True).text()
    [batch] = read(intake, position)
    assert (len(batch.frame), until(batch.position)) == (0, clock.now - SECOND)
    assert len(intake.calls) == 1


def test_runs_store_what_changed_and_fail_without_moving_the_watermark(
    warehouse: Engine, intake: Intake, clock: Clock
) -> None:
    """The whole way into the tables: first load, a change, a source that breaks in the middle, and the next run."""
    records = {number: record(number) for number in range(1, 8)}

    def answer(call: Call) -> Reply:
        reply = clock(call)
        found = [records[int(item["MaHoSo"])] for item in json.loads(reply.body)["data"]]
        broken = call.query["o"] == "3" and clock.now == NOON + timedelta(minutes=2)
        return Reply(status=503) if broken else Reply(plain(found).body, date=reply.date)

    intake.on_call = answer
    pages = {"kind": "offset", "parameter": "o", "size_parameter": "n"}
    reader = {"pages": pages, "since": {"until_parameter": "until"}, "page_size": 4, "retries": 0}
    source = rest_source(intake.url, reader=reader)
    for number in records:
        clock.change(str(number))
    reports = []
    for minute in range(1, 4):
        clock.now = NOON + timedelta(minutes=minute)
        if minute == 2:
            records[7] = record(7, TrangThaiHoSo="9", NgayTra="", NgayCapNhat="20220401000000")
            clock.changed["7"] = NOON + timedelta(seconds=90)
        reports.append(sync_source(warehouse, settings_of(source), source, now=NOW))
    assert [(str(report.state), report.stored) for report in reports] == [("ok", 7), ("failed", 0), ("ok", 1)]
    assert until(reports[0].watermark_after) == until(reports[1].watermark_after)
    assert until(reports[1].watermark_after) < until(reports[2].watermark_after)
    assert len(table_rows(warehouse, dossier)) == 7
