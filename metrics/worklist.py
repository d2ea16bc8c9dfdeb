"""Dossiers themselves: the lists behind the figures, page by page and in groups, and the history of one dossier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, case, func, select, true

from metrics import counters
from metrics.aged import UNACCEPTED, UNRETURNED, Aged
from metrics.calendar import Clock, WorkingCalendar
from metrics.cell_state import State
from metrics.counters import Condition
from metrics.departments import department_at
from metrics.finding_words import found_by
from metrics.period import Period
from metrics.question import UNKNOWN, Filters, Question, check
from metrics.scope import Scope, UnitTree, resolve
from metrics.statements import Base
from metrics.stocks import CHANGED_AT, open_at, stock
from metrics.working_time import worked_each
from warehouse.errors import BadQuestion
from warehouse.schema import dossier, dossier_change

_d = dossier.c
LONGEST_PAGE = 200_000
GROUPS = ("unit", "department")


class Elapsed(StrEnum):
    """What the column `elapsed` of a list counts, from the dossier's own instant to that of the list."""

    DAYS_LATE = "days_late"
    """Whole days past the due date, on the civil clock."""
    HOURS_LEFT = "hours_left"
    """Hours of office time until the due date."""
    HOURS_WAITED = "hours_waited"
    """Hours of office time since the dossier was handed in."""
    WORKING_DAYS = "working_days"
    """Office time since the last change at the source, in working days."""
    DAYS_LYING = "days_lying"
    """Whole days since the result was there, on the civil clock."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One list: the metric whose dossiers it shows, its order where none is asked for, and what its time counts."""

    metric: str
    order: str
    rows: Callable[[Base, State | None], Condition]
    elapsed: Elapsed = Elapsed.DAYS_LATE
    since: str = "due_at"


def _open_and(counter: str) -> Callable[[Base, State | None], Condition]:
    def rows(base: Base, state: State | None) -> Condition:
        at = base.question.until
        return and_(open_at(at, all_closed=_all_before(state, at, "closing")), stock(counter, at, base))

    return rows


def _waiting_too_long(aged: Aged) -> Callable[[Base, State | None], Condition]:
    def rows(base: Base, state: State | None) -> Condition:
        at = base.question.until
        return aged.at(at, base.question.clock, all_ended=_all_before(state, at, *aged.ended_by))

    return rows


def _all_before(state: State | None, at: datetime, *clocks: str) -> bool:
    """Whether it is known that no event of some clocks is as late as an instant: then an index answers."""
    return state is not None and all(state.all_before(clock, at) for clock in clocks)


def _resolved_late(base: Base, state: State | None) -> Condition:
    del state
    question = base.question
    inside = and_(_d.finished_at >= question.period.start, _d.finished_at < question.until)
    return and_(inside, _d.received_at < question.as_of, counters.HAS_RESULT, _d.finished_at > _d.due_at)


