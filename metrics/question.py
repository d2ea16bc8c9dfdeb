"""A question, checked and resolved: everything that the statements need and nothing that can still be wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, literal, select

from metrics.calendar import Clock
from metrics.definitions import METRICS, Metric
from metrics.dimensions import DIMENSIONS, FILTERS, OVERDUE_AGES, Code
from metrics.grouping import check_dimensions
from metrics.period import Bucket, Period, Step, buckets
from metrics.scope import Scope, UnitTree, resolve
from warehouse.errors import BadQuestion
from warehouse.schema import dossier, procedure

UNKNOWN = ""
"""The text of a filter value that stands for unknown."""

OF_CATALOGUE = ("field", "procedure")
"""Filters whose values are data, not a vocabulary."""
Filters = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Question:
    """What is asked: `until` is the instant of the stocks and the end of the flows, `codes` the units (None: all)."""

    metrics: tuple[Metric, ...]
    clock: Clock
    period: Period
    as_of: datetime
    until: datetime
    by: tuple[str, ...]
    buckets: tuple[Bucket, ...]
    codes: frozenset[str] | None
    filters: Mapping[str, tuple[Code, ...]]
    tree: UnitTree

    @property
    def groups(self) -> tuple[str, ...]:
        """The dimensions that are columns of the data; time is cut into buckets instead."""
        return tuple(name for name in self.by if not DIMENSIONS[name].is_time)

    @property
    def step(self) -> Step | None:
        """The length of the buckets, None where the whole period is one."""
        return _step(self.by)

    @property
    def edges(self) -> tuple[datetime, ...]:
        """Start of the period and end of each bucket."""
        return (self.buckets[0].start, *(bucket.end for bucket in self.buckets))

    @property
    def counters(self) -> frozenset[str]:
        """Names of all counters that the metrics are made of."""
        return frozenset[str]().union(*(metric.counters for metric in self.metrics))

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of each unit that the table knows."""
        return {row.code: row.kind for row in self.tree.rows.values()}


def check(
    connection: Connection,
    metrics: Iterable[str],
    *,
    clock: Clock,
    period: Period,
    as_of: datetime,
    scope: Scope,
    by: Iterable[str] = (),
    filters: Filters | None = None,
) -> Question:
    """Check a question and resolve its units; raises BadQuestion that says what is wrong and what is accepted."""
    names, groups = tuple(dict.fromkeys(metrics)), tuple(by)
    if not names:
        raise BadQuestion(f"no metric is asked for; known: {', '.join(METRICS)}")
    asked = tuple(METRICS[_known("metric", name, METRICS)] for name in names)
    _check_groups(groups, names, filters or {})
    until = last_instant(period, as_of)
    values = {name: parse_values(name, texts) for name, texts in (filters or {}).items()}
    _check_procedures(connection, values)
    tree = UnitTree.load(connection, clock.day(until))
    codes = narrow(connection, scope, values, tree)
    step = _step(groups)
    cuts = buckets(period, step, until, clock.zone) if step else [Bucket(period.text, period.start, until)]
    return Question(asked, clock, period, as_of, until, groups, tuple(cuts), codes, values, tree)


def last_instant(period: Period, as_of: datetime) -> datetime:
    """Return the end of the period or `as_of`, whichever is earlier; raises BadQuestion where nothing is known yet."""
    if as_of.tzinfo is None:
        raise BadQuestion(f"as_of {as_of.isoformat()} has no time zone; write for example {as_of.isoformat()}+07:00")
    if as_of < period.start:
        raise BadQuestion(
            f"period {period.text!r} begins at {period.start.isoformat()}, after as_of {as_of.isoformat()}:"
            " nothing is known of it then"
        )
    return min(period.end, as_of)


def refuse_future(as_of: datetime, now: datetime) -> None:
    """Raise BadQuestion for an `as_of` that has not come yet.

    Whoever lets a person choose `as_of` calls this first. `measure` itself knows no other clock than `as_of`, and would
    take a date that a source wrote ahead (a closing of tomorrow) for something that has happened.
    """
    if as_of > now:
        raise BadQuestion(f"as_of {as_of.isoformat()} lies in the future (it is {now.isoformat(timespec='seconds')})")


