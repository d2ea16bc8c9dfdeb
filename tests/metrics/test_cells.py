"""Questions answered from cells = the same questions answered from the rows, whatever is logged or carried over."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from unittest.mock import patch

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Table, delete, insert, select
from sqlalchemy.sql.visitors import iterate

from metrics import METRICS, Clock, Period, Scope, measure
from metrics.cell_clocks import cell_clocks, fingerprint, horizon
from metrics.cell_refresh import Refreshed, refresh, refresh_here
from metrics.cells import plan_of, split
from metrics.grouping import dimensions_of
from metrics.measure import collect, frame, keys
from metrics.question import check
from metrics.working_time import WorkingTime
from tests.cells import CLOCK, NOW, cells, cells_anew
from tests.metrics.test_oracle import FILTERS, SCOPES, clock_of, moments, with_edges, worlds
from tests.metrics.world import HANOI, ORPHAN, SEEN, Dossier, store
from warehouse import rollups
from warehouse.rollups import answer_log, cell_state, dossier_log, kind_cell, unit_cell
from warehouse.schema import dossier, survey_answer

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # to shrink an example takes minutes on a real database
PERIODS = (
    "2024", "2024Q1", "2024-02", "2024-02-29", "2023-12-31/2024-03-01", "2024-W09", "report-2024Q1", "report-2024-03",
    "2024-02-03T10:00:00+07:00/2024-04-20T00:00:00+07:00",
)  # fmt: skip
GROUPS = (
    (), ("unit",), ("unit_kind",), ("field",), ("procedure",), ("channel",), ("online_level",), ("day",), ("month",),
    ("unit", "month"), ("month", "channel", "field"), ("day", "unit_kind"),
)  # fmt: skip
CELLED = Counter[bool]()
"""How many questions cells answered, so that the test cannot pass by never asking them."""


def change(connection: Connection, table: Table, codes: list[str], rows: list[dict[str, object]]) -> None:
    """Replace rows the way a writer does, which says so in the log."""
    key = table.c["code" if table is dossier else "id"]
    old = select(table).where(key.in_(codes)).subquery()
    connection.execute(select(old))
    rollups.log_versions(connection, table, added=select(table).where(key.is_(None)).subquery(), removed=old)
    connection.execute(delete(table).where(key.in_(codes)))
    if rows:
        connection.execute(insert(table), rows)
        new = select(table).where(key.in_([str(row[key.name]) for row in rows])).subquery()
        rollups.log_versions(connection, table, added=new)


def empty_cells(connection: Connection) -> None:
    for table in (unit_cell, kind_cell, cell_state, dossier_log, answer_log):
        connection.execute(delete(table))


def told(question_frame: pd.DataFrame, by: tuple[str, ...]) -> dict[tuple[object, ...], tuple[object, ...]]:
    rows = [[None if pd.isna(cell) else cell for cell in row] for row in question_frame.itertuples(index=False)]
    return {tuple(row[: len(by) + 1]): tuple(row[len(by) + 1 :]) for row in rows}


@given(data=st.data())
@settings(
    max_examples=60,
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_cells_tell_what_the_rows_tell(engine: Engine, data: st.DataObject) -> None:
    rows, judged = data.draw(worlds(HANOI))
    later, _ = data.draw(worlds(HANOI))
    by, filters = data.draw(st.sampled_from(GROUPS)), data.draw(st.sampled_from(FILTERS))
    scope = data.draw(st.sampled_from((*SCOPES, Scope.of({"d1", "p9", "x"}))))
    if "unit" in filters:
        scope = Scope.everything()
    rows.append(Dossier("x", None, None, None, None, None, None, None, None, None))
    short = ("2024-02-29", "2024-W09", "2024-02-25/2024-03-02")
    period = Period.parse(data.draw(st.sampled_from(short if "day" in by else PERIODS)), HANOI)
    late = st.just(datetime(2025, 1, 1, tzinfo=UTC))
    as_of = max(data.draw(late | late | moments(rows, HANOI)), period.start)
    clock = data.draw(st.sampled_from((CLOCK, clock_of(HANOI))))
    rows = with_edges(rows, period.start.astimezone(UTC), min(period.end, as_of).astimezone(UTC), clock)
    changed = data.draw(st.lists(st.integers(0, len(rows) - 1), unique=True, max_size=8))
    changed = [number for number in changed if rows[number].unit != ORPHAN]  # a unit that nothing knows is refused
    carried = data.draw(st.booleans())
    with engine.begin() as connection:
        empty_cells(connection)
        store(connection, rows, judged)
        assert refresh_here(connection, clock=clock, now=NOW) is Refreshed.ANEW
        mark = {"source": "s", "seen_at": SEEN, "payload_hash": ""}
        fresh = [{**mark, "code": str(n), **asdict(d)} for n, d in zip([*changed, 900, 901], later, strict=False)]
        change(connection, dossier, [str(n) for n in changed], fresh)
        if judged:
            change(connection, survey_answer, ["0"], [])
        if carried:
            refresh_here(connection, clock=clock, now=NOW)
        allowed = [name for name in METRICS if {*by, *filters} <= {*dimensions_of(name)}]
        question = check(
            connection, allowed, clock=clock, period=period, as_of=as_of, scope=scope, by=by, filters=filters
        )
        with patch("metrics.cells.MANY_UNITS", data.draw(st.sampled_from((0, 1_000)))):
            plan = plan_of(connection, question)
        CELLED[plan is not None] += 1
        answers = []
        for chosen in (plan, None):
            counts = collect(connection, question, chosen)
            answers.append(told(frame(question, counts, keys(question, counts)), by))
    assert answers[0].keys() == answers[1].keys()
    for key, values in answers[0].items():
        assert values == pytest.approx(answers[1][key]), key


def test_enough_of_these_questions_were_answered_from_cells() -> None:
    assert CELLED[True] > 20


def asked(connection: Connection, clock: Clock = CLOCK) -> bool:
    """Whether cells answer a plain question."""
    question = check(
        connection, ["received"], clock=clock, period=Period.parse("2024-02", HANOI),
        as_of=datetime(2025, 1, 1, tzinfo=UTC), scope=Scope.everything(),
    )  # fmt: skip
    return plan_of(connection, question) is not None


def test_cells_are_used_only_while_they_are_right(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.begin() as connection:
        store(connection, [])
        assert not asked(connection), "nothing was made yet"
        refresh_here(connection, clock=CLOCK, now=NOW)
        assert asked(connection)
        assert not asked(connection, clock_of(HANOI)), "an office keeps other hours"
        closed = replace(CLOCK, calendar=replace(CLOCK.calendar, overrides={date(2024, 2, 7): False}))
        assert not asked(connection, closed), "a day off was declared"
        rollups.log_everything(connection)
        assert not asked(connection), "a first load runs"
        assert refresh_here(connection, clock=CLOCK, now=NOW) is Refreshed.ANEW
        assert asked(connection)
        assert refresh_here(connection, clock=CLOCK, now=NOW) is Refreshed.NOTHING
        nobody = select(dossier).limit(0).subquery()
        store(connection, [one() for _ in range(3)])
        rollups.log_versions(connection, dossier, added=select(dossier).subquery(), removed=nobody)
        assert asked(connection)
        monkeypatch.setattr("metrics.cell_state.MOST_LOGGED", 2)
        assert not asked(connection), "the log is too long"
        assert refresh_here(connection, clock=CLOCK, now=NOW) is Refreshed.CARRIED
        assert asked(connection)
    assert fingerprint(CLOCK, 2024) != fingerprint(CLOCK, 2025)


def one(**changes: object) -> Dossier:
    """A dossier without anything odd."""
    day = datetime(2024, 2, 6, 2, tzinfo=UTC)
    usual = Dossier("u1", "a", 2, day, day + timedelta(3), day + timedelta(1), 10, 1, 0, None)
    return replace(usual, **changes)


def test_a_dossier_that_is_received_after_its_end_is_not_known_in_between(engine: Engine) -> None:
    later = datetime(2024, 3, 1, tzinfo=UTC)
    with engine.begin() as connection:
        store(connection, [one(), one(received_at=later)])
        refresh_here(connection, clock=CLOCK, now=NOW)
        for as_of, expected in ((datetime(2024, 2, 20, tzinfo=UTC), 1), (datetime(2024, 3, 2, tzinfo=UTC), 2)):
            answer = measure(
                connection, ["resolved"], clock=CLOCK, period=Period.parse("2024-02", HANOI), as_of=as_of,
                scope=Scope.everything(),
            )  # fmt: skip
            assert answer["numerator"].tolist() == [expected]


def test_counters_of_the_tables_are_those_of_the_clocks() -> None:
    clocks = cell_clocks(CLOCK, WorkingTime.until(CLOCK, horizon(2024)))
    names = [name for clock in clocks for name in clock.counters]
    assert sorted(names) == sorted((*rollups.OF_DOSSIERS, *rollups.OF_ANSWERS))
    logged = {column.name for log in rollups.LOGS.values() for column in log.columns} - {"sign"}
    seen = {
        column.name
        for clock in clocks
        for test in (clock.condition, clock.day, *(getattr(c, "value", c) for c in clock.counters.values()))
        for column in iterate(test)
        if getattr(column, "table", None) in (dossier, survey_answer)
    }
    assert seen <= logged, "a counter looks at a column that the log does not hold"


def test_days_are_cut_into_halves_of_months_and_single_days() -> None:
    whole = split(date(2024, 1, 10), date(2024, 3, 3), daily=False)
    assert whole == [
        ("d", (date(2024, 1, 10), date(2024, 1, 15))), ("h", (date(2024, 1, 15), date(2024, 3, 1))),
        ("d", (date(2024, 3, 1), date(2024, 3, 3))),
    ]  # fmt: skip
    assert split(date(2024, 1, 2), date(2024, 1, 20), daily=False) == [("d", (date(2024, 1, 2), date(2024, 1, 20)))]
    assert split(date(2024, 1, 1), date(2024, 2, 1), daily=False) == [("h", (date(2024, 1, 1), date(2024, 2, 1)))]


def test_writers_and_refreshers_at_once_lose_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        empty_cells(connection)
        store(connection, [])
    done = threading.Event()

    def write(first: int) -> None:
        for number in range(first, first + 40):
            with engine.begin() as connection:
                row = {"source": "s", "seen_at": SEEN, "payload_hash": "", "code": str(number), **asdict(one())}
                change(connection, dossier, [], [row])

    def keep() -> None:
        while not done.is_set():
            refresh(engine, clock=CLOCK, now=NOW)

    keepers = [threading.Thread(target=keep) for _ in range(2)]
    for thread in keepers:
        thread.start()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, (0, 100, 200)))
    done.set()
    for thread in keepers:
        thread.join()
    moved = cells(engine)
    assert moved[("unit_cell", "d", date(2024, 2, 6), "u1")]["received"] == 120
    assert moved == cells_anew(engine)
