"""What the reader of one file format hands on: rows as Arrow texts, and where in the file each of them stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.batch import Batch, Mask, Stretch, text_array, text_column
from warehouse.errors import RefusedInput

BATCH_BYTES = 24 * 2**20


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows in the order of the file.

    `table` has a text column for each field that was found, `numbers` says where each row stands in the file, counted
    in `label`; `absent` marks rows that had no such field at all.
    """

    table: Any
    numbers: NDArray[np.int64]
    label: str = "row"
    absent: Mapping[str, Mask] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Any, first: int, label: str = "row") -> Rows:  # noqa: ANN401 - Arrow table
        """Rows that follow each other without a gap."""
        return cls(table, np.arange(first, first + table.num_rows, dtype=np.int64), label)

    def part(self, start: int, end: int | None = None) -> Rows:
        """Rows from `start` to before `end`."""
        cut = slice(start, end)
        size = len(self.numbers[cut])
        absent = {name: mask[cut] for name, mask in self.absent.items()}
        return replace(self, table=self.table.slice(start, size), numbers=self.numbers[cut], absent=absent)


def text_rows(columns: Mapping[str, Sequence[str | None]], numbers: Sequence[int], label: str = "row") -> Rows:
    """Make rows of lists of texts."""
    table = pa.table({name: text_array(texts) for name, texts in columns.items()})
    return Rows(table, np.array(numbers, np.int64), label)


def choose_columns(shown: str, found: Sequence[str], fields: Mapping[str, bool]) -> list[str]:
    """Choose the wanted of the columns that a file with typed columns has."""
    if missing := [name for name, needed in fields.items() if needed and name not in found]:
        raise RefusedInput(
            f"{shown}: lacks the column(s) {', '.join(missing)}; columns there: {', '.join(found)[:600]};"
            " correct the mapping, or mark the column optional"
        )
    if twice := sorted({name for name in fields if list(found).count(name) > 1}):
        raise RefusedInput(f"{shown}: the column(s) {', '.join(twice)} are there twice")
    return [name for name in fields if name in found]


def without_empty(rows: Rows) -> Rows:
    """Drop rows in which every mapped cell is empty, as spreadsheets write them behind the last record."""
    columns = rows.table.columns
    empty = _empty(columns[0])
    if not pc.any(empty).as_py():
        return rows
    for column in columns[1:]:
        empty = pc.and_(empty, _empty(column))
    keep = ~np.asarray(empty.to_numpy(), dtype=bool)
    if keep.all():
        return rows
    return replace(rows, table=rows.table.filter(pa.array(keep)), numbers=rows.numbers[keep])


def _empty(column: Any) -> Any:  # noqa: ANN401 - Arrow
    return pc.fill_null(pc.equal(pc.binary_length(column), 0), True)


def in_batches(pieces: Iterable[Rows], batch_rows: int, skip: int) -> Iterator[list[Rows]]:
    """Cut a stream of rows into lists of `batch_rows` rows, the last of fewer, after the first `skip` rows.

    Where rows are large, a list has fewer, so that memory does not grow with them.
    """
    kept: list[Rows] = []
    count = size = 0
    for piece in pieces:
        drop = min(skip, len(piece.numbers))
        skip -= drop
        rest = piece.part(drop)
        while count + len(rest.numbers) >= batch_rows:
            cut = batch_rows - count
            yield [*kept, rest.part(0, cut)]
            rest, kept, count, size = rest.part(cut), [], 0, 0
        if len(rest.numbers):
            kept.append(rest)
            count += len(rest.numbers)
            size += rest.table.nbytes
        if size >= BATCH_BYTES:
            yield kept
            kept, count, size = [], 0, 0
    if count:
        yield kept


def make_batch(place: str, pieces: Sequence[Rows], fields: Mapping[str, bool], position: str) -> Batch:
    """Make a batch of rows; there may be none."""
    if not pieces:
        frame = pd.DataFrame({name: text_column(text_array([])) for name in fields})
        return Batch(frame, [Stretch(0, f"{place} row", 0)], position)
    table = pa.concat_tables([piece.table for piece in pieces])
    frame = pd.DataFrame({name: text_column(table.column(name).combine_chunks()) for name in table.column_names})
    return Batch(frame, list(_stretches(place, pieces)), position, _absent(pieces))


def _absent(pieces: Sequence[Rows]) -> dict[str, Mask]:
    names = {name for piece in pieces for name in piece.absent}
    nowhere = [np.zeros(len(piece.numbers), bool) for piece in pieces]
    return {
        name: np.concatenate([piece.absent.get(name, no) for piece, no in zip(pieces, nowhere, strict=True)])
        for name in names
    }


def _stretches(place: str, pieces: Sequence[Rows]) -> Iterator[Stretch]:
    start = 0
    for piece in pieces:
        breaks = np.flatnonzero(np.diff(piece.numbers) != 1) + 1
        for row in (0, *breaks.tolist()):
            yield Stretch(start + row, f"{place} {piece.label}", int(piece.numbers[row]))
        start += len(piece.numbers)
