"""Answers by question and scores of answers, against plain Python over generated answers."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from metrics import Clock, Period, Scope, WorkingCalendar
from metrics.aspects import QUESTIONS, question_name, satisfaction_by_question, score_distribution
from tests.metrics.test_oracle import answer_value, in_scope
from tests.metrics.world import HANOI, Answer, Dossier, answers, dossiers, instants, store
from warehouse.errors import BadQuestion

CLOCK = Clock(HANOI, WorkingCalendar(HANOI))
LEVELS = {"three_level": (1, 2, 3), "five_level": (1, 2, 3, 4, 5), "form_012": (0, 1, 2)}
GOOD = {"three_level": {2, 3}, "five_level": {4, 5}, "form_012": {2}}
GROUPS: tuple[tuple[str, ...], ...] = ((), ("unit",), ("device",), ("unit", "device"), ("channel",))
EVERYTHING = Scope.everything()
FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def one(number: int, **changes: Any) -> Answer:  # noqa: ANN401
    values = {"unit": "u1", "answered_at": datetime(2024, 2, 1, number % 20, tzinfo=UTC), "satisfied": None, "of": None}
    return Answer(**{**values, **changes})


def asked(engine: Engine, judged: list[Answer], rows: list[Dossier] | None = None, **changes: Any) -> Any:  # noqa: ANN401
    question: dict[str, Any] = {
        "clock": CLOCK, "period": Period.parse("2024-02", HANOI), "as_of": datetime(2024, 6, 1, tzinfo=UTC),
        "scope": EVERYTHING, **changes,
    }  # fmt: skip
    with engine.begin() as connection:
        store(connection, rows or [], judged)
        return satisfaction_by_question(connection, **question), score_distribution(connection, **question)


def wilson(k: int, n: int) -> tuple[float, float]:
    """The roots of n (p̂ − p)² = z² p (1 − p)."""
    z, share = 1.959963984540054, k / n
    a, b, c = 1 + z * z / n, -(2 * share + z * z / n), share * share
    root = math.sqrt(max(b * b - 4 * a * c, 0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


@given(
    judged=st.lists(answers(HANOI), max_size=25), rows=st.lists(dossiers(HANOI), max_size=6), as_of=instants(HANOI),
    by=st.sampled_from(GROUPS), text=st.sampled_from(("2024", "2024-02", "report-2024Q1")),
    scope=st.sampled_from((EVERYTHING, Scope.of({"d1"}))), device=st.sampled_from((None, "kiosk", "")),
)  # fmt: skip
@FEW
def test_every_question_and_score_by_every_grouping(
    engine: Engine, judged: list[Answer], rows: list[Dossier], as_of: datetime, by: tuple[str, ...], text: str,
    scope: Scope, device: str | None,
) -> None:  # fmt: skip
    period = Period.parse(text, HANOI)
    as_of = max(as_of, period.start)
    filters = {} if device is None else {"device": [device]}
    frames = asked(engine, judged, rows, period=period, as_of=as_of, scope=scope, by=by, filters=filters)
    mine = [
        a for a in judged
        if period.start <= a.answered_at < min(period.end, as_of) and in_scope(a.unit, scope)
        and (device is None or (a.device or "") == device)
    ]  # fmt: skip
    marks: dict[tuple[Any, ...], list[Any]] = {}
    scores: dict[tuple[Any, ...], list[int | None]] = {}
    for a in mine:
        key = (*(answer_value(a, rows, name) for name in by), a.scale)
        scores.setdefault(key, []).append(a.score)
        for name, mark in (a.aspects if isinstance(a.aspects, dict) else {}).items():
            if mark is not None:
                marks.setdefault((*key, name), []).append(mark)
    questions, distribution = (frame.astype(object).where(frame.notna(), None) for frame in frames)
    assert len(questions) == len(marks)
    for row in questions.to_dict("records"):
        key = (*(row[name] for name in by), row["scale"], row["question"])
        told = marks[key]
        readable = [m for m in told if isinstance(m, int) and not isinstance(m, bool) and m in LEVELS[row["scale"]]]
        good = sum(m in GOOD[row["scale"]] for m in readable)
        assert (row["numerator"], row["denominator"], row["total"]) == (good, len(readable), sum(readable)), key
        assert row["unreadable"] == len(told) - len(readable)
        assert dict(row["marks"]) == {m: readable.count(m) for m in LEVELS[row["scale"]]}
        if not readable:
            assert (row["value"], row["low"], row["high"], row["mean"]) == (None, None, None, None)
            continue
        assert (row["value"], row["mean"]) == pytest.approx((good / len(readable), sum(readable) / len(readable)))
        assert (row["low"], row["high"]) == pytest.approx(wilson(good, len(readable)), abs=1e-9)
    expected: Counter[tuple[Any, ...]] = Counter()
    for key, found in scores.items():
        levels = LEVELS[key[-1]] if key[-1] != "form_012" else ()
        for score in {*levels, *found}:
            expected[(*key, score)] = found.count(score)
    shown = {
        (*(row[name] for name in by), row["scale"], row["score"]): row["answers"]
        for row in distribution.to_dict("records")
    }
    assert shown == dict(expected)


def test_scales_are_never_mixed_and_each_says_what_it_counts(engine: Engine) -> None:
    judged = [
        one(1, scale="three_level", score=2, aspects={"attitude": 2}),
        one(2, scale="five_level", score=3, aspects={"attitude": 3}),
        one(3, scale="form_012", score=11, aspects={"attitude": 1, "10": 2, "2": 0}),
        one(4, scale="form_012", score=None, aspects={"attitude": 2, "10": 7}),
    ]
    questions, scores = asked(engine, judged)
    rows = [
        (row.scale, row.question, row.counts, row.numerator, row.denominator, row.unreadable)
        for row in questions.itertuples()
    ]
    assert rows == [
        ("five_level", "attitude", "satisfied", 0, 1, 0),
        ("form_012", "2", "full_marks", 0, 1, 0),
        ("form_012", "10", "full_marks", 1, 1, 1),
        ("form_012", "attitude", "full_marks", 1, 2, 0),
        ("three_level", "attitude", "satisfied", 1, 1, 0),
    ]
    assert list(zip(scores["scale"], scores["answers"], strict=True))[:5] == [
        ("five_level", 0), ("five_level", 0), ("five_level", 1), ("five_level", 0), ("five_level", 0),
    ]  # fmt: skip
    form = scores[scores["scale"] == "form_012"]
    assert [None if pd.isna(score) else score for score in form["score"]] == [11, None]
    assert form["share"].iloc[0] == 1
    assert pd.isna(form["share"].iloc[1])


def test_nothing_answered_is_an_empty_frame_with_its_columns(engine: Engine) -> None:
    questions, scores = asked(engine, [], by=["unit"])
    assert questions.empty
    assert list(questions.columns[:3]) == ["unit", "scale", "question"]
    assert list(scores.columns) == ["unit", "scale", "score", "answers", "share"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"by": ["month"]}, "ask without month"),
        ({"by": ["overdue_age"]}, "leave out answers"),
        ({"filters": {"device": []}}, "no value"),
        ({"as_of": datetime(2024, 1, 1, tzinfo=UTC)}, "nothing is known"),
    ],
)
def test_a_bad_question_is_refused(engine: Engine, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadQuestion, match=message):
        asked(engine, [], **changes)


def test_words_of_questions() -> None:
    assert question_name("3", "vi") == "Câu 3"
    assert question_name("3", "en") == "Question 3"
    assert question_name("attitude", "vi") == "Thái độ phục vụ"
    assert question_name("Vệ sinh nơi chờ", "en") == "Vệ sinh nơi chờ"
    assert len(QUESTIONS) == 9
    assert all(label.vi and label.en for label in QUESTIONS.values())
