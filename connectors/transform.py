"""Applying a mapping to a batch: texts of the source in, columns of the warehouse out, troubles named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from connectors.batch import TEXT, Batch, Mask, text_column
from connectors.entities import SHAPES, Kind
from connectors.lists import ListColumn
from connectors.mapping import FieldMapping, Rule, SourceMapping, When
from connectors.values import ARROW, clean, constant, read_values

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
class Mapped:
    """A batch in the words of the warehouse.

    `frame` has the columns of the entity (instants UTC in whole seconds, missing where unknown), `texts` the cleaned
    texts of the fields that were read (lists left out), both with one row for each record of the batch.
    """

    frame: pd.DataFrame
    texts: dict[str, Any]
    problems: tuple[Problem, ...]


def apply_mapping(mapping: SourceMapping, batch: Batch, zone: ZoneInfo) -> Mapped:
    """Read a batch by its mapping; `zone` is the clock of dates without offset where the mapping names none."""
    return _Application(mapping, batch, ZoneInfo(mapping.timezone) if mapping.timezone else zone).run()


class _Application:
    """One mapping at work on one batch."""

    def __init__(self, mapping: SourceMapping, batch: Batch, zone: ZoneInfo) -> None:
        self.mapping, self.batch, self.zone = mapping, batch, zone
        self.size = len(batch.frame)
        self.kinds = SHAPES[mapping.entity].columns
        self.texts = {
            name: clean(pa.array(batch.frame[name]), mapping.empty, form=name not in mapping.list_fields)
            for name in mapping.source_fields
            if name in batch.frame
        }
        self.columns: dict[str, Any] = {}
        self.lists: dict[str, ListColumn] = {}
        self.problems: list[Problem] = [
            Problem("missing_field", name, rows)
            for name, rows in batch.absent.items()
            if mapping.source_fields.get(name)
        ]

    def run(self) -> Mapped:
        for name, field in self.mapping.fields.items():
            self.columns[name] = self._column(self.kinds[name], field)
        frame = pd.DataFrame({name: self._pandas(name) for name in self.kinds}, copy=False)
        kept = {name: texts for name, texts in self.texts.items() if name not in self.mapping.list_fields}
        return Mapped(frame, kept, tuple(self.problems))

    def _pandas(self, name: str) -> pd.Series[Any]:
        kind = self.kinds[name]
        array = self.columns.get(name)
        if array is None:
            array = pa.nulls(self.size, ARROW[kind])
        if kind is Kind.INSTANT:
            return pd.Series(pd.DatetimeIndex(array.cast(pa.timestamp("s")).to_numpy(zero_copy_only=False), tz="UTC"))
        if kind is Kind.DATE:
            return pd.Series(pd.DatetimeIndex(array.cast(pa.timestamp("s")).to_numpy(zero_copy_only=False)))
        if kind is Kind.TEXT:
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
            asked &= self._holds(rule.when)
        if rule.source is None:
            values, bad, trouble = constant(kind, rule.constant, self.size), np.zeros(self.size, bool), ""
        else:
            values, bad, trouble = self._read(kind, rule, rule.source)
        bad = bad & asked
        if bad.any():
            self.problems.append(Problem(trouble, str(rule.source), bad))
        if not asked.all():
            values = pc.if_else(pa.array(asked), values, pa.scalar(None, values.type))
        return values, bad

    def _read(self, kind: Kind, rule: Rule, source: str) -> tuple[Any, Mask, str]:
        texts = self.texts.get(source)
        if texts is None:
            return pa.nulls(self.size, ARROW[kind]), np.zeros(self.size, bool), ""
        if rule.take is not None:
            column = self._list(source)
            if rule.take == "count":
                return column.count(), column.bad, "bad_list"
            if rule.take == "any":
                return column.any(rule.item or "", rule.among), column.bad, "bad_list"
            texts = clean(column.first(rule.item or ""), self.mapping.empty)
        codes, dates = self.mapping.code_list(rule), rule.dates or self.mapping.dates
        repeated = self.mapping.repeated_hour
        read = read_values(kind, texts, codes=codes, dates=dates, zone=self.zone, repeated_hour=repeated)
        return read.values, read.bad, read.trouble

    def _list(self, source: str) -> ListColumn:
        if source not in self.lists:
            self.lists[source] = ListColumn(self.texts[source])
        return self.lists[source]

    def _holds(self, when: When) -> Mask:
        holds = np.ones(self.size, bool)
        if when.present is not None:
            holds &= self._filled(when.present)
        if when.absent is not None:
            holds &= ~self._filled(when.absent)
        if when.column is not None:
            values = self.columns[when.column]
            among = pc.is_in(values, value_set=pa.array(list(when.among), values.type))
            holds &= np.asarray(among.to_numpy(zero_copy_only=False), dtype=bool)
        return holds

    def _filled(self, field: str) -> Mask:
        texts = self.texts.get(field)
        if texts is None:
            return np.zeros(self.size, bool)
        return np.asarray(pc.is_valid(texts).to_numpy(zero_copy_only=False), dtype=bool)
