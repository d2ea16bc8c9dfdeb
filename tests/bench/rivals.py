"""The same questions asked by plain SQL of the raw table and by pandas of the loaded frame; the numbers must agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from metrics import Clock, Period, Scope, measure
from tests.bench.stage import middle, seconds

COLUMNS = ("unit", "channel", "received_at", "due_at", "finished_at", "status")
Answer = dict[Any, tuple[int, ...]]
_SQL = {
    "received, resolved late, by unit, the month": """
select unit, sum(r)::bigint, sum(l)::bigint from (
    select unit, 1 as r, 0 as l from dossier where received_at >= :a and received_at < :b
    union all
    select unit, 0, (finished_at > due_at)::int from dossier
    where finished_at >= :a and finished_at < :b and (status in (9, 10) or status is null)
) as events group by unit""",
    "received by month, 12 months": """
select to_char(received_at at time zone :zone, 'YYYY-MM'), count(*) from dossier
where received_at >= :year and received_at < :b group by 1""",
    "open and overdue now, by unit": """
select unit, count(*), count(*) filter (where due_at < :b) from dossier
where received_at < :b and (finished_at is null or finished_at >= :b) and
    (finished_at is not null or status is null or status not in (3, 7, 8, 9, 10)) group by unit""",
    "received by channel, 12 months": """
select channel, count(*) from dossier where received_at >= :year and received_at < :b group by channel""",
}


def rivals(
    connection: Connection, clock: Clock, now: datetime, runs: int
) -> list[tuple[str, float, float, float, bool]]:
    """Return for each question the median milliseconds of `measure`, SQL and pandas, and whether all three agree."""
    today = now.astimezone(clock.zone).date()
    month = Period.parse("month-to-date", clock.zone, today=today)
    year = Period.parse("last-12-months", clock.zone, today=today)
    frame = pd.read_sql(text(f"select {', '.join(COLUMNS)} from dossier"), connection)
    values = {"a": month.start, "b": now, "year": year.start, "zone": clock.zone.key}
    asked = {
        "received, resolved late, by unit, the month": (("received", "resolved_late"), month, ("unit",)),
        "received by month, 12 months": (("received",), year, ("month",)),
        "open and overdue now, by unit": (("open", "overdue"), month, ("unit",)),
        "received by channel, 12 months": (("received",), year, ("channel",)),
    }
    found = []
    for name, (metrics, period, by) in asked.items():
        ways: list[Callable[[], Answer]] = [
            partial(_ours, connection, clock, now, metrics, period, by),
            partial(_sql, connection, _SQL[name], values),
            partial(_PANDAS[name], frame, month.start, now, year.start, clock),
        ]
        answers = [way() for way in ways]
        times = [middle([1000 * seconds(way) for _ in range(runs)]) for way in ways]
        found.append((name, *times, answers[0] == answers[1] == answers[2]))
    return found


def _ours(
    connection: Connection, clock: Clock, now: datetime, metrics: tuple[str, ...], period: Period, by: tuple[str, ...]
) -> Answer:
    answer = measure(connection, metrics, clock=clock, period=period, as_of=now, scope=Scope.everything(), by=by)
    table = answer.pivot_table(index=by[0], columns="metric", values="numerator", aggfunc="sum")[list(metrics)]
    return _nonzero(
        {key: tuple(int(value) for value in row) for key, row in zip(table.index, table.values, strict=True)}
    )


def _sql(connection: Connection, statement: str, values: dict[str, Any]) -> Answer:
    clause = text(statement)
    rows = connection.execute(clause, {name: values[name] for name in clause.compile().params})
    return _nonzero({row[0]: tuple(int(value) for value in row[1:]) for row in rows})


def _counts(table: pd.DataFrame) -> Answer:
    table = table.fillna(0).astype(int)
    return _nonzero({key: tuple(map(int, row)) for key, row in zip(table.index, table.to_numpy(), strict=True)})


def _nonzero(answer: Answer) -> Answer:
    return {key: counts for key, counts in answer.items() if any(counts)}


def _month_by_unit(frame: pd.DataFrame, start: datetime, now: datetime, year: datetime, clock: Clock) -> Answer:
    del year, clock
    received = frame[(frame["received_at"] >= start) & (frame["received_at"] < now)].groupby("unit").size()
    closed = frame[(frame["finished_at"] >= start) & (frame["finished_at"] < now)]
    closed = closed[closed["status"].isin([9, 10]) | closed["status"].isna()]
    late = closed[closed["finished_at"] > closed["due_at"]].groupby("unit").size()
    return _counts(pd.DataFrame({"received": received, "late": late}))


def _by_month(frame: pd.DataFrame, start: datetime, now: datetime, year: datetime, clock: Clock) -> Answer:
    del start
    rows = frame[(frame["received_at"] >= year) & (frame["received_at"] < now)]
    months = rows["received_at"].dt.tz_convert(clock.zone).dt.strftime("%Y-%m")
    return {str(key): (int(value),) for key, value in months.value_counts().items()}


def _open_by_unit(frame: pd.DataFrame, start: datetime, now: datetime, year: datetime, clock: Clock) -> Answer:
    del start, year, clock
    known = frame["finished_at"].notna() | ~frame["status"].isin([3, 7, 8, 9, 10])
    rows = frame[(frame["received_at"] < now) & ~(frame["finished_at"] < now) & known]
    table = pd.DataFrame(
        {"open": rows.groupby("unit").size(), "late": rows[rows["due_at"] < now].groupby("unit").size()}
    )
    table = table.fillna(0).astype(int)
    return _nonzero({key: tuple(map(int, row)) for key, row in zip(table.index, table.values, strict=True)})


def _by_channel(frame: pd.DataFrame, start: datetime, now: datetime, year: datetime, clock: Clock) -> Answer:
    del start, clock
    rows = frame[(frame["received_at"] >= year) & (frame["received_at"] < now)]
    return {int(key): (int(value),) for key, value in rows["channel"].value_counts().items()}


_PANDAS: dict[str, Callable[..., Answer]] = dict(
    zip(_SQL, (_month_by_unit, _by_month, _open_by_unit, _by_channel), strict=True)
)
