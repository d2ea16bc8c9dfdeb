"""The one function that answers every question: metrics by dimensions, for a period, as of an instant, in a scope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import accumulate, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
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
    moves = levels.moves(statement.counters)
    changes: dict[tuple[Key, str], list[int]] = defaultdict(lambda: [0] * edges)
    for row in _rows(connection, statement):
        values = _values(statement, row)
        for name, terms in moves.items():
            changes[row[:width], name][row[width] - 1] += sum(sign * values[place] for sign, place in terms)
    buckets = {name: list(levels.buckets(name)) for name in levels.stocks}
    for (group, name), moved in changes.items():
        reached = list(accumulate(moved))
        for place, bucket in buckets[name]:
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
        if question.groups == ("unit",):
            return [(code,) for code in sorted(units)]
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
    """Write the counts as the frame that `measure` promises: a row for each group, bucket and metric."""
    cells = [(key, number) for key in groups for number in range(1, len(question.buckets) + 1)]
    counted = _Counted([counts.get(cell, {}) for cell in cells])
    position = {name: n for n, name in enumerate(question.groups)}
    columns: dict[str, Any] = {}
    size = len(question.metrics)
    for name in question.by:
        if name == question.step:
            codes: list[Code] = [question.buckets[number - 1].code for _, number in cells]
        else:
            codes = [key[position[name]] for key, _ in cells]
        columns[name] = pd.Series(codes, dtype=_dtype(name)).repeat(size).array
    names = pd.Series([metric.name for metric in question.metrics], dtype="str")
    columns["metric"] = names.take(np.tile(np.arange(size), len(cells))).array
    days = np.array([working_days(question, number) for number in range(1, len(question.buckets) + 1)])
    parts = [counted.triple(metric, np.tile(days, len(groups))) for metric in question.metrics]
    for place, name in enumerate(("numerator", "denominator", "value")):
        columns[name] = _interleaved([part[place] for part in parts], whole=name != "value")
    return pd.DataFrame(columns)


Column = tuple[NDArray[Any], NDArray[np.bool_]]
"""Values, and where they are missing."""


class _Counted:
    """What was counted, cell by cell; an absent counter is 0."""

    def __init__(self, found: list[dict[str, Number]]) -> None:
        self.found = found
        self.nowhere = np.zeros(len(found), dtype=bool)
        self._counters: dict[str, NDArray[np.int64]] = {}

    def counter(self, name: str) -> NDArray[np.int64]:
        """A counter of every cell."""
        if name not in self._counters:
            self._counters[name] = np.array([found.get(name) or 0 for found in self.found], dtype=np.int64)
        return self._counters[name]

    def total(self, terms: Sum) -> NDArray[np.int64]:
        """A signed sum of counters of every cell."""
        total = np.zeros(len(self.found), dtype=np.int64)
        for sign, name in terms:
            total += sign * self.counter(name)
        return total

    def triple(self, metric: Metric, days: NDArray[Any]) -> tuple[Column, Column, Column]:
        """Numerator, denominator and value of a metric in every cell; `days` are the working days of its bucket."""
        everywhere = ~self.nowhere
        if metric.kind is Kind.DISTRIBUTION:
            name = metric.numerator[0][1]
            medians = [found.get(name) for found in self.found]
            values = np.array([np.nan if value is None else float(value) for value in medians], dtype=float)
            nothing = np.zeros(len(self.found), dtype=np.int64)
            return (nothing, everywhere), (self.total(metric.denominator), self.nowhere), (values, np.isnan(values))
        top = self.total(metric.numerator)
        if not metric.denominator:
            return (top, self.nowhere), (np.zeros_like(top), everywhere), (top.astype(float), self.nowhere)
        bottom = self.total(metric.denominator)
        share = np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom != 0)
        if metric.unit is Unit.WORKING_DAYS:
            share = share * days
        return (top, self.nowhere), (bottom, self.nowhere), (share, bottom == 0)


def _interleaved(columns: list[Column], *, whole: bool) -> Any:  # noqa: ANN401 - an array of pandas
    values = np.column_stack([column[0] for column in columns]).ravel()
    missing = np.column_stack([column[1] for column in columns]).ravel()
    if whole:
        return pd.arrays.IntegerArray(values.astype(np.int64), missing)
    return pd.arrays.FloatingArray(np.where(missing, 1.0, values).astype(float), missing)


def evaluate(metric: Metric, found: dict[str, Number]) -> tuple[Number, Number, Number]:
    """Return numerator, denominator and value of a metric from counters of one cell, as `frame` does for many."""
    if metric.kind is Kind.DISTRIBUTION:
        value = found.get(metric.numerator[0][1])
        return None, _sum(metric.denominator, found), None if value is None else float(value)
    top = _sum(metric.numerator, found)
    if not metric.denominator:
        return top, None, float(top)
    bottom = _sum(metric.denominator, found)
    return top, bottom, top / bottom if bottom else None


def _sum(terms: Sum, found: dict[str, Number]) -> int:
    return sum(sign * int(found.get(name) or 0) for sign, name in terms)


def working_days(question: Question, number: int) -> float:
    """Return the working days of a bucket of a question, a day that has begun by its office hours."""
    calendar, bucket = question.clock.calendar, question.buckets[number - 1]
    return calendar.working_hours_between(bucket.start, bucket.end) / calendar.hours_of_a_day


def _dtype(name: str) -> str:
    return "Int64" if DIMENSIONS[name].is_number else "str"
