"""Every metric once more, in plain Python over lists: no SQL, no frames, no code of the metrics themselves.

A span is [a, b); `t` is its end, `as_of` the instant of the knowledge. Written from docs, not from metrics/.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from statistics import median
from zoneinfo import ZoneInfo

from metrics import Clock, WorkingCalendar
from tests.metrics.world import FEES, PROCEDURES, TERMS, Answer, Dossier
from warehouse.vocabulary import TimeUnit

RESULT, NO_RESULT, CLOSED = {9, 10, None}, {3, 7, 8}, {3, 7, 8, 9, 10}
Triple = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Span:
    a: datetime
    b: datetime
    as_of: datetime
    cohort_end: datetime
    """End of the whole period: the cohort of receipts is judged there."""
    zone: ZoneInfo
    clock: Clock

    def has(self, instant: datetime | None) -> bool:
        return instant is not None and self.a <= instant < self.b

    def day(self, instant: datetime) -> object:
        return instant.astimezone(self.zone).date()


def is_open(d: Dossier, t: datetime) -> bool:
    if d.received_at is None or d.received_at >= t:
        return False
    if d.finished_at is None:
        return d.status not in CLOSED
    return d.finished_at >= t


def received(rows: list[Dossier], s: Span) -> list[Dossier]:
    return [d for d in rows if s.has(d.received_at)]


def closed(rows: list[Dossier], s: Span) -> list[Dossier]:
    return [d for d in rows if s.has(d.finished_at) and d.received_at is not None and d.received_at < s.as_of]


def resolved(rows: list[Dossier], s: Span) -> list[Dossier]:
    return [d for d in closed(rows, s) if d.status in RESULT]


def verdict(d: Dossier, s: Span) -> str:
    if d.due_at is None:
        return "no_due"
    if d.finished_at > d.due_at:
        return "late"
    return "on_time" if s.day(d.finished_at) == s.day(d.due_at) else "early"


def of_verdict(*verdicts: str) -> Callable[[list[Dossier], Span], int]:
    return lambda rows, s: sum(verdict(d, s) in verdicts for d in resolved(rows, s))


def stock(rows: list[Dossier], t: datetime) -> list[Dossier]:
    return [d for d in rows if is_open(d, t)]


def due_within(hours: float) -> Callable[[list[Dossier], Span], int]:
    def soon(d: Dossier, s: Span) -> bool:
        limit = s.clock.calendar_of(d.unit).add_working_hours(s.b, hours)
        return d.due_at is not None and s.b <= d.due_at <= limit

    def count(rows: list[Dossier], s: Span) -> int:
        return sum(soon(d, s) for d in stock(rows, s.b))

    return count


def without_result(rows: list[Dossier], s: Span) -> int:
    return sum(d.status in NO_RESULT for d in closed(rows, s))


def overdue(rows: list[Dossier], t: datetime) -> list[Dossier]:
    return [d for d in stock(rows, t) if d.due_at is not None and d.due_at < t]


def fell_due(rows: list[Dossier], s: Span) -> int:
    return sum(
        s.has(d.due_at)
        and d.received_at is not None
        and d.received_at < s.as_of
        and not (d.finished_at is None and d.status in CLOSED)
        for d in rows
    )


def balance(rows: list[Dossier], s: Span) -> int:
    return (
        len(stock(rows, s.a)) + len(received(rows, s)) - len(resolved(rows, s)) - without_result(rows, s)
        - len(stock(rows, s.b))
    )  # fmt: skip


def waiting(rows: list[Dossier], s: Span) -> list[Dossier]:
    return [d for d in stock(rows, s.b) if d.status in {5, 6}]


def office(d: Dossier, s: Span, start: datetime, end: datetime) -> float:
    """Seconds of office time between two instants, negative backwards."""
    return office_between(s.clock.calendar_of(d.unit), start, end)


@lru_cache(maxsize=100_000)
def office_between(calendar: WorkingCalendar, start: datetime, end: datetime) -> float:
    if end < start:
        return -calendar.working_hours_between(end, start) * 3600
    return calendar.working_hours_between(start, end) * 3600


def is_stale(d: Dossier, s: Span) -> bool:
    changed = max(at for at in (d.source_updated_at, d.received_at) if at is not None)
    days = s.clock.calendar_of(d.unit).hours_of_a_day * 3600 * 5
    return d.status not in {5, 6} and changed < s.b and office(d, s, changed, s.b) > days


def accepted_at(d: Dossier) -> datetime | None:
    return min((at for at in (d.received_at, d.finished_at) if at is not None), default=None)


def waits_for_acceptance(d: Dossier, s: Span) -> bool:
    if d.channel != 2 or d.submitted_at is None or d.submitted_at >= s.b:
        return False
    ended = accepted_at(d)
    still = d.status == 1 if ended is None else ended >= s.b
    return still and office(d, s, d.submitted_at, s.b) > 8 * 3600


def lies_finished(d: Dossier, s: Span) -> bool:
    if d.finished_at is None or d.status not in {9, 10}:
        return False
    still = d.status == 9 if d.returned_at is None else d.returned_at >= s.b
    wall = (s.b.astimezone(s.zone).replace(tzinfo=None) - timedelta(days=3)).replace(tzinfo=s.zone)
    return still and d.finished_at < wall


def online(rows: list[Dossier], s: Span) -> list[Dossier]:
    return [d for d in rows if d.channel == 2 and s.has(d.submitted_at)]


def accepted_late(d: Dossier, s: Span) -> bool:
    ended = accepted_at(d)
    if ended is None and d.status != 1:
        return False
    return office(d, s, d.submitted_at, min(ended or s.cohort_end, s.cohort_end)) > 8 * 3600


COUNTS: dict[str, Callable[[list[Dossier], Span], int]] = {
    "received": lambda rows, s: len(received(rows, s)),
    "carried_in": lambda rows, s: len(stock(rows, s.a)),
    "resolved": lambda rows, s: len(resolved(rows, s)),
    "resolved_early": of_verdict("early"),
    "resolved_on_time": of_verdict("on_time"),
    "resolved_late": of_verdict("late"),
    "resolved_no_due": of_verdict("no_due"),
    "closed_without_result": without_result,
    "fell_due": fell_due,
    "open": lambda rows, s: len(stock(rows, s.b)),
    "open_in_time": lambda rows, s: sum(d.due_at is not None and d.due_at >= s.b for d in stock(rows, s.b)),
    "overdue": lambda rows, s: len(overdue(rows, s.b)),
    "open_no_due": lambda rows, s: sum(d.due_at is None for d in stock(rows, s.b)),
    "due_soon_8h": due_within(8),
    "due_soon_24h": due_within(24),
    "waiting": lambda rows, s: len(waiting(rows, s)),
    "stale": lambda rows, s: sum(is_stale(d, s) for d in stock(rows, s.b)),
    "slow_acceptance": lambda rows, s: sum(waits_for_acceptance(d, s) for d in rows),
    "finished_not_returned": lambda rows, s: sum(lies_finished(d, s) for d in rows),
    "submitted_online": lambda rows, s: len(online(rows, s)),
    "balance": balance,
    "closed_before_receipt": lambda rows, s: sum(
        d.finished_at < d.received_at and d.status in RESULT | NO_RESULT for d in closed(rows, s)
    ),
}


def deadline_met(d: Dossier, s: Span, end: datetime) -> bool | None:
    """Rule 2.1 of the 766 index for a dossier that ends at `end`; None: it cannot be judged."""
    pause = d.paused_seconds or 0
    if d.due_at is not None:
        return end - timedelta(seconds=pause) <= d.due_at
    amount, unit = TERMS.get(d.procedure or "", (None, None))
    if amount is None or unit is None:
        return None
    calendar = s.clock.calendar_of(d.unit)
    if unit in {"hour", "working_day"}:
        allowed = amount * 3600 * (calendar.hours_of_a_day if unit == "working_day" else 1)
        return office(d, s, d.received_at, end) - pause <= allowed
    return end - timedelta(seconds=pause) <= calendar.statutory_due(d.received_at, amount, TimeUnit(unit))


def open_deadline_met(d: Dossier, s: Span) -> bool | None:
    asked = d.supplement_requested_at
    end = asked if d.status == 5 and d.supplements == 1 and asked is not None and asked < s.b else s.b
    met = deadline_met(d, s, end)
    return met and (d.supplements or 0) <= 1


def on_time_766(rows: list[Dossier], s: Span) -> tuple[int, int]:
    ended = [deadline_met(d, s, d.finished_at) for d in closed(rows, s) if d.status in RESULT | NO_RESULT]
    going = [open_deadline_met(d, s) for d in stock(rows, s.b)]
    judged = [met for met in (*ended, *going) if met is not None]
    return sum(judged), len(judged)


def cohort(rows: list[Dossier], s: Span) -> tuple[int, int]:
    came = received(rows, s)
    good = [
        d for d in came
        if d.finished_at is not None and d.finished_at < s.cohort_end and d.status in RESULT
        and d.due_at is not None and d.finished_at <= d.due_at
    ]  # fmt: skip
    return len(good), len(came)


def share(
    rows: list[Dossier], s: Span, top: Callable[[Dossier], bool], of: Callable[[Dossier], bool]
) -> tuple[int, int]:
    base = [d for d in received(rows, s) if of(d)]
    return sum(map(top, base)), len(base)


def level(d: Dossier) -> int | None:
    return PROCEDURES.get(d.procedure or "", (None, None))[1]


def known(d: Dossier) -> bool:
    return d.channel is not None


def flagged(name: str) -> Callable[[list[Dossier], Span], tuple[int, int]]:
    return lambda rows, s: share(rows, s, lambda d: getattr(d, name) is True, lambda d: getattr(d, name) is not None)


def counted(name: str, least: int) -> Callable[[list[Dossier], Span], tuple[int, int]]:
    return lambda rows, s: share(rows, s, lambda d: getattr(d, name) >= least, lambda d: getattr(d, name) is not None)


def online_of_level(wanted: int) -> Callable[[list[Dossier], Span], tuple[int, int]]:
    return lambda rows, s: share(rows, s, lambda d: d.channel == 2 and level(d) == wanted, known)


def by_first_due(rows: list[Dossier], s: Span) -> tuple[int, int]:
    done = resolved(rows, s)
    dues = [(d, d.first_due_at if d.first_due_at is not None else d.due_at) for d in done]
    return sum(due is not None and d.finished_at <= due for d, due in dues), len(done)


def without_result_share(rows: list[Dossier], s: Span) -> tuple[int, int]:
    return without_result(rows, s), without_result(rows, s) + len(resolved(rows, s))


def e_results(rows: list[Dossier], s: Span) -> tuple[int, int]:
    told = [d.e_result for d in resolved(rows, s) if d.e_result is not None]
    return sum(told), len(told)


def paid(rows: list[Dossier], s: Span) -> tuple[int, int]:
    return share(
        rows, s, lambda d: d.payment in {1, 2},
        lambda d: d.payment is not None and FEES.get(d.procedure or "") is True,
    )  # fmt: skip


def timed(rows: list[Dossier], s: Span) -> list[float]:
    return [office(d, s, d.received_at, d.finished_at) for d in resolved(rows, s) if d.finished_at >= d.received_at]


RATIOS: dict[str, Callable[[list[Dossier], Span], tuple[int, int]]] = {
    "on_time_06": lambda rows, s: (of_verdict("early", "on_time")(rows, s), len(resolved(rows, s))),
    "on_time_766": on_time_766,
    "on_time_received": cohort,
    "on_time_first_due": by_first_due,
    "closed_without_result_share": without_result_share,
    "supplement_share": counted("supplements", 1),
    "repeated_supplement_share": counted("supplements", 2),
    "reappointment_share": counted("reappointments", 1),
    "slow_acceptance_share": lambda rows, s: (sum(accepted_late(d, s) for d in online(rows, s)), len(online(rows, s))),
    "waiting_share": lambda rows, s: (len(waiting(rows, s)), len(stock(rows, s.b))),
    "full_online_share": online_of_level(4),
    "partial_online_share": online_of_level(3),
    "online_payment_share": paid,
    "digitised_share": flagged("digitised"),
    "reused_share": flagged("reused"),
    "interlinked_share": flagged("interlinked"),
    "e_result_share": e_results,
    "mean_working_time": lambda rows, s: (round(sum(timed(rows, s))), len(timed(rows, s))),
    "overdue_share": lambda rows, s: (len(overdue(rows, s.b)), len(stock(rows, s.b))),
    "online_share": lambda rows, s: share(rows, s, lambda d: d.channel == 2, known),
    "online_share_eligible": lambda rows, s: share(
        rows, s, lambda d: d.channel == 2, lambda d: known(d) and level(d) in {3, 4}
    ),
    "post_in_share": lambda rows, s: share(rows, s, lambda d: d.channel == 3, known),
    "post_out_share": lambda rows, s: share(
        rows, s, lambda d: d.return_channel == 1, lambda d: d.return_channel is not None
    ),
}


def median_seconds(rows: list[Dossier], s: Span) -> Triple:
    def wall(instant: datetime) -> datetime:
        return instant.astimezone(s.zone).replace(tzinfo=None)

    found = [
        (wall(d.finished_at) - wall(d.received_at)).total_seconds()
        for d in resolved(rows, s)
        if d.finished_at >= d.received_at
    ]
    return None, len(found), median(found) if found else None


def votes(metric: str, judged: list[Answer], rows: list[Dossier], s: Span) -> tuple[int, int] | None:
    """Numerator and denominator of a figure of the survey answers, None where it is no such figure."""
    mine = [a for a in judged if s.has(a.answered_at)]
    if metric == "response_rate":
        returned = [d for d in rows if s.has(d.returned_at) and d.received_at is not None and d.received_at < s.as_of]
        return len(mine), len(returned)
    if metric in {"satisfied_share", "satisfied_share_five"}:
        scale = "five_level" if metric.endswith("five") else "three_level"
        told = [a.satisfied for a in mine if a.satisfied is not None and a.scale == scale]
        return sum(told), len(told)
    scales = {"mean_score_three": "three_level", "mean_score_five": "five_level", "mean_form_score": "form_012"}
    if metric in scales:
        scores = [a.score for a in mine if a.score is not None and a.scale == scales[metric]]
        return sum(scores), len(scores)
    return None


def figure(metric: str, rows: list[Dossier], judged: list[Answer], s: Span) -> Triple:
    """Numerator, denominator and value of a metric over these rows."""
    if metric == "answers":
        count = sum(s.has(a.answered_at) for a in judged)
        return count, None, count
    if metric in COUNTS:
        count = COUNTS[metric](rows, s)
        return count, None, count
    if metric == "median_duration":
        return median_seconds(rows, s)
    if metric == "median_working_time":
        found = timed(rows, s)
        return None, len(found), median(found) if found else None
    if metric == "backlog_days":
        top, bottom = len(stock(rows, s.b)), len(resolved(rows, s))
        days = s.clock.calendar.working_hours_between(s.a, s.b) / s.clock.calendar.hours_of_a_day
        return top, bottom, top / bottom * days if bottom else None
    top, bottom = votes(metric, judged, rows, s) or RATIOS[metric](rows, s)
    return top, bottom, top / bottom if bottom else None