def parse_values(name: str, texts: Sequence[str]) -> tuple[Code, ...]:
    """Return the codes that a filter names; the empty text stands for unknown."""
    dimension = DIMENSIONS[_known("filter", name, FILTERS)]
    if isinstance(texts, str):
        raise BadQuestion(f"filter {name}: give a list of values, not one text")
    if not texts:
        raise BadQuestion(f"filter {name} has no value; leave it out to see everything")
    accepted = tuple(str(term.value) for term in dimension.vocabulary) if dimension.vocabulary else ()
    if name == "overdue_age":
        accepted = tuple(OVERDUE_AGES)
    codes: list[Code] = []
    for text in map(str, texts):
        if accepted and text not in {*accepted, UNKNOWN}:
            raise BadQuestion(f"filter {name}: {text!r} is not one of {', '.join(accepted)}")
        codes.append(None if text == UNKNOWN else int(text) if dimension.is_number else text)
    return tuple(codes)


def _check_procedures(connection: Connection, values: Mapping[str, tuple[Code, ...]]) -> None:
    """Refuse fields and procedures that nothing knows: a figure of 0 would say that they have no backlog.

    A procedure outside the catalogue is accepted where a dossier names it.
    """
    p, asked = procedure.c, {name: {code for code in values.get(name, ()) if code is not None} for name in OF_CATALOGUE}
    if missing := asked["field"] - _found(connection, p.field_code, asked["field"]):
        raise BadQuestion(f"filter field: no such field: {', '.join(sorted(map(str, missing)))}")
    unlisted = asked["procedure"] - _found(connection, p.code, asked["procedure"])
    if missing := unlisted - _found(connection, dossier.c.procedure, unlisted):
        raise BadQuestion(f"filter procedure: no such procedure: {', '.join(sorted(map(str, missing)))}")


def _found(connection: Connection, column: ColumnElement[Any], codes: Collection[Code]) -> set[Code]:
    """The codes that are in a column; each is looked for by itself, so that the first row found ends the search."""
    if not codes:
        return set()
    wanted = list(codes)
    tests = [exists(select(literal(1)).where(column == code)) for code in wanted]
    row = connection.execute(select(*(test.label(f"found_{n}") for n, test in enumerate(tests)))).one()
    return {code for code, there in zip(wanted, row, strict=True) if there}


def narrow(
    connection: Connection, scope: Scope, filters: Mapping[str, tuple[Code, ...]], tree: UnitTree
) -> frozenset[str] | None:
    """Return the unit codes of the scope that also pass the filter on units, None for all.

    Raises BadQuestion when a unit is unknown or none of them is inside the scope.
    """
    codes = resolve(connection, scope, tree)
    if "unit" not in filters:
        return codes
    named = resolve(connection, Scope.of(str(code or UNKNOWN) for code in filters["unit"]), tree) or frozenset()
    inside = named if codes is None else codes & named
    if not inside:
        raise BadQuestion(
            f"filter unit: {', '.join(map(str, filters['unit']))} is not inside the scope of this question"
        )
    return inside


def _check_groups(by: tuple[str, ...], metrics: tuple[str, ...], filters: Filters) -> None:
    for name in by:
        _known("dimension", name, DIMENSIONS)
    if len(set(by)) != len(by):
        raise BadQuestion(f"a dimension is named twice: {', '.join(by)}")
    times = [name for name in by if DIMENSIONS[name].is_time]
    if len(times) > 1:
        raise BadQuestion("group by day or by month, not by both")
    check_dimensions(metrics, dict.fromkeys((*by, *filters)), times)


def _step(by: Iterable[str]) -> Step | None:
    return "day" if "day" in by else "month" if "month" in by else None


def _known(what: str, name: str, accepted: Iterable[str]) -> str:
    names = tuple(accepted)
    if name in names:
        return name
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise BadQuestion(f"unknown {what} {name!r}; {hint}known: {', '.join(names)}")
