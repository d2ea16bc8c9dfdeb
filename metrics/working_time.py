"""Office time in SQL: how many seconds of office hours had passed at an instant, by the calendar of a unit.

`WorkingTime.at(instant)` counts from a fixed first day; the office time between two instants is a difference of two
such counts. It is made of the weeks before the day, the weekdays off and weekend days worked among them, and the
opening hours of the day itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    all_,
    and_,
    any_,
    bindparam,
    case,
    cast,
    extract,
    func,
    literal,
    or_,
    type_coerce,
)

from metrics.calendar import Clock, WorkingCalendar
from warehouse.schema import dossier

FIRST_DAY = date(2005, 1, 1)
"""Receipts before it count as received then; no one-stop software holds older dossiers."""
DAYS_AHEAD = 370

Seconds = ColumnElement[int]


@dataclass(frozen=True)
class WorkingTime:
    """Office time by the calendars of a clock; holidays are known up to `stop`, later days by their weekday only."""

    clock: Clock
    stop: date

    @classmethod
    def until(cls, clock: Clock, last: datetime) -> WorkingTime:
        """Make it for instants up to a year after `last`."""
        return cls(clock, clock.day(last) + timedelta(DAYS_AHEAD))

    def at(self, instant: ColumnElement[datetime]) -> Seconds:
        """Seconds of office time from FIRST_DAY to an instant, by the hours of the dossier's unit."""
        return of_unit(self.clock, lambda calendar: self._by(calendar, instant))

    def _by(self, calendar: WorkingCalendar, instant: ColumnElement[datetime]) -> Seconds:
        off, on = (_days(days) for days in exceptions(calendar, self.stop))
        local = func.timezone(calendar.zone.key, instant)
        place: ColumnElement[int] = func.greatest(cast(cast(local, Date) - FIRST_DAY, Integer), 0)
        day: ColumnElement[Any] = type_coerce(literal(FIRST_DAY, Date) + place, Date)
        eve: ColumnElement[Any] = type_coerce(day - 1, Date)
        since_monday = place + FIRST_DAY.weekday()
        weekdays = since_monday // 7 * 5 + func.least(since_monday % 7, 5) - FIRST_DAYS_OF_WEEK
        days_before = weekdays - func.width_bucket(eve, off) + func.width_bucket(eve, on)
        is_worked = or_(and_(since_monday % 7 < 5, day != all_(off)), day == any_(on))
        of_day = cast(extract("epoch", local - cast(local, Date)), BigInteger)
        today = sum(
            (func.least(func.greatest(of_day - _seconds(opened), 0), _seconds(closed) - _seconds(opened))
             for opened, closed in calendar.hours),
            start=cast(0, BigInteger),
        )  # fmt: skip
        count = cast(days_before, BigInteger) * _whole_day(calendar) + case((is_worked, today), else_=0)
        return case((instant.is_not(None), count))  # greatest and least would pass over an unknown instant


FIRST_DAYS_OF_WEEK = min(FIRST_DAY.weekday(), 5)
"""The weekdays before FIRST_DAY in its week, which are counted with the week."""


def _days(days: Sequence[date]) -> ColumnElement[Any]:
    return bindparam(None, list(days), type_=ARRAY(Date))


@lru_cache(maxsize=64)
def exceptions(calendar: WorkingCalendar, stop: date) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """The weekdays off and the weekend days worked from FIRST_DAY up to, not including, `stop`."""
    days = [FIRST_DAY + timedelta(number) for number in range((stop - FIRST_DAY).days)]
    off = tuple(day for day in days if day.weekday() < 5 and not calendar.is_working(day))
    return off, tuple(day for day in days if day.weekday() >= 5 and calendar.is_working(day))


def of_unit(clock: Clock, value: Callable[[WorkingCalendar], ColumnElement[Any]]) -> ColumnElement[Any]:
    """A value by the calendar of the unit that handles the dossier."""
    usual = value(clock.calendar)
    own = [(dossier.c.unit.in_(sorted(units)), value(calendar)) for units, calendar in clock.own]
    return case(*own, else_=usual) if own else usual


def worked(calendar: WorkingCalendar, instant: datetime) -> int:
    """The same count for one instant, outside of SQL."""
    return worked_each(calendar, [instant])[0]


def worked_each(calendar: WorkingCalendar, instants: Sequence[datetime]) -> list[int]:
    """The same count for many instants of one calendar: the days are summed up once."""
    local = [instant.astimezone(calendar.zone) for instant in instants]
    if not local:
        return []
    before = seconds_before(calendar, max(instant.date() for instant in local) + timedelta(1))
    return [_worked(calendar, before, instant) for instant in local]


def _worked(calendar: WorkingCalendar, before: Sequence[int], local: datetime) -> int:
    place = max((local.date() - FIRST_DAY).days, 0)
    if before[place + 1] == before[place]:
        return before[place]
    of_day = _seconds(local.time())
    spans = ((_seconds(opened), _seconds(closed)) for opened, closed in calendar.hours)
    return before[place] + sum(min(max(of_day - opened, 0), closed - opened) for opened, closed in spans)


@lru_cache(maxsize=64)
def seconds_before(calendar: WorkingCalendar, stop: date) -> tuple[int, ...]:
    """Seconds of office time before each day from FIRST_DAY up to and including `stop`."""
    whole = _whole_day(calendar)
    days = (FIRST_DAY + timedelta(number) for number in range((stop - FIRST_DAY).days))
    return (0, *accumulate(whole if calendar.is_working(day) else 0 for day in days))


def _whole_day(calendar: WorkingCalendar) -> int:
    return round(calendar.hours_of_a_day * 3600)


def _seconds(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second
