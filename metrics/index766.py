"""Rule 2.1 of the 766 index: which dossiers are judged, and whether one that ends at an instant is in term.

Source: functional description of the index ("Mô tả công thức tính chỉ số 766"). The time that a dossier waited for a
supplement is subtracted from its end; without a due date the statutory time of the procedure decides; one that is open
and waits for its first supplement ends at the request, one that was asked more than once counts as late.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Float,
    Integer,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
)

from metrics.calendar import Clock, WorkingCalendar
from metrics.working_time import WorkingTime, of_unit, worked
from warehouse.schema import dossier, procedure
from warehouse.vocabulary import Status, TimeUnit

_d, _p = dossier.c, procedure.c
Condition = ColumnElement[bool]

HAS_STATUTORY = and_(_p.statutory_time.is_not(None), _p.statutory_unit.is_not(None))
JUDGED: Condition = or_(_d.due_at.is_not(None), func.coalesce(HAS_STATUTORY, literal(False)))
"""A dossier that has a due date, or whose procedure has a statutory time."""
ONE_SUPPLEMENT: Condition = func.coalesce(_d.supplements, 0) <= 1
FIRST_REQUEST = case((and_(_d.status == Status.SUPPLEMENT_REQUESTED, _d.supplements == 1), _d.supplement_requested_at))
"""When the only supplement was asked for, of a dossier that waits for it."""

_paused = func.coalesce(_d.paused_seconds, 0)


def in_term(working: WorkingTime, end: ColumnElement[datetime]) -> Condition:
    """Whether a dossier that ends at `end` is in term; NULL or false where it is not judged."""
    in_days = end - func.make_interval(0, 0, 0, 0, 0, 0, _paused) <= civil_end(working.clock)
    in_hours = working.at(end) - working.at(_d.received_at) - _paused <= allowed_seconds(working.clock)
    statutory = case((_p.statutory_unit.in_([TimeUnit.HOUR, TimeUnit.WORKING_DAY]), in_hours), else_=in_days)
    by_due = end - func.make_interval(0, 0, 0, 0, 0, 0, _paused) <= _d.due_at
    return case((_d.due_at.is_not(None), by_due), else_=statutory)


def open_in_term(working: WorkingTime, at: datetime) -> Condition:
    """Whether a dossier that is open at an instant is in term then."""
    asked = FIRST_REQUEST
    end = case((asked < at, asked), else_=literal(at))
    return and_(ONE_SUPPLEMENT, in_term(working, end))


def edges_in_term(working: WorkingTime, edges: Sequence[datetime]) -> ColumnElement[int]:
    """How many of the first edges see an open dossier in term; NULL: none, it was asked for more than once."""
    by_instant = _edges(FIRST_REQUEST, _deadline(working.clock), edges)
    asked = working.at(FIRST_REQUEST)
    last = cast(working.at(_d.received_at) + allowed_seconds(working.clock) + _paused, Float)
    by_hours = case((asked <= last, len(edges)), else_=of_unit(working.clock, _hours_bucket(last, edges)))
    in_hours = and_(_d.due_at.is_(None), _p.statutory_unit.in_([TimeUnit.HOUR, TimeUnit.WORKING_DAY]))
    return case((and_(ONE_SUPPLEMENT, in_hours), by_hours), (ONE_SUPPLEMENT, by_instant))


def _deadline(clock: Clock) -> ColumnElement[datetime]:
    pause = func.make_interval(0, 0, 0, 0, 0, 0, _paused)
    return func.coalesce(_d.due_at, civil_end(clock)) + pause


def _edges(
    asked: ColumnElement[Any], deadline: ColumnElement[datetime], edges: Sequence[datetime]
) -> ColumnElement[int]:
    before = func.width_bucket(deadline, bindparam(None, list(edges), type_=ARRAY(DateTime(timezone=True))))
    return case((asked <= deadline, len(edges)), else_=before)


def _hours_bucket(
    last: ColumnElement[float], edges: Sequence[datetime]
) -> Callable[[WorkingCalendar], ColumnElement[int]]:
    def count(calendar: WorkingCalendar) -> ColumnElement[int]:
        marks = [float(worked(calendar, edge)) for edge in edges]
        return func.width_bucket(last, bindparam(None, marks, type_=ARRAY(Float)))

    return count


def allowed_seconds(clock: Clock) -> ColumnElement[Any]:
    """The statutory time in seconds of office time, of procedures that count in hours or working days."""
    day = of_unit(clock, lambda calendar: literal(calendar.hours_of_a_day))
    hours = case((_p.statutory_unit == TimeUnit.WORKING_DAY, _p.statutory_time * day), else_=_p.statutory_time)
    return hours * 3600


def civil_end(clock: Clock) -> ColumnElement[datetime]:
    """The end of the statutory time of procedures that count in days or months of the civil calendar."""
    zone = clock.zone.key
    local = func.timezone(zone, _d.received_at)
    days = func.make_interval(0, 0, 0, 0, 0, 0, _p.statutory_time * 86_400)
    whole = func.floor(_p.statutory_time)
    months = func.make_interval(0, cast(whole, Integer))
    rest = func.make_interval(0, 0, 0, cast(func.round((_p.statutory_time - whole) * 30), Integer))
    return func.timezone(zone, case((_p.statutory_unit == TimeUnit.MONTH, local + months + rest), else_=local + days))
