"""The statements of the stocks: what is open at one instant, or at every edge of a period cut into days or months.

A dossier is in a stock from one instant (receipt, or the due date of an overdue one) to another (its closing). Over
many edges each dossier therefore enters once and leaves once: the statement sums these changes at each edge, and the
running total over the edges is the stock. That is one pass, however many edges there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, and_, case, column, func, or_, select, true, values

from metrics import counters
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
    table = {**counters.stock(at, question.clock), CARRIED: true()}
    columns = [aggregate(counter, table[counter], question).label(counter) for counter in asked]
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


def _stays(question: Question) -> Mapping[str, _Stay]:
    edges = question.edges
    received, due = _edge(_d.received_at, edges), _edge(_d.due_at, edges)
    closed = func.coalesce(_edge(_d.finished_at, edges), len(edges))
    in_time, known = func.least(closed, due), _d.due_at.is_not(None)
    found = {
        "open": _Stay(received, closed, true()),
        "open_in_time": _Stay(received, in_time, known),
        "overdue": _Stay(func.greatest(received, due), closed, known),
        "open_no_due": _Stay(received, closed, _d.due_at.is_(None)),
        "waiting": _Stay(received, closed, _d.status.in_(sorted(WAITING))),
        "open_in_term_766": _Stay(received, in_time, and_(known, counters.ONE_SUPPLEMENT)),
    }
    for name, hours in DUE_SOON_HOURS.items():
        limits = [question.clock.calendar.add_working_hours(edge, hours) for edge in edges]
        not_yet = _edge(_d.due_at - timedelta(microseconds=1), limits)  # how many limits lie before the due date
        found[name] = _Stay(func.greatest(received, not_yet), in_time, known)
    return found


def _edge(instant: ColumnElement[datetime], edges: tuple[datetime, ...] | list[datetime]) -> ColumnElement[int]:
    """How many edges are not later than an instant."""
    return func.width_bucket(instant, instants(edges))


def _changes(question: Question, asked: tuple[str, ...]) -> Statement:
    """Sum the dossiers that enter and leave each stock at each edge."""
    base = Base(question)
    first, last = question.edges[0], question.edges[-1]
    stays = _stays(question)
    by = base.groups
    columns = []
    for name in asked:
        stay = stays[name]
        counts = and_(stay.condition, stay.after < stay.last)
        columns += [
            case((counts, stay.after + 1)).label(f"{name}_in"),
            case((counts, stay.last + 1)).label(f"{name}_out"),
        ]
    present = and_(_d.received_at < last, or_(_d.finished_at.is_(None), _d.finished_at >= first), counters.NOT_LOST)
    stay_rows = select(*by, *columns).select_from(base.source).where(present, *base.conditions).subquery("stay")
    moves = [
        (stay_rows.c[f"{name}_{way}"], *(sign * (name == other) for other in asked))
        for name in asked
        for way, sign in (("in", 1), ("out", -1))
    ]
    change = values(column(BUCKET, Integer), *(column(name, Integer) for name in asked), name="change").data(moves)
    change = change.lateral()
    keys = [stay_rows.c[label.name] for label in by]
    sums = [func.sum(change.c[name]).label(name) for name in asked]
    statement = (
        select(*keys, change.c[BUCKET], *sums)
        .select_from(stay_rows.join(change, true()))
        .where(change.c[BUCKET] <= len(question.edges))
        .group_by(*keys, change.c[BUCKET])
    )
    return Statement("stock", statement, asked, running=True)
