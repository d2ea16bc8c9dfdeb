"""The 766 estimate against plain Python, the official scores beside it, and the file of the method."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert

from metrics import Clock, Period, Scope, WorkingCalendar
from metrics.method766 import METHOD, METHOD_FILE, Method766
from metrics.score766 import Scores766, estimate766
from tests.metrics import oracle
from tests.metrics.world import HANOI, SEEN, Dossier, dossiers, instants, store
from warehouse.errors import ConfigurationError
from warehouse.schema import external_score

CLOCK = Clock(HANOI, WorkingCalendar(HANOI))
QUARTER = Period.parse("2024Q1", HANOI)
LATER = datetime(2024, 6, 1, tzinfo=UTC)
RULES = {
    "2.1": ("on_time_766", 20.0, 1.0), "3.6": ("online_payment_share", 6.0, 1.0), "4.1": ("e_result_share", 6.0, 1.0),
    "4.2": ("digitised_share", 4.0, 0.8), "4.3": ("reused_share", 2.0, 0.8),
}  # fmt: skip
"""Points and thresholds once more, from the description of the index."""


def estimate(
    connection: Connection, as_of: datetime = LATER, scope: Scope | None = None, *, whole: bool = False
) -> Scores766:
    return estimate766(
        connection, clock=CLOCK, period=QUARTER, as_of=as_of, scope=scope or Scope.everything(), whole=whole
    )


@given(rows=st.lists(dossiers(HANOI), max_size=25), as_of=instants(HANOI))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_points_are_those_of_the_rules(engine: Engine, rows: list[Dossier], as_of: datetime) -> None:
    as_of = max(as_of, QUARTER.start)
    until = min(as_of, QUARTER.end)
    span = oracle.Span(QUARTER.start, until, as_of, until, HANOI, CLOCK)
    with engine.begin() as connection:
        store(connection, rows)
        connection.execute(delete(external_score))
        scores = estimate(connection, as_of)
    sums: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in scores.parts.itertuples():
        mine = [d for d in rows if d.unit == row.unit]
        if row.part not in RULES:
            assert pd.isna(row.points), row.part
            continue
        metric, maximum, full_at = RULES[row.part]
        top, bottom, share = oracle.figure(metric, mine, [], span)
        assert (row.numerator, row.denominator) == (top, bottom)
        assert pd.isna(row.points) == (bottom == 0), "nothing to measure is neither 0 nor full"
        if share is not None:
            points = round(maximum if share >= full_at else maximum * share / full_at, 2)
            assert row.points == pytest.approx(points)
            sums[row.unit].append((points, maximum))
    for row in scores.sums.itertuples():
        points, maxima = [pair[0] for pair in sums[row.unit]], [pair[1] for pair in sums[row.unit]]
        assert row.parts == len(points)
        assert row.maximum == sum(maxima)
        assert pd.isna(row.points) if not points else row.points == pytest.approx(sum(points))
        assert pd.isna(row.official)
        assert pd.isna(row.band)


def official(unit: str, item: str, score: float | None, period: str = "2024Q1", source: str = "a") -> dict[str, object]:
    return {"source": source, "unit": unit, "period": period, "item": item, "score": score, "max_score": 100.0,
            "numerator": 7, "denominator": 9, "quality": "TEMP", "seen_at": SEEN, "payload_hash": ""}  # fmt: skip


DAY = datetime(2024, 2, 5, 3, tzinfo=UTC)
DIGITISED = Dossier("u1", "a", 2, DAY, None, None, 4, None, None, None, digitised=True)


def test_the_official_score_stands_beside_ours_and_is_never_replaced(engine: Engine) -> None:
    told = [
        official("u1", "TOTAL", 75.34), official("u1", "TDGQ", 19.41), official("u2", "TOTAL", 90.0),
        official("u1", "TOTAL", 76.0, source="b"), official("u2", "TOTAL", 10.0, period="2024Q2"),
        official("u3", "TOTAL", 79.99, period="2024-01-01/2024-03-31"), official("d1", "TOTAL", 60.0),
        official("d1", "SO_HOA_GIAY_TO_GIAI_QUYET", 1.0), official("u2", "PETITION_PROCESSING_ON_TIME", None),
    ]  # fmt: skip
    with engine.begin() as connection:
        store(connection, [DIGITISED, Dossier("d1", "a", 2, DAY, None, None, 4, None, None, None, digitised=False)])
        connection.execute(insert(external_score), told)
        scores = estimate(connection)
        district = estimate(connection, scope=Scope.of({"d1"}), whole=True)
        two = estimate(connection, scope=Scope.of({"u1", "u2"}), whole=True)
    sums = scores.sums.set_index("unit")
    assert sums["official"][["u1", "u2", "u3"]].tolist() == [76.0, 90.0, 79.99]
    assert sums["band"][["u1", "u2", "u3"]].tolist() == ["fair", "excellent", "fair"]
    parts = scores.parts.set_index(["unit", "part"])
    assert parts["official_points"]["u1", "2.1"] == 19.41
    assert (parts["official_numerator"]["u1", "2.1"], parts["official_quality"]["u1", "2.1"]) == (7, "TEMP")
    assert parts["points"]["u1", "4.2"] == 4
    assert parts["official_denominator"]["u2", "5.2"] == 9
    # a district's official score is of its communes too: it stands only beside an estimate of all of them
    assert pd.isna(sums["official"]["d1"])
    assert pd.isna(parts["official_points"]["d1", "4.2"])
    [row] = district.sums.itertuples()
    assert (row.unit, row.official, row.band) == ("d1", 60.0, "average")
    both = district.parts.set_index("part").loc["4.2"]
    assert (both["numerator"], both["denominator"], both["official_points"]) == (1, 2, 1.0)
    assert both["points"] == 2.5
    assert pd.isna(two.sums["unit"][0])


def test_satisfaction_after_766_is_not_estimated_from_surveys() -> None:
    part = next(part for part in METHOD.parts if part.number == "5.4")
    assert part.metric is None
    assert part.missing is not None
    assert "không phải khảo sát" in part.label.vi


def test_the_method_is_whole() -> None:
    assert sum(group.maximum for group in METHOD.groups) == 100
    for group in METHOD.groups:
        maxima = [part.maximum for part in METHOD.parts if part.group == group.code]
        if None not in maxima:
            assert sum(maximum or 0 for maximum in maxima) == group.maximum, group.code
    assert {part.number for part in METHOD.computed} - {"3.3"} == set(RULES)


@pytest.mark.parametrize(
    ("score", "code"),
    [(100, "excellent"), (90, "excellent"), (89.99, "good"), (80, "good"), (70, "fair"), (69.99, "average"),
     (50, "average"), (49.99, "weak"), (0, "weak")],
)  # fmt: skip
def test_bands(score: float, code: str) -> None:
    band = METHOD.band(score)
    assert band is not None
    assert band.code == code
    assert METHOD.band(None) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('metric = "on_time_766"', 'metric = "open"', "part 2.1: metric 'open' must be a known share"),
        ('metric = "on_time_766"', "", "part 2.1: give either metric or missing"),
        ('number = "1.2"', 'number = "1.1"', "two parts have the same number"),
        ("from = 50", "from = 95", "bands must go down"),
        ('group = "TDGQ"', 'group = "X"', "unknown group 'X'"),
        ("full_at = 0.5", "full_at = 0.0", "part 3.3: full_at must be"),
        ("maximum = 20\nevidence", "top = 20\nevidence", "unexpected keyword argument 'top'"),
        ("[[bands]]", "[[bands", "not a method of the 766 index"),
    ],
)
def test_a_wrong_method_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = METHOD_FILE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "method.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        Method766.load(file)
