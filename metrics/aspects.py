"""What people answered to each question of a survey form, and how the scores of whole answers are spread.

Scales are never mixed: every row is of one answer form. The marks of a question are those that its scale knows; others
(a 7 in five levels, a text) are counted apart as `unreadable` and are in no figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, Text, and_, case, column, func, select, true
from sqlalchemy.dialects.postgresql import JSONB

from metrics.calendar import Clock
from metrics.dimensions import DIMENSIONS
from metrics.interval import wilson
from metrics.period import Period
from metrics.question import Filters, Question, check
from metrics.scope import Scope
from metrics.statements import Base
from warehouse.errors import BadQuestion
from warehouse.schema import survey_answer
from warehouse.vocabulary import Label, Language, SurveyScale

_a = survey_answer.c
MINIMUM = 30
"""Answers under which a share is uncertain, as for the satisfied share."""


class Good(StrEnum):
    """What the numerator of a question counts, which depends on its scale."""

    SATISFIED = "satisfied"
    FULL_MARKS = "full_marks"


GOOD: Mapping[Good, Label] = {
    Good.SATISFIED: Label("Hài lòng trở lên", "Satisfied or better"),
    Good.FULL_MARKS: Label("Đạt điểm tối đa", "Full marks"),
}


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of a scale from `low` to `high`; from `good` on they are what `counts` says."""

    low: int
    high: int
    good: int
    counts: Good


MARKS: Mapping[SurveyScale, Marks] = {
    SurveyScale.THREE_LEVEL: Marks(1, 3, 2, Good.SATISFIED),
    SurveyScale.FIVE_LEVEL: Marks(1, 5, 4, Good.SATISFIED),
    SurveyScale.FORM_012: Marks(0, 2, 2, Good.FULL_MARKS),
}
"""Three levels: not satisfied, satisfied, very satisfied. Five: "bình thường" (3) is not satisfied. The 0–2 form (TT
01/2018/TT-VPCP, Điều 13–15) gives points and says of none that it is satisfaction."""

QUESTIONS: Mapping[str, Label] = {
    "total_time": Label("Tổng thời gian giải quyết", "Total time"),
    "unit_time": Label("Thời gian tại từng cơ quan, đơn vị", "Time at each unit"),
    "contacts": Label("Số lần phải liên hệ", "Number of contacts"),
    "bodies": Label("Số cơ quan phải liên hệ", "Number of bodies contacted"),
    "one_stop": Label("Tổ chức giải quyết tại Bộ phận Một cửa", "Organised at the one-stop desk"),
    "publication": Label("Công khai thủ tục hành chính", "Publication of procedures"),
    "attitude": Label("Thái độ phục vụ", "Attitude"),
    "petitions": Label("Tiếp thu, giải quyết phản ánh, kiến nghị", "Handling of petitions"),
    "online": Label("Dịch vụ công trực tuyến", "Online service"),
}
"""Keys that a mapping may give to the nine subjects of TT 01/2018/TT-VPCP; a key of another form is its own word."""
_NUMBERED = Label("Câu {}", "Question {}")

QUESTION_COLUMNS = (
    "scale", "question", "counts", "numerator", "denominator", "value", "low", "high", "total", "mean", "unreadable",
    "marks",
)  # fmt: skip
SCORE_COLUMNS = ("scale", "score", "answers", "share")
Key = tuple[Any, ...]


def satisfaction_by_question(
    connection: Connection,
    *,
    clock: Clock,
    period: Period,
    as_of: datetime,
    scope: Scope,
    by: Iterable[str] = (),
    filters: Filters | None = None,
) -> pd.DataFrame:
    """Return what was answered to each question in a period: one row for each group of `by`, scale and question.

    After `by` (unit, device ...; no time): QUESTION_COLUMNS. `numerator` counts the answers that are good on the scale,
    `counts` says what that is (GOOD), `denominator` the answers with a readable mark, `value` their share with its
    Wilson interval from `low` to `high`, `total` the sum of the marks and `mean` their mean, `marks` how many answers
    gave each mark of the scale, as a tuple of (mark, answers). A question that nobody answered has no row. Raises
    BadQuestion.
    """
    question = _checked(connection, clock, period, as_of, scope, by, filters)
    counts: dict[Key, dict[Any, int]] = defaultdict(lambda: defaultdict(int))
    for *key, mark, answers in connection.execute(_marks(question)):
        counts[tuple(key)][mark] += answers
    rows = [_of_question(key, found) for key, found in sorted(counts.items(), key=lambda item: _order(item[0]))]
    frame = pd.DataFrame(rows, columns=[*question.groups, *QUESTION_COLUMNS])
    whole, exact = ("numerator", "denominator", "total", "unreadable"), ("value", "low", "high", "mean")
    texts = (*_texts(question), "scale", "question", "counts")
    return frame.astype(dict.fromkeys(whole, "Int64") | dict.fromkeys(exact, "Float64") | dict.fromkeys(texts, "str"))


