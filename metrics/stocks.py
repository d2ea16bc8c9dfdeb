"""The statements of the stocks: what is open at one instant, or at every edge of a period cut into days or months.

A dossier is in a stock from one instant (receipt, or the due date of an overdue one) to another (its closing). Over
many edges each dossier therefore enters once and leaves once: the statement counts these changes at each edge, and the
running total over the edges is the stock. That is one pass, however many edges there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, FromClause, and_, false, func, literal, null, or_, select, true, union_all

from metrics import counters
from metrics.calendar import WorkingCalendar
from metrics.counters import CARRIED, DUE_SOON_HOURS, Condition
from metrics.question import Question
from metrics.statements import BUCKET, Base, Statement, aggregate, instants
from warehouse.schema import dossier
from warehouse.vocabulary import WAITING

_d = dossier.c
STOCKS = ("open", "open_in_time", "overdue", "open_no_due", "waiting", "open_in_term_766", *DUE_SOON_HOURS)


def stocks(question: Question) -> Iterator[Statement]:
    """Give the statements of the stocks that the question needs."""
    asked = tuple(name for name in STOCKS if name in question.counters)
    carried = CARRIED in question.counters
    if question.step and (asked or carried):
        yield _changes(question, asked if "open" in asked or not carried else ("open", *asked))
        return
    if asked:
        yield _single(question, "stock", question.until, asked)
    if carried:
        yield _single(question, "opening", question.period.start, (CARRIED,))


def _single(question: Question, name: str, at: datetime, asked: tuple[str, ...]) -> Statement:
    base = Base(question)
    by = base.groups
    tests = {counter: counters.stock(counter, at, question.clock) for counter in asked}
    columns = [aggregate(counter, test, question).label(counter) for counter, test in tests.items()]
    statement = select(*by, *columns).select_from(base.source).where(counters.open_at(at), *base.conditions)
    if asked == ("overdue",):
        statement = statement.where(_d.due_at < at)
    return Statement(name, statement.group_by(*(column.name for column in by)), asked, bucket=1)


@dataclass(frozen=True)
class _Stay:
    """A dossier is in a stock at the edges after number `after` up to number `last`, where the condition holds."""

    after: ColumnElement[int]
    last: ColumnElement[int]
    condition: Condition


def _stays(rows: FromClause) -> Mapping[str, _Stay]:
    """Between which edges a row of `_rows` is in each stock; least and greatest pass over a missing due date."""
    c = rows.c
    in_time, has_due = func.least(c.closed, c.due), c.due.is_not(None)
    found = {
        "open": _Stay(c.received, c.closed, true()),
        "open_in_time": _Stay(c.received, in_time, has_due),
        "overdue": _Stay(func.greatest(c.received, c.due), c.closed, has_due),
        "open_no_due": _Stay(c.received, c.closed, c.due.is_(None)),
        "waiting": _Stay(c.received, c.closed, c.waits),
        "open_in_term_766": _Stay(c.received, in_time, and_(has_due, c.one_supplement)),
    }
    return found | {name: _Stay(func.greatest(c.received, c[name]), in_time, has_due) for name in DUE_SOON_HOURS}


def _changes(question: Question, asked: tuple[str, ...]) -> Statement:
    """Count the dossiers that enter and leave each stock at each edge."""
    rows = _rows(question)
    keys = [rows.c[f"by_{name}"] for name in question.groups]
    moves = []
    for name in asked:
        stay = _stays(rows)[name]
        here = and_(stay.condition, stay.after < stay.last)
        for edge, sign in ((stay.after + 1, 1), (stay.last + 1, -1)):
            number = edge.label(BUCKET)
            counted = (sign * func.sum(rows.c.dossiers)).label("change")
            inside = and_(here, edge <= len(question.edges))
            moves.append(select(*keys, literal(name).label("stock"), number, counted).where(inside))
    grouped = [move.group_by(*keys, BUCKET) for move in moves]
    return Statement("stock", union_all(*grouped), asked, running=True)


def _rows(question: Question) -> CTE:
    """The dossiers that are open at some edge, counted by the numbers of the edges between which things happen."""
    base, edges = Base(question), question.edges
    columns: dict[str, ColumnElement[Any]] = {
        "received": _edges_before(_d.received_at, edges),
        "due": _edges_before(_d.due_at, edges),
        "closed": func.coalesce(_edges_before(_d.finished_at, edges), len(edges)),
        "waits": _needed(question, "waiting", func.coalesce(_d.status.in_(sorted(WAITING)), false())),
        "one_supplement": _needed(question, "open_in_term_766", counters.ONE_SUPPLEMENT),
    }
    for name, hours in DUE_SOON_HOURS.items():
        columns[name] = _needed(question, name, counters.of_unit(question.clock, _edges_before_due_soon(edges, hours)))
    present = or_(_d.finished_at.is_(None), _d.finished_at >= edges[0])
    labels = [column.label(name) for name, column in columns.items()]
    statement = (
        select(*base.groups, *labels, func.count().label("dossiers"))
        .select_from(base.source)
        .where(_d.received_at < edges[-1], present, counters.NOT_LOST, *base.conditions)
    )
    return statement.group_by(*(label.name for label in (*base.groups, *labels))).cte("stay")


def _edges_before_due_soon(edges: Sequence[datetime], hours: float) -> Callable[[WorkingCalendar], ColumnElement[Any]]:
    """How many edges lie so long before the due date that it is not due soon there yet, by a unit's calendar."""

    def count(calendar: WorkingCalendar) -> ColumnElement[Any]:
        limits = [calendar.add_working_hours(edge, hours) for edge in edges]
        return _edges_before(_d.due_at - timedelta(microseconds=1), limits)

    return count


def _needed(question: Question, stock: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column where the question asks for the stock that needs it, else nothing: fewer rows to sum up."""
    return column if stock in question.counters else null()


def _edges_before(instant: ColumnElement[datetime], edges: Sequence[datetime]) -> ColumnElement[int]:
    """How many edges are not later than an instant."""
    return func.width_bucket(instant, instants(edges))
