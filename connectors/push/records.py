"""From the records of a call to a batch, and from its refusals to what the sender is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from connectors.batch import Batch, Mask, Stretch, as_text, text_array, text_column
from connectors.checks import CHECKS, Refusal
from connectors.entities import SHAPES
from connectors.mapping import SourceMapping
from connectors.push.calls import Call
from connectors.push.replies import NOT_UNDERSTOOD, RefusedCallError, RefusedRecord
from connectors.transform import Mapped

AGENCY = "madonvi"
"""A field that each record of a call has: the agency that the call names."""
LONGEST_CODE = 200
_ABSENT: Any = object()


def batch_of(call: Call, mapping: SourceMapping, at: str) -> Batch:
    """Make a batch of the records of a call: only the fields that the mapping reads, as texts.

    Raises RefusedCallError for values that no text can be made of.
    """
    columns: dict[str, pd.Series[str]] = {}
    absent: dict[str, Mask] = {}
    try:
        for name, needed in mapping.source_fields.items():
            values = [_value(call, record, name) for record in call.records]
            lacking = np.fromiter((value is _ABSENT for value in values), bool, len(values))
            if needed and lacking.any():
                absent[name] = lacking
            columns[name] = text_column(text_array([None if value is _ABSENT else as_text(value) for value in values]))
    except (ValueError, RecursionError):  # a number of thousands of digits, lists inside lists without end
        raise RefusedCallError(NOT_UNDERSTOOD, "Không đọc được lời gọi: có giá trị quá lớn hoặc quá sâu", 400) from None
    return Batch(pd.DataFrame(columns), [Stretch(0, f"{call.service} {at} item", 1)], None, absent)


def _value(call: Call, record: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - a value of JSON
    return record.get(name, call.agency if name == AGENCY else _ABSENT)


def refused_records(mapping: SourceMapping, mapped: Mapped, refusals: Sequence[Refusal]) -> list[RefusedRecord]:
    """Say of each refused row what the sender may know: its place, code, reason and fields, no values."""
    codes = [mapped.frame["code"].iloc[refusal.row] for refusal in refusals]
    return [
        RefusedRecord(
            _place(mapped, refusal.row), "" if pd.isna(code) else str(code)[:LONGEST_CODE], refusal.reason,
            _fields(mapping, mapped, refusal),
        )
        for code, refusal in zip(codes, refusals, strict=True)
    ]  # fmt: skip


def _place(mapped: Mapped, row: int) -> int:
    """The number in the call, from 1, of the record that a row was made of."""
    return (row if mapped.origin is None else mapped.origin[row].record) + 1


def _fields(mapping: SourceMapping, mapped: Mapped, refusal: Refusal) -> tuple[str, ...]:
    """Name the fields of the source that a refusal is about."""
    found = [item.field for item in mapped.problems if item.check == refusal.reason and item.rows[refusal.row]]
    if not found:
        columns = [column for column in _columns(mapping, mapped, refusal) if column in mapping.fields]
        rules = [rule for column in columns for rule in mapping.fields[column].rules]
        found = [name for rule in rules for name in rule.fields()]
    return tuple(dict.fromkeys(found))


def _columns(mapping: SourceMapping, mapped: Mapped, refusal: Refusal) -> Sequence[str]:
    if refusal.reason.startswith("missing_"):
        required = SHAPES[mapping.entity].required
        return [column for column in required if pd.isna(mapped.frame[column].iloc[refusal.row])]
    return CHECKS[refusal.reason].explained_by


__all__ = ["AGENCY", "batch_of", "refused_records"]
