"""Tiles: what stands under a figure, from targets, corrections and small denominators; no text written by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from dashboard.figures import Figure, amount, figure, series
from dashboard.theme import Meaning
from dashboard.tiles import Goal, state_of
from metrics import METRICS, Scope, measure
from metrics.targets import Target, store_targets
from tests.dashboard.conftest import fill
from tests.dashboard.test_pages import words

Application = Callable[..., AppTest]


def with_target(engine: Engine, value: float) -> None:
    target = Target("on_time_06", "district", date(2020, 1, 1), value, date(2030, 12, 31), "QĐ 766/QĐ-TTg", None)
    with engine.begin() as connection:
        store_targets(connection, [target])


@pytest.mark.parametrize(("value", "verdict"), [(0.1, ", đạt"), (1.0, "chỉ tiêu 100")])
def test_a_tile_tells_its_target(
    application: Application, engine: Engine, now: datetime, value: float, verdict: str
) -> None:
    fill(engine, now)
    with_target(engine, value)
    said = words(application("tong-quan"))
    assert "chỉ tiêu" in said
    assert "đến 31/12/2030" in said
    assert verdict in said


def test_the_explanation_is_that_of_the_declaration(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("tong-quan")
    for metric in test.metric:
        declared = [one for one in METRICS.values() if one.definition.vi in metric.help]
        assert declared, metric.label
        assert declared[0].short.vi in metric.help


def test_few_cases_are_said(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now, units=1, dossiers=3)
    assert METRICS["on_time_06"].minimum > 3
    assert "ít số liệu" in words(application("tong-quan"))


def test_units_above_and_below_their_targets(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now, dossiers=300)
    assert "ioc targets load default" in words(application("tong-quan"))
    low = Target("on_time_06", "commune", date(2020, 1, 1), 0.1, None, None, None)
    with engine.begin() as connection:
        store_targets(connection, [low])
    said = words(application("tong-quan"))
    assert "đạt 1/1 chỉ tiêu" in said
    assert "ioc targets load default" not in said


@pytest.mark.parametrize(
    ("figure_", "goal", "meaning"),
    [
        (Figure("overdue", 3, None, None), None, Meaning.OVERDUE),
        (Figure("overdue", 0, None, None), None, Meaning.NEUTRAL),
        (Figure("on_time_06", 0.9, 90, 100), Goal(0.8), Meaning.ON_TIME),
        (Figure("on_time_06", 0.7, 70, 100), Goal(0.8), Meaning.OVERDUE),
        (Figure("on_time_06", None, 0, 0), Goal(0.8), Meaning.UNKNOWN),
    ],
)
def test_what_a_colour_means(figure_: Figure, goal: Goal | None, meaning: Meaning) -> None:
    usual = Meaning.OVERDUE if figure_.metric == "overdue" else Meaning.NEUTRAL
    assert state_of(figure_, goal, usual) is meaning


def test_amounts_are_written_as_the_reader_does() -> None:
    assert amount("open", 28_856, "vi") == "28.856"
    assert amount("on_time_06", 0.5773, "vi", 2) == "57,73\u00a0%"
    assert amount("on_time_06", 0.5773, "en", 2) == "57.73\u00a0%"
    assert amount("on_time_06", None, "vi") == "–"


def test_reading_an_answer_equals_pandas(engine: Engine, now: datetime) -> None:
    """The quick readers of frames give what a mask and a sort of pandas give."""
    from metrics import Clock, Period  # noqa: PLC0415
    from warehouse.settings import Settings  # noqa: PLC0415

    fill(engine, now)
    clock = Clock.of(Settings())
    period = Period(now - timedelta(days=30), now, "x")
    with engine.connect() as connection:
        frame = measure(
            connection,
            ["received", "on_time_06"],
            clock=clock,
            period=period,
            as_of=now.astimezone(UTC),
            scope=Scope.everything(),
            by=("day",),
        )
    for name in ("received", "on_time_06"):
        rows = frame[frame["metric"] == name].sort_values("day").set_index("day")["value"]
        assert series(frame, name, "day").astype("Float64").equals(rows.astype("Float64"))
        first = rows.index[0]
        assert figure(frame, name, day=first).value == (None if rows.isna().iloc[0] else rows.iloc[0])
