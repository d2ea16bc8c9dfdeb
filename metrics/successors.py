"""Which unit followed which: the table `unit_successor`, read from a CSV file of the operator."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from warehouse.engine import advance_version
from warehouse.errors import RefusedInput
from warehouse.schema import unit, unit_successor

HEADER = ["old", "new", "changed_on", "share"]
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Successor:
    """A share (above 0, up to 1) of an old unit became part of a new one on a day."""

    old: str
    new: str
    changed_on: date
    share: float

    @property
    def whole(self) -> bool:
        """Whether the old unit went there entirely."""
        return self.share >= 1 - ROUNDING


def read_successors(file: Path) -> list[Successor]:
    """Read a CSV file (UTF-8, comma) old,new,changed_on,share; raises RefusedInput that names file, row and field.

    The shares of an old unit that changed on a day must add up to 1.
    """
    found: dict[tuple[str, str, date], int] = {}
    successors = []
    for number, cells in _rows(file):
        successor = _successor(f"{file}, row {number}", cells)
        key = (successor.old, successor.new, successor.changed_on)
        if key in found:
            raise RefusedInput(f"{file}, row {number}: the same units and day as row {found[key]}")
        found[key] = number
        successors.append(successor)
    sums: dict[tuple[str, date], float] = defaultdict(float)
    for successor in successors:
        sums[successor.old, successor.changed_on] += successor.share
    for (old, day), total in sums.items():
        if abs(total - 1) > ROUNDING:
            raise RefusedInput(f"{file}, field share: the shares of unit {old} on {day} add up to {total:g}, not to 1")
    return successors


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = [cell.strip() for cell in next(reader, [])]
            if header != HEADER:
                raise RefusedInput(
                    f"{file}, row 1: the first row must be {','.join(HEADER)}, found {','.join(header)!r}"
                )
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, [cell.strip() for cell in cells]
    except OSError as error:
        raise RefusedInput(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise RefusedInput(f"{file}: not UTF-8 text: {error.reason} at byte {error.start}; save it as UTF-8") from None
    except csv.Error as error:
        raise RefusedInput(f"{file}, row {reader.line_num}: not valid CSV: {error}") from None


def _successor(place: str, cells: Sequence[str]) -> Successor:
    if len(cells) != len(HEADER):
        raise RefusedInput(f"{place}: {len(cells)} cells where {len(HEADER)} are expected: {','.join(HEADER)}")
    old, new, day, share = cells
    if not (old and new):
        raise RefusedInput(f"{place}, field {'old' if not old else 'new'}: must be a unit code")
    try:
        changed_on = date.fromisoformat(day)
    except ValueError:
        raise RefusedInput(f"{place}, field changed_on: {day!r} is not a day such as 2025-07-01") from None
    try:
        value = float(share)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise RefusedInput(f"{place}, field share: {share!r} is not a number above 0, up to 1, such as 0.25")
    return Successor(old, new, changed_on, value)


@dataclass(frozen=True, slots=True)
class StoredSuccessors:
    """What a load did."""

    changed: int
    unchanged: int


def store_successors(
    connection: Connection, successors: Sequence[Successor], *, place: str = "successors"
) -> StoredSuccessors:
    """Store what became of old units on a day, in the caller's transaction; earlier rows of these units and days go.

    Raises RefusedInput, begun with `place`, for an old unit that did not exist before the day or a new one that did not
    exist on it.
    """
    _refuse_unknown(connection, successors, place)
    known = set(stored_successors(connection))
    moves = {(row.old, row.changed_on) for row in successors}
    gone = {row for row in known if (row.old, row.changed_on) in moves} - set(successors)
    new = [row for row in successors if row not in known]
    c = unit_successor.c
    for row in gone:
        connection.execute(
            delete(unit_successor).where(c.old == row.old, c.new == row.new, c.changed_on == row.changed_on)
        )
    if new:
        connection.execute(insert(unit_successor), [asdict(row) for row in new])
    if gone or new:
        advance_version(connection)
    return StoredSuccessors(len(new), len(successors) - len(new))


def _refuse_unknown(connection: Connection, successors: Iterable[Successor], place: str) -> None:
    rows = connection.execute(select(unit.c.code, unit.c.valid_from, unit.c.valid_to)).all()
    spans: dict[str, list[tuple[date, date | None]]] = defaultdict(list)
    for code, first, stop in rows:
        spans[code].append((first, stop))
    for row in successors:
        day = row.changed_on
        if not any(first < day for first, _ in spans[row.old]):
            raise RefusedInput(f"{place}, field old: no unit {row.old} existed before {day}; load its unit list first")
        if not any(first <= day and (stop is None or stop > day) for first, stop in spans[row.new]):
            raise RefusedInput(f"{place}, field new: no unit {row.new} exists on {day}; load its unit list first")


def stored_successors(connection: Connection) -> list[Successor]:
    """Return every stored row: by day, old and new unit."""
    c = unit_successor.c
    rows = connection.execute(select(c.old, c.new, c.changed_on, c.share).order_by(c.changed_on, c.old, c.new))
    return [Successor(*row) for row in rows]


__all__ = ["StoredSuccessors", "Successor", "read_successors", "store_successors", "stored_successors"]
