"""Applying a mapping to a batch: texts of the source in, columns of the warehouse out, troubles named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from connectors.batch import TEXT, Batch, Mask, text_array, text_column
from connectors.conditions import holds
from connectors.entities import SHAPES, Kind
from connectors.lists import ListColumn
from connectors.mapping import FieldMapping, Rule, SourceMapping
from connectors.nested import Elements, Rows, as_fields, elements, members
from connectors.records import Fields, Records
from connectors.rules import NUMBER, Children, RowSet
from connectors.supplement_times import with_supplement_times
from connectors.templates import fill, search
from connectors.values import ARROW, clean, constant, json_objects, read_values
from warehouse.vocabulary import Entity

_PANDAS: dict[Kind, Any] = {
    Kind.TEXT: TEXT,
    Kind.INTEGER: "Int64",
    Kind.NUMBER: "float64",
    Kind.BOOLEAN: "boolean",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows of which one field could not be read: the name of the check that stands for it, and the field."""

    check: str
    field: str
    rows: Mask


@dataclass(frozen=True, slots=True)
class Element:
    """What a row was made of: its record, and for a part of a record the row set, the number and the name."""

    record: int
    rows: RowSet | None = None
    number: int = 0
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ChildRows:
    """Rows of another entity that records carry; `parent` are the rows of the batch that they belong to.

    `frame` has the columns of the entity, without the code and time of the parent; `flags` is PostgreSQL array text.
    """

    declared: Children
    frame: pd.DataFrame
    parent: Rows
    flags: pd.Series[str]


@dataclass(frozen=True, slots=True)
class Mapped:
    """A batch in the words of the warehouse.

    `frame` has the columns of the entity (instants UTC in whole seconds, missing where unknown), `texts` the cleaned
    texts of the fields that were read (lists and objects left out), both with one entry for each row. A row is a
    record of the batch, or one of the several rows that the mapping makes of a record; the row is what is counted.
    """

    frame: pd.DataFrame
    texts: Mapping[str, Any]
    problems: tuple[Problem, ...]
    records: Records
    origin: Sequence[Element] | None = None
    children: tuple[ChildRows, ...] = ()

    def place(self, row: int) -> str:
        """Say where a row came from: file and row, or page and item."""
        return self.records.place(self._element(row).record)

    def payload(self, row: int) -> tuple[Fields, bool]:
        """Return what is kept of a refused row, by field of the source, and whether it can be read again from that.

        A batch of these fields (those left out are absent) gives the same row again.
        """
        element = self._element(row)
        kept, complete = self.records.payload(element.record)
        if element.rows is None:
            return kept, complete
        return self.records.only(kept, element.rows, element.number, element.name), complete

    def _element(self, row: int) -> Element:
        return Element(row) if self.origin is None else self.origin[row]


def apply_mapping(mapping: SourceMapping, batch: Batch, zone: ZoneInfo) -> Mapped:
    """Read a batch by its mapping; `zone` is the clock of dates without offset where the mapping names none."""
    clock = ZoneInfo(mapping.timezone) if mapping.timezone else zone
    records = Records.of(mapping, batch)
    if mapping.rows:
        parts = [_part(records, rows, clock) for rows in mapping.rows]
        return _joined(records, parts)
    applied = _Application(mapping, mapping.fields, records.texts, records.size, clock)
    frame = applied.frame(SHAPES[mapping.entity].columns)
    problems = [*_missing_fields(records, np.arange(records.size)), *applied.problems]
    children = tuple(_children(records, child, clock) for child in mapping.children)
    problems += [problem for _, found in children for problem in found]
    for child, _ in children:
        if child.declared.entity is Entity.DOSSIER_SUPPLEMENT:
            frame = with_supplement_times(frame, child.frame, child.parent)
    return Mapped(frame, applied.kept_texts(), tuple(problems), records, children=tuple(rows for rows, _ in children))


