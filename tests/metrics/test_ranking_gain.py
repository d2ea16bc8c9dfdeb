"""What would move a unit up, proved by doing it: the events are put into the warehouse and the units ranked again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import Engine

from metrics.peers import peers
from metrics.ranking import DEFAULT
from metrics.ranking_gain import COLUMNS, gains, next_above
from tests.metrics.test_ranking import batch, rank
from tests.metrics.world import Answer, Dossier
from warehouse.errors import BadQuestion

DAY = datetime(2024, 3, 20, 3, tzinfo=UTC)


def waiting(unit: str, overdue: int, in_time: int) -> list[Dossier]:
    received = datetime(2024, 2, 5, 3, tzinfo=UTC)
    dues = [DAY] * overdue + [DAY + timedelta(40)] * in_time
    return [Dossier(unit, "b", 1, received, due, None, 4, None, 0, None) for due in dues]


def votes(unit: str, satisfied: int, not_satisfied: int) -> list[Answer]:
    return [Answer(unit, DAY, n < satisfied, None) for n in range(satisfied + not_satisfied)]


def online(unit: str, count: int) -> list[Dossier]:
    """Received online for a procedure that offers it, and withdrawn at once: nothing but the online share moves."""
    return [Dossier(unit, "a", 2, DAY, DAY, DAY, 7, None, 0, None)] * count


ROWS = [
    *batch("u1", 3, 27, 4), *waiting("u1", 6, 14), *online("u1", 6),
    *batch("u2", 3, 25, 5), *waiting("u2", 8, 12), *online("u2", 4), *batch("u2", 3, 3, 0),
    *batch("u3", 3, 24, 7), *waiting("u3", 9, 11), *online("u3", 4), *batch("u3", 3, 2, 0),
]  # fmt: skip
ANSWERS = [*votes("u1", 16, 4), *votes("u2", 15, 5), *votes("u3", 14, 6)]


def done(unit: str, part: str, count: int) -> tuple[list[Dossier], list[Answer]]:
    """The world after so many events of a part."""
    if part == "satisfied_share":
        return ROWS, [*ANSWERS, *votes(unit, count, 0)]
    if part == "on_time_06":
        later = [Dossier(unit, "b", 1, DAY, DAY + timedelta(1), DAY, 10, None, 0, None)] * count
        return [*ROWS, *later], ANSWERS
    if part == "online_share_eligible":
        return [*ROWS, *online(unit, count)], ANSWERS
    left, rows = count, []
    for row in ROWS:
        ends = left > 0 and row.unit == unit and row.finished_at is None and row.due_at == DAY
        left -= ends
        rows.append(replace(row, finished_at=DAY + timedelta(3), status=10) if ends else row)
    return rows, ANSWERS


@pytest.mark.parametrize("unit", ["u2", "u3"])
def test_so_many_events_move_it_up_and_one_less_does_not(engine: Engine, unit: str) -> None:
    before = rank(engine, ROWS, ANSWERS).reset_index()
    table = gains(before, unit)
    above = next_above(before, unit)
    assert above is not None
    assert list(table.columns) == list(COLUMNS)
    assert set(table["part"]) == {part.metric for part in DEFAULT.parts}
    assert table["needed"].notna().sum() >= 2
    for row in table.dropna(subset=["needed"]).itertuples():
        after = rank(engine, *done(unit, row.part, int(row.needed)))
        assert (after["rank"][unit], after["score"][unit]) == (row.rank, row.score)
        assert after["rank"][unit] < before.set_index("unit")["rank"][unit]
        less = rank(engine, *done(unit, row.part, int(row.needed) - 1))
        assert less["score"][unit] <= above.score
    for part in table.loc[table["needed"].isna(), "part"]:
        most = 9 if part == "overdue_share" else 3000
        if part == "overdue_share":
            assert rank(engine, *done(unit, part, most))["score"][unit] <= above.score


def test_missing_points_are_those_up_to_the_best_value(engine: Engine) -> None:
    table = gains(rank(engine, ROWS, ANSWERS).reset_index(), "u3").set_index("part")
    assert table["missing"].is_monotonic_decreasing
    assert table["missing"].sum() == pytest.approx(100 - table["points"].sum())
    assert (table["numerator"]["on_time_06"], table["denominator"]["on_time_06"]) == (26, 33)


def test_who_leads_or_is_not_ranked_has_nobody_above(engine: Engine) -> None:
    table = rank(engine, [*ROWS, *batch("p9", 3, 3, 0)], ANSWERS).reset_index()
    for unit in ("u1", "p9"):
        assert next_above(table, unit) is None
        assert gains(table, unit)["needed"].isna().all()
    with pytest.raises(BadQuestion, match="does not have"):
        gains(table, "nowhere")


def test_a_part_that_was_not_measured_can_be_what_is_missing(engine: Engine) -> None:
    table = rank(engine, ROWS, [answer for answer in ANSWERS if answer.unit != "u2"]).reset_index()
    row = gains(table, "u2").set_index("part").loc["satisfied_share"]
    assert pd.isna(row["missing"])
    assert row["denominator"] == 0
    if not pd.isna(row["needed"]):
        others = [answer for answer in ANSWERS if answer.unit != "u2"]
        after = rank(engine, ROWS, [*others, *votes("u2", int(row["needed"]), 0)])
        assert after["score"]["u2"] == row["score"]


def test_peers_are_of_like_size_and_the_same_kind(engine: Engine) -> None:
    table = rank(
        engine, [*batch("u1", 3, 20, 0), *batch("u2", 3, 30, 0), *batch("u3", 3, 31, 0), *batch("p9", 3, 20, 0)]
    )
    table = table.reset_index()
    units = pd.DataFrame({"code": ["u1", "u2", "u3", "p9"], "population": [1000, 5000, 1400, 1000]})
    assert peers(table, units, "u1", "volume", 1.5) == {"u1", "u2"}
    assert peers(table, units, "u1", "population", 1.5) == {"u1", "u3"}
    assert peers(table, units.assign(population=None), "u1", "population") == frozenset()
    for unit, factor in (("x", 2.0), ("u1", 0.5)):
        with pytest.raises(BadQuestion):
            peers(table, units, unit, "volume", factor)
