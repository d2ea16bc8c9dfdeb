"""The short way of a first load ends in the same tables as the usual way."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from connectors.store import store_rows
from connectors.straight import StraightWay
from tests.cells import cells, cells_anew, total
from tests.connectors.support import NOW, table_rows
from tests.connectors.test_rollups import PHASES, SHAPE, frame, versions
from warehouse.schema import dossier, dossier_change, procedure

TABLES = (dossier, dossier_change, procedure)
Batches = list[list[dict[str, object]]]


def stored(engine: Engine, batches: Batches, *, straight: bool) -> tuple[list[object], list[tuple[int, int]]]:
    """Store the batches of one run into empty tables; return these, and the counts of each batch."""
    way = StraightWay() if straight else None
    counts = []
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(delete(table))
    cells_anew(engine)
    for batch in batches:
        with engine.begin() as connection:
            found = store_rows(connection, SHAPE, "s", frame(batch), now=NOW, straight=way)
        counts.append((found.stored, found.unchanged))
    return [*(sorted(table_rows(engine, table), key=repr) for table in TABLES), cells(engine)], counts


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=PHASES)
@given(st.lists(st.lists(versions, min_size=1, max_size=5), min_size=1, max_size=4))
def test_both_ways_end_in_the_same_tables(engine: Engine, batches: Batches) -> None:
    assert stored(engine, batches, straight=True) == stored(engine, batches, straight=False)


def some(*codes: str) -> list[dict[str, object]]:
    return [{"code": code, "unit": "u", "status": 4, "received_at": NOW, "source_updated_at": NOW} for code in codes]


def test_a_key_that_comes_again_undoes_its_batch_and_ends_the_short_way(engine: Engine) -> None:
    way = StraightWay()
    for codes, ways in [(("a", "b"), True), (("c", "a"), False), (("d",), False)]:
        with engine.begin() as connection:
            store_rows(connection, SHAPE, "s", frame(some(*codes)), now=NOW, straight=way)
            assert way._open is ways
    assert sorted(row[1] for row in table_rows(engine, dossier)) == ["a", "b", "c", "d"]
    moved = cells(engine)
    assert total(engine, "received") == 4
    assert moved == cells_anew(engine)


def test_a_source_that_has_rows_takes_the_usual_way(engine: Engine) -> None:
    with engine.begin() as connection:
        store_rows(connection, SHAPE, "s", frame(some("a")), now=NOW)
    for source, ways in [("s", False), ("other", True)]:
        way = StraightWay()
        with engine.begin() as connection:
            store_rows(connection, SHAPE, source, frame(some("b")), now=NOW, straight=way)
        assert way._open is ways
