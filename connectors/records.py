"""The records of a batch as a mapping sees them: cleaned texts, what some records lack, and where each came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from connectors.batch import Batch, Mask, text_array
from connectors.conditions import holds
from connectors.mapping import SourceMapping
from connectors.nested import LONGEST_LIST, Rows, one_entry, reduced
from connectors.rules import PLACE, RowSet
from connectors.values import clean

LONGEST_TEXT, SHOWN_OF_LONGER = 2_000, 200
_COUNTED = re.compile(r" (?:row|item|record|line)$")

Fields = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Records:
    """Records that a mapping is for; `rows` are their numbers in the batch, texts and masks have one entry for each."""

    mapping: SourceMapping
    batch: Batch
    rows: Rows
    texts: Mapping[str, Any]
    absent: Mapping[str, Mask]
    nested: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, mapping: SourceMapping, batch: Batch) -> Records:
        """Clean the fields that the mapping names, and leave out records that it is not for."""
        wanted = list(mapping.source_fields)
        nested = mapping.nested_fields
        texts = {
            name: clean(pa.array(batch.frame[name]), mapping.empty, form=name not in nested)
            for name in wanted
            if name in batch.frame
        }
        size = len(batch.frame)
        if mapping.needs_place:
            texts[PLACE] = _places(batch, size)
        absent = {name: rows for name, rows in batch.absent.items() if name in wanted}
        rows = np.arange(size)
        if mapping.where is None:
            return cls(mapping, batch, rows, texts, absent, nested)
        chosen = holds(mapping.where, texts, {}, size)
        texts = {name: column.filter(pa.array(chosen)) for name, column in texts.items()}
        return cls(mapping, batch, rows[chosen], texts, {name: found[chosen] for name, found in absent.items()}, nested)

    @property
    def size(self) -> int:
        """How many records."""
        return len(self.rows)

    def place(self, record: int) -> str:
        """Say where a record came from: file and row, or page and item."""
        return self.batch.place(int(self.rows[record]))

    def payload(self, record: int) -> tuple[Fields, bool]:
        """Return what is kept of a record that is refused, and whether that is enough to read it again.

        Only fields and items that the mapping names; a field that the record did not have is left out.
        """
        names = [name for name in sorted(self.texts) if not self._lacks(name, record)]
        nested = self.nested
        kept: Fields = {}
        complete = True
        for name in names:
            text = self.texts[name][record].as_py()
            kept[name], whole = _reduced(text, nested[name], self._whole(name)) if name in nested else _cut(text)
            complete &= whole
        return kept, complete

    def _lacks(self, name: str, record: int) -> bool:
        return name in self.absent and bool(self.absent[name][record])

    def _whole(self, name: str) -> bool:
        """Whether every entry of an object is read."""
        return any(rows.entries == name for rows in self.mapping.rows)

    def only(self, kept: Fields, rows: RowSet, number: int, name: str | None) -> Fields:
        """Of what is kept of a record, leave what makes one of its rows: that of one element."""
        common = {field for mapping in self.mapping.fields.values() for r in mapping.rules for field in r.fields()}
        left = dict(kept)
        for other in self.mapping.rows:
            nothing = None if other.wide else "[]" if other.list else "{}"
            left |= {field: nothing for field in other.sources if field in left and field not in common}
        if rows.wide:
            field = list(rows.wide.values())[number - 1]
            return left | {field: kept.get(field)}
        text = kept.get(rows.label)
        if text is None:
            return left | {rows.label: text}
        if rows.entries:
            return left | {rows.label: one_entry(text, name or "")}
        return left | {rows.label: reduced(text, self.nested[rows.label], number)}


def _cut(text: str | None) -> tuple[str | None, bool]:
    if text is None or len(text) <= LONGEST_TEXT:
        return text, True
    return text[:SHOWN_OF_LONGER] + "…", False


def _reduced(text: str | None, items: frozenset[str], whole: bool) -> tuple[str | None, bool]:
    kept = text if text is None or whole else reduced(text, items)
    if text is not None and (kept is None or len(kept) > LONGEST_LIST):
        return None, False
    return kept, True


def _places(batch: Batch, size: int) -> Any:  # noqa: ANN401 - Arrow texts
    """The label of where each record came from, unless the batch says it itself, as one that is tried again does."""
    if PLACE in batch.frame:
        return clean(pa.array(batch.frame[PLACE]))
    starts = [stretch.start for stretch in batch.stretches]
    labels = text_array([_COUNTED.sub("", stretch.label) for stretch in batch.stretches])
    index = np.searchsorted(starts, np.arange(size), side="right") - 1
    return clean(labels.take(pa.array(index)))
