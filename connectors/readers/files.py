"""Reading files: CSV and Parquet, in chunks, every value as text so that codes such as 1.000110 stay what they are.

A file is known by the hash of its content and is read once; one that changed is read again. The watermark is JSON:
`done` maps each file that is there to its hash, `part` says how far a file was read that is not done.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from connectors.batch import Batch, Stretch, as_text, text_array, text_column
from warehouse.errors import RefusedInput, TransientError
from warehouse.sources import FileSettings

SUFFIXES = (".csv", ".csv.gz", ".parquet")
BLOCK_BYTES = 8 * 2**20
SETTLED_SECONDS = 2.0
UTF8 = frozenset({"utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii"})
_MAGIC = {b"\x1f\x8b": "gzip", b"PAR1": "Parquet", b"PK\x03\x04": "a zip or Excel file", b"%PDF": "PDF"}


@dataclass
class Position:
    """Which files are done, by path and content hash, and how far an unfinished one was read."""

    done: dict[str, str] = field(default_factory=dict)
    part_hash: str | None = None
    part_rows: int = 0

    @classmethod
    def parse(cls, text: str | None) -> Position:
        """Read a watermark; one that is not ours starts anew, which costs time but changes nothing."""
        try:
            value = json.loads(text or "{}")
            part = value.get("part", {})
            return cls(dict(value.get("done", {})), part.get("hash"), int(part.get("rows", 0)))
        except (ValueError, AttributeError, TypeError):
            return cls()

    def text(self) -> str:
        """Write the watermark."""
        part = {"part": {"hash": self.part_hash, "rows": self.part_rows}} if self.part_hash else {}
        return json.dumps({"done": self.done, **part}, sort_keys=True, ensure_ascii=False)


def read(settings: FileSettings, position: str | None, fields: Mapping[str, bool], batch_rows: int) -> Iterator[Batch]:
    """Yield the rows of every file that was not read yet, in the order of names, only the named columns.

    Raises RefusedInput for a file that is not what it says, TransientError for one that is not there or still changes.
    """
    plain = {"encoding": "utf-8-sig", "delimiter": ","}
    settings = settings.model_copy(update={k: v for k, v in plain.items() if getattr(settings, k) == "auto"})
    state = Position.parse(position)
    paths = find_files(settings.path)
    known = set(state.done.values())
    present = {str(path): hash_file(path) for path in paths}
    done = {name: mark for name, mark in state.done.items() if Path(name).exists()}
    done |= {name: mark for name, mark in present.items() if mark in known}
    fresh = Position(done, state.part_hash, state.part_rows)
    for path in paths:
        mark = present[str(path)]
        if mark in known:
            continue
        yield from _file_batches(settings, path, mark, fresh, fields, batch_rows)
        known.add(mark)


def _file_batches(
    settings: FileSettings, path: Path, mark: str, state: Position, fields: Mapping[str, bool], batch_rows: int
) -> Iterator[Batch]:
    """Yield one file from where it was left; the last batch, perhaps empty, marks it as done."""
    done = state.part_rows if state.part_hash == mark else 0
    size = path.stat().st_size
    last: pd.DataFrame | None = None
    for rows in _chunks(settings, path, fields, batch_rows, done):
        if last is not None:
            state.part_hash, state.part_rows = mark, done + len(last)
            yield _batch(path, last, done, state)
            done += len(last)
        last = rows
    if path.stat().st_size != size or hash_file(path) != mark:
        raise TransientError(f"{path}: changed while it was read; it will be read again")
    state.part_hash, state.part_rows = None, 0
    state.done[str(path)] = mark
    empty = pd.DataFrame({name: text_column(text_array([])) for name in fields})
    yield _batch(path, empty if last is None else last, done, state)


def _batch(path: Path, frame: pd.DataFrame, done: int, state: Position) -> Batch:
    first = 1 if path.name.endswith(".parquet") else 2  # the header is row 1
    return Batch(frame, [Stretch(0, f"{path.name} row", first + done)], state.text())


def find_files(patterns: Sequence[Path]) -> list[Path]:
    """List the files of paths, folders and patterns: those in the order given, the files of each by name.

    Raises TransientError for a named file or folder that is not there, RefusedInput for a name that is neither.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        if any(sign in pattern.name for sign in "*?["):
            matches = sorted(path for path in pattern.parent.glob(pattern.name) if path.is_file())
        elif pattern.is_dir():
            matches = sorted(path for path in pattern.iterdir() if path.name.lower().endswith(SUFFIXES))
        elif pattern.is_file():
            matches = [pattern]
        else:
            raise TransientError(f"{pattern}: no such file or folder; check path of this source")
        for path in matches:
            if not path.name.lower().endswith(SUFFIXES):
                raise RefusedInput(f"{path}: not a name of a file that can be read; they end in {', '.join(SUFFIXES)}")
            found[path] = None
    return list(found)


