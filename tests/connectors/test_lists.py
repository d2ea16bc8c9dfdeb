"""Lists: what the expressions over whole columns answer is what parsing every list answers."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.batch import as_text
from connectors.lists import ListColumn
from connectors.values import fold

words = ["", " ", "1", "2.0", "2.00", " 1 ", "x", "X", "true", "null", "có", "K", "\x7f", "\u00a0", "a b"]
signs = ['"', "\\", "{", "}", "[", "]", '"a": 1', "\n", "\u2028"]
values = st.sampled_from([*words, *signs, -3, 0, 1, 2, 1.0, 2.0, 1e20, 10**16, True, False, None, [], {"a": 1}, ["a"]])
members = st.lists(st.tuples(st.sampled_from(["a", "a", "b", "A", "a b"]), values), max_size=3)
"""Pairs, not a dict: a name may come twice."""


def text_of(elements: list[list[tuple[str, Any]]], gap: str, escaped: bool, cut: int | None, more: str) -> str:
    """Write a list of objects with some space, letters perhaps as escapes, perhaps broken."""

    def member(name: str, value: object) -> str:
        return f"{gap}{json.dumps(name)}{gap}:{gap}{json.dumps(value, ensure_ascii=escaped)}{gap}"

    objects = ["{" + ",".join(member(*pair) for pair in pairs) + "}" for pairs in elements]
    return f"[{gap}{(',' + gap).join(objects)}{gap}]"[:cut] + more


gaps, ends = st.sampled_from(["", " ", "\n", "\t "]), st.sampled_from(["", "", "", "", "x", "]", ",[]", "{}"])
cuts = st.none() | st.none() | st.integers(0, 30)
written = st.builds(text_of, st.lists(members, max_size=3), gaps, st.booleans(), cuts, ends)
others = st.sampled_from(
    ["[]", "[ ]", "[1]", "[null]", "{}", "null", "1", "", "[[]]", '["a"]', '[{"a": 01}]', '[{"a": -0}]']
)
columns = st.lists(st.none() | written | others, min_size=1, max_size=8)


def parsed(text: str | None) -> list[dict[str, Any]] | None:
    try:
        value = json.loads(text or "null")
    except ValueError:
        return None
    right = isinstance(value, list) and all(isinstance(element, dict) for element in value)
    return value if right else None


def any_of(elements: list[dict[str, Any]] | None, item: str, among: tuple[str, ...]) -> bool | None:
    if elements is None:
        return None
    said = [as_text(element.get(item)) or "" for element in elements]
    return any(fold(text) in {fold(word) for word in among} if among else bool(text.strip()) for text in said)


@given(
    columns,
    st.sampled_from(["a", "b", "a b"]),
    st.sampled_from([(), ("1", "2"), ("X",), ("true",), ("null",), ("có",)]),
)
@example(['[{"a": "1"}, {"a": 2}]', '[{"a": 1, "a": ""}]', '[{"b": "a", "c": "1"}]'], "a", ("1", "2"))
@example(['[{"a": "\x7f"}]', '[{"a": "\u00a0"}]', '[{"a": null}]', '[{"a": false}]', '[{"a": "\u212a"}]'], "a", ())
@example(['[{"a": null}]', '[{"a": "NULL"}]'], "a", ("null",))
@example(['[{"a": "\u212a"}]'], "a", ("K",))
def test_expressions_answer_like_the_parser(column: list[str | None], item: str, among: tuple[str, ...]) -> None:
    lists = ListColumn(pa.array(column, pa.large_string()))
    meant = [parsed(text) for text in column]
    assert lists.bad.tolist() == [
        text is not None and elements is None for text, elements in zip(column, meant, strict=True)
    ]
    assert lists.count().to_pylist() == [None if elements is None else len(elements) for elements in meant]
    assert lists.any(item, among).to_pylist() == [any_of(elements, item, among) for elements in meant]
    assert lists.first(item).to_pylist() == [as_text(elements[0].get(item)) if elements else None for elements in meant]
