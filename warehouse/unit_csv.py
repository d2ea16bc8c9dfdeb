"""Units from a CSV file of the operator: code,name,kind,parent,valid_from,valid_to,lat,lon,population.

`valid_to` is the first day on which the unit no longer exists. Empty cells are unknown; code, name, kind and
valid_from must be filled. The whole file is checked before anything of it is stored.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from warehouse.errors import RefusedInput
from warehouse.unit import Unit
from warehouse.vocabulary import UnitKind

COLUMNS = ("code", "name", "kind", "parent", "valid_from", "valid_to", "lat", "lon", "population")
REQUIRED = ("code", "name", "kind", "valid_from")

Value = TypeVar("Value")
Row = dict[str, str]


def read_units(file: Path, known: Collection[str] = ()) -> list[Unit]:
    """Return the units of a CSV file (UTF-8, comma).

    Raises RefusedInput that names file, row and field: unknown column, bad value, overlapping validity of one code,
    a parent that is neither in the file nor `known`, a circle of parents.
    """
    placed = list(_rows(file))
    _refuse_overlaps(file, placed)
    _refuse_lost_parents(file, placed, known)
    return [unit for _, unit in placed]


def _rows(file: Path) -> Iterator[tuple[int, Unit]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = _checked_header(file, next(reader, []))
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, _unit(_Place(file, reader.line_num), header, cells)
    except OSError as error:
        raise RefusedInput(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise RefusedInput(f"{file}: not UTF-8 text: {error.reason} at byte {error.start}; save it as UTF-8") from None
    except csv.Error as error:
        raise RefusedInput(f"{file}, row {reader.line_num}: not valid CSV: {error}") from None


def _checked_header(file: Path, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name for name in header if name not in COLUMNS]
    if missing or unknown or len(set(header)) < len(header):
        raise RefusedInput(
            f"{file}, row 1: columns missing: {', '.join(missing) or 'none'}; unknown or twice:"
            f" {', '.join(unknown) or 'see names'}; the first row must name {','.join(COLUMNS)}, comma between"
        )
    return header


class _Place:
    """Where a value stands, for messages."""

    def __init__(self, file: Path, row: int) -> None:
        self.file, self.row = file, row

    def refuse(self, field: str, value: str, expected: str) -> RefusedInput:
        return RefusedInput(f"{self.file}, row {self.row}, field {field}: {value!r} is not {expected}")

    def read(self, row: Row, field: str, parse: Callable[[str], Value], expected: str) -> Value | None:
        """Parse one cell; None where it is empty."""
        text = row.get(field, "").strip()
        if not text:
            if field in REQUIRED:
                raise self.refuse(field, text, f"{expected}; it must be filled")
            return None
        try:
            return parse(text)
        except ValueError:
            raise self.refuse(field, text, expected) from None

    def need(self, row: Row, field: str, parse: Callable[[str], Value], expected: str) -> Value:
        """Parse one cell that must be filled."""
        value = self.read(row, field, parse, expected)
        if value is None:
            raise self.refuse(field, "", expected)
        return value


def _unit(place: _Place, header: list[str], cells: list[str]) -> Unit:
    if len(cells) != len(header):
        raise RefusedInput(f"{place.file}, row {place.row}: {len(cells)} cells where the first row has {len(header)}")
    row = dict(zip(header, cells, strict=True))
    day = "a day such as 2025-07-01"
    unit = Unit(
        code=place.need(row, "code", str, "a unit code"),
        name=place.need(row, "name", str, "a name"),
        kind=place.need(row, "kind", UnitKind, f"one of {', '.join(UnitKind)}"),
        parent=place.read(row, "parent", str, "a unit code"),
        valid_from=place.need(row, "valid_from", date.fromisoformat, day),
        valid_to=place.read(row, "valid_to", date.fromisoformat, day),
        lat=place.read(row, "lat", _within(90), "degrees from -90 to 90, decimal point"),
        lon=place.read(row, "lon", _within(180), "degrees from -180 to 180, decimal point"),
        population=place.read(row, "population", _count, "a whole number without separators"),
    )
    if unit.valid_to is not None and unit.valid_to <= unit.valid_from:
        raise place.refuse("valid_to", row["valid_to"], f"after valid_from {unit.valid_from}")
    return unit


def _within(limit: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = float(text)
        if not -limit <= value <= limit:  # also refuses NaN
            raise ValueError
        return value

    return parse


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError
    return int(text)


def _refuse_overlaps(file: Path, placed: Iterable[tuple[int, Unit]]) -> None:
    """One code names one unit at a time."""
    ordered = sorted(placed, key=lambda item: (item[1].code, item[1].valid_from))
    for (earlier_row, earlier), (row, unit) in pairwise(ordered):
        if unit.code == earlier.code and (earlier.valid_to is None or unit.valid_from < earlier.valid_to):
            raise RefusedInput(
                f"{file}, row {row}, field valid_from: unit {unit.code} is already in row {earlier_row}, valid"
                f" until {earlier.valid_to or 'today'}; end the earlier one by its valid_to"
            )


def _refuse_lost_parents(file: Path, placed: Iterable[tuple[int, Unit]], known: Collection[str]) -> None:
    """Every parent is a unit, and nobody is its own ancestor."""
    placed = list(placed)
    above: dict[str, set[str]] = {}
    for _, unit in placed:
        above.setdefault(unit.code, set()).update({unit.parent} if unit.parent else ())
    for row, unit in placed:
        if unit.parent and unit.parent not in above and unit.parent not in known:
            raise RefusedInput(
                f"{file}, row {row}, field parent: {unit.parent!r} is no unit; add it to the file or leave it empty"
            )
        if unit.parent and _leads_to(above, unit.parent, unit.code):
            raise RefusedInput(f"{file}, row {row}, field parent: {unit.code} would be above itself")


def _leads_to(above: dict[str, set[str]], start: str, goal: str) -> bool:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        code = waiting.pop()
        if code == goal:
            return True
        if code not in seen:
            seen.add(code)
            waiting.extend(above.get(code, ()))
    return False
