"""The working calendar of the offices: which days are worked, which hours, and sums over them.

Days come from the package `holidays` (Vietnam, swapped working Saturdays included), corrected by holidays-vn.csv beside
this module, corrected by the operator's own file (setting office.holidays_file, columns date,working,name).
"""

from __future__ import annotations

import csv
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays

from metrics.period import midnight
from warehouse.errors import BadQuestion, ConfigurationError
from warehouse.settings import Settings
from warehouse.vocabulary import TimeUnit

CORRECTIONS = Path(__file__).with_name("holidays-vn.csv")
DEFAULT_HOURS = ((time(7), time(11, 30)), (time(13, 30), time(17)))
LONGEST_SEARCH_DAYS = 3660
NO_WORKING_TIME = "office.hours and the holiday table leave no working time in ten years"

Span = tuple[datetime, datetime]
"""Opening and closing of an office, in UTC so that differences are elapsed time."""


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
        raise ConfigurationError(NO_WORKING_TIME)

    def subtract_working_hours(self, instant: datetime, hours: float) -> datetime:
        """Return the earliest instant from which not more than `hours` of office time pass until `instant`.

        Exactly what began before it has waited longer than `hours`.
        """
        if hours < 0:
            raise BadQuestion(f"working hours to subtract: {hours}; write 0 or more")
        left = timedelta(hours=hours)
        for start, end in self._spans_back(instant):
            ended = min(end, instant)
            if ended - start > left:
                return ended - left
            left -= max(ended - start, timedelta(0))
        raise ConfigurationError(NO_WORKING_TIME)

    def statutory_due(self, received: datetime, amount: float, unit: TimeUnit) -> datetime:
        """Return the instant at which the statutory time of a procedure ends that began to run at `received`.

        Hours are office hours; a working day has the office hours of a day, so that half a day is half of them; days
        and months run on the civil calendar and end at the same time of day (a month at the last day where the month
        is shorter). Counting after NĐ 61/2018/NĐ-CP and the practice of the one-stop systems.
        """
        match unit:
            case TimeUnit.HOUR:
                return self.add_working_hours(received, amount)
            case TimeUnit.WORKING_DAY:
                return self.add_working_hours(received, amount * self.hours_of_a_day)
            case TimeUnit.DAY:
                local = received.astimezone(self.zone).replace(tzinfo=None) + timedelta(days=amount)
            case TimeUnit.MONTH:
                local = _months_later(received.astimezone(self.zone).replace(tzinfo=None), amount)
        return local.replace(tzinfo=self.zone)

    @property
    def hours_of_a_day(self) -> float:
        """Office hours of one working day."""
        today = date(2024, 1, 2)
        spans = [datetime.combine(today, end) - datetime.combine(today, start) for start, end in self.hours]
        return sum(spans, timedelta(0)) / timedelta(hours=1)

    def working_hours_between(self, start: datetime, end: datetime) -> float:
        """Return the hours of office time from `start` to `end`; 0 where `end` is not later."""
        total = timedelta(0)
        for opened, closed in self._spans(start):
            if opened >= end:
                break
            total += max(min(closed, end) - max(opened, start), timedelta(0))
        return total / timedelta(hours=1)

    def _spans(self, instant: datetime) -> Iterator[Span]:
        """Give the office spans from the day of `instant` on."""
        day = instant.astimezone(self.zone).date()
        for number in range(LONGEST_SEARCH_DAYS):
            yield from self._spans_of(day + timedelta(number))

    def _spans_back(self, instant: datetime) -> Iterator[Span]:
        """Give the office spans from the day of `instant` backwards, the last one first."""
        day = instant.astimezone(self.zone).date()
        for number in range(LONGEST_SEARCH_DAYS):
            yield from reversed(self._spans_of(day - timedelta(number)))

    def _spans_of(self, day: date) -> tuple[Span, ...]:
        return _office_spans(self, day)


@lru_cache(maxsize=50_000)
def _office_spans(calendar: WorkingCalendar, day: date) -> tuple[Span, ...]:
    if not calendar.is_working(day):
        return ()
    return tuple(
        (
            datetime.combine(day, opened, calendar.zone).astimezone(UTC),
            datetime.combine(day, closed, calendar.zone).astimezone(UTC),
        )
        for opened, closed in calendar.hours
    )


@dataclass(frozen=True)
class Limits:
    """After how long something counts as left lying."""

    stale_working_days: int = 5
    not_returned_days: int = 3


@dataclass(frozen=True)
class Clock:
    """The civil clock, the working calendars and the limits by which a question is answered.

    `own` holds the calendars of units that keep other hours; all other units keep `calendar`.
    """

    zone: ZoneInfo
    calendar: WorkingCalendar
    own: tuple[tuple[frozenset[str], WorkingCalendar], ...] = ()
    limits: Limits = Limits()

    @classmethod
    def of(cls, settings: Settings) -> Clock:
        """Build the clock that the settings describe."""
        calendar = WorkingCalendar.of(settings)
        own = ((frozenset(entry.units), replace(calendar, hours=entry.hours)) for entry in settings.office.own_hours)
        limits = Limits(settings.office.stale_working_days, settings.office.not_returned_days)
        return cls(settings.zone, calendar, tuple(own), limits)

    def calendar_of(self, unit: str | None) -> WorkingCalendar:
        """Return the calendar of a unit."""
        return next((calendar for units, calendar in self.own if unit in units), self.calendar)

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


def _months_later(local: datetime, amount: float) -> datetime:
    """The same day of a later month; a part of a month is counted as days of thirty to the month."""
    whole, part = divmod(amount, 1)
    months = local.month - 1 + int(whole)
    year, month = local.year + months // 12, months % 12 + 1
    day = min(local.day, monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day) + timedelta(days=round(part * 30))