def hash_file(path: Path) -> str:
    """Return the hash of a file's content; a file that has not been touched since is not read for it again."""
    try:
        status = path.stat()
        if time.time() - status.st_mtime > SETTLED_SECONDS:
            return _settled_hash(path, status.st_size, status.st_mtime_ns)
        return _hash(path)
    except OSError as error:
        raise TransientError(f"{path}: cannot be read: {error.strerror}; check its rights") from error


@lru_cache(maxsize=4096)
def _settled_hash(path: Path, size: int, modified: int) -> str:
    del size, modified  # part of the cache's key
    return _hash(path)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def _chunks(
    settings: FileSettings, path: Path, fields: Mapping[str, bool], batch_rows: int, skip: int
) -> Iterator[pd.DataFrame]:
    """Yield frames of at most `batch_rows` rows after the first `skip` rows."""
    parquet = path.name.lower().endswith(".parquet")
    tables = _parquet(path, fields, batch_rows) if parquet else _csv(settings, path, fields)
    kept: list[Any] = []
    count = 0
    for table in tables:
        drop = min(skip, table.num_rows)
        skip -= drop
        kept.append(table.slice(drop))
        count += table.num_rows - drop
        while count >= batch_rows:
            whole = pa.concat_tables(kept)
            yield _frame(whole.slice(0, batch_rows))
            kept, count = [whole.slice(batch_rows)], count - batch_rows
    if count:
        yield _frame(pa.concat_tables(kept))


def _frame(table: Any) -> pd.DataFrame:  # noqa: ANN401 - Arrow table
    return pd.DataFrame({name: text_column(table.column(name).combine_chunks()) for name in table.column_names})


def _columns(path: Path, found: Sequence[str], fields: Mapping[str, bool]) -> list[str]:
    """Choose the wanted columns of those found."""
    if missing := [name for name, needed in fields.items() if needed and name not in found]:
        raise RefusedInput(
            f"{path}: lacks the column(s) {', '.join(missing)}; columns there: {', '.join(found)[:600]};"
            " correct the mapping, or mark the column optional"
        )
    if twice := sorted({name for name in fields if list(found).count(name) > 1}):
        raise RefusedInput(f"{path}: the column(s) {', '.join(twice)} are there twice")
    return [name for name in fields if name in found]


# --- CSV ------------------------------------------------------------------------------------------------------


def _csv(settings: FileSettings, path: Path, fields: Mapping[str, bool]) -> Iterator[Any]:
    _refuse_disguise(path)
    names = _header(settings, path)
    wanted = _columns(path, names, fields)
    ragged: list[tuple[int | None, int]] = []

    def note(row: Any) -> str:  # noqa: ANN401 - pyarrow's InvalidRow
        ragged.append((row.number, row.actual_columns))
        return "error"

    encoding = "utf8" if settings.encoding.lower() in UTF8 else settings.encoding
    reading = pa.csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES, encoding=encoding)
    parsing = pa.csv.ParseOptions(delimiter=settings.delimiter, newlines_in_values=True, invalid_row_handler=note)
    converting = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.large_string()), include_columns=wanted, strings_can_be_null=False
    )
    compression = "gzip" if path.suffix == ".gz" else None
    with (
        _named_troubles(path, ragged, len(names), settings.encoding),
        pa.input_stream(str(path), compression=compression) as stream,
    ):
        for batch in pa.csv.open_csv(stream, reading, parsing, converting):
            yield pa.Table.from_batches([batch])


