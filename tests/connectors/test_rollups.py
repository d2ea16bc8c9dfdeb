"""Rollups: cells moved batch by batch = cells rebuilt from nothing = cells counted by plain pandas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from connectors.entities import SHAPES, UPDATED
from connectors.store import store_rows
from tests.connectors.support import NOW, table_rows
from warehouse import rollups
from warehouse.schema import dossier, flow_day
from warehouse.vocabulary import Entity

SHAPE = SHAPES[Entity.DOSSIER]
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
START = datetime(2022, 3, 1, 15, 0, tzinfo=ZONE)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # to shrink an example takes minutes on a real database
moments = st.none() | st.integers(0, 10 * 12).map(lambda steps: START + timedelta(hours=2 * steps))
versions = st.fixed_dictionaries(
    {
        "code": st.sampled_from("abcd"),
        "unit": st.sampled_from(["u1", "u2"]),
        "procedure": st.sampled_from(["p", None]),
        "channel": st.sampled_from([1, 2, None]),
        "status": st.sampled_from([1, 3, 4, 7, 9, 10, None]),
        "received_at": moments,
        "due_at": moments,
        "finished_at": moments,
        UPDATED: st.integers(0, 5).map(lambda days: NOW + timedelta(days=days)),
    }
)


def frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    full = pd.DataFrame(rows).reindex(columns=list(SHAPE.columns)).assign(flags="{}")
    for name, kind in SHAPE.columns.items():
        if kind == "instant":
            full[name] = pd.to_datetime(full[name], utc=True).astype("datetime64[s, UTC]")
        else:
            full[name] = full[name].astype({"text": "str", "integer": "Int64", "boolean": "boolean"}[kind])
    return full


def counted(engine: Engine) -> list[tuple[object, ...]]:
    """Count events dossier by dossier, in plain Python."""
    with engine.connect() as connection:
        dossiers = pd.read_sql_table("dossier", connection).to_dict("records")
    cells: dict[tuple[object, ...], Counter[str]] = {}
    for row in dossiers:
        channel = 0 if pd.isna(row["channel"]) else int(row["channel"])
        for day, name in _events(*(_local(row[name]) for name in INSTANTS), _status(row["status"])):
            cells.setdefault((row["unit"], channel, day), Counter())[name] += 1
    found = [(*key, *(events[name] for name in rollups.COUNTERS)) for key, events in cells.items()]
    return sorted(found, key=repr)


INSTANTS = ("received_at", "due_at", "finished_at")


def _local(value: pd.Timestamp) -> pd.Timestamp | None:
    return None if pd.isna(value) else value.tz_convert(ZONE)


def _status(value: float) -> int | None:
    return None if pd.isna(value) else int(value)


def _events(
    received: pd.Timestamp | None, due: pd.Timestamp | None, finished: pd.Timestamp | None, status: int | None
) -> Iterator[tuple[date, str]]:
    if received is None:
        return
    yield received.date(), "received"
    if finished is None and status in {3, 7, 8, 9, 10}:
        return
    late = due is not None and finished is not None and due < finished
    if due is not None:
        yield due.date(), "fell_due"
    if due is not None and (finished is None or late):
        yield due.date(), "became_overdue"
    if finished is not None and late:
        yield finished.date(), "left_overdue"
    if finished is not None and status not in {1, 4}:
        yield finished.date(), "closed_without_result" if status in {3, 7, 8} else _class(due, finished)


def _class(due: pd.Timestamp | None, finished: pd.Timestamp) -> str:
    if due is None:
        return "resolved_no_due"
    if finished > due:
        return "resolved_late"
    return "resolved_early" if finished.date() < due.date() else "resolved_on_time"


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=PHASES)
@given(st.lists(st.lists(versions, min_size=1, max_size=6), min_size=1, max_size=4))
def test_moved_cells_are_rebuilt_cells_are_counted_cells(
    engine: Engine, batches: list[list[dict[str, object]]]
) -> None:
    with engine.begin() as connection:
        connection.execute(delete(dossier))
        connection.execute(delete(flow_day))
        for batch in batches:
            store_rows(connection, SHAPE, "s", frame(batch), now=NOW, zone=ZONE)
    moved = sorted(table_rows(engine, flow_day), key=repr)
    with engine.begin() as connection:
        rollups.rebuild(connection, ZONE)
    assert moved == sorted(table_rows(engine, flow_day), key=repr)
    assert moved == counted(engine)
