"""The statements of the stocks: what there is at one instant, or at every edge of a period cut into days or months.

A dossier is in a stock from one instant (receipt, or the due date of an overdue one) to another (its closing). Over
many edges each dossier therefore enters once and leaves once: the statement counts these changes at each edge, and the
running total over the edges is the stock. That is one pass, however many edges there are.

Most stocks are of open dossiers; metrics/aged.py has the two that are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import CTE, ColumnElement, FromClause, and_, false, func, literal, null, or_, select, true, union_all

from metrics import index766
from metrics.aged import AGED, Aged
from metrics.calendar import WorkingCalendar
from metrics.counters import NOT_LOST, SAYS_OPEN, Condition
from metrics.question import Question
from metrics.statements import BUCKET, Base, Statement, aggregate, edges_before
from metrics.working_time import of_unit
from warehouse.schema import dossier
from warehouse.vocabulary import WAITING

if TYPE_CHECKING:
    from metrics.cells import Plan

_d = dossier.c
CARRIED = "carried_in"
"""The open dossiers at the first instant of a bucket."""
DUE_SOON_HOURS = {"due_soon_8h": 8.0, "due_soon_24h": 24.0}
STOCKS = (
    "open", "open_in_time", "overdue", "open_no_due", "waiting", "stale", "open_judged_766", "open_in_term_766",
    *DUE_SOON_HOURS,
)  # fmt: skip
"""The counters over the open dossiers."""
WAITS = func.coalesce(_d.status.in_(sorted(WAITING)), false())
CHANGED_AT = func.greatest(_d.source_updated_at, _d.received_at)
"""The last sign of life that the source recorded."""


def stocks(question: Question, plan: Plan | None = None) -> Iterator[Statement]:
    """Give the statements of the stocks that the question needs; what the cells of a plan know comes from them."""
    asked = tuple(name for name in STOCKS if name in question.counters)
    carried = CARRIED in question.counters
    for aged in AGED:
        if aged.stock in question.counters:
            yield _aged_changes(question, aged) if question.step else _aged(question, aged, plan)
    levels = None if plan is None else plan.levels((*asked, CARRIED) if carried else asked)
    if plan is not None and levels is not None:
        yield from plan.stocks(levels)
        if levels.missing_at_end:
            number = len(question.buckets)
            yield _single(question, "stock", question.until, levels.missing_at_end, plan, bucket=number)
        asked = tuple(name for name in asked if name not in levels.stocks)
        carried = carried and CARRIED not in levels.stocks
    if question.step and (asked or carried):
        yield _changes(question, asked if "open" in asked or not carried else ("open", *asked))
        return
    if asked:
        yield _single(question, "stock", question.until, asked, plan)
    if carried:
        yield _single(question, "opening", question.period.start, (CARRIED,), plan)


# --- at one instant -------------------------------------------------------------------------------------------


def open_at(at: datetime, *, all_closed: bool = False) -> Condition:
    """Whether a dossier is received and not closed at an instant; `all_closed` says that no closing is as late."""
    unclosed = _d.finished_at.is_(None)
    if all_closed:  # in these words the index of open dossiers alone answers
        return and_(_d.received_at < at, unclosed, SAYS_OPEN)
    return and_(_d.received_at < at, or_(unclosed, _d.finished_at >= at), NOT_LOST)


def stock(name: str, at: datetime, base: Base) -> Condition:
    """Which of the dossiers that are open at an instant a counter counts."""
    clock = base.question.clock
    if name in DUE_SOON_HOURS:
        limit = of_unit(clock, lambda calendar: literal(calendar.add_working_hours(at, DUE_SOON_HOURS[name])))
        return and_(_d.due_at >= at, _d.due_at <= limit)
    if name == "open_in_term_766":
        return index766.open_in_term(base.working, at)
    if name == "stale":
        days = clock.limits.stale_working_days
        return and_(~WAITS, of_unit(clock, lambda calendar: literal(_days_back(calendar, at, days))) > CHANGED_AT)
    return {
        "open": true(),
        CARRIED: true(),
        "open_in_time": _d.due_at >= at,
        "overdue": _d.due_at < at,
        "open_no_due": _d.due_at.is_(None),
        "waiting": WAITS,
        "open_judged_766": index766.JUDGED,
    }[name]


def _days_back(calendar: WorkingCalendar, at: datetime, days: int) -> datetime:
    return calendar.subtract_working_hours(at, days * calendar.hours_of_a_day)


def _single(
    question: Question, name: str, at: datetime, asked: tuple[str, ...], plan: Plan | None, bucket: int = 1
) -> Statement:
    base = Base(question, asked)
    by = base.groups
    columns = [aggregate(stock(counter, at, base)).label(counter) for counter in asked]
    there = open_at(at, all_closed=plan is not None and plan.state.all_before("closing", at))
    statement = select(*by, *columns).select_from(base.source).where(there, *base.conditions)
    if asked == ("overdue",):
        statement = statement.where(_d.due_at < at)
    return Statement(name, statement.group_by(*(column.name for column in by)), asked, bucket=bucket)


def _aged(question: Question, aged: Aged, plan: Plan | None) -> Statement:
    base = Base(question)
    by = base.groups
    over = plan is not None and all(plan.state.all_before(clock, question.until) for clock in aged.ended_by)
    statement = select(*by, func.count().label(aged.stock)).select_from(base.source)
    statement = statement.where(aged.at(question.until, question.clock, all_ended=over), *base.conditions)
    statement = statement.group_by(*(column.name for column in by))
    return Statement(aged.stock, statement, (aged.stock,), bucket=1)


# --- at every edge --------------------------------------------------------------------------------------------


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
        "stale": _Stay(c.unchanged, c.closed, ~c.waits),
        "open_judged_766": _Stay(c.received, c.closed, c.judged),
        "open_in_term_766": _Stay(c.received, func.least(c.closed, c.term), c.term.is_not(None)),
    }
    return found | {name: _Stay(func.greatest(c.received, c[name]), in_time, has_due) for name in DUE_SOON_HOURS}


def _changes(question: Question, asked: tuple[str, ...]) -> Statement:
    """Count the dossiers that enter and leave each stock at each edge."""
    rows = _rows(question, asked)
    stays = _stays(rows)
    moves = [move for name in asked for move in _moves(question, rows, name, stays[name])]
    return Statement("stock", union_all(*moves), asked, running=True)


def _aged_changes(question: Question, aged: Aged) -> Statement:
    base, edges = Base(question), question.edges
    after, last = aged.between(edges, question.clock)
    columns = [after.label("after"), last.label("last"), func.count().label("dossiers")]
    inside = aged.possible(edges[-1])
    counted = select(*base.groups, *columns).select_from(base.source).where(inside, *base.conditions)
    rows = counted.group_by(*(label.name for label in base.groups), "after", "last").cte("stay")
    moves = _moves(question, rows, aged.stock, _Stay(rows.c.after, rows.c.last, true()))
    return Statement(aged.stock, union_all(*moves), (aged.stock,), running=True)


def _moves(question: Question, rows: FromClause, name: str, stay: _Stay) -> list[Any]:
    keys = [rows.c[f"by_{group}"] for group in question.groups]
    here = and_(stay.condition, stay.after < stay.last)
    moves = []
    for edge, sign in ((stay.after + 1, 1), (stay.last + 1, -1)):
        counted = (sign * func.sum(rows.c.dossiers)).label("change")
        move = select(*keys, literal(name).label("stock"), edge.label(BUCKET), counted)
        moves.append(move.where(here, edge <= len(question.edges)).group_by(*keys, BUCKET))
    return moves


def _rows(question: Question, asked: tuple[str, ...]) -> CTE:
    """The dossiers that are open at some edge, counted by the numbers of the edges between which things happen."""
    base, edges, clock = Base(question, asked), question.edges, question.clock
    days = clock.limits.stale_working_days
    needed: dict[str, tuple[set[str], Callable[[], ColumnElement[Any]]]] = {
        "waits": ({"waiting", "stale"}, lambda: WAITS),
        "unchanged": ({"stale"}, lambda: _edges_of_unit(
            base, CHANGED_AT, lambda calendar: [_days_back(calendar, edge, days) for edge in edges])),
        "judged": ({"open_judged_766"}, lambda: index766.JUDGED),
        "term": ({"open_in_term_766"}, lambda: index766.edges_in_term(base.working, edges)),
    }  # fmt: skip
    for name in DUE_SOON_HOURS:
        needed[name] = ({name}, _edges_before_due_soon(base, edges, name))
    columns: dict[str, ColumnElement[Any]] = {
        "received": edges_before(_d.received_at, edges),
        "due": edges_before(_d.due_at, edges),
        "closed": func.coalesce(edges_before(_d.finished_at, edges), len(edges)),
    }
    # what no stock of the question needs is left out: fewer rows to sum up
    columns |= {name: make() if stocks & set(asked) else null() for name, (stocks, make) in needed.items()}
    present = or_(_d.finished_at.is_(None), _d.finished_at >= edges[0])
    labels = [column.label(name) for name, column in columns.items()]
    statement = (
        select(*base.groups, *labels, func.count().label("dossiers"))
        .select_from(base.source)
        .where(_d.received_at < edges[-1], present, NOT_LOST, *base.conditions)
    )
    return statement.group_by(*(label.name for label in (*base.groups, *labels))).cte("stay")


def _edges_before_due_soon(base: Base, edges: Sequence[datetime], name: str) -> Callable[[], ColumnElement[Any]]:
    """How many edges lie so long before the due date that it is not due soon there yet."""

    def limits(calendar: WorkingCalendar) -> list[datetime]:
        return [calendar.add_working_hours(edge, DUE_SOON_HOURS[name]) for edge in edges]

    return lambda: _edges_of_unit(base, _d.due_at - timedelta(microseconds=1), limits)


def _edges_of_unit(
    base: Base, instant: ColumnElement[datetime], limits: Callable[[WorkingCalendar], list[datetime]]
) -> ColumnElement[int]:
    """How many of the limits of the edges, by a unit's calendar, are not later than an instant."""
    return of_unit(base.question.clock, lambda calendar: edges_before(instant, limits(calendar)))
