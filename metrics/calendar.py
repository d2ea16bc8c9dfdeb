"""The working calendar of the offices: which days are worked, which hours, and sums over them.

Days come from the package `holidays` (Vietnam, swapped working Saturdays included), corrected by holidays-vn.csv beside
this module, corrected by the operator's own file (setting office.holidays_file, columns date,working,name).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays

from metrics.period import midnight
from warehouse.errors import BadQuestion, ConfigurationError
from warehouse.settings import Settings

CORRECTIONS = Path(__file__).with_name("holidays-vn.csv")
DEFAULT_HOURS = ((time(7), time(11, 30)), (time(13, 30), time(17)))
LONGEST_SEARCH_DAYS = 3660


@dataclass(frozen=True)
class WorkingCalendar:
    """Working days and hours of the offices on the civil clock `zone`."""

    zone: ZoneInfo
    hours: tuple[tuple[time, time], ...] = DEFAULT_HOURS
    overrides: Mapping[date, bool] = field(default_factory=lambda: read_days(CORRECTIONS), hash=False)

    @classmethod
    def of(cls, settings: Settings) -> WorkingCalendar:
        """Build the calendar that the settings describe; raises ConfigurationError for a bad holiday file."""
        own = settings.office.holidays_file
        overrides = {**read_days(CORRECTIONS), **(read_days(own) if own else {})}
        return cls(settings.zone, settings.office.hours, overrides)

    def is_working(self, day: date) -> bool:
        """Whether the offices work on this civil day."""
        known = self.overrides.get(day)
        return _worked_by_law(day) if known is None else known

    def add_working_days(self, day: date, count: int) -> date:
        """Return the `count`-th working day after `day`; `day` itself never counts."""
        if count < 0:
            raise BadQuestion(f"working days to add: {count}; write 0 or more")
        while count:
            day += timedelta(1)
            count -= self.is_working(day)
        return day

    def working_days_between(self, first: date, last: date) -> int:
        """Return how many working days lie after `first` up to and including `last`."""
        return sum(self.is_working(first + timedelta(n)) for n in range(1, (last - first).days + 1))

    def add_working_hours(self, instant: datetime, hours: float) -> datetime:
        """Return the instant at which `hours` of office time have passed since `instant`."""
        if hours < 0:
            raise BadQuestion(f"working hours to add: {hours}; write 0 or more")
        left = timedelta(hours=hours)
        if not left:
            return instant
        for start, end in self._spans(instant):
            begun = max(start, instant)
            if end - begun >= left:
                return begun + left
            left -= max(end - begun, timedelta(0))
        raise ConfigurationError("office.hours and the holiday table leave no working time in ten years")

    def working_hours_between(self, start: datetime, end: datetime) -> float:
        """Return the hours of office time from `start` to `end`; 0 where `end` is not later."""
        total = timedelta(0)
        for opened, closed in self._spans(start):
            if opened >= end:
                break
            total += max(min(closed, end) - max(opened, start), timedelta(0))
        return total / timedelta(hours=1)

    def _spans(self, instant: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Give the office spans from the day of `instant` on, in UTC so that differences are elapsed time."""
        day = instant.astimezone(self.zone).date()
        utc = ZoneInfo("UTC")
        for _ in range(LONGEST_SEARCH_DAYS):
            if self.is_working(day):
                for opened, closed in self.hours:
                    yield (
                        datetime.combine(day, opened, self.zone).astimezone(utc),
                        datetime.combine(day, closed, self.zone).astimezone(utc),
                    )
            day += timedelta(1)


@dataclass(frozen=True)
class Clock:
    """The civil clock and the working calendar by which a question is answered."""

    zone: ZoneInfo
    calendar: WorkingCalendar

    @classmethod
    def of(cls, settings: Settings) -> Clock:
        """Build the clock that the settings describe."""
        return cls(settings.zone, WorkingCalendar.of(settings))

    def day(self, instant: datetime) -> date:
        """Return the civil day of an instant."""
        return instant.astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        """Return the first instant of a civil day."""
        return midnight(day, self.zone)


def read_days(file: Path) -> dict[date, bool]:
    """Read a holiday table (columns date,working,name): day to whether it is worked.

    Raises ConfigurationError that names the file and the row.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: the holiday table cannot be read: {error}") from None
    days: dict[date, bool] = {}
    for number, row in enumerate(rows, start=2):
        try:
            days[date.fromisoformat(row["date"].strip())] = {"0": False, "1": True}[row["working"].strip()]
        except (KeyError, ValueError, AttributeError):
            raise ConfigurationError(
                f"{file}, row {number}: expected columns date (2026-01-02) and working (1 worked, 0 off), found {row}"
            ) from None
    return days


@cache
def _vietnam(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Return the days off of a year and its worked weekend days, as the package knows them."""
    days = holidays.country_holidays("VN", years=year)
    return frozenset(days), frozenset(day for day in days.weekend_workdays if day.year == year)


def _worked_by_law(day: date) -> bool:
    off, worked = _vietnam(day.year)
    return day in worked or (day.weekday() < 5 and day not in off)
