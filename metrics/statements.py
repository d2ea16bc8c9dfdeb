"""The statements of a question: one for each clock that its metrics need, aggregates with FILTER, grouped.

Every statement gives the group columns, the number of the bucket (from 1) and one column a counter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Executable,
    FromClause,
    Label,
    Text,
    and_,
    any_,
    bindparam,
    func,
    or_,
    select,
    true,
)

from metrics import counters
from metrics.counters import OF_CATALOGUE, Condition, Counters, Lazy, Whole
from metrics.dimensions import DIMENSIONS, Code
from metrics.question import Question
from metrics.working_time import WorkingTime
from warehouse.schema import dossier, procedure, survey_answer
from warehouse.vocabulary import Channel

BUCKET = "bucket"
COLUMNS: Mapping[str, ColumnElement[Any]] = {
    "field": procedure.c.field_code,
    "procedure": dossier.c.procedure,
    "channel": dossier.c.channel,
    "online_level": procedure.c.online_level,
    "return_channel": dossier.c.return_channel,
}
"""Where the dimensions are kept that do not depend on the question."""
OF_ANSWERS = frozenset({"unit", "unit_kind", "device"})
"""The dimensions of a survey answer itself; the others are those of the dossier that it judges."""


@dataclass(frozen=True)
class Statement:
    """One statement and its counters; `bucket` is that of all rows where the statement has no bucket column.

    A `running` one gives, after the groups, the name of a stock, the number of an edge of the period (1: its start) and
    a change of the stock there.
    """

    name: str
    select: Executable
    counters: tuple[str, ...]
    bucket: int | None = None
    running: bool = False


def instants(values: Sequence[datetime]) -> ColumnElement[Any]:
    """A list of instants as one array value."""
    return bindparam(None, list(values), type_=ARRAY(DateTime(timezone=True)))


def texts(values: Sequence[str]) -> ColumnElement[Any]:
    """A list of texts as one array value."""
    return bindparam(None, list(values), type_=ARRAY(Text))


def edges_before(instant: ColumnElement[Any], edges: Sequence[datetime]) -> ColumnElement[int]:
    """How many edges are not later than an instant."""
    return func.width_bucket(instant, instants(edges))


def flows(question: Question) -> Iterator[Statement]:
    """Give the statements of the events in the period."""
    d = dossier.c
    existed = d.received_at < question.as_of
    working = WorkingTime.until(question.clock, question.until)
    online = d.channel == Channel.ONLINE
    clocks: tuple[tuple[str, ColumnElement[datetime], Counters | Lazy, Condition], ...] = (
        ("submission", d.submitted_at, counters.submission(question.until, working), online),
        ("receipt", d.received_at, counters.receipt(question.until), true()),
        ("closing", d.finished_at, counters.closing(question.clock, working), existed),
        ("due", d.due_at, counters.DUE, existed),
        ("hand-over", d.returned_at, counters.HAND_OVER, existed),
        ("answers", survey_answer.c.answered_at, counters.ANSWERS, true()),
    )
    for name, event, table, condition in clocks:
        asked = {counter: _made(table[counter]) for counter in table if counter in question.counters}
        if asked:
            yield _flow(name, question, event, asked, condition, working)


def _made(counter: Condition | Whole | Callable[[], Condition | Whole]) -> Condition | Whole:
    return counter if isinstance(counter, ColumnElement | Whole) else counter()


def _flow(
    name: str,
    question: Question,
    event: ColumnElement[datetime],
    asked: Counters,
    condition: Condition,
    working: WorkingTime,
) -> Statement:
    base = Base(question, asked, of_answers=name == "answers", working=working)
    inside = and_(event >= question.period.start, event < question.until)
    by = list(base.groups)
    if question.step:
        by.append(func.width_bucket(event, instants(question.edges[:-1])).label(BUCKET))
    values = [aggregate(test).label(counter) for counter, test in asked.items()]
    statement = select(*by, *values).select_from(base.source).where(inside, condition, *base.conditions)
    statement = statement.group_by(*(column.name for column in by))
    return Statement(name, statement, tuple(asked), None if question.step else 1)


def aggregate(counter: Condition | Whole) -> ColumnElement[Any]:
    """The value of a counter over a group: how many rows pass the test, or an aggregate of its own."""
    if isinstance(counter, Whole):
        return counter.value
    return func.count() if counter is true() else func.count().filter(counter)


class Base:
    """Tables, group columns and conditions that every statement of a question shares."""

    def __init__(
        self,
        question: Question,
        asked: Iterable[str] = (),
        *,
        of_answers: bool = False,
        working: WorkingTime | None = None,
    ) -> None:
        """Choose what is joined: procedure, kinds of units only where a counter or a group asks for it."""
        self.question = question
        self.working = working or WorkingTime.until(question.clock, question.until)
        wanted = set(asked)
        used = {*question.groups, *question.filters}
        self.unit: ColumnElement[str] = survey_answer.c.unit if of_answers else dossier.c.unit
        self.columns: dict[str, ColumnElement[Any]] = {**COLUMNS, "unit": self.unit}
        if "overdue_age" in used:
            self.columns["overdue_age"] = counters.overdue_age(question.until, question.clock)
        self.source: FromClause = survey_answer if of_answers else dossier
        of_procedure = bool(wanted & OF_CATALOGUE) or any(DIMENSIONS[name].of_catalogue for name in used)
        if of_answers:
            self.columns["device"] = survey_answer.c.device
        if of_answers and used - OF_ANSWERS:
            same = and_(dossier.c.source == survey_answer.c.source, dossier.c.code == survey_answer.c.code)
            self.source = self.source.outerjoin(dossier, same)
        if of_procedure:
            self.source = self.source.outerjoin(procedure, procedure.c.code == dossier.c.procedure)
        if "unit_kind" in used:
            self._join_kinds()

    @property
    def groups(self) -> list[Label[Any]]:
        """The group columns; their names differ from every column's, as GROUP BY prefers a column of that name."""
        return [self.columns[name].label(f"by_{name}") for name in self.question.groups]

    @property
    def conditions(self) -> list[Condition]:
        """Scope and filters."""
        found: list[Condition] = []
        if self.question.codes is not None:
            found.append(self.unit == any_(texts(sorted(self.question.codes))))
        for name, values in self.question.filters.items():
            if name != "unit":
                found.append(_one_of(self.columns[name], values))
        return found

    def _join_kinds(self) -> None:
        kinds = self.question.kinds
        table = (
            func.unnest(texts(list(kinds)), texts(list(kinds.values())))
            .table_valued("code", "kind", name="kinds")
            .render_derived()
        )
        self.columns["unit_kind"] = table.c.kind
        self.source = self.source.outerjoin(table, table.c.code == self.unit)


def _one_of(column: ColumnElement[Any], values: tuple[Code, ...]) -> Condition:
    known = [value for value in values if value is not None]
    tests = [column.in_(known)] if known else []
    return or_(*tests, *([column.is_(None)] if None in values else []))
