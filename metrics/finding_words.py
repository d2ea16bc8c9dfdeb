"""Finding dossiers by what a reader types: the beginning of a code, or words of the name of their procedure.

A Vietnamese name is found however it was typed: composed or decomposed letters, with or without tone and vowel marks.
"""

from __future__ import annotations

import unicodedata

from sqlalchemy import Connection, func, or_, select

from metrics.counters import Condition
from metrics.statements import texts
from warehouse.errors import BadQuestion
from warehouse.schema import dossier, procedure

LONGEST_SEARCH = 200


def folded(text: str) -> str:
    """Return a text without case, tone and vowel marks, its words one space apart: "Hộ tịch" and "ho tich" are one.

    So are "đăng ký" and "đăng kí", which are both written.
    """
    plain = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d").replace("y", "i")
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).split())


def found_by(connection: Connection, search: str) -> Condition | None:
    """Return which dossiers a search finds; None for an empty search, which finds all.

    Those whose own code or procedure code begins so, and those whose procedure's name has every word of the search.
    Raises BadQuestion for a text longer than LONGEST_SEARCH.
    """
    wanted = unicodedata.normalize("NFC", search).strip()
    if not wanted:
        return None
    if len(wanted) > LONGEST_SEARCH:
        raise BadQuestion(f"search: {len(wanted)} characters; write {LONGEST_SEARCH} or fewer")
    beginning = wanted.lower()
    tests = [
        func.lower(dossier.c.code).startswith(beginning, autoescape=True),
        func.lower(dossier.c.procedure).startswith(beginning, autoescape=True),
    ]
    if named := _procedures(connection, folded(wanted).split()):
        tests.append(dossier.c.procedure == func.any(texts(named)))
    return or_(*tests)


def _procedures(connection: Connection, words: list[str]) -> list[str]:
    """The procedures whose name has all words: the catalogue is small, and SQL alone does not know such letters."""
    rows = connection.execute(select(procedure.c.code, procedure.c.name).order_by(procedure.c.code))
    return [str(code) for code, name in rows if words and all(word in folded(name) for word in words)]


__all__ = ["LONGEST_SEARCH", "folded", "found_by"]