def score_distribution(
    connection: Connection,
    *,
    clock: Clock,
    period: Period,
    as_of: datetime,
    scope: Scope,
    by: Iterable[str] = (),
    filters: Filters | None = None,
) -> pd.DataFrame:
    """Return how many answers gave each score: after `by`, SCORE_COLUMNS, one row for each scale and score.

    Every level of a scale of levels that was answered is there, with 0 where nobody gave it; of the 0–2 form, whose
    score is a sum, those that occur. `score` is missing for answers without one; `share` is of those with one.
    Raises BadQuestion.
    """
    question = _checked(connection, clock, period, as_of, scope, by, filters)
    base = Base(question, of_answers=True)
    groups = [*base.groups, _a.scale.label("by_scale"), _a.score.label("by_score")]
    statement = select(*groups, func.count()).select_from(base.source).where(*_inside(question), *base.conditions)
    counts: dict[Key, dict[int | None, int]] = defaultdict(dict)
    for *key, score, answers in connection.execute(statement.group_by(*(group.name for group in groups))):
        counts[tuple(key)][score] = answers
    rows = [row for key, found in sorted(counts.items(), key=lambda item: _order(item[0]))
            for row in _of_scores(key, found)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=[*question.groups, *SCORE_COLUMNS])
    kinds = {"score": "Int64", "answers": "Int64", "share": "Float64"}
    return frame.astype(kinds | dict.fromkeys((*_texts(question), "scale"), "str"))


def question_name(key: str, language: Language) -> str:
    """Return the words for the key of a question: those of QUESTIONS, its number, or the key as the source says it."""
    if key in QUESTIONS:
        return QUESTIONS[key].text(language)
    return _NUMBERED.text(language).format(key) if key.isdecimal() else key


def _checked(
    connection: Connection,
    clock: Clock,
    period: Period,
    as_of: datetime,
    scope: Scope,
    by: Iterable[str],
    filters: Filters | None,
) -> Question:
    groups = tuple(by)
    question = check(
        connection, ["answers"], clock=clock, period=period, as_of=as_of, scope=scope, by=groups, filters=filters
    )
    if question.step:
        raise BadQuestion(f"answers by question are of a whole period; ask without {question.step}")
    return question


def _inside(question: Question) -> list[Any]:
    known = [str(scale) for scale in MARKS]
    return [and_(_a.answered_at >= question.period.start, _a.answered_at < question.until), _a.scale.in_(known)]


def _marks(question: Question) -> Select[Any]:
    """Answers by scale, question and mark as it is written; aspects that are no object hold no questions."""
    base = Base(question, of_answers=True)
    held = case((func.jsonb_typeof(_a.aspects) == "object", _a.aspects))
    each = func.jsonb_each(held).table_valued("key", column("value", JSONB), name="each").render_derived()
    written = case((func.jsonb_typeof(each.c.value) == "number", each.c.value.cast(Text)))
    groups = [*base.groups, _a.scale.label("by_scale"), each.c.key.label("by_question"), written.label("by_mark")]
    source = base.source.join(each, true())
    unanswered = func.jsonb_typeof(each.c.value) != "null"
    statement = select(*groups, func.count()).select_from(source).where(*_inside(question), unanswered)
    return statement.where(*base.conditions).group_by(*(group.name for group in groups))


def _of_question(key: Key, found: Mapping[str | None, int]) -> tuple[Any, ...]:
    scale = MARKS[SurveyScale(key[-2])]
    spread = dict.fromkeys(range(scale.low, scale.high + 1), 0)
    unreadable = 0
    for written, answers in found.items():
        mark = None if written is None else float(written)
        if mark in spread:
            spread[int(mark)] += answers
        else:
            unreadable += answers
    n, total = sum(spread.values()), sum(mark * answers for mark, answers in spread.items())
    good = sum(answers for mark, answers in spread.items() if mark >= scale.good)
    around = wilson(good, n)
    value = (good / n, around.low, around.high) if around else (None, None, None)
    mean = total / n if n else None
    return (*key, str(scale.counts), good, n, *value, total, mean, unreadable, tuple(spread.items()))


def _of_scores(key: Key, found: Mapping[int | None, int]) -> list[tuple[Any, ...]]:
    scale = SurveyScale(key[-1])
    levels = range(MARKS[scale].low, MARKS[scale].high + 1) if MARKS[scale].counts is Good.SATISFIED else ()
    scores = sorted({*levels, *(score for score in found if score is not None)})
    n = sum(answers for score, answers in found.items() if score is not None)
    rows: list[tuple[Any, ...]] = [(*key, score, found.get(score, 0), found.get(score, 0) / n if n else None)
                                   for score in scores]  # fmt: skip
    return [*rows, (*key, None, found[None], None)] if None in found else rows


def _texts(question: Question) -> tuple[str, ...]:
    return tuple(name for name in question.groups if not DIMENSIONS[name].is_number)


def _order(key: Key) -> Key:
    """Groups with the unknown last, questions by their number where they have one."""
    return tuple(
        (part is None, not str(part).isdecimal(), int(part) if str(part).isdecimal() else 0, str(part)) for part in key
    )


__all__ = [
    "GOOD",
    "MARKS",
    "MINIMUM",
    "QUESTIONS",
    "QUESTION_COLUMNS",
    "SCORE_COLUMNS",
    "Good",
    "Marks",
    "question_name",
    "satisfaction_by_question",
    "score_distribution",
]
