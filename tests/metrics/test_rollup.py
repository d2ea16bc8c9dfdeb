"""The rollup `flow_day` and the base tables tell the same flows, by every key that the rollup has."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from metrics import Clock, Period, Scope, WorkingCalendar, measure
from tests.metrics.world import HANOI, Dossier, dossiers, store
from warehouse.rollups import rebuild
from warehouse.schema import flow_day

FLOWS = (
    "received", "resolved_early", "resolved_on_time", "resolved_late", "resolved_no_due", "closed_without_result",
    "fell_due",
)  # fmt: skip
LATER = datetime(2030, 1, 1, tzinfo=UTC)


@given(rows=st.lists(dossiers(HANOI), max_size=20))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rollup_and_base_tables_agree(engine: Engine, rows: list[Dossier]) -> None:
    period = Period(datetime(2023, 12, 15, tzinfo=HANOI), datetime(2024, 5, 15, tzinfo=HANOI), "all that is generated")
    with engine.begin() as connection:
        store(connection, rows)
        rebuild(connection, HANOI)
        kept = pd.DataFrame(connection.execute(select(flow_day)).mappings().all(), columns=list(flow_day.c.keys()))
        answer = measure(
            connection, FLOWS, clock=Clock(HANOI, WorkingCalendar(HANOI)), period=period, as_of=LATER,
            scope=Scope.everything(), by=["unit", "channel", "day"],
        )  # fmt: skip
    answer = answer[answer["numerator"] > 0]
    measured = {
        (row.unit, 0 if pd.isna(row.channel) else row.channel, row.day, row.metric): row.numerator
        for row in answer.itertuples()
    }
    rolled_up = {
        (row.unit, row.channel, row.day.isoformat(), name): getattr(row, name)
        for row in kept.itertuples()
        for name in FLOWS
        if getattr(row, name)
    }
    assert measured == rolled_up
