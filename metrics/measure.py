"""The one function that answers every question: metrics by dimensions, for a period, as of an instant, in a scope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import accumulate, product
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from metrics.calendar import Clock
from metrics.cells import Levels, Plan, plan_of
from metrics.definitions import Kind, Metric, Sum, Unit
from metrics.dimensions import DIMENSIONS, OVERDUE_AGES, Code
from metrics.period import Period
from metrics.question import Filters, Question, check
from metrics.scope import Scope
from metrics.statements import Statement, flows
from metrics.stocks import CARRIED, stocks

Key = tuple[Code, ...]
"""Codes of the group dimensions, in the order in which they are asked for."""
Number = int | float | None
Counts = dict[tuple[Key, int], dict[str, Number]]
"""Counters by key and number of the bucket."""


def measure(
    connection: Connection,
    metrics: Iterable[str],
    *,
    clock: Clock,
    period: Period,
    as_of: datetime,
    scope: Scope,
    by: Iterable[str] = (),
    filters: Filters | None = None,
) -> pd.DataFrame:
    """Answer a question: one row for each group and metric.

    Columns: the dimensions of `by` (codes, missing where unknown; days and months as texts that Period.parse reads),
    `metric`, `numerator` and `denominator` (Int64; counts have no denominator, medians no numerator), `value` (Float64:
    the count, the ratio 0 to 1 or seconds; missing where nothing is there to measure). Flows are those of the period up
    to `as_of`, stocks those at its end or at `as_of`, whichever is earlier; by day or month, those at the end of each.
    Units that have nothing above 0 and buckets without events are there with 0. Raises BadQuestion.
    """
    question = check(connection, metrics, clock=clock, period=period, as_of=as_of, scope=scope, by=by, filters=filters)
    counts = collect(connection, question, plan_of(connection, question))
    return frame(question, counts, keys(question, counts))


def collect(connection: Connection, question: Question, plan: Plan | None = None) -> Counts:
    """Run the statements of a question and merge what they count."""
    counts: Counts = defaultdict(dict)
    for statement in (*flows(question, plan), *stocks(question, plan)):
        if statement.running:
            _merge_running(connection, question, statement, counts)
        elif statement.levels is not None:
            _merge_levels(connection, question, statement, statement.levels, counts)
        else:
            _merge(connection, question, statement, counts)
    return counts


def _merge(connection: Connection, question: Question, statement: Statement, counts: Counts) -> None:
    """Add what a statement counts to what others counted of the same; only a median comes from one alone."""
    width, names = len(question.groups), statement.counters
    for row in _rows(connection, statement):
        found = counts[row[:width], statement.bucket or row[width]]
        for name, value in zip(names, _values(statement, row), strict=True):
            found[name] = value if name not in found else found[name] + value


def _values(statement: Statement, row: tuple[Any, ...]) -> tuple[Any, ...]:
    size = len(statement.counters)
    return tuple(row[-1] * value for value in row[-1 - size : -1]) if statement.signed else row[-size:]


def _merge_levels(
    connection: Connection, question: Question, statement: Statement, levels: Levels, counts: Counts
) -> None:
    """Sum the changes of stocks up to each midnight."""
    width, edges = len(question.groups), len(levels.days)
    changes: dict[tuple[Key, str], list[int]] = defaultdict(lambda: [0] * edges)
    for row in _rows(connection, statement):
        for name, change in levels.changes(statement.counters, _values(statement, row)):
            changes[row[:width], name][row[width] - 1] += change
    for (group, name), moves in changes.items():
        reached = list(accumulate(moves))
        for place, bucket in levels.buckets(name):
            found = counts[group, bucket]
            found[name] = (found.get(name) or 0) + reached[place]


def _rows(connection: Connection, statement: Statement) -> Iterator[tuple[Any, ...]]:
    return (tuple(row) for row in connection.execute(statement.select))


def _merge_running(connection: Connection, question: Question, statement: Statement, counts: Counts) -> None:
    """Sum the changes of stocks over the edges; edge 1 is the start of the period, edge n + 1 the end of bucket n."""
    edges = len(question.edges)
    changes: dict[tuple[Key, str], list[int]] = defaultdict(lambda: [0] * edges)
    for *key, stock, edge, change in _rows(connection, statement):
        changes[tuple(key), stock][edge - 1] += int(change)
    for (group, stock), moves in changes.items():
        levels = list(accumulate(moves))
        for number in range(1, edges):
            found = counts[group, number]
            found[stock] = levels[number]
            if stock == "open":
                found[CARRIED] = levels[number - 1]


def keys(question: Question, counts: Counts) -> list[Key]:
    """Return the groups of the answer: those that count something, and where only units and ages are asked for, all."""
    found = {key for (key, _), counted in counts.items() if any(counted.values())}
    if set(question.groups) <= {"unit", "unit_kind", "overdue_age"}:
        position = {name: n for n, name in enumerate(question.groups)}
        units = _units(question)
        if "unit" in position:
            units |= {str(key[position["unit"]]) for key in found}
        ages = tuple(OVERDUE_AGES) if "overdue_age" in position else (None,)
        for code, age in product(units or {""}, ages):
            values = {"unit": code, "unit_kind": question.tree.kind(code), "overdue_age": age}
            if units or not position.keys() & {"unit", "unit_kind"}:
                found.add(tuple(values[name] for name in question.groups))
    return sorted(found, key=lambda key: tuple((code is None, code if code is not None else 0) for code in key))


def _units(question: Question) -> set[str]:
    """Return the units that are listed even with nothing to count: the leaves of the scope in the period."""
    if not {"unit", "unit_kind"} & set(question.groups):
        return set()
    first = question.clock.day(question.period.start)
    stop = question.clock.day(question.until - timedelta(microseconds=1)) + timedelta(1)
    leaves = question.tree.leaves(first, stop)
    if question.codes is not None:
        leaves &= question.codes
    wanted = question.filters.get("unit_kind")
    return {code for code in leaves if wanted is None or question.tree.kind(code) in wanted}


def frame(question: Question, counts: Counts, groups: list[Key]) -> pd.DataFrame:
    """Write the counts as the frame that `measure` promises."""
    cells = [(key, number) for key in groups for number in range(1, len(question.buckets) + 1)]
    columns: dict[str, list[Code]] = {name: [] for name in question.by}
    numerators: list[Number] = []
    denominators: list[Number] = []
    values: list[Number] = []
    position = {name: n for n, name in enumerate(question.groups)}
    for key, number in cells:
        found = counts.get((key, number), {})
        for name, listed in columns.items():
            code = question.buckets[number - 1].code if name == question.step else key[position[name]]
            listed.extend([code] * len(question.metrics))
        for metric in question.metrics:
            top, bottom, value = evaluate(metric, found)
            if value is not None and metric.unit is Unit.WORKING_DAYS:
                value *= working_days(question, number)
            numerators.append(top)
            denominators.append(bottom)
            values.append(value)
    return pd.DataFrame(
        {
            **{name: pd.Series(column, dtype=_dtype(name)) for name, column in columns.items()},
            "metric": pd.Series([metric.name for metric in question.metrics] * len(cells), dtype="str"),
            "numerator": pd.Series(numerators, dtype="Int64"),
            "denominator": pd.Series(denominators, dtype="Int64"),
            "value": pd.Series(values, dtype="Float64"),
        }
    )


def evaluate(metric: Metric, found: dict[str, Number]) -> tuple[Number, Number, Number]:
    """Return numerator, denominator and value of a metric from its counters; an absent counter is 0."""
    if metric.kind is Kind.DISTRIBUTION:
        value = found.get(metric.numerator[0][1])
        return None, _sum(metric.denominator, found), None if value is None else float(value)
    top = _sum(metric.numerator, found)
    if not metric.denominator:
        return top, None, float(top)
    bottom = _sum(metric.denominator, found)
    return top, bottom, top / bottom if bottom else None


def working_days(question: Question, number: int) -> float:
    """Return the working days of a bucket of a question, a day that has begun by its office hours."""
    calendar, bucket = question.clock.calendar, question.buckets[number - 1]
    return calendar.working_hours_between(bucket.start, bucket.end) / calendar.hours_of_a_day


def _sum(terms: Sum, found: dict[str, Number]) -> int:
    return sum(sign * int(found.get(name) or 0) for sign, name in terms)


def _dtype(name: str) -> str:
    return "Int64" if DIMENSIONS[name].is_number else "str"
