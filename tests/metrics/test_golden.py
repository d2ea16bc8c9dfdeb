"""The statements of a handful of questions, kept as text for a reviewer to read.

`IOC_GOLDEN=write pytest tests/metrics/test_golden.py` makes them anew; read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import Executable

from metrics import Clock, Period, Scope, WorkingCalendar
from metrics.cell_refresh import refresh_here
from metrics.cells import plan_of
from metrics.question import check
from metrics.statements import flows
from metrics.stocks import stocks
from tests.conftest import ROOT
from tests.metrics.world import HANOI, store

FOLDER = ROOT / "tests" / "golden"
QUESTIONS: dict[str, dict[str, Any]] = {
    "tiles": {"metrics": ["received", "resolved", "open", "overdue", "on_time_06", "balance"]},
    "overdue-by-unit": {"metrics": ["open", "overdue", "due_soon_8h"], "by": ["unit"], "scope": Scope.of({"d1"})},
    "overdue-age": {"metrics": ["overdue"], "by": ["overdue_age"], "filters": {"field": ["f1"]}},
    "channels": {"metrics": ["online_share", "online_share_eligible"], "by": ["channel"]},
    "stocks-by-month": {"metrics": ["open", "overdue", "due_soon_24h"], "by": ["unit", "month"]},
    "satisfaction": {"metrics": ["satisfied_share"], "by": ["day"], "filters": {"unit_kind": ["commune"]}},
    "cells-tiles": {"metrics": ["received", "open", "overdue", "due_soon_8h", "on_time_06", "balance"]},
    "cells-by-month": {"metrics": ["open", "overdue", "resolved"], "by": ["unit", "month"], "scope": Scope.of({"d1"})},
    "cells-by-field": {"metrics": ["online_share"], "by": ["field"], "filters": {"online_level": ["4"]}},
    "durations": {"metrics": ["median_duration", "on_time_766"], "by": ["unit_kind"]},
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_statements_are_those_on_file(engine: Engine, name: str) -> None:
    asked = {"scope": Scope.everything(), **QUESTIONS[name]}
    with engine.begin() as connection:
        store(connection, [])
        question = check(
            connection,
            asked.pop("metrics"),
            clock=Clock(HANOI, WorkingCalendar(HANOI)),
            period=Period.parse("2024Q1", HANOI),
            as_of=datetime(2024, 6, 1, tzinfo=UTC),
            **asked,
        )
        refresh_here(connection, clock=question.clock, now=datetime(2024, 6, 1, tzinfo=UTC))
        plan = plan_of(connection, question) if name.startswith("cells-") else None
    parts = [f"-- {s.name}\n{_text(s.select)};\n" for s in (*flows(question, plan), *stocks(question, plan))]
    text = "\n".join(parts)
    file = FOLDER / f"{name}.sql"
    if os.environ.get("IOC_GOLDEN") == "write":
        file.write_text(text, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == text


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in FOLDER.glob("*.sql")} == set(QUESTIONS)


def _text(statement: Executable) -> str:
    """The statement with its values in place, lists of instants shortened to their first and last."""
    compiled = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"render_postcompile": True})
    values = {name: _literal(value) for name, value in compiled.params.items()}
    text = re.sub(r"%\((\w+)\)s", lambda match: values[match[1]], str(compiled))
    text = re.sub(r" +\n", "\n", text)
    return re.sub(r" (FROM|LEFT OUTER JOIN|WHERE|AND|GROUP BY|UNION ALL) ", r"\n  \1 ", text)


def _literal(value: object) -> str:
    if isinstance(value, list):
        shown = [_literal(item) for item in value]
        return f"[{', '.join(shown if len(shown) <= 4 else [*shown[:2], '…', shown[-1]])}]"
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'"
    return str(int(value)) if isinstance(value, int) else repr(str(value))
