"""Ranking across a change of units: mapped totals where whole units were merged, else no previous rank; the file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, insert, update

from metrics import Clock, Period, Scope, WorkingCalendar, rank_units
from metrics.successors import Successor, read_successors, store_successors, stored_successors
from tests.metrics.test_ranking import batch
from tests.metrics.world import HANOI, Dossier, store
from warehouse.engine import data_version
from warehouse.errors import RefusedInput
from warehouse.schema import unit

CLOCK = Clock(HANOI, WorkingCalendar(HANOI))
NOW = datetime(2024, 9, 1, tzinfo=UTC)
DAY = date(2024, 3, 1)
DISTRICT = Scope.of({"d1"})
Move = tuple[str, str, float]


def rank(
    engine: Engine,
    rows: Iterable[Dossier],
    moves: Iterable[Move],
    *,
    new: Iterable[str] = (),
    period: str = "2024-03",
    scope: Scope = DISTRICT,
    filters: dict[str, list[str]] | None = None,
) -> pd.DataFrame:
    """Rank a world in which the old units of the moves ended on DAY and the `new` ones began."""
    with engine.begin() as connection:
        store(connection, list(rows))
        ended = {old for old, _, _ in moves}
        connection.execute(update(unit).where(unit.c.code.in_(ended)).values(valid_to=DAY))
        for code in new:
            values = {"code": code, "valid_from": DAY, "name": code, "kind": "commune", "parent": "d1"}
            connection.execute(insert(unit), values)
        store_successors(connection, [Successor(old, code, DAY, share) for old, code, share in moves])
        table = rank_units(
            connection, clock=CLOCK, period=Period.parse(period, HANOI), as_of=NOW, scope=scope, filters=filters
        )
    return table.set_index("unit")


MERGED = [("u1", "n1", 1.0), ("u2", "n1", 1.0)]
# together 27 of 30: better than u3; the mean of their shares would be worse, and u1 alone is under the minimum volume
BEFORE = [*batch("u1", 2, 1, 2), *batch("u2", 2, 26, 1), *batch("u3", 2, 24, 6)]
AFTER = [*batch("n1", 3, 20, 10), *batch("u3", 3, 29, 1)]


def test_a_merged_unit_is_compared_with_the_total_of_its_predecessors(engine: Engine) -> None:
    table = rank(engine, BEFORE + AFTER, MERGED, new=["n1"])
    assert table["rank"][["u3", "n1"]].tolist() == [1, 2]
    assert table["previous_rank"][["u3", "n1"]].tolist() == [2, 1]
    assert table["compared"][["u3", "n1"]].tolist() == ["itself", "predecessors"]


@pytest.mark.parametrize(
    ("scope", "filters"), [(Scope.of({"n1"}), None), (DISTRICT, {"unit": ["n1"]}), (Scope.everything(), None)]
)
def test_the_predecessors_are_found_from_any_scope(
    engine: Engine, scope: Scope, filters: dict[str, list[str]] | None
) -> None:
    table = rank(engine, BEFORE + AFTER, MERGED, new=["n1"], scope=scope, filters=filters)
    assert table["previous_rank"]["n1"] == 1
    if scope != Scope.everything():
        assert set(table.index) == {"n1"}


def test_a_split_unit_has_no_comparison(engine: Engine) -> None:
    moves = [("u1", "n1", 1.0), ("u2", "n1", 0.4), ("u2", "n2", 0.6)]
    table = rank(engine, [*BEFORE, *AFTER, *batch("n2", 3, 30, 0)], moves, new=["n1", "n2"])
    assert table["previous_rank"][["n1", "n2"]].isna().all()
    assert table["compared"][["u3", "n1", "n2"]].tolist() == ["itself", "nothing", "nothing"]
    assert table["previous_rank"]["u3"] == 2, "u2 was before it then"


def test_a_code_that_names_another_unit_now_is_not_compared_with_the_old_one(engine: Engine) -> None:
    rows = [*BEFORE, *batch("u1", 3, 20, 10), *batch("u3", 3, 29, 1)]
    silent = rank(engine, rows, [], new=["u1"])
    assert silent["compared"][["u1", "u3"]].tolist() == ["nothing", "itself"]
    assert pd.isna(silent["previous_rank"]["u1"])
    told = rank(engine, rows, [("u1", "u1", 1.0), ("u2", "u1", 1.0)], new=["u1"])
    assert told["compared"]["u1"] == "predecessors"
    assert told["previous_rank"][["u1", "u3"]].tolist() == [1, 2]


def test_codes_that_change_places_are_mapped_at_once(engine: Engine) -> None:
    rows = [*BEFORE, *batch("u1", 3, 30, 0), *batch("u2", 3, 25, 5), *batch("u3", 3, 20, 10)]
    table = rank(engine, rows, [("u2", "u1", 1.0), ("u3", "u2", 1.0), ("u1", "u3", 1.0)], new=["u1", "u2", "u3"])
    assert table["previous_rank"][["u1", "u2"]].tolist() == [1, 2]
    assert pd.isna(table["previous_rank"]["u3"])  # three dossiers of the old u1: under the minimum volume
    assert table["compared"].loc[["u1", "u2", "u3"]].eq("predecessors").all()


def test_a_change_inside_the_period_allows_no_comparison(engine: Engine) -> None:
    table = rank(engine, BEFORE + AFTER + batch("u3", 1, 30, 0), MERGED, new=["n1"], period="2024-02-15/2024-03-15")
    assert table["compared"][["n1", "u3"]].tolist() == ["nothing", "itself"]


def test_a_change_inside_the_period_before(engine: Engine) -> None:
    later = [*batch("n1", 5, 20, 10), *batch("u3", 5, 29, 1)]
    table = rank(engine, [*BEFORE, *AFTER, *later], MERGED, new=["n1"], period="2024Q2")
    # n1 in the first quarter: 27 of 30 before the change, 20 of 30 after it; u3: 53 of 60
    assert table["previous_rank"][["n1", "u3"]].tolist() == [2, 1]
    assert table["compared"]["n1"] == "predecessors"
    moved = [("u2", "u1", 1.0), ("u1", "u2", 1.0)]
    mixed = rank(engine, [*BEFORE, *later], moved, new=["u1", "u2"], period="2024Q2", scope=Scope.of({"u1", "u2"}))
    assert mixed["compared"].eq("nothing").all(), "dossiers of two units under one code cannot be told apart"


def test_before_and_after_the_change_nothing_is_special(engine: Engine) -> None:
    rows = [*BEFORE, *AFTER, *batch("n1", 5, 20, 10), *batch("n1", 6, 20, 10)]
    table = rank(engine, rows, MERGED, new=["n1"], period="2024-06")
    assert table["compared"].eq("itself").all()
    assert table["previous_rank"]["n1"] == 1


CSV = "old,new,changed_on,share\nu1,n1,2024-03-01,1\nu2,n1,2024-03-01,0.25\nu2,n2,2024-03-01,0.75\n"


def test_a_file_is_read_and_stored_once(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "successors.csv"
    file.write_text("\ufeff" + CSV, encoding="utf-8")
    found = read_successors(file)
    assert [(row.old, row.new, row.share) for row in found] == [("u1", "n1", 1), ("u2", "n1", 0.25), ("u2", "n2", 0.75)]
    with engine.begin() as connection:
        store(connection, [])
        for code in ("n1", "n2"):
            connection.execute(insert(unit), {"code": code, "valid_from": DAY, "name": code, "kind": "commune"})
        assert store_successors(connection, found).changed == 3
        version = data_version(connection)
        assert store_successors(connection, found).unchanged == 3
        assert data_version(connection) == version
        store_successors(connection, [Successor("u2", "n2", DAY, 1.0)])
        assert stored_successors(connection) == [Successor("u1", "n1", DAY, 1.0), Successor("u2", "n2", DAY, 1.0)]
        for bad, message in (
            (Successor("u9", "n1", DAY, 1), "my.csv, field old: no unit u9 existed before 2024-03-01"),
            (Successor("n1", "n2", DAY, 1), "field old: no unit n1 existed before"),
            (Successor("u1", "n1", date(2024, 2, 1), 1), "field new: no unit n1 exists on 2024-02-01"),
        ):
            with pytest.raises(RefusedInput, match=message):
                store_successors(connection, [bad], place="my.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CSV.replace("share", "part", 1), "row 1: the first row must be old,new,changed_on,share, found 'old,new,"),
        (CSV.replace("0.75", "0.7"), "field share: the shares of unit u2 on 2024-03-01 add up to 0.95, not to 1"),
        (CSV.replace("0.75", "0,75"), "row 4: 5 cells where 4 are expected"),
        (CSV.replace("0.75", "1.75"), "row 4, field share: '1.75' is not a number above 0"),
        (CSV.replace("0.75", "nan"), "row 4, field share: 'nan' is not a number above 0"),
        (CSV.replace("0.75", ""), "row 4, field share: '' is not"),
        (CSV.replace("u1,n1", "u1,"), "row 2, field new: must be a unit code"),
        (CSV.replace("2024-03-01,1", "1/3/2024,1"), "row 2, field changed_on: '1/3/2024' is not a day"),
        (CSV + "u1,n1,2024-03-01,1\n", "row 5: the same units and day as row 2"),
        (CSV + '"u1', "not valid CSV"),
    ],
)
def test_a_bad_file_is_refused_by_row_and_field(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "successors.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedInput, match=f"successors.csv.*{message}"):
        read_successors(file)
