"""The counters that metrics are sums of, one table a clock: which rows of a statement each of them counts.

A clock is the instant by which rows enter a period: receipt, closing, due date, survey answer; the stock has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, and_, case, cast, extract, func, literal, null, or_, true

from metrics.calendar import Clock, WorkingCalendar
from metrics.dimensions import OVERDUE_AGES
from warehouse.schema import dossier, procedure, survey_answer
from warehouse.vocabulary import (
    CLOSED,
    ONLINE_ELIGIBLE,
    WAITING,
    WITH_RESULT,
    WITHOUT_RESULT,
    Channel,
    ReturnChannel,
)

Condition = ColumnElement[bool]
Counters = Mapping[str, Condition]

_d = dossier.c
MEDIAN = "median_seconds"
"""The one aggregate that is not a count."""
CARRIED = "carried_in"
"""The open dossiers at the first instant of a bucket."""
LONGEST_DAY = timedelta(hours=26)
DUE_SOON_HOURS = {"due_soon_8h": 8.0, "due_soon_24h": 24.0}

IN_ELIGIBLE = procedure.c.online_level.in_(sorted(ONLINE_ELIGIBLE))
HAS_RESULT = or_(_d.status.in_(sorted(WITH_RESULT)), _d.status.is_(None))
NO_RESULT = _d.status.in_(sorted(WITHOUT_RESULT))
ENDED = or_(HAS_RESULT, NO_RESULT)
IN_TIME = _d.finished_at <= _d.due_at
NOT_LOST = or_(_d.finished_at.is_not(None), _d.status.is_(None), _d.status.not_in(sorted(CLOSED)))
"""Not one of the dossiers that say closed but not when."""
ONE_SUPPLEMENT = func.coalesce(_d.supplements, 0) <= 1


RECEIPT: Counters = {
    "received": true(),
    "received_known": _d.channel.is_not(None),
    "received_online": _d.channel == Channel.ONLINE,
    "received_post": _d.channel == Channel.POST,
    "eligible": and_(IN_ELIGIBLE, _d.channel.is_not(None)),
    "eligible_online": and_(IN_ELIGIBLE, _d.channel == Channel.ONLINE),
    "return_known": _d.return_channel.is_not(None),
    "return_post": _d.return_channel == ReturnChannel.POST,
}
"""Counters over the dossiers received in a span."""
DUE: Counters = {"fell_due": NOT_LOST}
"""Counters over the dossiers that fell due in a span."""
ANSWERS: Counters = {
    "answered": survey_answer.c.satisfied.is_not(None),
    "satisfied": survey_answer.c.satisfied.is_(True),
}
"""Counters over the survey answers of a span."""


def receipt(until: datetime) -> Counters:
    """Counters over the dossiers received in a span, those judged at the instant `until` included."""
    return {**RECEIPT, "received_on_time": and_(_d.finished_at < until, IN_TIME, HAS_RESULT)}


@cache
def closing(clock: Clock) -> Counters:
    """Counters over the dossiers that ended in a span; `median_seconds` marks the rows of the median."""
    # most dossiers end days before they are due: only near the due date is it worth to ask for civil days
    near = _d.finished_at > _d.due_at - LONGEST_DAY
    same_day = and_(near, civil_day(_d.finished_at, clock) == civil_day(_d.due_at, clock))
    timed = and_(HAS_RESULT, _d.finished_at >= _d.received_at)
    pause = func.make_interval(0, 0, 0, 0, 0, 0, _d.paused_seconds)
    return {
        "resolved_early": and_(HAS_RESULT, IN_TIME, ~same_day),
        "resolved_on_time": and_(HAS_RESULT, IN_TIME, same_day),
        "resolved_late": and_(HAS_RESULT, _d.finished_at > _d.due_at),
        "resolved_no_due": and_(HAS_RESULT, _d.due_at.is_(None)),
        "closed_without_result": NO_RESULT,
        "ended_with_due": and_(ENDED, _d.due_at.is_not(None)),
        "ended_in_term": and_(ENDED, or_(IN_TIME, and_(_d.paused_seconds > 0, _d.finished_at - pause <= _d.due_at))),
        "closed_before_receipt": and_(ENDED, _d.finished_at < _d.received_at),
        "timed": timed,
        MEDIAN: timed,
    }


def stock(name: str, at: datetime, clock: Clock) -> Condition:
    """Which of the dossiers that are open at an instant a counter counts."""
    if name in DUE_SOON_HOURS:
        hours = DUE_SOON_HOURS[name]
        limit = of_unit(clock, lambda calendar: literal(calendar.add_working_hours(at, hours)))
        return and_(_d.due_at >= at, _d.due_at <= limit)
    return {
        "open": true(),
        CARRIED: true(),
        "open_in_time": _d.due_at >= at,
        "overdue": _d.due_at < at,
        "open_no_due": _d.due_at.is_(None),
        "waiting": _d.status.in_(sorted(WAITING)),
        "open_in_term_766": and_(_d.due_at >= at, ONE_SUPPLEMENT),
    }[name]


def of_unit(clock: Clock, value: Callable[[WorkingCalendar], ColumnElement[Any]]) -> ColumnElement[Any]:
    """A value by the calendar of the unit that handles the dossier."""
    usual = value(clock.calendar)
    own = [(_d.unit.in_(sorted(units)), value(calendar)) for units, calendar in clock.own]
    return case(*own, else_=usual) if own else usual


def open_at(at: datetime) -> Condition:
    """Whether a dossier is received and not closed at an instant."""
    return and_(_d.received_at < at, or_(_d.finished_at.is_(None), _d.finished_at >= at), NOT_LOST)


def overdue_age(at: datetime, clock: Clock) -> ColumnElement[str]:
    """The age bucket of an overdue dossier by whole days of the civil clock; NULL for others."""
    local = at.astimezone(clock.zone)
    whens = [
        (_d.due_at > local - timedelta(stop) if stop else true(), literal(code))
        for code, (_, stop) in OVERDUE_AGES.items()
    ]
    return case((or_(_d.due_at.is_(None), _d.due_at >= at), null()), *whens)


def civil_day(instant: ColumnElement[datetime], clock: Clock) -> ColumnElement[object]:
    """The civil day of an instant."""
    return cast(func.timezone(clock.zone.key, instant), Date)


def civil_seconds(clock: Clock) -> ColumnElement[Any]:
    """Seconds from receipt to closing as the civil clock shows them (a change to summer time is not an hour less)."""
    zone = clock.zone.key
    if not changes_its_clocks(clock.zone):
        return extract("epoch", _d.finished_at - _d.received_at)
    return extract("epoch", func.timezone(zone, _d.finished_at) - func.timezone(zone, _d.received_at))


@cache
def changes_its_clocks(zone: ZoneInfo) -> bool:
    """Whether the civil clock had more than one offset from UTC in the time that dossiers can be of."""
    months = (datetime(year, month, 1, tzinfo=UTC) for year in range(1990, 2060) for month in range(1, 13))
    return len({month.astimezone(zone).utcoffset() for month in months}) > 1
