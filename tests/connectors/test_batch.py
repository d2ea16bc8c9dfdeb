"""Values of JSON as texts: lists and objects come back as they were."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.batch import as_text
from connectors.readers import delimited, rest, rows
from connectors.stream import Stream
from tests.connectors.intake import Intake
from tests.connectors.support import file_source, record, rest_source, settings_of

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec=None))
values = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


@given(st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3))
@example([{"a": "\ud800", "b": 10**30, "c": 1.0, "d": 1e300, "e": float("inf")}])
def test_lists_and_objects_come_back(value: object) -> None:
    assert json.loads(as_text(value) or "") == value


def test_other_values() -> None:
    assert [as_text(value) for value in (None, True, 1, 2.0, 2.5, 1e20, "x")] == [
        None, "true", "1", "2", "2.5", "1e+20", "x",
    ]  # fmt: skip
    assert json.loads(as_text([{"a": date(2022, 3, 1), "b": Decimal("1.5")}]) or "") == [
        {"a": "2022-03-01", "b": "1.5"}
    ]


LARGE = [record(number, TenTTHC="x" * 1000) for number in range(100)]


def test_batches_of_large_rows_have_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH_BYTES", 20_000)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 5_000)
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(LARGE[0]))
        writer.writeheader()
        writer.writerows(LARGE)
    source = file_source(tmp_path / "a.csv")
    sizes = [len(batch.frame) for batch in Stream.of(settings_of(source), source).read(None)]
    assert sum(sizes) == 100
    assert 10 <= max(sizes) < 30


def test_batches_of_large_records_have_fewer(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "BATCH_BYTES", 20_000)
    intake.records = LARGE
    source = rest_source(intake.url, reader={"page_size": 3})
    sizes = [len(batch.frame) for batch in Stream.of(settings_of(source), source).read(None)]
    assert sum(sizes) == 100
    assert 9 <= max(sizes) < 30
