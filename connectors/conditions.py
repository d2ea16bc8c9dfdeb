"""Conditions of rules over whole columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.batch import Mask, as_text
from connectors.rules import When
from connectors.values import fold


def holds(when: When, texts: Mapping[str, Any], columns: Mapping[str, Any], size: int) -> Mask:
    """Say for which rows a condition holds; `texts` are the source's fields, `columns` those mapped so far."""
    result = np.ones(size, bool)
    if when.present is not None:
        result &= filled(texts.get(when.present), size)
    if when.absent is not None:
        result &= ~filled(texts.get(when.absent), size)
    if when.column is not None:
        values = columns[when.column]
        among = pc.is_in(values, value_set=pa.array(list(when.among), values.type))
        result &= _mask(among)
    if when.field is not None:
        result &= _among(texts.get(when.field), {fold(as_text(word) or "") for word in when.among}, size)
    return result


def filled(texts: Any, size: int) -> Mask:  # noqa: ANN401 - Arrow texts, or None for a field that is not there
    """Say which texts are not empty."""
    return np.zeros(size, bool) if texts is None else _mask(pc.is_valid(texts))


def _among(texts: Any, words: set[str], size: int) -> Mask:  # noqa: ANN401
    if texts is None:
        return np.zeros(size, bool)
    encoded = pc.dictionary_encode(texts)
    found = pa.array([fold(word) in words for word in encoded.dictionary.to_pylist()], pa.bool_())
    return _mask(pc.fill_null(found.take(encoded.indices), False))


def _mask(array: Any) -> Mask:  # noqa: ANN401 - Arrow booleans
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=bool)
