"""The ranking: ties, minimum volume, movement, kinds apart, parts that add up to the score."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine

from metrics import Clock, Method, Period, Scope, WorkingCalendar, rank_units
from metrics.ranking import DEFAULT, METHOD_FILE
from tests.metrics.world import HANOI, Answer, Dossier, store
from warehouse.errors import ConfigurationError

CLOCK = Clock(HANOI, WorkingCalendar(HANOI))
MARCH = Period.parse("2024-03", HANOI)
NOW = datetime(2024, 6, 1, tzinfo=UTC)


def batch(unit: str, month: int, good: int, bad: int, channel: int = 1) -> list[Dossier]:
    received = datetime(2024, month, 5, 3, tzinfo=UTC)
    due = received + timedelta(5)
    finished = [received + timedelta(2)] * good + [received + timedelta(8)] * bad
    return [Dossier(unit, "a", channel, received, due, end, 10, None, 0, None) for end in finished]


def rank(engine: Engine, rows: list[Dossier], answers: list[Answer] | None = None) -> pd.DataFrame:
    with engine.begin() as connection:
        store(connection, rows, answers)
        table = rank_units(connection, clock=CLOCK, period=MARCH, as_of=NOW, scope=Scope.of({"d1", "p9"}))
    return table.set_index("unit")


def test_dense_ties_movement_and_units_under_the_minimum(engine: Engine) -> None:
    table = rank(
        engine,
        [*batch("u1", 3, 20, 5), *batch("u2", 3, 20, 5), *batch("u3", 3, 10, 15), *batch("p9", 3, 3, 0),
         *batch("u1", 2, 10, 20), *batch("u3", 2, 30, 0)],
    )  # fmt: skip
    assert table["rank"][["u1", "u2", "u3"]].tolist() == [1, 1, 2]
    assert table["previous_rank"][["u1", "u3"]].tolist() == [2, 1]
    assert pd.isna(table["previous_rank"]["u2"])
    assert pd.isna(table["rank"]["p9"])
    assert table["volume"]["p9"] == 3
    assert table["score"]["p9"] == 66.67  # listed with its score: 40 of 40 points on time, 0 of 20 online, scaled


def test_parts_are_visible_and_add_up_to_the_score(engine: Engine) -> None:
    votes = [Answer("u1", datetime(2024, 3, 9, tzinfo=UTC), n < 9, None) for n in range(10)]
    table = rank(engine, [*batch("u1", 3, 20, 5, channel=2), *batch("u2", 3, 25, 0)], votes)
    points = [f"{part.metric}_points" for part in DEFAULT.parts]
    weights = [f"{part.metric}_weight" for part in DEFAULT.parts]
    for unit in ("u1", "u2"):
        assert table.loc[unit, points].dropna().sum() == pytest.approx(table["score"][unit], abs=0.01)
        assert table.loc[unit, weights].dropna().sum() == pytest.approx(100)
    u1 = table.loc["u1"]
    assert (u1["on_time_06_numerator"], u1["on_time_06_denominator"]) == (20, 25)
    assert u1["satisfied_share_value"] == 0.9
    assert pd.isna(u1["overdue_share_weight"])  # nothing was open: the part is left out, the others weigh more
    assert u1["on_time_06_weight"] == pytest.approx(100 * 40 / 75)


def test_kinds_of_units_are_ranked_among_their_own(engine: Engine) -> None:
    table = rank(engine, [*batch("u1", 3, 10, 15), *batch("p9", 3, 25, 0), *batch("u2", 3, 5, 20)])
    assert table["rank"][["u1", "u2", "p9"]].tolist() == [1, 2, 1]
    assert table["unit_kind"]["p9"] == "province"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('metric = "overdue_share"', 'metric = "open"', "'open' must be a known ratio"),
        ("weight = 40", "weight = 0", "above 0"),
        ("weight = 40", "", "weight"),
        ("minimum_volume = 20", "minimum = 20", "minimum"),
        ('volume = "received"', 'volume = "intake"', "volume"),
        ("[[parts]]", "[[parts", "not a ranking method"),
    ],
)
def test_a_wrong_method_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = tmp_path / "method.toml"
    file.write_text(METHOD_FILE.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        Method.load(file)
