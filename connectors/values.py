"""From the texts of one field to the values of one column, whole columns at a time.

Each reader returns an Arrow array and a mask of the texts that it could not read; those are null in the array.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.batch import Mask
from connectors.dates import DateFormat, Reading, RepeatedHour, read_dates
from connectors.entities import Kind

ARROW: Mapping[Kind, Any] = {
    Kind.TEXT: pa.large_string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.INSTANT: pa.timestamp("s", "UTC"),
    Kind.DATE: pa.date32(),
    Kind.JSON: pa.large_string(),
}
YES_NO: Mapping[str, bool] = {
    "1": True, "true": True, "yes": True, "có": True, "x": True,
    "0": False, "false": False, "no": False, "không": False,
}  # fmt: skip
_WHOLE = re.compile(r"^([+-]?\d+)\.0+$")
_NUMBER = r"^[+-]?\d{1,15}(?:[.]\d{1,9})?$"
_INTEGER_RANGE = (-(2**31), 2**31 - 1)


@dataclass(frozen=True, slots=True)
class Read:
    """Values of a column, and which texts could not be read, with the name of that trouble."""

    values: Any
    bad: Mask
    trouble: str


def clean(texts: Any, empty: Sequence[str] = (), *, form: bool = True) -> Any:  # noqa: ANN401 - Arrow text arrays
    """Normalise texts: NFC (unless not `form`), no NUL, no space around; an empty one is null."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    texts = pc.cast(texts, pa.large_string())
    if form and not pc.all(pc.string_is_ascii(texts)).as_py():
        encoded = pc.dictionary_encode(texts)  # names repeat, and to normalise one takes long
        return _clean(encoded.dictionary, empty, form=True).take(encoded.indices)
    return _clean(texts, empty, form=False)


def _clean(texts: Any, empty: Sequence[str], *, form: bool) -> Any:  # noqa: ANN401 - Arrow text arrays
    if _has_nul(texts):
        texts = pc.replace_substring(texts, "\0", "")
    trimmed = pc.utf8_trim_whitespace(texts)
    if _bytes(trimmed) != _bytes(texts):  # else the long texts of lists need no second place in memory
        texts = trimmed
    if form:
        texts = pc.utf8_normalize(texts, form="NFC")
    return _without(texts, pc.is_in(texts, value_set=pa.array(["", *empty, None], pa.large_string())))


def _bytes(texts: Any) -> int:  # noqa: ANN401 - an Arrow text array
    return int(pc.sum(pc.binary_length(texts)).as_py() or 0)


def _without(texts: Any, nothing: Any) -> Any:  # noqa: ANN401 - Arrow arrays
    """Make some texts null, and leave them where they are: only the marks of what is known are new."""
    _, offsets, data = texts.buffers()
    known = pa.concat_arrays([pa.repeat(False, texts.offset), pc.invert(nothing)])
    return pa.Array.from_buffers(
        pa.large_string(), len(texts), [known.buffers()[1], offsets, data], offset=texts.offset
    )


def _has_nul(texts: Any) -> bool:  # noqa: ANN401 - an Arrow text array
    """Whether there may be a NUL in the texts: one look at their bytes, where searching each text takes long."""
    data = texts.buffers()[2]
    return data is not None and data.size > 0 and not np.frombuffer(data, np.uint8).all()


def read_values(
    kind: Kind,
    texts: Any,  # noqa: ANN401 - Arrow text array
    *,
    codes: Mapping[str, Any] | None,
    dates: Sequence[DateFormat],
    zone: ZoneInfo,
    repeated_hour: RepeatedHour = "first",
    decimal: str | None = None,
) -> Read:
    """Read cleaned texts as values of `kind`; `decimal` is the sign before the fraction of numbers, if known."""
    if codes is not None:
        return _read_codes(kind, texts, codes)
    if kind is Kind.BOOLEAN:
        return _read_codes(kind, texts, YES_NO)
    if kind in {Kind.INSTANT, Kind.DATE}:
        return _read_dates(kind, read_dates(texts, dates), texts, zone, repeated_hour)
    if kind in {Kind.INTEGER, Kind.NUMBER}:
        return _read_numbers(kind, _plain_numbers(texts, decimal), texts)
    return Read(texts, np.zeros(len(texts), bool), "")


