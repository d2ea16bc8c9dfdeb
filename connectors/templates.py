"""Texts that are made of several fields, or found in one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.batch import Mask
from connectors.rules import template

_WHOLE = r"^([0-9]+)\.0+$"
_EMPTY = pa.scalar("", pa.large_string())


def fill(text: str, fields: Mapping[str, Any]) -> Any:  # noqa: ANN401 - Arrow texts
    """Fill a template for each row; it is null where a field is empty that may not be, or where all of them are."""
    around, blanks = template(text)
    filled, any_filled = [], None
    for blank in blanks:
        column = fields[blank.name]
        valid = pc.is_valid(column)
        any_filled = valid if any_filled is None else pc.or_(any_filled, valid)
        if blank.width:
            column = pc.utf8_lpad(pc.replace_substring_regex(column, _WHOLE, r"\1"), blank.width, "0")
        filled.append(pc.fill_null(column, "") if blank.may_be_empty else column)
    pieces = [pa.scalar(around[0], pa.large_string())]
    for column, after in zip(filled, around[1:], strict=True):
        pieces += [column, pa.scalar(after, pa.large_string())]
    joined = pc.binary_join_element_wise(*pieces, _EMPTY, null_handling="emit_null")
    return pc.if_else(any_filled, joined, pa.scalar(None, pa.large_string()))


def search(pattern: str, text: str | None, texts: Any) -> tuple[Any, Mask]:  # noqa: ANN401 - Arrow texts
    """Search each text for a pattern; return its one group or the template of its groups, and where it is not found."""
    parts = pc.extract_regex(texts, pattern)
    names = [parts.type.field(number).name for number in range(parts.type.num_fields)]
    groups = {name: _filled(pc.struct_field(parts, name)) for name in names}
    found = groups[names[0]] if text is None else fill(text, groups)
    bad = pc.and_(pc.is_valid(texts), pc.is_null(parts))
    return found, np.asarray(bad.to_numpy(zero_copy_only=False), dtype=bool)


def _filled(group: Any) -> Any:  # noqa: ANN401 - Arrow texts
    """A group that took no part in the match is empty text; that is no value."""
    group = pc.cast(group, pa.large_string())
    return pc.if_else(pc.equal(group, ""), pa.scalar(None, pa.large_string()), group)
