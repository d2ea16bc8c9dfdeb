"""The counters that metrics are sums of, one table a clock: which rows of a statement each of them counts.

A clock is the instant by which rows enter a period: submission, receipt, closing, due date, hand-over of the result,
survey answer; the stocks (metrics/stocks.py) have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, and_, case, cast, extract, func, literal, null, or_, true

from metrics import index766
from metrics.calendar import Clock
from metrics.dimensions import OVERDUE_AGES
from metrics.working_time import WorkingTime
from warehouse.schema import dossier, procedure, survey_answer
from warehouse.vocabulary import (
    CLOSED,
    ONLINE_ELIGIBLE,
    WITH_RESULT,
    WITHOUT_RESULT,
    Channel,
    OnlineLevel,
    Payment,
    ReturnChannel,
    Status,
    SurveyScale,
)

Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Whole:
    """A counter that is no count of rows but an aggregate of its own."""

    value: ColumnElement[Any]


Counters = Mapping[str, Condition | Whole]
Lazy = Mapping[str, Callable[[], Condition | Whole]]
"""Counters that are made only when they are asked for."""

_d = dossier.c
_p = procedure.c
LONGEST_DAY = timedelta(hours=26)
ACCEPTANCE_SECONDS = 8 * 3600
"""Office time in which an online dossier must be accepted or refused (NĐ 118/2025/NĐ-CP, Điều 17–18)."""

OF_CATALOGUE = frozenset(
    {"eligible", "eligible_online", "received_full_online", "received_partial_online", "payment_known", "paid_online",
     "ended_in_term", "ended_judged", "open_in_term_766", "open_judged_766"}
)  # fmt: skip
"""Counters that need the catalogue of procedures."""

IN_ELIGIBLE = _p.online_level.in_(sorted(ONLINE_ELIGIBLE))
HAS_RESULT = or_(_d.status.in_(sorted(WITH_RESULT)), _d.status.is_(None))
NO_RESULT = _d.status.in_(sorted(WITHOUT_RESULT))
ENDED = or_(HAS_RESULT, NO_RESULT)
IN_TIME = _d.finished_at <= _d.due_at
SAYS_OPEN = or_(_d.status.is_(None), _d.status.not_in(sorted(CLOSED)))
NOT_LOST = or_(_d.finished_at.is_not(None), SAYS_OPEN)
"""Not one of the dossiers that say closed but not when."""
WITH_FEE = and_(_p.has_fee.is_(True), _d.payment.is_not(None))
ACCEPTED_AT = func.least(_d.received_at, _d.finished_at)
"""When an online dossier was accepted, or refused without receipt; NULL while neither is known."""


def _known(column: ColumnElement[Any], name: str, test: Condition) -> dict[str, Condition]:
    return {f"{name}_known": column.is_not(None), name: test}


RECEIPT: Counters = {
    "received": true(),
    "received_known": _d.channel.is_not(None),
    "received_online": _d.channel == Channel.ONLINE,
    "received_post": _d.channel == Channel.POST,
    "received_full_online": and_(_d.channel == Channel.ONLINE, _p.online_level == OnlineLevel.FULL),
    "received_partial_online": and_(_d.channel == Channel.ONLINE, _p.online_level == OnlineLevel.PARTIAL),
    "eligible": and_(IN_ELIGIBLE, _d.channel.is_not(None)),
    "eligible_online": and_(IN_ELIGIBLE, _d.channel == Channel.ONLINE),
    "return_known": _d.return_channel.is_not(None),
    "return_post": _d.return_channel == ReturnChannel.POST,
    "payment_known": WITH_FEE,
    "paid_online": and_(WITH_FEE, _d.payment.in_([Payment.NATIONAL_GATEWAY, Payment.LOCAL_GATEWAY])),
    **_known(_d.digitised, "digitised", _d.digitised.is_(True)),
    **_known(_d.reused, "reused", _d.reused.is_(True)),
    **_known(_d.interlinked, "interlinked", _d.interlinked.is_(True)),
    "supplements_known": _d.supplements.is_not(None),
    "supplemented": _d.supplements > 0,
    "supplemented_again": _d.supplements > 1,
    "reappointments_known": _d.reappointments.is_not(None),
    "reappointed": _d.reappointments > 0,
}
"""Counters over the dossiers received in a span."""
DUE: Counters = {"fell_due": NOT_LOST}
"""Counters over the dossiers that fell due in a span."""
HAND_OVER: Counters = {"handed_over": true()}
"""Counters over the dossiers whose result was handed over in a span."""


def _answers() -> Counters:
    a = survey_answer.c
    found: dict[str, Condition | Whole] = {"answers": true()}
    forms = {"three": SurveyScale.THREE_LEVEL, "five": SurveyScale.FIVE_LEVEL, "form": SurveyScale.FORM_012}
    for name, scale in forms.items():
        of_form = a.scale == scale
        found[f"answered_{name}"] = and_(of_form, a.satisfied.is_not(None))
        found[f"satisfied_{name}"] = and_(of_form, a.satisfied.is_(True))
        found[f"scored_{name}"] = and_(of_form, a.score.is_not(None))
        found[f"score_{name}"] = Whole(func.coalesce(func.sum(a.score).filter(of_form), 0))
    return found


ANSWERS: Counters = _answers()
"""Counters over the survey answers of a span."""


def submission(until: datetime, working: WorkingTime) -> Lazy:
    """Counters over the online dossiers handed in in a span; acceptance is judged at the instant `until`."""

    def late() -> Condition:
        ended = func.least(ACCEPTED_AT, until)
        known = or_(ACCEPTED_AT.is_not(None), _d.status == Status.REGISTERED)
        return and_(known, working.at(ended) - working.at(_d.submitted_at) > ACCEPTANCE_SECONDS)

    return {"submitted_online": true, "accepted_late": late}


def receipt(until: datetime) -> Counters:
    """Counters over the dossiers received in a span, those judged at the instant `until` included."""
    return {**RECEIPT, "received_on_time": and_(_d.finished_at < until, IN_TIME, HAS_RESULT)}


def closing(clock: Clock, working: WorkingTime) -> Lazy:
    """Counters over the dossiers that ended in a span."""
    # most dossiers end days before they are due: only near the due date is it worth to ask for civil days
    near = _d.finished_at > _d.due_at - LONGEST_DAY
    same_day = and_(near, civil_day(_d.finished_at, clock) == civil_day(_d.due_at, clock))
    timed = and_(HAS_RESULT, _d.finished_at >= _d.received_at)
    first_due = func.coalesce(_d.first_due_at, _d.due_at)

    def office_time() -> ColumnElement[int]:
        return case((timed, working.at(_d.finished_at) - working.at(_d.received_at)))

    return {
        "resolved_early": lambda: and_(HAS_RESULT, IN_TIME, ~same_day),
        "resolved_on_time": lambda: and_(HAS_RESULT, IN_TIME, same_day),
        "resolved_late": lambda: and_(HAS_RESULT, _d.finished_at > _d.due_at),
        "resolved_no_due": lambda: and_(HAS_RESULT, _d.due_at.is_(None)),
        "resolved_by_first_due": lambda: and_(HAS_RESULT, _d.finished_at <= first_due),
        "closed_without_result": lambda: NO_RESULT,
        "closed_before_receipt": lambda: and_(ENDED, _d.finished_at < _d.received_at),
        "ended_judged": lambda: and_(ENDED, index766.JUDGED),
        "ended_in_term": lambda: and_(ENDED, index766.in_term(working, _d.finished_at)),
        "e_result_known": lambda: and_(HAS_RESULT, _d.e_result.is_not(None)),
        "e_result": lambda: and_(HAS_RESULT, _d.e_result.is_(True)),
        "timed": lambda: timed,
        "median_seconds": lambda: Whole(_median(case((timed, civil_seconds(clock))))),
        "median_worked": lambda: Whole(_median(office_time())),
        "worked_seconds": lambda: Whole(func.coalesce(func.sum(office_time()), 0)),
    }


def _median(values: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.percentile_cont(0.5).within_group(values)


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