def constant(kind: Kind, value: Any, size: int) -> Any:  # noqa: ANN401
    """Repeat one value; dates are given as ISO text."""
    scalar = pa.scalar(value, pa.string()) if kind in {Kind.INSTANT, Kind.DATE} else pa.scalar(value, ARROW[kind])
    if kind is Kind.DATE:
        scalar = pc.cast(scalar, pa.date32())
    if kind is Kind.INSTANT:
        scalar = pc.cast(pc.strptime(scalar, format="%Y-%m-%dT%H:%M:%SZ", unit="s"), ARROW[kind])
    return pa.repeat(scalar, size)


def json_objects(columns: Mapping[str, Any], size: int) -> Any:  # noqa: ANN401 - Arrow arrays
    """Put numbers of several columns into one JSON object a row, without those that are missing; null where all are."""
    names = sorted(columns)
    rows = zip(*(columns[name].to_pylist() for name in names), strict=True) if names else iter([()] * size)
    found = [{name: _plain(value) for name, value in zip(names, row, strict=True) if value is not None} for row in rows]
    return pa.array([json.dumps(item, ensure_ascii=False) if item else None for item in found], pa.large_string())


def _plain(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


def _read_codes(kind: Kind, texts: Any, codes: Mapping[str, Any]) -> Read:  # noqa: ANN401
    """Look words up, each different one once; case, accents' form and `2.0` for `2` do not matter."""
    folded = {fold(word): value for word, value in codes.items()}
    encoded = pc.dictionary_encode(texts)
    found = [folded.get(fold(word)) for word in encoded.dictionary.to_pylist()]
    values = pa.array(found, ARROW[kind]).take(encoded.indices)
    return Read(values, _bad(texts, values), "unknown_code")


@lru_cache(maxsize=4096)
def fold(word: str) -> str:
    """Bring a code word to the form in which words are compared."""
    return _WHOLE.sub(r"\1", unicodedata.normalize("NFC", word).strip().casefold())


def _read_dates(kind: Kind, reading: Reading, texts: Any, zone: ZoneInfo, repeated_hour: RepeatedHour) -> Read:  # noqa: ANN401
    if kind is Kind.DATE:
        values = pa.array(reading.days(), pa.date32())
    else:
        values = pa.array(reading.instants(zone, repeated_hour).tz_localize(None).to_numpy(), pa.timestamp("s")).cast(
            ARROW[kind]
        )
    return Read(values, _bad(texts, values), "bad_date")


def _plain_numbers(texts: Any, decimal: str | None) -> Any:  # noqa: ANN401
    """Write numbers with a point before the fraction and nothing between thousands.

    1.234,5 and 1.234.567 say themselves what their signs mean; where 28.856 or 1,234 stands and `decimal` does not say
    it, the number could be one or a thousand times as much, and null is returned.
    """
    if pc.any(pc.match_substring_regex(texts, r"[.,]\d{3}")).as_py():
        for group, point in ((".", ","), (",", ".")):
            grouped = pc.match_substring_regex(texts, rf"^[+-]?[1-9]\d{{0,2}}(?:[{group}]\d{{3}})+(?:[{point}]\d+)?$")
            unsure = pc.match_substring_regex(texts, rf"^[+-]?[1-9]\d{{0,2}}[{group}]\d{{3}}$")
            if decimal == group:
                grouped = pc.and_(grouped, pc.invert(unsure))
            elif decimal is None:
                texts = pc.if_else(unsure, pa.scalar(None, pa.large_string()), texts)
            texts = pc.if_else(grouped, pc.replace_substring(texts, group, ""), texts)
    return pc.replace_substring(texts, ",", ".")


def _read_numbers(kind: Kind, plain: Any, texts: Any) -> Read:  # noqa: ANN401
    like = pc.match_substring_regex(plain, _NUMBER)
    numbers = pc.cast(pc.if_else(like, plain, pa.scalar(None, pa.large_string())), pa.float64())
    if kind is Kind.INTEGER:
        low, high = _INTEGER_RANGE
        whole = pc.and_(
            pc.equal(pc.round(numbers), numbers), pc.and_(pc.greater_equal(numbers, low), pc.less_equal(numbers, high))
        )
        numbers = pc.cast(pc.if_else(whole, numbers, pa.scalar(None, pa.float64())), pa.int64())
    return Read(numbers, _bad(texts, numbers), "bad_number")


def _bad(texts: Any, values: Any) -> Mask:  # noqa: ANN401
    return np.asarray(pc.and_(pc.is_valid(texts), pc.is_null(values)).to_numpy(zero_copy_only=False), dtype=bool)
