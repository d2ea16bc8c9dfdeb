"""Reading dates, whole columns at a time: texts in named formats become instants in whole seconds.

Every format is brought to fourteen digits and an optional offset; the digits are then read as a matrix of bytes.
Local times without an offset are read on the clock of the source: of an hour that the clock shows twice the first or
the second is meant, as the mapping says; a time that the clock skips is moved to the end of the gap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.batch import Mask

DateFormat = Literal["yyyyMMddHHmmss", "yyyyMMdd", "dd/MM/yyyy", "iso", "excel", "epoch"]
"""`dd/MM/yyyy` may be followed by HH:mm or HH:mm:ss; `iso` may have a time, a fraction and an offset; `epoch` is whole
seconds (10 digits), milliseconds (13) or microseconds (16) since 1970 in UTC."""

RepeatedHour = Literal["first", "second"]

FIRST_YEAR, LAST_YEAR = 1900, 2199
EXCEL_EPOCH = 25_569  # the serial number of 1970-01-01
Seconds = NDArray[np.int64]
Digits = NDArray[np.uint8]
_FIRST_DAYS = np.arange(f"{FIRST_YEAR}-01", f"{LAST_YEAR + 1}-02", dtype="M8[M]").astype("M8[D]").astype(np.int64)
"""The first day of each month from FIRST_YEAR on, counted from 1970."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Civil seconds since 1970 (as if the clock were UTC), the offset where the text had one, and what was read."""

    civil: Seconds
    offset: Seconds
    has_offset: Mask
    known: Mask

    @classmethod
    def empty(cls, size: int) -> Reading:
        """Nothing read yet."""
        zeros = np.zeros(size, np.int64)
        return cls(zeros, zeros.copy(), np.zeros(size, bool), np.zeros(size, bool))

    def instants(self, zone: ZoneInfo, repeated_hour: RepeatedHour = "first") -> pd.DatetimeIndex:
        """Instants in UTC, whole seconds; NaT where nothing was read."""
        civil = pd.DatetimeIndex(np.where(self.known, self.civil, 0).astype("M8[s]"))
        first = np.full(len(civil), repeated_hour == "first")
        utc = civil.tz_localize(zone, ambiguous=first, nonexistent="shift_forward").tz_convert("UTC")
        seconds = np.asarray(utc.tz_localize(None).as_unit("s").asi8)
        seconds = np.where(self.has_offset, self.civil - self.offset, seconds)
        return pd.DatetimeIndex(_with_nat(seconds, self.known)).tz_localize("UTC")

    def days(self) -> NDArray[np.datetime64]:
        """Civil days as datetime64[D]; NaT where nothing was read."""
        return _with_nat(self.civil, self.known).astype("M8[D]")


def read_dates(texts: Any, formats: Sequence[DateFormat]) -> Reading:  # noqa: ANN401 - an Arrow text array
    """Read an array of texts, each in the first of `formats` that fits; a null is not read and not an error."""
    reading = Reading.empty(len(texts))
    todo = np.flatnonzero(pc.is_valid(texts).to_numpy(zero_copy_only=False))
    for name in formats:
        if not len(todo):
            break
        part = FORMATS[name](texts.take(pa.array(todo)) if len(todo) < len(texts) else texts)
        for target, found in (
            (reading.civil, part.civil),
            (reading.offset, part.offset),
            (reading.has_offset, part.has_offset),
            (reading.known, part.known),
        ):
            target[todo] = found
        todo = todo[~part.known]
    return reading


def _with_nat(seconds: Seconds, known: Mask) -> NDArray[np.datetime64]:
    return np.where(known, seconds, np.iinfo(np.int64).min).astype("M8[s]")


def _read_compact(texts: Any, digits: int = 14) -> Reading:  # noqa: ANN401
    size = len(texts)
    right_length = pc.equal(pc.binary_length(texts), digits).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(right_length)
    reading = Reading.empty(size)
    if len(rows):
        chosen = texts if len(rows) == size else texts.take(pa.array(rows))
        civil, known = _civil_seconds(_digit_matrix(chosen, digits))
        reading.civil[rows], reading.known[rows] = civil, known
    return reading


def _digit_matrix(texts: Any, width: int) -> Digits:  # noqa: ANN401
    """Show texts that are all `width` bytes long as columns of digit values; what is no digit is above 9."""
    array = pc.cast(texts, pa.large_string())
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    _, offsets, data = array.buffers()
    first = np.frombuffer(offsets, np.int64)[array.offset]
    matrix = np.frombuffer(data, np.uint8)[first : first + len(array) * width].reshape(-1, width)
    return np.ascontiguousarray(matrix.T) - np.uint8(ord("0"))