KINDS: Mapping[str, Kind] = {
    "overdue": Kind("overdue", "due_at", _open_and("overdue")),
    "due_soon_8h": Kind("due_soon_8h", "due_at", _open_and("due_soon_8h"), Elapsed.HOURS_LEFT),
    "due_soon_24h": Kind("due_soon_24h", "due_at", _open_and("due_soon_24h"), Elapsed.HOURS_LEFT),
    "slow_acceptance": Kind(
        "slow_acceptance", "submitted_at", _waiting_too_long(UNACCEPTED), Elapsed.HOURS_WAITED, "submitted_at"
    ),
    "waiting": Kind("waiting", "changed_at", _open_and("waiting"), Elapsed.WORKING_DAYS, "changed_at"),
    "stale": Kind("stale", "changed_at", _open_and("stale"), Elapsed.WORKING_DAYS, "changed_at"),
    "finished_not_returned": Kind(
        "finished_not_returned", "finished_at", _waiting_too_long(UNRETURNED), Elapsed.DAYS_LYING, "finished_at"
    ),
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
    "changed_at",
    "status",
    "days_late",
    "supplements",
    "department",
    "elapsed",
)
"""`changed_at` is the last sign of life that the source recorded; `elapsed` what the list's kind says."""
_NUMBERS = ("channel", "status", "days_late", "supplements")
_INSTANTS = ("submitted_at", "received_at", "due_at", "finished_at", "changed_at")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dossiers of a list: `filters` as `measure` has them, `search` as `found_by` has it, and who holds them.

    `department` keeps the dossiers that it holds, the empty text those of which nobody knows who does. Without `period`
    a list is that of its instant, and `resolved_late` goes back to the beginning.
    """

    filters: Filters | None = None
    search: str = ""
    department: str | None = None
    period: Period | None = None


def worklist(  # noqa: PLR0913 - each says one thing, all but two by name
    connection: Connection,
    kind: str,
    *,
    clock: Clock,
    as_of: datetime,
    scope: Scope,
    filters: Filters | None = None,
    wanted: Wanted | None = None,
    limit: int = 100,
    offset: int = 0,
    order: str | None = None,
) -> tuple[pd.DataFrame, int]:
    """Return one page of a list of dossiers and how many the whole list has: the value of its metric.

    Columns: COLUMNS; instants on the civil clock; `days_late` counts whole days, missing where not late. `order` is a
    column name but for department and elapsed, with - before it for descending; `filters` stand for a `wanted` of only
    them. Raises BadQuestion.
    """
    if filters and wanted:
        raise BadQuestion("give the filters inside of `wanted`, not beside it")
    if not (1 <= limit <= LONGEST_PAGE and offset >= 0):
        raise BadQuestion(f"limit must be 1 to {LONGEST_PAGE} and offset 0 or more, not {limit} and {offset}")
    chosen = _List.of(connection, kind, clock, as_of, scope, wanted or Wanted(filters))
    total = connection.execute(chosen.rows.with_only_columns(func.count())).scalar_one()
    columns, by = _columns(chosen.question), order or chosen.kind.order
    page = chosen.rows.add_columns(*(column.label(name) for name, column in columns.items()))
    inner = page.order_by(*_ordered(by, columns)).limit(limit).offset(offset).subquery("page")
    holder = department_at(inner.c.source, inner.c.code, chosen.question.until)
    statement = select(*inner.c, holder.c.department).select_from(inner.outerjoin(holder, true()))
    statement = statement.order_by(*_ordered(by, dict(inner.c.items())))
    return _page(connection.execute(statement).all(), chosen), int(total)


def worklist_groups(
    connection: Connection,
    kind: str,
    *,
    by: Sequence[str],
    clock: Clock,
    as_of: datetime,
    scope: Scope,
    wanted: Wanted | None = None,
) -> pd.DataFrame:
    """Return how many dossiers of a list each group holds, most first.

    Columns: those of `by` (of GROUPS; a missing department is unknown), `dossiers`, and `first`: the earliest instant
    from which the list counts (the oldest due date of the overdue). Raises BadQuestion.
    """
    if not by or set(by) - set(GROUPS):
        raise BadQuestion(f"group a worklist by {' or '.join(GROUPS)}, not by {', '.join(by) or 'nothing'}")
    chosen = _List.of(connection, kind, clock, as_of, scope, wanted or Wanted(), held="department" in by)
    columns = {"unit": _d.unit, "department": chosen.holder.c.department if chosen.holder is not None else None}
    keys = [columns[name].label(f"by_{name}") for name in by]  # type: ignore[union-attr]
    dossiers, first = func.count().label("dossiers"), func.min(_columns(chosen.question)[chosen.kind.since])
    statement = chosen.rows.add_columns(*keys, dossiers, first).group_by(*keys).order_by(dossiers.desc(), *keys)
    frame = pd.DataFrame([tuple(row) for row in connection.execute(statement)], columns=[*by, "dossiers", "first"])
    frame["first"] = pd.to_datetime(frame["first"], utc=True).dt.tz_convert(clock.zone)
    return frame.astype({"dossiers": "int64", **dict.fromkeys(by, "str")})


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


@dataclass(frozen=True)
class _List:
    """The dossiers of a list as a statement without columns; `holder` is joined only where it is asked for."""

    kind: Kind
    question: Question
    rows: Select[*tuple[Any, ...]]
    holder: FromClause | None

    @classmethod
    def of(
        cls,
        connection: Connection,
        kind: str,
        clock: Clock,
        as_of: datetime,
        scope: Scope,
        wanted: Wanted,
        *,
        held: bool = False,
    ) -> _List:
        if kind not in KINDS:
            raise BadQuestion(f"unknown worklist {kind!r}; known: {', '.join(KINDS)}")
        if as_of.tzinfo is None:
            raise BadQuestion(
                f"as_of {as_of.isoformat()} has no time zone; write for example {as_of.isoformat()}+07:00"
            )
        asked = KINDS[kind]
        period = wanted.period or Period(datetime(1900, 1, 1, tzinfo=clock.zone), as_of, "everything")
        question = check(
            connection, [asked.metric], clock=clock, period=period, as_of=as_of, scope=scope, filters=wanted.filters
        )
        base = Base(question)
        held = held or wanted.department is not None
        holder = department_at(_d.source, _d.code, question.until) if held else None
        source = base.source if holder is None else base.source.outerjoin(holder, true())
        rows = select().select_from(source).where(asked.rows(base, State.read(connection, clock)), *base.conditions)
        if (found := found_by(connection, wanted.search)) is not None:
            rows = rows.where(found)
        if holder is not None and wanted.department is not None:
            here = holder.c.department
            rows = rows.where(here.is_(None) if wanted.department == UNKNOWN else here == wanted.department)
        return cls(asked, question, rows, holder)


def _columns(question: Question) -> dict[str, ColumnElement[Any]]:
    """The columns of a list that are kept of a dossier, in the order of COLUMNS."""
    own = {"changed_at": CHANGED_AT, "days_late": _days_late(question)}
    return {name: own[name] if name in own else _d[name] for name in COLUMNS if name in own or name in _d}


def _days_late(question: Question) -> ColumnElement[Any]:
    """Whole days from the due date to the closing, or to the instant of the list, on the civil clock."""
    zone = question.clock.zone.key
    ended = func.least(_d.finished_at, question.until)
    late = func.timezone(zone, ended) - func.timezone(zone, _d.due_at)
    return case((ended > _d.due_at, func.date_part("day", late)))


def _ordered(order: str, columns: Mapping[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    name = order.removeprefix("-")
    if name not in columns:
        raise BadQuestion(f"cannot order by {name!r}; columns: {', '.join(columns)}")
    column = columns[name]
    first = column.desc().nulls_last() if order.startswith("-") else column.asc().nulls_last()
    return [first, columns["source"], columns["code"]]


def _page(rows: Sequence[Any], chosen: _List) -> pd.DataFrame:
    clock = chosen.question.clock
    page = pd.DataFrame([tuple(row) for row in rows], columns=[name for name in COLUMNS if name != "elapsed"])
    for name in _NUMBERS:
        page[name] = page[name].astype("Int64")
    for name in _INSTANTS:
        page[name] = pd.to_datetime(page[name], utc=True).dt.tz_convert(clock.zone)
    for name in ("source", "code", "unit", "procedure", "department"):
        page[name] = page[name].astype("str")
    return page.assign(elapsed=_elapsed(page, chosen.kind, chosen.question))


def _elapsed(page: pd.DataFrame, kind: Kind, question: Question) -> pd.Series:
    """The time that a list of this kind counts; missing where the instant that it counts from is unknown."""
    if kind.elapsed is Elapsed.DAYS_LATE:
        return page["days_late"].astype("Float64")
    since, until = page[kind.since], question.until
    if kind.elapsed is Elapsed.DAYS_LYING:
        local = pd.Timestamp(until.astimezone(question.clock.zone)).tz_localize(None)
        return pd.Series((local - since.dt.tz_localize(None)).dt.days, dtype="Float64")
    hours = pd.Series(pd.NA, index=page.index, dtype="Float64")
    for codes, calendar in _calendars(page["unit"], question.clock):
        known = codes & since.notna()
        passed = worked_each(calendar, [until, *since[known].dt.to_pydatetime()])
        hours[known] = [abs(passed[0] - seconds) / 3600 for seconds in passed[1:]]
    return hours / question.clock.calendar.hours_of_a_day if kind.elapsed is Elapsed.WORKING_DAYS else hours


def _calendars(units: pd.Series, clock: Clock) -> list[tuple[pd.Series, WorkingCalendar]]:
    """The calendars with the rows that keep them."""
    own = [(units.isin(codes), calendar) for codes, calendar in clock.own]
    usual = ~units.isin(frozenset().union(*(codes for codes, _ in clock.own)))
    return [(usual, clock.calendar), *own]


__all__ = ["COLUMNS", "GROUPS", "KINDS", "LONGEST_PAGE", "Elapsed", "Kind", "Wanted", "dossier_history", "worklist",
           "worklist_groups"]  # fmt: skip
