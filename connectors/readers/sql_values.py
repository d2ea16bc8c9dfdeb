"""Values of a database driver as texts, the same as a file of the same data would have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import types
from sqlalchemy.dialects.mysql import BIT
from sqlalchemy.dialects.mysql import TIMESTAMP as MYSQL_TIMESTAMP

from connectors.batch import as_text

Reader = Callable[[Sequence[Any]], Sequence[str | None]]


def reader_of(type_: types.TypeEngine[Any]) -> Reader:
    """Return what turns the values of a column of this type into texts."""
    if isinstance(type_, MYSQL_TIMESTAMP):
        return lambda values: [None if value is None else _with_offset(str(value)) for value in values]
    if isinstance(type_, BIT):
        return lambda values: [None if value is None else _bits(value) for value in values]
    return _texts


def _texts(values: Sequence[Any]) -> Sequence[str | None]:
    return [value if value is None or type(value) is str else _text(value) for value in values]


def _text(value: Any) -> str | None:  # noqa: ANN401 - whatever a driver gives
    if isinstance(value, bytes | bytearray | memoryview):
        return _bytes(bytes(value))
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return as_text(value)


def _bytes(value: bytes) -> str:
    """Text where it is text, else its digits."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()


def _bits(value: Any) -> str:  # noqa: ANN401
    return str(int.from_bytes(value, "big") if isinstance(value, bytes) else value)


def _with_offset(text: str) -> str:
    """MariaDB gives a TIMESTAMP on the clock of the session, which is UTC, and 0000-00-00 for none."""
    return "" if text.startswith("0000") else f"{text}+00:00"


__all__ = ["Reader", "reader_of"]
