"""Which part of a question the cells of warehouse/rollups.py answer, and the statements that ask them.

A counter of events is taken from the cells for the whole civil days of the period, from the rows for what is left at
both ends; a stock at a midnight is what came in before it less what went out. What the log holds is added. A question
that no cell fits is answered from the rows alone, as are all while the cells are being made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Date,
    FromClause,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
)

from metrics.cell_clocks import CellClock, cell_clocks, horizon, of_log
from metrics.cell_state import State
from metrics.counters import ACCEPTANCE_SECONDS, Condition
from metrics.dimensions import DIMENSIONS
from metrics.question import Question
from metrics.statements import BUCKET, Base, Spans, Statement, aggregate
from metrics.working_time import WorkingTime
from warehouse import rollups
from warehouse.rollups import DAY, HALF, kind_cell, unit_cell
from warehouse.schema import dossier, procedure, survey_answer

MANY_UNITS = 1_000
"""With more units there are fewer kinds of dossiers than units: a total is then summed up over the kinds."""
BY_UNIT = frozenset({"unit", "unit_kind"})
BY_KIND = frozenset({"procedure", "field", "channel", "online_level"})
Move = tuple[tuple[int, str], ...]
CARRIED = "carried_in"
_OPEN: Move = ((1, "open_in"), (-1, "open_out"))
_NO_DUE: Move = ((1, "no_due_in"), (-1, "no_due_out"))
_OVERDUE: Move = ((1, "overdue_in"), (-1, "overdue_out"))
MOVES: Mapping[str, Move] = {
    "open": _OPEN, "open_no_due": _NO_DUE, "overdue": _OVERDUE,
    "open_in_time": (*_OPEN, *((-sign, name) for sign, name in (*_NO_DUE, *_OVERDUE))),
    CARRIED: _OPEN,
}  # fmt: skip
"""The stocks that cells know at midnight: what enters them and what leaves."""
Days = tuple[date, date]
"""Civil days, from the first up to, not including, the second."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Stocks at midnights: the `numbers` of these among the edges 0 to `last` of the question's buckets.

    Edge n ends bucket n and begins bucket n + 1. `missing_at_end` are the stocks whose last edge is no midnight.
    """

    stocks: tuple[str, ...]
    days: tuple[date, ...]
    numbers: tuple[int, ...]
    last: int
    missing_at_end: tuple[str, ...]

    def moves(self, counters: Sequence[str]) -> Mapping[str, Sequence[tuple[int, int]]]:
        """Return for each stock which of some counters move it: sign and place of each."""
        return {
            name: [(sign, counters.index(counter)) for sign, counter in MOVES[name] if counter in counters]
            for name in self.stocks
        }

    def buckets(self, name: str) -> Iterator[tuple[int, int]]:
        """Give the place of each midnight that tells a stock and the number of its bucket."""
        for place, number in enumerate(self.numbers):
            bucket = number + 1 if name == CARRIED else number
            if 1 <= bucket <= self.last:
                yield place, bucket


def plan_of(connection: Connection, question: Question) -> Plan | None:
    """Return what the cells answer of a question, and what they know besides; None: nothing is known of the cells."""
    state = State.read(connection, question.clock)
    if state is None or question.clock.day(question.until).year > horizon(state.year).year:
        return None
    plan = Plan(question, state, _table(question, state))
    late = plan.table is not None and not state.all_before("receipt", question.as_of)
    return replace(plan, table=None) if late and _upside_down(connection, question.as_of) else plan


def _table(question: Question, state: State) -> Table | None:
    """The cells that have the dimensions of a question."""
    used = {*question.groups, *question.filters}
    everything = state.all_within(question.codes)
    few = everything and not used and len(state.units) > MANY_UNITS and not question.counters & set(rollups.OF_ANSWERS)
    if used <= BY_UNIT and not few:
        return unit_cell
    return kind_cell if used <= BY_KIND and everything else None


def _upside_down(connection: Connection, as_of: datetime) -> bool:
    """Whether a dossier has an event before its receipt and is not known yet at an instant."""
    d = dossier.c
    early = func.least(d.due_at, d.finished_at, d.returned_at) < d.received_at
    return bool(connection.execute(select(exists().where(early, d.received_at >= as_of))).scalar_one())


@dataclass(frozen=True)
class Plan:
    """What the cells of `table` answer of a question: without one nothing, but the state says what it knows."""

    question: Question
    state: State
    table: Table | None

    @cached_property
    def working(self) -> WorkingTime:
        """The office time that the cells were made with."""
        return WorkingTime.until(self.question.clock, horizon(self.state.year))

    @cached_property
    def clocks(self) -> tuple[CellClock, ...]:
        """The clocks whose counters the cells hold."""
        return tuple(
            one for one in cell_clocks(self.question.clock, self.working)
            if self.table is unit_cell or one.table is dossier
        )  # fmt: skip

    # --- events ---------------------------------------------------------------------------------------------------

    def days(self, counter: str) -> Days | None:
        """The days of the period whose cells hold a counter; None: it is counted from the rows."""
        clock = _CLOCK_OF.get(counter)
        if self.table is None or clock is None or counter not in self.table.c:
            return None
        question = self.question
        first = question.clock.day(question.period.start)
        if question.clock.midnight(first) < question.period.start:
            first += timedelta(1)
        stop = self._stop(clock)
        if counter == "accepted_late":
            stop = min(stop, self._accepted_in_time_no_more())
        if counter == "received_on_time" and not self.state.all_before("closing", question.until):
            return None
        return (first, stop) if first < stop else None

    def _stop(self, clock: str) -> date:
        """The day after the last one whose events have all happened at the end of the question."""
        question = self.question
        if clock in self.state.latest and self.state.all_before(clock, question.until):
            return question.clock.day(question.until - timedelta(microseconds=1)) + timedelta(1)
        return question.clock.day(question.until)

    def _accepted_in_time_no_more(self) -> date:
        """The first day on which something may be handed in that can still be accepted in time."""
        clock, hours = self.question.clock, (ACCEPTANCE_SECONDS + 1) / 3600
        calendars = [clock.calendar, *(calendar for _, calendar in clock.own)]
        return min(clock.day(calendar.subtract_working_hours(self.question.until, hours)) for calendar in calendars)

    def left(self, counters: Iterable[str]) -> Mapping[Spans, list[str]]:
        """The spans of the period that the rows must answer, and for which counters."""
        found: dict[Spans, list[str]] = {}
        question = self.question
        for counter in counters:
            days = self.days(counter)
            spans: Spans = ((question.period.start, question.until),)
            if days is not None:
                first, stop = (question.clock.midnight(day) for day in days)
                ends = ((question.period.start, first), (stop, question.until))
                spans = tuple((start, end) for start, end in ends if start < end)
            if spans:
                found.setdefault(spans, []).append(counter)
        return found

    def events(self) -> Iterator[Statement]:
        """Give the statements that ask cells and log for the events of the period."""
        by_days: dict[Days, list[str]] = {}
        for counter in sorted(self.question.counters):
            if days := self.days(counter):
                by_days.setdefault(days, []).append(counter)
        for days, names in by_days.items():
            step = self._numbers(self.question.clock.day(bucket.start) for bucket in self.question.buckets)
            yield self._cells("cells", names, split(*days, daily=self.question.step == "day"), step)
            if self.state.logged:
                yield from self._log(names, days, step)

    def _numbers(self, days: Iterable[date]) -> list[date] | None:
        """The days that cut the period into numbered parts; None where it is one."""
        return list(days) if self.question.step else None

    # --- stocks ---------------------------------------------------------------------------------------------------

    def levels(self, names: Iterable[str]) -> Levels | None:
        """Return which of some stocks the cells tell, at which midnights; None: none of them."""
        question, clock = self.question, self.question.clock
        stocks = [name for name in names if name in MOVES]
        edges = question.edges if question.step else (question.period.start, question.until)
        midnights = [clock.midnight(clock.day(edge)) == edge for edge in edges]
        if not question.step:
            stocks = [name for name in stocks if midnights[0 if name == CARRIED else 1]]
        elif not midnights[0]:
            return None
        if not stocks or self.table is None:
            return None
        kept = [number for number, is_midnight in enumerate(midnights) if is_midnight]
        at_end = () if midnights[-1] else tuple(name for name in stocks if name != CARRIED)
        return Levels(tuple(stocks), tuple(clock.day(edges[n]) for n in kept), tuple(kept), len(edges) - 1, at_end)

    def stocks(self, levels: Levels) -> Iterator[Statement]:
        """Give the statements that ask cells and log for the changes of stocks up to each of some midnights."""
        counters = sorted({counter for name in levels.stocks for _, counter in MOVES[name]})
        found = [self._cells("levels", counters, _history(levels.days), levels.days, levels=levels)]
        if self.state.logged:
            found += self._log(counters, (date.min, levels.days[-1]), levels.days, levels=levels)
        yield from found

    # --- statements -----------------------------------------------------------------------------------------------

    def _cells(
        self, name: str, counters: Sequence[str], parts: Sequence[Part], cuts: Sequence[date] | None,
        *, levels: Levels | None = None,
    ) -> Statement:  # fmt: skip
        table = unit_cell if self.table is None else self.table
        base = _CellBase(self.question, table, everything=self.state.all_within(self.question.codes))
        c = table.c
        by: list[Any] = list(base.groups)
        if cuts is not None:
            by.append(_number(c.start, cuts, levels=levels is not None))
        totals = [func.coalesce(func.sum(c[counter]), 0).label(counter) for counter in counters]
        inside = or_(*(and_(c.step == step, *_between(c.start, days)) for step, days in parts))
        found = select(*by, *totals).select_from(base.source).where(inside, *base.conditions)
        return self._statement(name, found, by, counters, cuts, levels=levels)

    def _log(
        self, counters: Sequence[str], days: Days, cuts: Sequence[date] | None, *, levels: Levels | None = None
    ) -> Iterator[Statement]:
        for clock in self.clocks:
            names = [name for name in counters if name in clock.counters]
            if not names:
                continue
            base = Base(self.question, names, of_answers=clock.table is survey_answer, working=self.working)
            by: list[Any] = list(base.groups)
            if cuts is not None:
                by.append(_number(clock.day, cuts, levels=levels is not None))
            totals = [aggregate(clock.counters[name]).label(name) for name in names]
            found = select(*by, *totals).select_from(base.source)
            found = found.where(clock.condition, *_between(clock.day, days), *base.conditions)
            found = of_log(found.group_by(*(column.name for column in by)), clock.table)
            statement = self._statement(f"log of {clock.name}", found, [], names, cuts, levels=levels)
            yield replace(statement, signed=True)

    def _statement(
        self, name: str, found: Select[Any], by: Sequence[Any], counters: Sequence[str],
        cuts: Sequence[date] | None, *, levels: Levels | None,
    ) -> Statement:  # fmt: skip
        if by:
            found = found.group_by(*(column.name for column in by))
        return Statement(name, found, tuple(counters), None if cuts is not None else 1, levels=levels)


Part = tuple[str, Days]
"""A step of cells and the days that they are taken of."""


def split(first: date, stop: date, *, daily: bool) -> list[Part]:
    """Cut days into whole halves of months and the single days before and after them."""
    begin, end = _half_after(first), _half_before(stop)
    if daily or begin >= end:
        return [(DAY, (first, stop))]
    parts = [(DAY, (first, begin)), (HALF, (begin, end)), (DAY, (end, stop))]
    return [(step, days) for step, days in parts if days[0] < days[1]]


def _history(edges: Sequence[date]) -> list[Part]:
    """All that happened before the last of some midnights, cut so that each cell lies between two of them."""
    begin = _half_before(edges[0])
    whole = all(edge.day in {1, 15} for edge in edges[:-1])
    return [(HALF, (date.min, begin)), *split(begin, edges[-1], daily=not whole)] if begin < edges[-1] else [
        (HALF, (date.min, begin))
    ]  # fmt: skip


def _half_before(day: date) -> date:
    return day.replace(day=1 if day.day < 15 else 15)


def _half_after(day: date) -> date:
    begin = _half_before(day)
    if begin == day:
        return day
    return day.replace(day=15) if begin.day == 1 else (begin + timedelta(20)).replace(day=1)


def _between(day: ColumnElement[Any], days: Days) -> list[Condition]:
    first, stop = days
    return [day < stop] if first == date.min else [day >= first, day < stop]


def _number(day: ColumnElement[Any], cuts: Sequence[date], *, levels: bool) -> Any:  # noqa: ANN401 - a labelled column
    """The number of the part that a day is in; for levels, of the first cut after it."""
    number = func.width_bucket(day, bindparam(None, list(cuts), type_=ARRAY(Date)))
    return (number + 1 if levels else number).label(BUCKET)


class _CellBase(Base):
    """Tables, group columns and conditions of a question to cells."""

    def __init__(self, question: Question, cells: Table, *, everything: bool) -> None:
        self.question, self.everything = question, everything
        used = {*question.groups, *question.filters}
        self.source: FromClause = cells
        self.columns: dict[str, ColumnElement[Any]] = {}
        if cells is unit_cell:
            self.unit = cells.c.unit
            self.columns["unit"] = self.unit
            if "unit_kind" in used:
                self._join_kinds()
            return
        self.unit = literal(None)
        self.columns["procedure"] = func.nullif(cells.c.procedure, "")
        self.columns["channel"] = func.nullif(cells.c.channel, 0)
        if any(DIMENSIONS[name].of_catalogue for name in used):
            self.source = self.source.outerjoin(procedure, procedure.c.code == cells.c.procedure)
            self.columns |= {"field": procedure.c.field_code, "online_level": procedure.c.online_level}

    @property
    def scope(self) -> list[Condition]:
        """The units of the question, where these are not all that have a cell."""
        return [] if self.everything else super().scope


_CLOCK_OF: Mapping[str, str] = {
    **dict.fromkeys(rollups.BY_SUBMISSION, "submission"),
    **dict.fromkeys(rollups.BY_RECEIPT, "receipt"),
    **dict.fromkeys(rollups.BY_CLOSING, "closing"),
    "fell_due": "due",
    "handed_over": "hand-over",
    **dict.fromkeys(rollups.OF_ANSWERS, "answers"),
}
"""The clock of each counter of events."""
