"""Rollups: cells moved batch by batch = cells made anew from the rows = events counted by plain Python."""

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
from tests.cells import cells, cells_anew
from tests.connectors.support import NOW
from warehouse.schema import dossier
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


def counted(engine: Engine) -> dict[tuple[object, ...], dict[str, int]]:
    """Count events dossier by dossier, in plain Python, by unit and day."""
    with engine.connect() as connection:
        dossiers = pd.read_sql_table("dossier", connection).to_dict("records")
    found: dict[tuple[object, ...], Counter[str]] = {}
    for row in dossiers:
        for day, name in _events(*(_local(row[name]) for name in INSTANTS), _status(row["status"])):
            found.setdefault((row["unit"], day), Counter())[name] += 1
    return {key: dict(events) for key, events in found.items()}


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
    if due is not None:
        yield due.date(), "fell_due"
        since = max(due, received)
        if finished is None or finished > since:
            yield since.date(), "overdue_in"
        if finished is not None and finished > since:
            yield finished.date(), "overdue_out"
    if finished is None or finished > received:
        yield received.date(), "open_in"
    if finished is not None and finished > received:
        yield finished.date(), "open_out"
    if finished is not None and status not in {1, 4}:
        yield finished.date(), "closed_without_result" if status in {3, 7, 8} else _class(due, finished)


def _class(due: pd.Timestamp | None, finished: pd.Timestamp) -> str:
    if due is None:
        return "resolved_no_due"
    if finished > due:
        return "resolved_late"
    return "resolved_early" if finished.date() < due.date() else "resolved_on_time"


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=PHASES)
@given(batches=st.lists(st.lists(versions, min_size=1, max_size=6), min_size=1, max_size=4), often=st.booleans())
def test_moved_cells_are_cells_made_anew_are_counted_events(
    engine: Engine, batches: list[list[dict[str, object]]], often: bool
) -> None:
    with engine.begin() as connection:
        connection.execute(delete(dossier))
    cells_anew(engine)
    for batch in batches:
        with engine.begin() as connection:
            store_rows(connection, SHAPE, "s", frame(batch), now=NOW)
        if often:
            cells(engine)
    moved = cells(engine)
    assert moved == cells_anew(engine)
    names = {"received", "fell_due", "overdue_in", "overdue_out", "open_in", "open_out", "closed_without_result",
             "resolved_no_due", "resolved_late", "resolved_early", "resolved_on_time"}  # fmt: skip
    daily = {
        (key[3], key[2]): {name: value for name, value in found.items() if name in names}
        for key, found in moved.items()
        if key[:2] == ("unit_cell", "d") and names & found.keys()
    }
    assert daily == counted(engine)