def _missing_fields(records: Records, record: Rows) -> Iterator[Problem]:
    needed = records.mapping.source_fields
    for name, lacking in records.absent.items():
        if needed.get(name) and lacking.any():
            yield Problem("missing_field", name, lacking[record])


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows that one row set makes of a batch."""

    frame: pd.DataFrame
    texts: dict[str, Any]
    problems: list[Problem]
    origin: list[Element]


def _part(records: Records, rows: RowSet, zone: ZoneInfo) -> _Part:
    mapping = records.mapping
    found = elements(rows, rows.items({**mapping.fields, **rows.fields}), records.texts, records.size, mapping.empty)
    # a record of which nothing could be read is one row, so that it is counted and refused
    lost = np.flatnonzero(found.bad)
    record = np.concatenate([found.record, lost])
    lacking = pa.array([None] * len(lost), pa.large_string())
    items = {name: pa.concat_arrays([column, lacking]) for name, column in as_fields(rows, found).items()}
    index = pa.array(record)
    texts = {name: column.take(index) for name, column in records.texts.items() if name not in rows.sources}
    applied = _Application(mapping, rows.flat(mapping.fields), {**texts, **items}, len(record), zone)
    frame = applied.frame(SHAPES[mapping.entity].columns)
    problems = [*_missing_fields(records, record), *applied.problems]
    if len(lost):
        problems.append(Problem("bad_list", rows.label, np.arange(len(record)) >= len(found.record)))
    names = found.items["name"].to_pylist() if rows.entries and "name" in found.items else [None] * len(found.record)
    numbered = zip(found.record.tolist(), found.number.tolist(), names, strict=True)
    origin = [Element(row, rows, number, name) for row, number, name in numbered]
    return _Part(frame, applied.kept_texts(), problems, origin + [Element(int(row)) for row in lost])


def _joined(records: Records, parts: Sequence[_Part]) -> Mapped:
    """Put the rows of several row sets under each other."""
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    sizes = [len(part.frame) for part in parts]
    names = dict.fromkeys(name for part in parts for name in part.texts)
    texts = {
        name: pa.concat_arrays(
            [part.texts.get(name, pa.nulls(size, pa.large_string())) for part, size in zip(parts, sizes, strict=True)]
        )
        for name in names
    }
    problems, before = [], 0
    for part, size in zip(parts, sizes, strict=True):
        around = (before, len(frame) - before - size)
        problems += [Problem(item.check, item.field, np.pad(item.rows, around)) for item in part.problems]
        before += size
    return Mapped(frame, texts, tuple(problems), records, [item for part in parts for item in part.origin])


def _children(records: Records, child: Children, zone: ZoneInfo) -> tuple[ChildRows, list[Problem]]:
    """Read the lists of children; what could not be read is a problem of the record that carries them."""
    mapping, rows = records.mapping, child.rows
    found = elements(rows, rows.items(rows.fields), records.texts, records.size, mapping.empty)
    applied = _Application(mapping, rows.flat({}), as_fields(rows, found), len(found.record), zone)
    frame = applied.frame(SHAPES[child.entity].columns)
    key = SHAPES[child.entity].key[-1]
    frame[key] = text_column(_child_keys(frame[key].tolist(), found))
    flags = np.full(len(frame), "", dtype=object)
    problems = [Problem("bad_child", rows.label, found.bad)] if found.bad.any() else []
    for item in applied.problems:
        flags[item.rows] = [f"{already},{item.check}" if already else item.check for already in flags[item.rows]]
        spoilt = np.zeros(records.size, bool)
        spoilt[found.record[item.rows]] = True
        problems.append(Problem("bad_child", item.field, spoilt))
    told = pd.Series([f"{{{text}}}" for text in flags], index=frame.index, dtype="str")
    return ChildRows(child, frame, found.record, told), problems


def _child_keys(given: Sequence[Any], found: Elements) -> Any:  # noqa: ANN401 - Arrow texts
    """The key of each child in its parent: its own, else its number; one that is there twice gets its number too."""
    seen: set[tuple[int, str]] = set()
    keys: list[str] = []
    numbers = found.number.tolist()
    for index, record in enumerate(found.record.tolist()):
        key = given[index] if isinstance(given[index], str) else str(numbers[index])
        if (record, key) in seen:
            key = f"{key}{NUMBER}{numbers[index]}"
        seen.add((record, key))
        keys.append(key)
    return text_array(keys)


class _Application:
    """Rules at work on the texts of some rows."""

    def __init__(
        self,
        mapping: SourceMapping,
        fields: Mapping[str, FieldMapping],
        texts: Mapping[str, Any],
        size: int,
        zone: ZoneInfo,
    ) -> None:
        self.mapping, self.fields, self.texts, self.size, self.zone = mapping, fields, texts, size, zone
        self.columns: dict[str, Any] = {}
        self.lists: dict[str, ListColumn] = {}
        self.problems: list[Problem] = []

    def frame(self, kinds: Mapping[str, Kind]) -> pd.DataFrame:
        """Fill the columns that have rules, leave the others missing."""
        for name, field in self.fields.items():
            self.columns[name] = self._column(kinds[name], field)
        return pd.DataFrame({name: self._pandas(name, kind) for name, kind in kinds.items()}, copy=False)

    def kept_texts(self) -> dict[str, Any]:
        """The texts that may be shown: lists and objects are not."""
        nested = self.mapping.nested_fields
        return {name: texts for name, texts in self.texts.items() if name not in nested}

    def _pandas(self, name: str, kind: Kind) -> pd.Series[Any]:
        array = self.columns.get(name)
        if array is None:
            array = pa.nulls(self.size, ARROW[kind])
        if kind is Kind.INSTANT:
            return pd.Series(pd.DatetimeIndex(array.cast(pa.timestamp("s")).to_numpy(zero_copy_only=False), tz="UTC"))
        if kind is Kind.DATE:
            return pd.Series(pd.DatetimeIndex(array.cast(pa.timestamp("s")).to_numpy(zero_copy_only=False)))
        if kind in {Kind.TEXT, Kind.JSON}:
            return text_column(array)
        plain: pd.Series[Any] = array.to_pandas()
        return plain.astype(_PANDAS[kind])

    def _column(self, kind: Kind, field: FieldMapping) -> Any:  # noqa: ANN401 - Arrow array
        result: Any = None
        spoilt = np.zeros(self.size, bool)
        for rule in field.rules:
            values, bad = self._rule(kind, rule, result, spoilt)
            spoilt |= bad
            result = values if result is None else pc.coalesce(result, values)
        return result if not spoilt.any() else pc.if_else(pa.array(spoilt), pa.scalar(None, ARROW[kind]), result)

    def _rule(self, kind: Kind, rule: Rule, so_far: Any, spoilt: Mask) -> tuple[Any, Mask]:  # noqa: ANN401
        """Values of one rule where it is asked, and where it was asked but could not read the text."""
        asked = ~spoilt
        if so_far is not None:
            asked &= so_far.is_null().to_numpy(zero_copy_only=False)
        if rule.when is not None:
            asked &= holds(rule.when, self.texts, self.columns, self.size)
        values, found = self._values(kind, rule)
        bad = np.zeros(self.size, bool)
        for item in found:
            if (rows := item.rows & asked).any():
                self.problems.append(Problem(item.check, item.field, rows))
                bad |= rows
        if not asked.all():
            values = pc.if_else(pa.array(asked), values, pa.scalar(None, values.type))
        return values, bad

    def _values(self, kind: Kind, rule: Rule) -> tuple[Any, list[Problem]]:
        if rule.constant is not None:
            return constant(kind, rule.constant, self.size), []
        if rule.object is not None:
            return self._object(rule, rule.object)
        field = rule.source or " ".join(dict.fromkeys(blank.name for blank in rule.blanks))
        if rule.source is not None and rule.source not in self.texts:
            return pa.nulls(self.size, ARROW[kind]), []
        if rule.take in {"count", "any"}:
            column = self._list(field)
            found = column.count() if rule.take == "count" else column.any(rule.item or "", rule.among)
            return found, [Problem("bad_list", field, column.bad)]
        texts, problems = self._texts(rule, field)
        codes, dates = self.mapping.code_list(rule), rule.dates or self.mapping.dates
        repeated, decimal = self.mapping.repeated_hour, self.mapping.decimal
        read = read_values(
            kind, texts, codes=codes, dates=dates, zone=self.zone, repeated_hour=repeated, decimal=decimal
        )
        if codes is not None and rule.other != "refuse":
            return (pc.coalesce(read.values, texts) if rule.other == "keep" else read.values), problems
        return read.values, [*problems, Problem(read.trouble, field, read.bad)]

    def _texts(self, rule: Rule, field: str) -> tuple[Any, list[Problem]]:
        """The text that a rule is about, before it is read as a value."""
        problems: list[Problem] = []
        if rule.source is None:
            return fill(rule.text or "", {b.name: self._known(b.name) for b in rule.blanks}), problems
        texts = self.texts[rule.source]
        if rule.take == "first":
            texts = clean(self._list(rule.source).first(rule.item or ""), self.mapping.empty)
        elif rule.item is not None:
            inside, bad = members(texts, rule.item)
            texts, problems = clean(inside, self.mapping.empty), [Problem("bad_list", field, bad)]
        if rule.pattern is not None:
            texts, bad = search(rule.pattern, rule.text, texts)
            problems.append(Problem("bad_pattern", field, bad))
        return texts, problems

    def _known(self, name: str) -> Any:  # noqa: ANN401 - Arrow texts
        found = self.texts.get(name)
        return pa.nulls(self.size, pa.large_string()) if found is None else found

    def _object(self, rule: Rule, fields: Mapping[str, str]) -> tuple[Any, list[Problem]]:
        codes = self.mapping.code_list(rule)
        columns, problems = {}, []
        for name, field in fields.items():
            read = read_values(
                Kind.NUMBER, self._known(field), codes=codes, dates=("iso",), zone=self.zone,
                decimal=self.mapping.decimal,
            )  # fmt: skip
            columns[name] = read.values
            problems.append(Problem(read.trouble, field, read.bad))
        return json_objects(columns, self.size), problems

    def _list(self, source: str) -> ListColumn:
        if source not in self.lists:
            self.lists[source] = ListColumn(self.texts[source])
        return self.lists[source]
