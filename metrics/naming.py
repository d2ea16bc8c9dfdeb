"""The words for the codes of an answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from numbers import Integral

from sqlalchemy import Connection, func, select

from metrics.dimensions import DIMENSIONS, Code
from metrics.scope import UnitTree
from warehouse.errors import BadQuestion
from warehouse.online_terms import OnlineTerms, online_level
from warehouse.schema import procedure
from warehouse.vocabulary import Label, Language, OnlineLevel, label

UNKNOWN = Label("Không rõ", "Unknown")
_AGE = Label("{} ngày", "{} days")
DEVICES = {
    "kiosk": Label("Ki-ốt", "Kiosk"),
    "ipad": Label("Máy tính bảng", "Tablet"),
    "web": Label("Trang thông tin điện tử", "Website"),
}
"""Words for the devices of the shipped mappings; a device of another name is its own word."""


def names(
    connection: Connection,
    dimension: str,
    codes: Iterable[object],
    language: Language,
    at: datetime | date,
    *,
    online_terms: OnlineTerms = "new",
) -> dict[object, str]:
    """Return the words for codes of a dimension, by code; levels of online service in the terms that are set.

    Units as they were called at `at`, terms of the vocabulary, titles of procedures and fields, dates as they are
    written. A code that nothing knows is its own word, a missing one "unknown".

    Raises BadQuestion for an unknown dimension.
    """
    if dimension not in DIMENSIONS:
        raise BadQuestion(f"unknown dimension {dimension!r}; known: {', '.join(DIMENSIONS)}")
    asked = list(codes)
    if dimension == "online_level":
        levels: dict[object, str] = {
            int(level): online_level(level, online_terms).text(language) for level in OnlineLevel
        }
        return {code: levels.get(code, str(code)) if _is_code(code) else UNKNOWN.text(language) for code in asked}
    known = {code: str(code) for code in asked if _is_code(code)}
    found = _find(connection, dimension, set(known), language, at)
    return {code: found.get(code, str(code)) if code in known else UNKNOWN.text(language) for code in asked}


def _is_code(code: object) -> bool:
    return isinstance(code, (str, Integral)) and code != ""


def _find(
    connection: Connection, dimension: str, codes: set[object], language: Language, at: datetime | date
) -> dict[object, str]:
    terms = DIMENSIONS[dimension].vocabulary
    if terms is not None:
        return {term.value: label(term, language) for term in terms}
    if dimension == "unit":
        day = at.date() if isinstance(at, datetime) else at
        return {row.code: row.name for row in UnitTree.load(connection, day).rows.values()}
    if dimension in {"field", "procedure"}:
        return _of_procedures(connection, dimension, sorted(map(str, codes)))
    if dimension == "device":
        return {code: word.text(language) for code, word in DEVICES.items()}
    if dimension == "overdue_age":
        return {code: _AGE.text(language).format(str(code).replace("-", "–")) for code in codes}
    return {code: _written(str(code), language) for code in codes}


def _of_procedures(connection: Connection, dimension: str, codes: list[str]) -> dict[object, str]:
    c = procedure.c
    key, name = (c.field_code, func.min(c.field)) if dimension == "field" else (c.code, func.min(c.name))
    statement = select(key, name).where(key.in_(codes)).group_by(key)
    return {code: word for code, word in connection.execute(statement) if word is not None}


def _written(code: Code, language: Language) -> str:
    """A day or month as people write it; English keeps the order of the code."""
    parts = str(code).split("-")
    return "/".join(reversed(parts)) if language == "vi" else str(code)
