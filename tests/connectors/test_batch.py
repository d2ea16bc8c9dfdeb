"""Values of JSON as texts: lists and objects come back as they were."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from connectors.batch import as_text

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
