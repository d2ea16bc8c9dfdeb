"""What a reader hands on: some records as texts, where each came from, and the position after them."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
_write_json = json.JSONEncoder(ensure_ascii=False, default=str, separators=(",", ":")).encode
TEXT = pd.StringDtype("pyarrow", na_value=np.nan)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows from `start` on come from `label`, counted from `number`."""

    start: int
    label: str
    number: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records as the source gave them.

    `frame` has one text column for each field that was asked for (missing value: the source gave none);
    `absent` marks, for fields that some records did not have at all, which records those are;
    `position` is the reader's watermark once this batch is stored.
    """

    frame: pd.DataFrame
    stretches: Sequence[Stretch]
    position: str | None
    absent: Mapping[str, Mask] = field(default_factory=dict)

    def place(self, row: int) -> str:
        """Say where a row came from: file and row, or page and item."""
        stretch = self.stretches[bisect_right([item.start for item in self.stretches], row) - 1]
        return f"{stretch.label} {stretch.number + row - stretch.start}"


def as_text(value: Any) -> str | None:  # noqa: ANN401 - a value of JSON or Parquet
    """Render one value as text: whole floats without a fraction, lists and objects as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, list | dict):
        return _write_json(value) if value else str(value)
    return str(value)


def text_array(values: Sequence[str | None]) -> Any:  # noqa: ANN401 - an Arrow array
    """Make an Arrow text array; half characters that no encoding can hold become the replacement character."""
    try:
        return pa.array(values, pa.large_string())
    except UnicodeEncodeError:
        mended = [text if text is None else text.encode("utf-8", "replace").decode() for text in values]
        return pa.array(mended, pa.large_string())


def text_column(array: Any) -> pd.Series[str]:  # noqa: ANN401 - an Arrow array
    """Wrap an Arrow text array as a pandas column without a copy."""
    return pd.Series(array, dtype=TEXT)
