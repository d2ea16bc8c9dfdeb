"""Reading CSV files: comma, semicolon, tab or pipe; any encoding; every value as text.

The fast path is UTF-8: pyarrow reads the file itself from behind the header on, block by block, and only the wanted
columns become arrays. Other encodings are brought to UTF-8 by a stream in between, packed files by another.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.csv

from connectors.readers import encoding as encodings
from connectors.readers.archive import Content
from connectors.readers.header import HEADER_ROWS, Header, Row, explain_missing, fitting, look_for_header
from connectors.readers.rows import Rows, without_empty
from warehouse.errors import RefusedInput, TransientError
from warehouse.sources import FileSettings

BLOCK_BYTES = 2**20
"""pyarrow reads up to 32 blocks ahead, so they are what its memory is made of."""
LONGEST_ROW_BYTES = 8 * 2**20
DELIMITERS = (",", ";", "\t", "|")
_MAGIC = {
    b"\x1f\x8b": "gzip", b"PAR1": "Parquet", b"PK\x03\x04": "a zip or Excel file", b"%PDF": "PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """How a CSV file is written, and how many bytes (as UTF-8) its rows begin behind."""

    encoding: str
    delimiter: str
    header: Header
    offset: int


class _NotUtf8Error(Exception):
    """A file that began as ASCII is something else further on."""


def read_delimited(content: Content, settings: FileSettings, fields: Mapping[str, bool]) -> Iterator[Rows]:
    """Yield the wanted columns of a CSV file; rows are counted with the header and what is above it.

    Raises RefusedInput for a file that is no CSV text with those columns, or not to its end.
    """
    with content.open() as raw:
        head = raw.read(encodings.SAMPLE_BYTES)
    refuse_disguise(content, head, "CSV")
    auto = settings.encoding == "auto"
    chosen = encodings.find_encoding(head) if auto else settings.encoding
    if chosen is None:
        raise encodings.undecided(content.shown)
    layout = _layout(content, settings, fields, head, chosen)
    done = 0
    try:
        for rows in _parse(content, layout):
            yield without_empty(rows)
            done += len(rows.numbers)
    except _NotUtf8Error:
        if not auto or not head.isascii():
            raise RefusedInput(f"{content.shown}: not text in {chosen}; set encoding, as windows-1258") from None
        yield from _rest_in_code_page(content, layout, done)


def _rest_in_code_page(content: Content, layout: Layout, done: int) -> Iterator[Rows]:
    """Read on behind `done` rows, all of them ASCII, in the encoding that the whole text speaks for."""
    with content.open() as raw:
        code_page = encodings.gather_evidence(raw)
    if code_page is None:
        raise encodings.undecided(content.shown)
    for rows in _parse(content, Layout(code_page, layout.delimiter, layout.header, layout.offset)):
        drop = min(done, len(rows.numbers))
        done -= drop
        yield without_empty(rows.part(drop))


def _layout(content: Content, settings: FileSettings, fields: Mapping[str, bool], head: bytes, encoding: str) -> Layout:
    """Find delimiter and header in the beginning of a file."""
    decoder = encodings.decoder(content.shown, encoding)
    try:
        text = decoder.decode(head)
    except UnicodeDecodeError as error:
        told = f"not CSV text in {encoding}: {error.reason}; set encoding"
        raise RefusedInput(f"{content.shown}: {told}") from None
    signs = DELIMITERS if settings.delimiter == "auto" else (settings.delimiter,)
    beginnings = {sign: _beginning(text, sign, max(HEADER_ROWS, settings.header_row)) for sign in signs}
    sign, header = _choose(content, settings, fields, beginnings)
    end = beginnings[sign][header.row - 1][2]
    mark = len(b"\xef\xbb\xbf") if encodings.is_plain(encoding) and head.startswith(b"\xef\xbb\xbf") else 0
    return Layout(encoding, sign, header, mark + len(text[:end].encode()))


def _choose(
    content: Content,
    settings: FileSettings,
    fields: Mapping[str, bool],
    beginnings: Mapping[str, list[tuple[int, list[str], int]]],
) -> tuple[str, Header]:
    """Choose the delimiter by which a row has the wanted columns, the most of them, then the most columns at all."""
    rows: dict[str, list[Row]] = {sign: [line[:2] for line in lines] for sign, lines in beginnings.items()}
    header_row = settings.header_row
    headers = {sign: look_for_header(content.shown, some, fields, header_row) for sign, some in rows.items()}
    found = [(len(header.columns), header.width, sign) for sign, header in headers.items() if header]
    if found:
        best = max(found, key=lambda item: item[:2])
        header = headers[best[2]]
        if header is not None:
            return best[2], header
    # none fits: speak of the delimiter that comes nearest
    near = max(rows, key=lambda sign: (fitting(rows[sign], fields, header_row), _widest(rows[sign])))
    raise RefusedInput(f"{content.shown}: {explain_missing(rows[near], fields, header_row)}")


def _widest(rows: list[Row]) -> int:
    return max((len(cells) for _, cells in rows), default=0)


def _beginning(text: str, delimiter: str, rows: int) -> list[tuple[int, list[str], int]]:
    """Split the first records: number, cells, and where in the text each ends."""
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=delimiter)
    found: list[tuple[int, list[str], int]] = []
    line, end = 0, 0
    try:
        for number, cells in enumerate(reader, 1):
            end += sum(map(len, lines[line : reader.line_num]))
            line = reader.line_num
            found.append((number, cells, end))
            if number >= rows:
                break
    except csv.Error:
        pass  # an enormous cell, or NUL bytes: what was split so far may do
    return found


def refuse_disguise(content: Content, head: bytes, format_name: str) -> None:
    """Refuse a file whose first bytes belong to another format than its name."""
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            raise RefusedInput(f"{content.shown}: named {format_name}, but it is {name}; rename it or export it again")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise RefusedInput(
            f"{content.shown}: named {format_name}, but it is HTML or XML, perhaps a saved error page; export it again"
        )


class _LongRowError(Exception):
    """A row is larger than a block."""


def _parse(content: Content, layout: Layout) -> Iterator[Rows]:
    """Parse a file in small blocks; one with a row that does not fit into them is read on in large ones."""
    done = 0
    try:
        for rows in _in_blocks(content, layout, BLOCK_BYTES):
            yield rows
            done += len(rows.numbers)
        return
    except _LongRowError:
        pass
    try:
        for rows in _in_blocks(content, layout, LONGEST_ROW_BYTES):
            drop = min(done, len(rows.numbers))
            done -= drop
            yield rows.part(drop)
    except _LongRowError:
        told = f"a quote that is not closed, or a row of more than {LONGEST_ROW_BYTES} bytes"
        raise RefusedInput(f"{content.shown}: not whole CSV ({told}); write it again") from None


def _in_blocks(content: Content, layout: Layout, block_bytes: int) -> Iterator[Rows]:
    names = [str(position) for position in range(layout.header.width)]
    ragged: list[tuple[int | None, int]] = []

    def note(row: Any) -> str:  # noqa: ANN401 - pyarrow's InvalidRow
        ragged.append((row.number, row.actual_columns))
        return "error"

    reading = pa.csv.ReadOptions(use_threads=False, block_size=block_bytes, column_names=names)
    parsing = pa.csv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=True, invalid_row_handler=note)
    converting = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.large_string()),
        include_columns=[names[position] for position in layout.header.columns.values()],
        strings_can_be_null=False,
    )
    number = layout.header.row + 1
    with _named_troubles(content, layout, ragged), _unpacked(content, layout) as stream:
        for batch in _open_csv(stream, reading, parsing, converting):
            table = pa.Table.from_batches([batch]).rename_columns(list(layout.header.columns))
            yield Rows.of(table, number)
            number += table.num_rows


def _open_csv(stream: Any, *options: Any) -> Iterator[Any]:  # noqa: ANN401 - pyarrow
    try:
        yield from pa.csv.open_csv(stream, *options)
    except pa.ArrowInvalid as error:
        if "Empty CSV" not in str(error):  # a header alone is no record
            raise


@contextmanager
def _unpacked(content: Content, layout: Layout) -> Iterator[Any]:
    """Open the text as UTF-8, at the first row behind the header."""
    plain = encodings.is_plain(layout.encoding)
    if plain and content.member is None and not content.name.lower().endswith(".gz"):
        with pa.OSFile(str(content.path)) as file:
            file.seek(layout.offset)
            yield file
        return
    with content.open() as raw:
        stream = raw if plain else cast("BinaryIO", encodings.Utf8Stream(raw, layout.encoding))
        left = layout.offset
        while left and (passed := stream.read(left)):
            left -= len(passed)
        yield pa.PythonFile(stream, mode="r")


@contextmanager
def _named_troubles(content: Content, layout: Layout, ragged: list[tuple[int | None, int]]) -> Iterator[None]:
    """Say of any trouble inside a CSV file where it is, never what stands there."""
    shown, header = content.shown, layout.header
    try:
        yield
    except pa.ArrowInvalid as error:
        if ragged:
            number, found = ragged[-1]
            where = f"row {number + header.row}" if number is not None else "a row"
            raise RefusedInput(
                f"{shown}: {where} has {found} columns, the header has {header.width}; write it again"
            ) from None
        if "UTF8" in str(error):
            raise _NotUtf8Error from None
        if "straddling" in str(error):
            raise _LongRowError from None
        raise RefusedInput(f"{shown}: not whole CSV (a quote that is not closed, or a row without end)") from None
    except UnicodeDecodeError as error:
        raise RefusedInput(f"{shown}: not text in {layout.encoding} throughout: {error.reason}; set encoding") from None
    except FileNotFoundError:
        raise TransientError(f"{shown}: gone before it was read to its end") from None
    except OSError as error:
        raise RefusedInput(f"{shown}: cannot be read to its end: {str(error)[:200]}; write it again") from None
