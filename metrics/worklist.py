"""Dossiers themselves: the lists behind the figures, and the history of one dossier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select

from metrics import counters
from metrics.aged import UNACCEPTED, UNRETURNED, Aged
from metrics.calendar import Clock
from metrics.counters import Condition
from metrics.period import Period
from metrics.question import Filters, Question, check
from metrics.scope import Scope, UnitTree, resolve
from metrics.statements import Base
from metrics.stocks import open_at, stock
from warehouse.errors import BadQuestion
from warehouse.schema import dossier, dossier_change

_d = dossier.c
LONGEST_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Kind:
    """One list: the metric whose dossiers it shows, and its order where none is asked for."""

    metric: str
    order: str
    rows: Callable[[Base], Condition]


def _open_and(counter: str) -> Callable[[Base], Condition]:
    return lambda base: and_(open_at(base.question.until), stock(counter, base.question.until, base))


def _waiting_too_long(aged: Aged) -> Callable[[Base], Condition]:
    return lambda base: aged.at(base.question.until, base.question.clock)


def _resolved_late(base: Base) -> Condition:
    question = base.question
    inside = and_(_d.finished_at >= question.period.start, _d.finished_at < question.until)
    return and_(inside, _d.received_at < question.as_of, counters.HAS_RESULT, _d.finished_at > _d.due_at)


KINDS: Mapping[str, Kind] = {
    "overdue": Kind("overdue", "due_at", _open_and("overdue")),
    "due_soon": Kind("due_soon_24h", "due_at", _open_and("due_soon_24h")),
    "slow_acceptance": Kind("slow_acceptance", "submitted_at", _waiting_too_long(UNACCEPTED)),
    "waiting": Kind("waiting", "received_at", _open_and("waiting")),
    "stale": Kind("stale", "source_updated_at", _open_and("stale")),
    "finished_not_returned": Kind("finished_not_returned", "finished_at", _waiting_too_long(UNRETURNED)),
    "open": Kind("open", "due_at", _open_and("open")),
    "resolved_late": Kind("resolved_late", "-days_late", _resolved_late),
}
"""The lists by name; each holds exactly the dossiers that its metric counts."""

COLUMNS = (
    "source",
    "code",
    "unit",
    "procedure",
    "channel",
    "submitted_at",
    "received_at",
    "due_at",
    "finished_at",
    "source_updated_at",
    "status",
    "days_late",
    "supplements",
)
_NUMBERS = ("channel", "status", "days_late", "supplements")
_INSTANTS = ("submitted_at", "received_at", "due_at", "finished_at", "source_updated_at")


def worklist(  # noqa: PLR0913 - each says one thing, all but two by name
    connection: Connection,
    kind: str,
    *,
    clock: Clock,
    as_of: datetime,
    scope: Scope,
    filters: Filters | None = None,
    period: Period | None = None,
    limit: int = 100,
    offset: int = 0,
    order: str | None = None,
) -> tuple[pd.DataFrame, int]:
    """Return one page of a list of dossiers and how many the whole list has: the value of its metric.

    Columns: COLUMNS; instants on the civil clock; `days_late` counts whole days, missing where not late. `order` is a
    column name, with - before it for descending. Without `period` the list is that of `as_of`, and `resolved_late` goes
    back to the beginning. Raises BadQuestion.
    """
    if kind not in KINDS:
        raise BadQuestion(f"unknown worklist {kind!r}; known: {', '.join(KINDS)}")
    if not (1 <= limit <= LONGEST_PAGE and offset >= 0):
        raise BadQuestion(f"limit must be 1 to {LONGEST_PAGE} and offset 0 or more, not {limit} and {offset}")
    if as_of.tzinfo is None:
        raise BadQuestion(f"as_of {as_of.isoformat()} has no time zone; write for example {as_of.isoformat()}+07:00")
    asked = KINDS[kind]
    ever = period or Period(datetime(1900, 1, 1, tzinfo=clock.zone), as_of, "everything")
    question = check(connection, [asked.metric], clock=clock, period=ever, as_of=as_of, scope=scope, filters=filters)
    rows = _rows(question, asked)
    total = connection.execute(rows.with_only_columns(func.count())).scalar_one()
    columns = {**{name: _d[name] for name in COLUMNS if name in _d}, "days_late": _days_late(question)}
    page = rows.add_columns(*(columns[name].label(name) for name in COLUMNS))
    page = page.order_by(*_ordered(order or asked.order, columns)).limit(limit).offset(offset)
    return _page(connection.execute(page).all(), clock), int(total)


def dossier_history(
    connection: Connection, source: str, code: str, scope: Scope
) -> tuple[Mapping[str, Any], pd.DataFrame]:
    """Return one dossier (all columns, by name) and its changes (seen_at, field, old, new), oldest first.

    Raises BadQuestion when there is no such dossier in the scope; whether it exists elsewhere is not told.
    """
    row = connection.execute(select(dossier).where(_d.source == source, _d.code == code)).mappings().first()
    if row is None or not _sees(connection, scope, row["unit"], row["seen_at"]):
        raise BadQuestion(f"no dossier {code!r} of source {source!r} in the units that you may see")
    c = dossier_change.c
    changes = connection.execute(
        select(c.seen_at, c.field, c.old, c.new).where(c.source == source, c.code == code).order_by(c.seen_at, c.field)
    ).all()
    return dict(row), pd.DataFrame(changes, columns=["seen_at", "field", "old", "new"])


def _sees(connection: Connection, scope: Scope, unit: str, at: datetime) -> bool:
    codes = resolve(connection, scope, UnitTree.load(connection, at.date()))
    return codes is None or unit in codes


def _rows(question: Question, asked: Kind) -> Select[*tuple[Any, ...]]:
    base = Base(question)
    return select().select_from(base.source).where(asked.rows(base), *base.conditions)


def _days_late(question: Question) -> ColumnElement[Any]:
    """Whole days from the due date to the closing, or to the instant of the list, on the civil clock."""
    zone = question.clock.zone.key
    ended = func.least(_d.finished_at, question.until)
    late = func.timezone(zone, ended) - func.timezone(zone, _d.due_at)
    return case((ended > _d.due_at, func.date_part("day", late)))


def _ordered(order: str, columns: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    name = order.removeprefix("-")
    if name not in columns:
        raise BadQuestion(f"cannot order by {name!r}; columns: {', '.join(COLUMNS)}")
    column = columns[name]
    first = column.desc().nulls_last() if order.startswith("-") else column.asc().nulls_last()
    return [first, _d.source, _d.code]


def _page(rows: Any, clock: Clock) -> pd.DataFrame:  # noqa: ANN401 - rows of any columns
    page = pd.DataFrame([tuple(row) for row in rows], columns=list(COLUMNS))
    for name in _NUMBERS:
        page[name] = page[name].astype("Int64")
    for name in _INSTANTS:
        page[name] = pd.to_datetime(page[name], utc=True).dt.tz_convert(clock.zone)
    for name in ("source", "code", "unit", "procedure"):
        page[name] = page[name].astype("str")
    return page
