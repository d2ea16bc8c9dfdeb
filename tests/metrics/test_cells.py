"""Questions answered from cells = the same questions answered from the rows, whatever is logged or carried over."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, Table, delete, insert, select

from metrics import METRICS, Clock, Period, Scope, WorkingCalendar
from metrics.cell_refresh import Refreshed, refresh_here
from metrics.cells import plan_of
from metrics.grouping import dimensions_of
from metrics.measure import collect, frame, keys
from metrics.question import check
from tests.metrics.test_oracle import FILTERS, SCOPES, clock_of, moments, with_edges, worlds
from tests.metrics.world import HANOI, SEEN, Dossier, store
from warehouse import rollups
from warehouse.rollups import answer_log, cell_state, dossier_log, kind_cell, unit_cell
from warehouse.schema import dossier, survey_answer

NOW = datetime(2024, 6, 1, tzinfo=UTC)
CLOCK = Clock(HANOI, WorkingCalendar(HANOI))
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
        plan = plan_of(connection, question)
        CELLED[plan is not None] += 1
        answers = []
        for chosen in (plan, None):
            counts = collect(connection, question, chosen)
            answers.append(told(frame(question, counts, keys(question, counts)), by))
    assert answers[0].keys() == answers[1].keys()
    for key, values in answers[0].items():
        assert values == pytest.approx(answers[1][key]), key


def test_most_of_these_questions_were_answered_from_cells() -> None:
    assert CELLED[True] > 20
