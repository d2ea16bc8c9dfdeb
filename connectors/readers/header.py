"""Finding the row of the column names: under titles and mottoes, by the fields that the mapping reads.

The header is the first of the first rows that has every needed field. Names are the same when they are after NFC, with
space of any kind between words counted once; where no name fits so, upper and lower case do not matter either.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from warehouse.errors import RefusedInput

HEADER_ROWS = 50
"""A header that comes later is not found."""
_SHOWN_SIGNS = 600

Row = tuple[int, Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class Header:
    """The row of the column names, counted from 1, and the position of each field that is there."""

    row: int
    columns: Mapping[str, int]
    width: int


@lru_cache(maxsize=4096)
def tidy(name: str) -> str:
    """Bring a column name to the form in which names are compared."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def find_header(shown: str, rows: Sequence[Row], fields: Mapping[str, bool], header_row: int = 0) -> Header:
    """Find the header among the first rows of a file; `header_row` names it where it is known.

    Raises RefusedInput that says what is missing, or which name stands there twice.
    """
    if header := look_for_header(shown, rows, fields, header_row):
        return header
    raise RefusedInput(f"{shown}: {explain_missing(rows, fields, header_row)}")


def look_for_header(shown: str, rows: Sequence[Row], fields: Mapping[str, bool], header_row: int = 0) -> Header | None:
    """Find the header, or return None where no row has every needed field.

    Raises RefusedInput for a header that has a wanted name twice.
    """
    needed = {name for name, must in fields.items() if must}
    for number, cells in _candidates(rows, header_row):
        found = _match(cells, fields)
        if found and needed <= found.keys():
            if twice := sorted(name for name, positions in found.items() if len(positions) > 1):
                raise RefusedInput(f"{shown}: the column(s) {', '.join(twice)} are there twice in row {number}")
            return Header(number, {name: found[name][0] for name in fields if name in found}, len(cells))
    return None


def fitting(rows: Sequence[Row], fields: Mapping[str, bool], header_row: int = 0) -> int:
    """Say how many of the fields the best of the rows has."""
    return max((len(_match(cells, fields)) for _, cells in _candidates(rows, header_row)), default=0)


def _candidates(rows: Iterable[Row], header_row: int) -> list[Row]:
    if header_row:
        return [row for row in rows if row[0] == header_row]
    return [row for row in rows if row[0] <= HEADER_ROWS]


def _match(cells: Sequence[str | None], fields: Mapping[str, bool]) -> dict[str, list[int]]:
    """Return the positions of each field that a row has; only what no name fits exactly may differ in case."""
    names = [tidy(cell or "") for cell in cells]
    exact = {field: [at for at, name in enumerate(names) if name == tidy(field)] for field in fields}
    taken = {at for positions in exact.values() for at in positions}
    found = {field: positions for field, positions in exact.items() if positions}
    for field in fields.keys() - found.keys():
        folded = tidy(field).casefold()
        if positions := [at for at, name in enumerate(names) if at not in taken and name.casefold() == folded]:
            found[field] = positions
    return found


def explain_missing(rows: Sequence[Row], fields: Mapping[str, bool], header_row: int = 0) -> str:
    """Say which needed columns are missing; cells are shown only of a row that looks like column names."""
    candidates = _candidates(rows, header_row)
    needed = [name for name, must in fields.items() if must] or list(fields)
    if not any(tidy(cell or "") for _, cells in candidates for cell in cells):
        return "empty, not even a header; a file begins with the names of its columns"
    found, _, number, cells = max(
        (len(_match(cells, fields)), -number, number, cells) for number, cells in candidates if any(cells)
    )
    advice = "correct the mapping, mark the column optional, or set header_row"
    there = [tidy(cell) for cell in cells if cell and tidy(cell)]
    if not found and not _looks_like_names(there):
        where = f"row {header_row} does not have" if header_row else f"none of the first {HEADER_ROWS} rows has"
        return f"{where} the column(s) {', '.join(needed)}; {advice}"
    missing = [name for name in needed if name not in _match(cells, fields)]
    names = ", ".join(there)[:_SHOWN_SIGNS]
    return f"lacks the column(s) {', '.join(missing)}; columns there: {names} (row {number}); {advice}"


def _looks_like_names(cells: Sequence[str]) -> bool:
    """Names of columns have no digits; records of dossiers do, and they are not shown."""
    return bool(cells) and not any(sign.isdigit() for cell in cells for sign in cell)
