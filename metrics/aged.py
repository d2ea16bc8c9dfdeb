"""Stocks of dossiers that wait too long for one step: online ones for acceptance, finished ones for their hand-over.

Such a dossier is counted from the instant when it has waited for its time until the step is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal, or_

from metrics.calendar import Clock, WorkingCalendar
from metrics.counters import ACCEPTANCE_SECONDS, ACCEPTED_AT, Condition
from metrics.statements import edges_before
from metrics.working_time import of_unit
from warehouse.schema import dossier
from warehouse.vocabulary import WITH_RESULT, Channel, Status

_d = dossier.c


@dataclass(frozen=True)
class Aged:
    """A stock: who waits, since when, until when, and how long before an instant one began who waits too long at it.

    `unended` holds for those that still wait although `until` is unknown; `ended_by` are the clocks of `until`.
    """

    stock: str
    who: Condition
    since: ColumnElement[datetime]
    until: ColumnElement[Any]
    unended: Condition
    limit: Callable[[WorkingCalendar, datetime, Clock], datetime]
    ended_by: tuple[str, ...]

    def at(self, at: datetime, clock: Clock, *, all_ended: bool = False) -> Condition:
        """Whether a dossier waits too long at an instant; `all_ended` says that no end is as late."""
        limit = of_unit(clock, lambda calendar: literal(self.limit(calendar, at, clock)))
        still = and_(self.until.is_(None), self.unended)
        return and_(self.who, self.since < limit, still if all_ended else or_(self.until >= at, still))

    def between(self, edges: Sequence[datetime], clock: Clock) -> tuple[ColumnElement[int], ColumnElement[int]]:
        """After which edge and up to which edge it does."""
        after = of_unit(
            clock,
            lambda calendar: edges_before(self.since, [self.limit(calendar, edge, clock) for edge in edges]),
        )
        ended = edges_before(self.until, edges)
        return after, case((self.until.is_not(None), ended), (self.unended, len(edges)), else_=0)

    def possible(self, last: datetime) -> Condition:
        """Leave out who cannot wait at any edge up to `last`."""
        return and_(self.who, self.since < last)


UNACCEPTED = Aged(
    "slow_acceptance",
    _d.channel == Channel.ONLINE,
    _d.submitted_at,
    ACCEPTED_AT,
    and_(_d.status == Status.REGISTERED, _d.received_at.is_(None), _d.finished_at.is_(None)),
    lambda calendar, at, _: calendar.subtract_working_hours(at, ACCEPTANCE_SECONDS / 3600),
    ("receipt", "closing"),
)
UNRETURNED = Aged(
    "finished_not_returned",
    _d.status.in_(sorted(WITH_RESULT)),
    _d.finished_at,
    _d.returned_at,
    _d.status == Status.FINISHED,
    lambda calendar, at, clock: at.astimezone(calendar.zone) - timedelta(clock.limits.not_returned_days),
    ("hand-over",),
)
AGED = (UNACCEPTED, UNRETURNED)