def _header(settings: FileSettings, path: Path) -> list[str]:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as raw, io.TextIOWrapper(raw, encoding=settings.encoding, newline="") as text:
            names = next(csv.reader(text, delimiter=settings.delimiter), [])
    except (OSError, EOFError, zlib.error) as error:
        raise RefusedInput(f"{path}: cannot be read as {path.suffix[1:]}: {_plain(error)}") from error
    except (UnicodeDecodeError, LookupError, csv.Error) as error:
        raise RefusedInput(f"{path}: not CSV text in {settings.encoding}: {_plain(error)}; set encoding") from error
    if not any(names):
        raise RefusedInput(f"{path}: empty, not even a header; a CSV file begins with the names of its columns")
    return names


def _refuse_disguise(path: Path) -> None:
    """Refuse a file whose first bytes belong to another format than its name."""
    with path.open("rb") as file:
        start = file.read(512)
    zipped = path.suffix == ".gz"
    if zipped and start[:2] != b"\x1f\x8b":
        raise RefusedInput(f"{path}: named .gz, but not gzip; rename it or write it again")
    for magic, name in _MAGIC.items():
        if not zipped and start.startswith(magic):
            raise RefusedInput(f"{path}: named CSV, but it is {name}; rename it or export it as CSV")
    if not zipped and start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise RefusedInput(f"{path}: named CSV, but it is HTML or XML, perhaps a saved error page; export it again")


@contextmanager
def _named_troubles(path: Path, ragged: list[tuple[int | None, int]], columns: int, encoding: str) -> Iterator[None]:
    """Say of any trouble inside a CSV file where it is, never what stands there."""
    try:
        yield
    except pa.ArrowInvalid as error:
        if ragged:
            number, found = ragged[-1]
            where = f"row {number}" if number is not None else "a row"
            raise RefusedInput(
                f"{path}: {where} has {found} columns, the header has {columns}; write it again"
            ) from None
        if "UTF8" in str(error):
            raise RefusedInput(f"{path}: not text in {encoding}; set encoding, for example windows-1258") from None
        raise RefusedInput(f"{path}: not whole CSV (a quote that is not closed, or a row without end)") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise RefusedInput(f"{path}: cannot be read to its end: {_plain(error)}; write it again") from error


def _plain(error: Exception) -> str:
    return error.reason if isinstance(error, UnicodeDecodeError) else str(error)[:200] or type(error).__name__


# --- Parquet --------------------------------------------------------------------------------------------------


def _parquet(path: Path, fields: Mapping[str, bool], batch_rows: int) -> Iterator[Any]:
    try:
        with pa.parquet.ParquetFile(path) as file:
            wanted = _columns(path, file.schema_arrow.names, fields)
            for batch in file.iter_batches(batch_size=batch_rows, columns=wanted):
                table = pa.Table.from_batches([batch]).select(wanted)
                yield pa.table({name: _as_texts(table.column(name).combine_chunks()) for name in wanted})
    except (pa.ArrowException, OSError) as error:
        raise RefusedInput(f"{path}: not a whole Parquet file: {_plain(error)}; write it again") from error


def _as_texts(array: Any) -> Any:  # noqa: ANN401 - Arrow array
    """Render a column as the same texts that a CSV file of the same data has."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    if pa.types.is_timestamp(kind):
        return _instant_texts(array)
    if pa.types.is_floating(kind):
        values = array.to_numpy(zero_copy_only=False).astype(np.float64)
        return text_array([None if np.isnan(value) else as_text(float(value)) for value in values])
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return text_array([as_text(value) for value in array.to_pylist()])
    if pa.types.is_boolean(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return text_array([None if value is None else as_text(value) for value in array.to_pylist()])
    return pc.cast(array, pa.large_string())


def _instant_texts(array: Any) -> Any:  # noqa: ANN401 - Arrow array
    """ISO text in whole seconds; with an offset when the column has a time zone."""
    zone = array.type.tz
    if zone is not None:
        array = array.cast(pa.timestamp(array.type.unit, "UTC")).cast(pa.timestamp(array.type.unit))
    whole = pc.floor_temporal(array, unit="second").cast(pa.timestamp("s"))
    texts = pc.strftime(whole, format="%Y-%m-%dT%H:%M:%S").cast(pa.large_string())
    utc, nothing = pa.scalar("+00:00", pa.large_string()), pa.scalar("", pa.large_string())
    return texts if zone is None else pc.binary_join_element_wise(texts, utc, nothing)