def _civil_seconds(digits: Digits) -> tuple[Seconds, Mask]:
    """Turn yyyyMMddHHmmss digits, or yyyyMMdd, into civil seconds, and say which are dates of the calendar at all."""

    def number(start: int, end: int) -> Seconds:
        value = np.zeros(digits.shape[1], np.int64)
        for place in digits[start:end]:
            value *= 10
            value += place
        return value

    year, month, day = number(0, 4), number(4, 6), number(6, 8)
    hour, minute, second = number(8, 10), number(10, 12), number(12, 14)
    fits = (digits.max(axis=0, initial=0) <= 9) & (year >= FIRST_YEAR) & (year <= LAST_YEAR)
    fits &= (month >= 1) & (month <= 12) & (day >= 1) & (hour < 24) & (minute < 60) & (second < 60)
    months = np.where(fits, (year - FIRST_YEAR) * 12 + month - 1, 0)
    fits &= day <= _FIRST_DAYS[months + 1] - _FIRST_DAYS[months]
    days = _FIRST_DAYS[months] + day - 1
    return np.where(fits, days * 86_400 + hour * 3600 + minute * 60 + second, 0), fits


_TIME = r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,]\d+)?)?"
_SLASHED = rf"^(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}})/(?P<y>\d{{4}})(?:[ T]{_TIME})?(?P<o>)$"
_ISO = rf"^(?P<y>\d{{4}})-(?P<m>\d{{2}})-(?P<d>\d{{2}})(?:[ T]{_TIME} ?(?P<o>Z|[+-]\d{{2}}(?::?\d{{2}})?)?)?$"
_SERIAL = r"^(?P<n>\d{1,5}(?:\.\d+)?)$"
_EPOCH = r"^(?P<n>[0-9]{10}(?:[0-9]{3}){0,2})$"


def _read_pattern(texts: Any, pattern: str) -> Reading:  # noqa: ANN401
    parts = pc.extract_regex(texts, pattern)
    matched = pc.is_valid(parts).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(matched)
    reading = Reading.empty(len(texts))
    if not len(rows):
        return reading
    parts = parts.take(pa.array(rows))
    digits = [pc.utf8_lpad(pc.struct_field(parts, name), 2, "0") for name in "ymdHMS"]
    joined = pc.binary_join_element_wise(*digits, pa.scalar("", pa.large_string()))
    civil, known = _civil_seconds(_digit_matrix(joined, 14))
    offset, has_offset, offset_fits = _offsets(pc.struct_field(parts, "o"))
    reading.civil[rows], reading.known[rows] = civil, known & offset_fits
    reading.offset[rows], reading.has_offset[rows] = offset, has_offset
    return reading


def _offsets(texts: Any) -> tuple[Seconds, Mask, Mask]:  # noqa: ANN401
    """Read offsets such as Z, +07, +0700 and +07:00; there are few different ones."""
    encoded = pc.dictionary_encode(texts)
    words = encoded.dictionary.to_pylist() or [""]
    numbers = np.array([_offset_seconds(word) for word in words], np.int64)
    indices = encoded.indices.to_numpy(zero_copy_only=False)
    seconds = numbers[indices]
    return seconds, np.array([bool(word) for word in words])[indices], np.abs(seconds) <= 15 * 3600


def _offset_seconds(word: str) -> int:
    if word in {"", "Z"}:
        return 0
    digits = word[1:].replace(":", "").ljust(4, "0")
    return (int(digits[:2]) * 3600 + int(digits[2:]) * 60) * (-1 if word[0] == "-" else 1)


def _read_serial(texts: Any) -> Reading:  # noqa: ANN401
    """Read day numbers of a spreadsheet; they are binary fractions, so the nearest second is meant."""
    number = pc.struct_field(pc.extract_regex(texts, _SERIAL), "n")
    values = pc.cast(number, pa.float64()).to_numpy(zero_copy_only=False)
    known = np.isfinite(values) & (values >= 1)
    civil = np.rint((np.where(known, values, EXCEL_EPOCH) - EXCEL_EPOCH) * 86_400).astype(np.int64)
    reading = Reading.empty(len(texts))
    reading.civil[:], reading.known[:] = civil, known
    return reading


def _read_epoch(texts: Any) -> Reading:  # noqa: ANN401
    """Read counts since 1970; how many digits there are says what is counted."""
    number = pc.struct_field(pc.extract_regex(texts, _EPOCH), "n")
    values = pc.cast(number, pa.int64())
    known = np.asarray(pc.is_valid(values).to_numpy(zero_copy_only=False), dtype=bool)
    counts = np.asarray(pc.fill_null(values, 0).to_numpy(zero_copy_only=False), dtype=np.int64)
    digits = pc.fill_null(pc.binary_length(number), 10).to_numpy(zero_copy_only=False)
    reading = Reading.empty(len(texts))
    reading.civil[:], reading.known[:] = counts // 10 ** (digits.astype(np.int64) - 10), known
    reading.has_offset[:] = known
    return reading


FORMATS: Mapping[DateFormat, Callable[[Any], Reading]] = {
    "yyyyMMddHHmmss": _read_compact,
    "yyyyMMdd": lambda texts: _read_compact(texts, 8),
    "dd/MM/yyyy": lambda texts: _read_pattern(texts, _SLASHED),
    "iso": lambda texts: _read_pattern(texts, _ISO),
    "excel": _read_serial,
    "epoch": _read_epoch,
}
