"""The working calendar against the worked cases of the reference, and its sums over hours."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import Clock, WorkingCalendar
from tests.conftest import shared
from tests.metrics.world import HANOI
from warehouse.errors import BadQuestion, ConfigurationError
from warehouse.settings import OfficeSettings, OwnHours, Settings
from warehouse.vocabulary import TimeUnit

CALENDAR = WorkingCalendar(HANOI)
MOMENTS = st.datetimes(datetime(2023, 12, 1), datetime(2026, 3, 1)).map(  # noqa: DTZ001 - made aware at once
    lambda moment: moment.replace(microsecond=0, tzinfo=HANOI)
)


@pytest.fixture
def reference() -> dict[str, Any]:
    return json.loads(shared("vn_holidays/reference.json").read_text(encoding="utf-8"))


def test_working_days_of_every_month(reference: dict[str, Any]) -> None:
    for text, expected in reference["working_days_per_month"].items():
        first = date.fromisoformat(f"{text}-01")
        stop = (first + timedelta(32)).replace(day=1)
        assert CALENDAR.working_days_between(first - timedelta(1), stop - timedelta(1)) == expected, text


def test_worked_cases(reference: dict[str, Any]) -> None:
    for case in reference["add_working_days"]:
        due = CALENDAR.add_working_days(date.fromisoformat(case["start"]), case["n"])
        assert due.isoformat() == case["due"], case
    for case in reference["working_days_between"]:
        days = CALENDAR.working_days_between(date.fromisoformat(case["a"]), date.fromisoformat(case["b"]))
        assert days == case["days"], case


def test_swapped_days(reference: dict[str, Any]) -> None:
    assert not any(CALENDAR.is_working(date.fromisoformat(day)) for day in reference["swapped"]["off"])
    assert all(CALENDAR.is_working(date.fromisoformat(day)) for day in reference["swapped"]["worked"])


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2024-03-04T08:00", 8, "2024-03-05T08:00"),  # one working day has eight hours
        ("2024-03-04T07:00", 8, "2024-03-04T17:00"),  # its last second counts to the same day
        ("2024-03-04T12:15", 1, "2024-03-04T14:30"),  # lunch is no office time
        ("2024-03-01T16:30", 1, "2024-03-04T07:30"),  # over a weekend
        ("2024-02-07T16:00", 2, "2024-02-15T08:00"),  # over Tết
        ("2024-05-03T16:00", 2, "2024-05-04T08:00"),  # the worked Saturday of a swap
        ("2025-12-31T16:00", 2, "2026-01-05T08:00"),  # the swap that the package misses
        ("2024-03-04T03:00", 0, "2024-03-04T03:00"),
    ],
)
def test_adding_working_hours(start: str, hours: float, end: str) -> None:
    found = CALENDAR.add_working_hours(_at(start), hours)
    assert found == _at(end)
    assert CALENDAR.working_hours_between(_at(start), found) == hours


@given(start=MOMENTS, hours=st.integers(0, 40 * 3600).map(lambda seconds: seconds / 3600))
def test_hours_added_are_the_hours_between(start: datetime, hours: float) -> None:
    end = CALENDAR.add_working_hours(start, hours)
    assert end >= start
    assert CALENDAR.working_hours_between(start, end) == pytest.approx(hours, abs=1e-6)


@given(a=MOMENTS, b=MOMENTS, hours=st.integers(1, 24))
def test_later_questions_have_later_limits(a: datetime, b: datetime, hours: int) -> None:
    first, second = sorted((a, b))
    assert CALENDAR.add_working_hours(first, hours) <= CALENDAR.add_working_hours(second, hours)


@given(end=MOMENTS, hours=st.integers(0, 40 * 3600).map(lambda seconds: seconds / 3600))
def test_hours_subtracted_are_the_hours_between(end: datetime, hours: float) -> None:
    start = CALENDAR.subtract_working_hours(end, hours)
    assert start <= end
    assert CALENDAR.working_hours_between(start, end) == pytest.approx(hours, abs=1e-6)
    assert CALENDAR.working_hours_between(start - timedelta(seconds=1), end) > hours


@pytest.mark.parametrize(
    ("received", "amount", "unit", "due"),
    [
        ("2024-03-04T08:00", 6, "hour", "2024-03-04T15:00"),
        ("2024-03-01T09:00", 3, "working_day", "2024-03-06T09:00"),  # Friday: over the weekend
        ("2024-03-02T09:00", 1, "working_day", "2024-03-04T17:00"),  # handed in online on a Saturday
        ("2024-02-07T10:00", 2, "working_day", "2024-02-16T10:00"),  # over Tết
        ("2025-12-31T10:00", 1, "working_day", "2026-01-05T10:00"),  # over the swap that the package misses
        ("2024-03-04T08:00", 0.5, "working_day", "2024-03-04T12:00"),
        ("2024-03-01T09:00", 3, "day", "2024-03-04T09:00"),
        ("2024-01-31T09:00", 1, "month", "2024-02-29T09:00"),
        ("2023-11-15T09:00", 2, "month", "2024-01-15T09:00"),
        ("2024-01-15T09:00", 1.5, "month", "2024-03-01T09:00"),
    ],
)
def test_statutory_time(received: str, amount: float, unit: str, due: str) -> None:
    found = WorkingCalendar(HANOI, hours=((time(8), time(12)), (time(13), time(17)))).statutory_due(
        _at(received), amount, TimeUnit(unit)
    )
    assert found == _at(due)


def test_units_with_hours_of_their_own() -> None:
    settings = Settings(office=OfficeSettings(own_hours=(OwnHours(units=("27595",), hours=((time(8), time(12)),)),)))
    clock = Clock.of(settings)
    assert clock.calendar_of("27595").hours_of_a_day == 4
    assert clock.calendar_of("27598") == clock.calendar_of(None) == clock.calendar
    assert clock.calendar.hours_of_a_day == 8
    with pytest.raises(ValueError, match="units named twice: 1"):
        OfficeSettings(own_hours=({"units": ["1"], "hours": [["08:00", "12:00"]]},) * 2)  # type: ignore[arg-type]


def test_no_hours_backwards() -> None:
    assert CALENDAR.working_hours_between(_at("2024-03-05T08:00"), _at("2024-03-04T08:00")) == 0
    with pytest.raises(BadQuestion, match="0 or more"):
        CALENDAR.add_working_hours(_at("2024-03-05T08:00"), -1)
    with pytest.raises(BadQuestion, match="0 or more"):
        CALENDAR.subtract_working_hours(_at("2024-03-05T08:00"), -1)
    with pytest.raises(BadQuestion, match="0 or more"):
        CALENDAR.add_working_days(date(2024, 3, 5), -1)


def test_the_operators_file_has_the_last_word(tmp_path: Path) -> None:
    file = tmp_path / "days.csv"
    file.write_text("date,working,name\n2024-03-04,0,Storm\n2026-01-10,0,Not here\n", encoding="utf-8")
    settings = Settings(office=OfficeSettings(hours=((time(8), time(12)),), holidays_file=file))
    clock = Clock.of(settings)
    assert not clock.calendar.is_working(date(2024, 3, 4))
    assert not clock.calendar.is_working(date(2026, 1, 10))
    assert not clock.calendar.is_working(date(2026, 1, 2))
    assert clock.calendar.add_working_hours(_at("2024-03-01T11:00"), 2) == _at("2024-03-05T09:00")
    assert clock.day(datetime(2024, 3, 3, 17, tzinfo=UTC)) == date(2024, 3, 4)


@pytest.mark.parametrize("row", ["2024-13-01,0,x", "2024-01-01,maybe,x", "2024-01-01", ",,"])
def test_a_bad_holiday_file_is_named_with_its_row(tmp_path: Path, row: str) -> None:
    file = tmp_path / "days.csv"
    file.write_text(f"date,working,name\n2024-03-04,0,Storm\n{row}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"days\.csv, row 3"):
        WorkingCalendar.of(Settings(office=OfficeSettings(holidays_file=file)))


def test_a_missing_holiday_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        WorkingCalendar.of(Settings(office=OfficeSettings(holidays_file=tmp_path / "none.csv")))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HANOI)
