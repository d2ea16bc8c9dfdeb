"""Figures of ended periods, recorded once: what was true of a period when it was first told (ADR 7).

A period is recorded by the first call a day after its end at which every living stream of dossiers has been read since
that end. What changes later is a correction (metrics/corrections.py); a recorded figure is never changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select

from metrics.calendar import Clock
from metrics.cells import plan_of
from metrics.definitions import METRICS, Kind, Unit
from metrics.measure import collect
from metrics.period import Period, shift_months
from metrics.question import Question, check
from metrics.scope import Scope
from warehouse.engine import data_version
from warehouse.schema import closed_figure, closed_period, dossier, sync_run
from warehouse.vocabulary import Entity, RunKind, RunState

NOT_RECORDED = frozenset(
    {"waiting", "stale", "slow_acceptance", "finished_not_returned", "due_soon_8h", "due_soon_24h", "ended_judged",
     "ended_in_term", "open_judged_766", "open_in_term_766", "worked_seconds", "timed", "median_seconds",
     "median_worked"}
)  # fmt: skip
"""Counters that depend on the last read status or on the office calendar, and would differ without any correction."""
RECORDED = tuple(dict.fromkeys(
    name for metric in METRICS.values() for name in sorted(metric.counters) if name not in NOT_RECORDED
))  # fmt: skip
"""The counters that are recorded."""
FIRST_RECORDED = (
    "received", "received_online", "received_known", "carried_in", "resolved_early", "resolved_on_time",
    "resolved_late", "resolved_no_due", "closed_without_result", "open", "open_in_time", "overdue", "open_no_due",
)  # fmt: skip
"""Those of form II.06 and its remainders: all that was recorded of a period that does not say what was."""
MONTHS_BACK = 24
SETTLED_AFTER = timedelta(days=1)
"""What happened on the last day is often entered the next morning."""
LONGEST_WAIT = timedelta(days=7)
"""So long after the end of a period, or after its first run, a stream that cannot be read holds nothing up any more."""
FORGOTTEN = timedelta(days=30)
"""A stream without a run for so long is no living one."""
CLOSING_LOCK = 0x10C_C105ED


@dataclass(frozen=True, slots=True)
class Closing:
    """What a call did: periods recorded, periods that must wait, and the streams that these wait for."""

    recorded: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()


def record_closed(engine: Engine, *, clock: Clock, as_of: datetime) -> Closing:
    """Record the figures of every month, quarter, year and statutory period that has ended and is not recorded yet.

    Goes back MONTHS_BACK months, not before the first receipt. Each period is one transaction that sees one state of
    the data; a second process that calls at the same time does nothing. Safe to repeat.
    """
    with engine.connect() as holder:
        held = holder.execute(select(func.pg_try_advisory_lock(CLOSING_LOCK))).scalar_one()
        holder.commit()  # the lock is the session's; nothing stays open while the figures are computed
        if not held:
            return Closing()
        try:
            return _record_all(engine, clock, as_of.replace(microsecond=0))  # instants are whole seconds
        finally:
            holder.execute(select(func.pg_advisory_unlock(CLOSING_LOCK)))
            holder.commit()


def _record_all(engine: Engine, clock: Clock, as_of: datetime) -> Closing:
    recorded, waiting, streams = [], [], set()
    with engine.connect() as connection:
        due = list(_unrecorded(connection, clock, as_of))
        behind = {period.text: _behind(connection, period.end, as_of) for period in due}
    for period in due:
        if behind[period.text]:
            waiting.append(period.text)
            streams |= behind[period.text]
            continue
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
            _record(connection, period, clock, as_of)
        recorded.append(period.text)
    return Closing(tuple(recorded), tuple(waiting), tuple(sorted(streams)))


def ended_periods(first: date, today: date, clock: Clock) -> Iterator[Period]:
    """Give the named periods that end after `first` and have ended by the beginning of `today`, the earliest end first.

    Months, quarters, years, and the same as statutory reporting periods; none that ended over MONTHS_BACK months ago.
    """
    since = max(first, shift_months(today.replace(day=1), -MONTHS_BACK))
    texts = set()
    for back in range(MONTHS_BACK + 2):
        month = shift_months(today.replace(day=1), 1 - back)
        names = (f"{month:%Y-%m}", f"{month.year}Q{(month.month + 2) // 3}", f"{month.year}")
        texts |= {f"{kind}{name}" for kind in ("", "report-") for name in names}
    periods = [Period.parse(text, clock.zone) for text in texts]
    ended = [p for p in periods if clock.day(p.end) > since and p.end <= clock.midnight(today)]
    yield from sorted(ended, key=lambda period: (period.end, period.text))


def _unrecorded(connection: Connection, clock: Clock, as_of: datetime) -> Iterator[Period]:
    first = connection.execute(
        select(func.min(dossier.c.received_at)).where(dossier.c.received_at < as_of)
    ).scalar_one_or_none()
    if first is None:
        return
    known = set(connection.execute(select(closed_period.c.period)).scalars())
    for period in ended_periods(clock.day(first), clock.day(as_of - SETTLED_AFTER), clock):
        if period.text not in known:
            yield period


def _behind(connection: Connection, end: datetime, as_of: datetime) -> set[str]:
    """The living streams of dossiers that were not wholly read since the end of a period."""
    c = sync_run.c
    read = func.max(c.finished_at).filter(c.state == str(RunState.OK))
    statement = (
        select(c.source, read, func.min(c.started_at), func.max(func.coalesce(c.finished_at, c.started_at)))
        .where(c.entity == str(Entity.DOSSIER), c.kind == str(RunKind.SYNC))
        .group_by(c.source)
    )
    found = set()
    for source, last_read, first_run, last_run in connection.execute(statement):
        patient = max(end, first_run) + LONGEST_WAIT > as_of
        if (last_read is None or last_read < end) and patient and last_run > as_of - FORGOTTEN:
            found.add(str(source))
    return found


def _record(connection: Connection, period: Period, clock: Clock, as_of: datetime) -> None:
    figures = figures_of(connection, clock=clock, period=period, as_of=as_of, scope=Scope.everything())[1]
    head = {"period": period.text, "start_at": period.start, "end_at": period.end, "recorded_at": as_of}
    connection.execute(
        insert(closed_period), {**head, "data_version": data_version(connection), "counters": list(RECORDED)}
    )
    rows = [
        {"period": period.text, "unit": unit, "counter": counter, "value": value}
        for unit, counts in figures.items()
        for counter, value in counts.items()
        if value
    ]
    if rows:
        connection.execute(insert(closed_figure), rows)


def figures_of(
    connection: Connection, *, clock: Clock, period: Period, as_of: datetime, scope: Scope
) -> tuple[Question, Mapping[str, Mapping[str, int]]]:
    """Return the question and the counters of RECORDED by unit, as the data says now; raises BadQuestion."""
    asked = [name for name in METRICS if can_be_corrected(name)]
    question = check(connection, asked, clock=clock, period=period, as_of=as_of, scope=scope, by=("unit",))
    counts: dict[str, dict[str, int]] = {}
    for (key, _), found in collect(connection, question, plan_of(connection, question)).items():
        counts[str(key[0])] = {name: _whole(found.get(name)) for name in RECORDED}
    return question, counts


def _whole(value: Any) -> int:  # noqa: ANN401 - a counter, or nothing
    return int(value or 0)


def can_be_corrected(name: str, counters: Collection[str] = RECORDED) -> bool:
    """Whether a metric is made of recorded counters only."""
    metric = METRICS[name]
    return metric.kind is not Kind.DISTRIBUTION and metric.unit is not Unit.WORKING_DAYS and (
        metric.counters <= set(counters)
    )  # fmt: skip


__all__ = [
    "FIRST_RECORDED",
    "MONTHS_BACK",
    "NOT_RECORDED",
    "RECORDED",
    "Closing",
    "can_be_corrected",
    "ended_periods",
    "figures_of",
    "record_closed",
]
