"""Every metric once more, in plain Python over lists: no SQL, no frames, no code of the metrics themselves.

A span is [a, b); `t` is its end, `as_of` the instant of the knowledge. Written from docs, not from metrics/.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from metrics import Clock
from tests.metrics.world import PROCEDURES, Answer, Dossier

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
    "waiting": lambda rows, s: sum(d.status in {5, 6} for d in stock(rows, s.b)),
    "balance": balance,
    "closed_before_receipt": lambda rows, s: sum(
        d.finished_at < d.received_at and d.status in RESULT | NO_RESULT for d in closed(rows, s)
    ),
}


def on_time_766(rows: list[Dossier], s: Span) -> tuple[int, int]:
    top = bottom = 0
    for d in closed(rows, s):
        if d.due_at is not None and d.status in RESULT | NO_RESULT:
            bottom += 1
            top += d.finished_at - timedelta(seconds=d.paused_seconds or 0) <= d.due_at
    for d in stock(rows, s.b):
        if d.due_at is not None:
            bottom += 1
            top += d.due_at >= s.b and (d.supplements or 0) <= 1
    return top, bottom


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


RATIOS: dict[str, Callable[[list[Dossier], Span], tuple[int, int]]] = {
    "on_time_06": lambda rows, s: (of_verdict("early", "on_time")(rows, s), len(resolved(rows, s))),
    "on_time_766": on_time_766,
    "on_time_received": cohort,
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


def figure(metric: str, rows: list[Dossier], judged: list[Answer], s: Span) -> Triple:
    """Numerator, denominator and value of a metric over these rows."""
    if metric in COUNTS:
        count = COUNTS[metric](rows, s)
        return count, None, count
    if metric == "median_duration":
        return median_seconds(rows, s)
    if metric == "satisfied_share":
        votes = [a.satisfied for a in judged if s.has(a.answered_at) and a.satisfied is not None]
        top, bottom = sum(votes), len(votes)
    else:
        top, bottom = RATIOS[metric](rows, s)
    return top, bottom, top / bottom if bottom else None
