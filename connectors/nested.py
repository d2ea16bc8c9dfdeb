"""Fields that hold lists and objects (JSON): their items, and the rows that are made of their elements."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.batch import Mask, as_text, text_array
from connectors.lists import read_json
from connectors.rules import NUMBER, RowSet, item_field
from connectors.values import clean

Rows = NDArray[np.int64]
LONGEST_LIST = 20_000
"""Signs of a list or object that are kept of a refused record."""


def dig(element: Mapping[str, Any], item: str) -> Any:  # noqa: ANN401 - a value of JSON
    """Return one item of an element; dots in its name lead into objects inside."""
    if item in element or "." not in item:
        return element.get(item)
    first, _, rest = item.partition(".")
    inside = element.get(first)
    return dig(inside, rest) if isinstance(inside, Mapping) else None


def parsed(text: str | None) -> Any:  # noqa: ANN401 - a value of JSON
    """Read JSON; what is no JSON at all is an Ellipsis, which JSON cannot hold."""
    try:
        return read_json(text or "null")
    except (ValueError, RecursionError):
        return ...


def members(texts: Any, item: str) -> tuple[Any, Mask]:  # noqa: ANN401 - Arrow text arrays
    """Return one item of the object in each text, and which texts are no objects."""
    encoded = pc.dictionary_encode(texts)
    values = [parsed(text) for text in encoded.dictionary.to_pylist()]
    found = text_array([as_text(dig(value, item)) if isinstance(value, Mapping) else None for value in values])
    bad = pa.array([value is not None and not isinstance(value, Mapping) for value in values], pa.bool_())
    spoilt = pc.fill_null(bad.take(encoded.indices), False).to_numpy(zero_copy_only=False)
    return found.take(encoded.indices), np.asarray(spoilt, dtype=bool)


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of one field of many records: where each belongs, its number from 1, its items as columns.

    `bad` marks the records whose field holds nothing that could be read.
    """

    record: Rows
    number: Rows
    items: Mapping[str, Any]
    bad: Mask


def elements(rows: RowSet, items: set[str], texts: Mapping[str, Any], size: int, empty: Sequence[str]) -> Elements:
    """Take the elements out of the fields that a row set names; `texts` are the cleaned fields of the records."""
    if rows.wide:
        return _named(rows.wide, texts, size)
    field = texts.get(rows.label)
    bad = np.zeros(size, bool)
    found: list[tuple[int, int, Mapping[str, Any]]] = []
    if field is None:
        field = pa.nulls(size, pa.large_string())
    if not rows.optional:
        bad |= np.asarray(pc.is_null(field).to_numpy(zero_copy_only=False), dtype=bool)
    full = np.flatnonzero(pc.fill_null(pc.not_equal(field, "[]"), False).to_numpy(zero_copy_only=False))
    for record, text in zip(full.tolist(), field.take(pa.array(full)).to_pylist(), strict=True):
        inside = _objects(rows, parsed(text))
        bad[record] = inside is None
        found += [(record, number, element) for number, element in inside or ()]
    columns = {item: _column(item, found, empty) for item in items}
    record_numbers = np.array([record for record, _, _ in found], np.int64)
    return Elements(record_numbers, np.array([number for _, number, _ in found], np.int64), columns, bad)


def _objects(rows: RowSet, value: Any) -> list[tuple[int, Mapping[str, Any]]] | None:  # noqa: ANN401 - JSON
    """The numbered elements of a list, or entries of an object; None for what is neither."""
    if rows.entries:
        if not isinstance(value, Mapping):
            return None
        pairs = [(name, held) for name, held in value.items() if held is not None]
        return [(number, {"name": name, "value": held}) for number, (name, held) in enumerate(pairs, 1)]
    if not isinstance(value, list) or not all(isinstance(element, Mapping) for element in value):
        return None
    return [(_number(element, index), element) for index, element in enumerate(value)]


def _column(item: str, found: Sequence[tuple[int, int, Mapping[str, Any]]], empty: Sequence[str]) -> Any:  # noqa: ANN401
    if item == NUMBER:
        return text_array([str(number) for _, number, _ in found])
    return clean(text_array([as_text(dig(element, item)) for _, _, element in found]), empty)


def _named(wide: Mapping[str, str], texts: Mapping[str, Any], size: int) -> Elements:
    """Every named field that is not empty is an element of its record."""
    records, numbers, values = [], [], []
    for place_in_form, field in enumerate(wide.values(), 1):
        column = texts.get(field)
        if column is None:
            continue
        filled = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
        records.append(filled)
        numbers.append(np.full(len(filled), place_in_form))
        values.append(column.take(pa.array(filled)))
    nothing = np.zeros(size, bool)
    if not records:
        none = text_array([])
        return Elements(np.array([], np.int64), np.array([], np.int64), {"name": none, "value": none}, nothing)
    of, place = np.concatenate(records), np.concatenate(numbers)
    order = np.lexsort((place, of))
    names = text_array(list(wide)).take(pa.array(place[order] - 1))
    value = pa.concat_arrays(values).take(pa.array(order))
    return Elements(of[order], place[order], {"name": names, "value": value}, nothing)


def as_fields(rows: RowSet, found: Elements) -> dict[str, Any]:
    """The items of elements under the names that the rules of their rows use."""
    return {item_field(rows.label, item): column for item, column in found.items.items()}


def reduced(text: str, items: frozenset[str], only: int | None = None) -> str | None:
    """Return a list or object with nothing in it but the items that a mapping names; None for what is neither.

    With `only`, nothing but the element of that number, which keeps its number.
    """
    value = parsed(text)
    if isinstance(value, list) and all(isinstance(element, Mapping) for element in value):
        kept = [_kept(element, items) for element in value]
        if only is not None:
            kept = [{NUMBER: only} | kept[index] for index in range(len(kept)) if _number(value[index], index) == only]
        return json.dumps(kept, ensure_ascii=False)
    if isinstance(value, Mapping):
        return json.dumps(_kept(value, items), ensure_ascii=False)
    return None


def one_entry(text: str, name: str) -> str | None:
    """Return an object with nothing in it but one entry."""
    value = parsed(text)
    return json.dumps({name: value.get(name)}, ensure_ascii=False) if isinstance(value, Mapping) else None


def _number(element: Mapping[str, Any], index: int) -> int:
    """The number of an element: its place in the list, or what was kept of it when the list was reduced."""
    kept = element.get(NUMBER)
    return kept if isinstance(kept, int) else index + 1


def _kept(element: Mapping[str, Any], items: frozenset[str]) -> dict[str, Any]:
    found = {item: dig(element, item) for item in sorted(items) if item != NUMBER}
    return {item: value for item, value in found.items() if value is not None}
