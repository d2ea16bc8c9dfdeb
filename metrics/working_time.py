"""Office time in SQL: how many seconds of office hours had passed at an instant, by the calendar of a unit.

`WorkingTime.at(instant)` counts from a fixed first day; the office time between two instants is a difference of two
such counts. It is made of an array with the seconds before each civil day, and the opening hours of the day itself.
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
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    Label,
    bindparam,
    case,
    cast,
    extract,
    func,
    select,
)

from metrics.calendar import Clock, WorkingCalendar
from warehouse.schema import dossier

FIRST_DAY = date(2005, 1, 1)
"""Receipts before it count as received then; no one-stop software holds older dossiers."""
DAYS_AHEAD = 370

Seconds = ColumnElement[int]


@dataclass(frozen=True)
class WorkingTime:
    """The seconds before each day as columns of a table with one row, one for each set of hours.

    It is a materialized part of the statement that is read by itself: written into each place where it is used, the
    thousands of days would be planned again and again, which takes longer than the question.
    """

    clock: Clock
    table: CTE

    @classmethod
    def until(cls, clock: Clock, last: datetime) -> WorkingTime:
        """Make the table for instants up to a year after `last`."""
        stop = clock.day(last) + timedelta(DAYS_AHEAD)
        calendars = [clock.calendar, *(calendar for _, calendar in clock.own)]
        columns: list[Label[Any]] = [
            bindparam(None, list(seconds_before(calendar, stop)), type_=ARRAY(BigInteger)).label(f"before_{number}")
            for number, calendar in enumerate(calendars)
        ]
        return cls(clock, select(*columns).cte("working").prefix_with("MATERIALIZED"))

    def at(self, instant: ColumnElement[datetime]) -> Seconds:
        """Seconds of office time from FIRST_DAY to an instant, by the hours of the dossier's unit."""
        numbers = {calendar: number for number, (_, calendar) in enumerate(self.clock.own, start=1)}
        return of_unit(self.clock, lambda calendar: self._by(numbers.get(calendar, 0), calendar, instant))

    def _by(self, number: int, calendar: WorkingCalendar, instant: ColumnElement[datetime]) -> Seconds:
        before: ColumnElement[Any] = select(self.table.c[f"before_{number}"]).scalar_subquery()
        local = func.timezone(calendar.zone.key, instant)
        day = cast(local, Date)
        place = func.greatest(cast(day - FIRST_DAY, Integer), 0) + 1
        of_day = cast(extract("epoch", local - day), BigInteger)
        today = sum(
            (func.least(func.greatest(of_day - _seconds(opened), 0), _seconds(closed) - _seconds(opened))
             for opened, closed in calendar.hours),
            start=cast(0, BigInteger),
        )  # fmt: skip
        count = before[place] + case((before[place + 1] > before[place], today), else_=0)
        return case((instant.is_not(None), count))  # greatest and least would pass over an unknown instant


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
    whole = round(calendar.hours_of_a_day * 3600)
    days = (FIRST_DAY + timedelta(number) for number in range((stop - FIRST_DAY).days))
    return (0, *accumulate(whole if calendar.is_working(day) else 0 for day in days))


def _seconds(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second
