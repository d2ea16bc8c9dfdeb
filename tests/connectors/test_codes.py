"""Codes of dossiers: what is said before the serial number is what one expression over the whole code finds."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.codes import DAY, UNIT, said_by_code

WHOLE = {
    DAY: re.compile(r"-(\d{6})-[0-9A-Z]{4,}\Z", re.ASCII),
    UNIT: re.compile(r"\A[A-Z]\d{2}\.(\d{5})-\d{6}-[0-9A-Z]{4,}\Z", re.ASCII),
}
parts = st.sampled_from(
    ["H29", ".", "27634", "227", "-", "-220104-", "220104", "0001", "00A1", "001", "X", "x", " ", "\n", "ế", "٣"]
)
codes = st.none() | st.lists(parts, max_size=7).map("".join)


@given(st.lists(codes, min_size=1, max_size=8), st.sampled_from([DAY, UNIT]))
def test_like_one_expression_over_the_whole_code(texts: list[str | None], pattern: str) -> None:
    found = [WHOLE[pattern].search(text) if text is not None else None for text in texts]
    said = said_by_code(pa.array(texts, pa.large_string()), pattern).to_pylist()
    assert said == [match[1] if match else None for match in found]


@pytest.mark.parametrize(
    ("code", "unit", "day"),
    [
        ("H29.27634-220104-0001", "27634", "220104"),
        ("H21.227-220104-0001", None, "220104"),
        ("H29.27634-220104-001", None, None),
        ("H29.27634-220104-0001 ", None, None),
        ("27634-220104-0001", None, "220104"),
        ("", None, None),
    ],
)
def test_unit_and_day_of_a_code(code: str, unit: str | None, day: str | None) -> None:
    array = pa.array([code], pa.large_string())
    assert (said_by_code(array, UNIT)[0].as_py(), said_by_code(array, DAY)[0].as_py()) == (unit, day)
