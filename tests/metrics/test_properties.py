"""What must hold of every answer, whatever the dossiers: sums over dimensions, stocks by what came and went, edges."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from metrics import METRICS, Clock, Kind, Period, Scope, WorkingCalendar, measure, previous
from metrics.dimensions import DIMENSIONS
from metrics.grouping import dimensions_of
from tests.metrics import oracle
from tests.metrics.test_oracle import PERIODS, moments, worlds
from tests.metrics.world import HANOI, Answer, Dossier, instants, store
from warehouse.errors import BadQuestion

CLOCK = Clock(HANOI, WorkingCalendar(HANOI))
EVERYTHING = Scope.everything()
LATER = datetime(2025, 6, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SOME = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
World = tuple[list[Dossier], list[Answer]]
ADDITIVE = [name for name, metric in METRICS.items() if metric.kind is not Kind.DISTRIBUTION]
PLACES = [name for name, dimension in DIMENSIONS.items() if not dimension.is_time]


@given(world=worlds(HANOI), text=st.sampled_from(PERIODS), data=st.data())
@SOME
def test_every_metric_adds_up_over_every_dimension(engine: Engine, world: World, text: str, data: Any) -> None:  # noqa: ANN401
    """So that an answer without rows stands only where there is nothing: the groups hold all that the whole holds."""
    period = Period.parse(text, HANOI)
    as_of = max(data.draw(moments(world[0], HANOI)), period.start)
    asked: dict[str, Any] = {"clock": CLOCK, "period": period, "as_of": as_of, "scope": EVERYTHING}
    with engine.begin() as connection:
        store(connection, *world)
        whole = measure(connection, ADDITIVE, **asked).set_index("metric")
        for dimension in PLACES:
            names = [name for name in ADDITIVE if dimension in dimensions_of(name)]
            if dimension == "overdue_age":
                names = ["overdue"]
            parts = measure(connection, names, by=[dimension], **asked).groupby("metric")
            for column in ("numerator", "denominator"):
                sums = parts[column].sum()
                for name in names:
                    assert sums.get(name, 0) == (0 if whole[column].isna()[name] else whole[column][name]), (
                        name, dimension,
                    )  # fmt: skip


Stay = tuple[datetime, datetime | None] | None
"""From which instant on a dossier is in a stock (after it) and until when (at it still); None: never."""


def _stay(d: Dossier, *, since: Iterable[datetime | None] = (), until: Iterable[datetime | None] = ()) -> Stay:
    begins, ends = [d.received_at, *since], [at for at in (d.finished_at, *until) if at is not None]
    if None in begins or (d.finished_at is None and d.status in oracle.CLOSED):
        return None
    begin, end = max(at for at in begins if at is not None), min(ends, default=None)
    return None if end is not None and end <= begin else (begin, end)


def _in_time(d: Dossier) -> Stay:
    return None if d.due_at is None else _stay(d, until=[d.due_at])


def _no_due(d: Dossier) -> Stay:
    return _stay(d) if d.due_at is None else None


def _waiting(d: Dossier) -> Stay:
    return _stay(d) if d.status in {5, 6} else None


def _lies(d: Dossier) -> Stay:
    """A result that was not handed over three days after it was there, on the civil clock."""
    if d.finished_at is None or d.status not in {9, 10} or (d.returned_at is None and d.status != 9):
        return None
    begin = (d.finished_at.astimezone(HANOI) + timedelta(days=3)).astimezone(UTC)
    return None if d.returned_at is not None and d.returned_at <= begin else (begin, d.returned_at)


STAYS: dict[str, Callable[[Dossier], Stay]] = {
    "open": _stay,
    "overdue": lambda d: _stay(d, since=[d.due_at]),
    "open_in_time": _in_time,
    "open_no_due": _no_due,
    "waiting": _waiting,
    "finished_not_returned": _lies,
}
"""The stocks that a dossier enters once and leaves once."""


@given(world=worlds(HANOI), text=st.sampled_from(("2024Q1", "2024-02", "2023-12-28/2024-01-05", "report-2024-03")))
@SOME
def test_a_stock_is_the_one_before_and_what_came_less_what_went(engine: Engine, world: World, text: str) -> None:
    """Day by day, and over the whole period from its first instant."""
    period = Period.parse(text, HANOI)
    asked: dict[str, Any] = {"clock": CLOCK, "as_of": LATER, "scope": EVERYTHING}
    with engine.begin() as connection:
        store(connection, *world)
        at_start = measure(connection, STAYS, period=previous(period), **asked).set_index("metric")["value"]
        days = measure(connection, STAYS, period=period, by=["day"], **asked)
        at_end = measure(connection, STAYS, period=period, **asked).set_index("metric")["value"]
    for name, stay_of in STAYS.items():
        stays = [stay for d in world[0] if (stay := stay_of(d)) is not None]
        level, edge = at_start[name], period.start
        told = days[days["metric"] == name]
        for code, value in zip(told["day"], told["value"], strict=True):
            stop = Period.parse(code, HANOI).end
            came = sum(edge <= begin < stop for begin, _ in stays)
            went = sum(end is not None and edge <= end < stop for _, end in stays)
            assert value == level + came - went, (name, code)
            level, edge = value, stop
        assert at_end[name] == level
        assert edge == period.end


EDGES = (
    ("2024-02-28", "2024-02-29"), ("2024-02-29", "2024-03-01"), ("2024-01", "2024-02"), ("2024-02", "2024-03"),
    ("2023-Q4", "2024Q1"), ("2023", "2024"), ("2024H1", "2024H2"), ("2023-W52", "2024-W01"),
    ("report-2024-02", "report-2024-03"), ("report-2023Q4", "report-2024Q1"), ("report-2023", "report-2024"),
    ("2024-02-09", "2024-02-10"),
)  # fmt: skip
"""Periods that follow each other: leap day, month, quarter, half, year, week, the 14th and 15th, New Year of Tết."""
EVENTS = {
    "received": "received_at", "submitted_online": "submitted_at", "resolved": "finished_at", "fell_due": "due_at",
}  # fmt: skip


@pytest.mark.parametrize(("first", "second"), [(a.replace("-Q", "Q"), b) for a, b in EDGES])
def test_the_last_second_is_inside_and_the_next_one_is_not(engine: Engine, first: str, second: str) -> None:
    before, after = Period.parse(first, HANOI), Period.parse(second, HANOI)
    assert before.end == after.start
    assert before.end.astimezone(HANOI).time() == time()
    long_ago = before.start - timedelta(days=400)
    blank = Dossier("u1", "a", 2, long_ago, None, None, 10, None, None, None, submitted_at=long_ago)
    rows, judged = [], []
    for at in (before.end - SECOND, after.start, after.start + SECOND):
        rows += [replace(blank, **{column: at.astimezone(UTC)}) for column in EVENTS.values()]
        judged.append(Answer("u1", at.astimezone(UTC), None, None))
    asked: dict[str, Any] = {"clock": CLOCK, "as_of": LATER + timedelta(days=400), "scope": EVERYTHING}
    with engine.begin() as connection:
        store(connection, [replace(row, status=4 if row.finished_at is None else 10) for row in rows], judged)
        names = [*EVENTS, "answers"]
        told = [
            measure(connection, names, period=period, **asked).set_index("metric")["value"].to_dict()
            for period in (before, after)
        ]
        last_day = f"{(before.end - SECOND).astimezone(HANOI):%Y-%m-%d}"
        daily = measure(connection, names, period=Period.parse(last_day, HANOI), by=["day"], **asked)
    assert told[0] == dict.fromkeys(names, 1), "23:59:59 of the last day"
    assert told[1] == dict.fromkeys(names, 2), "0:00:00 and the second after it"
    assert set(daily["day"]) == {last_day}
    assert daily["value"].eq(1).all()


def test_tet_stops_the_clock_of_due_soon(engine: Engine) -> None:
    """At 17:00 of the last day before Tết 2024 (8 to 14 February) the next working day is within 8 working hours."""
    received = datetime(2024, 1, 30, 2, tzinfo=UTC)
    dues = [datetime(2024, 2, 15, hour, tzinfo=HANOI).astimezone(UTC) for hour in (8, 17)]
    dues.append(datetime(2024, 2, 16, 7, 0, 1, tzinfo=HANOI).astimezone(UTC))
    rows = [Dossier("u1", "a", 1, received, due, None, 4, None, None, None) for due in dues]
    with engine.begin() as connection:
        store(connection, rows)
        answer = measure(
            connection, ["due_soon_8h", "due_soon_24h", "open"], clock=CLOCK, period=Period.parse("2024-02", HANOI),
            as_of=datetime(2024, 2, 7, 17, tzinfo=HANOI), scope=EVERYTHING,
        )  # fmt: skip
    assert answer.set_index("metric")["value"].to_dict() == {"due_soon_8h": 2, "due_soon_24h": 3, "open": 3}


@given(start=instants(HANOI), length=st.integers(-400, 0))
def test_a_period_upside_down_is_refused(start: datetime, length: int) -> None:
    with pytest.raises(BadQuestion, match="ends before it begins"):
        Period(start, start + timedelta(hours=length), "asked")


@pytest.mark.parametrize("text", ["2024-03-01/2024-02-01", "2024-02-30", "2024-13", "2023-02-29", "2024Q5", ""])
def test_a_text_that_names_no_period_is_refused(text: str) -> None:
    with pytest.raises(BadQuestion, match=r"period"):
        Period.parse(text, HANOI)


@given(
    metrics=st.lists(st.sampled_from([*METRICS, "recieved"]), max_size=3),
    by=st.lists(st.sampled_from([*DIMENSIONS, "colour"]), max_size=3), as_of=instants(HANOI),
    roots=st.sampled_from((None, ("d1",), ("nowhere",), ("u1", "nowhere"))),
    text=st.sampled_from(("2024", "2024-04", "2024-02-29")),
)  # fmt: skip
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_question_is_answered_in_full_or_refused(
    engine: Engine, metrics: list[str], by: list[str], as_of: datetime, roots: tuple[str, ...] | None, text: str
) -> None:
    """Never an answer without rows, or with other rows than were asked for, in the place of "this cannot be asked"."""
    period, names = Period.parse(text, HANOI), list(dict.fromkeys(metrics))
    received = datetime(2023, 12, 1, 3, tzinfo=UTC)
    rows = [Dossier(unit, "a", 2, received, received, None, 4, 0, None, None) for unit in ("u1", "u2", "x")]
    judged = [Answer("u1", period.start.astimezone(UTC), True, 0, device="kiosk")]
    wrong = (
        not names or "recieved" in names or "colour" in by or len(set(by)) != len(by) or {"day", "month"} <= set(by)
        or (roots is not None and "nowhere" in roots) or as_of < period.start
        or any(name in METRICS and set(by) - set(dimensions_of(name)) for name in names)
        or ("overdue_age" in by and {"day", "month"} & set(by))
    )  # fmt: skip
    with engine.begin() as connection:
        store(connection, rows, judged)
        scope = EVERYTHING if roots is None else Scope.of(roots)
        asked: dict[str, Any] = {"clock": CLOCK, "period": period, "as_of": as_of, "scope": scope, "by": by}
        if wrong:
            with pytest.raises(BadQuestion):
                measure(connection, metrics, **asked)
            return
        answer = measure(connection, metrics, **asked)
    assert set(answer["metric"]) <= set(names)
    if "open" in names:
        assert not answer.empty
        last = answer if not {"day", "month"} & set(by) else answer[
            answer[(step := next(iter({"day", "month"} & set(by))))] == answer[step].max()
        ]  # fmt: skip
        assert last[last["metric"] == "open"]["value"].sum() == (2 if roots else 3)
