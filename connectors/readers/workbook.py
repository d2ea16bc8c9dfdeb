"""Reading Excel workbooks (.xlsx, .xlsm): the sheet that has the mapping's columns, from its header on.

A cell that is merged over several rows counts in each of them. Hidden sheets are read only when the settings name
them. What Excel would warn of is an error here: a password, an old format, a part that is missing.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import PurePosixPath
from typing import IO
from xml.etree.ElementTree import Element, ParseError, fromstring

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format

from connectors.readers.archive import Content
from connectors.readers.header import HEADER_ROWS, Header, Row, explain_missing, fitting, look_for_header
from connectors.readers.rows import Rows, text_rows, without_empty
from connectors.readers.sheet import (
    BrokenSheetError,
    Cells,
    Styles,
    date_text,
    duration_text,
    merged_cells,
    padded_text,
    shared_texts,
    sheet_rows,
)
from warehouse.errors import RefusedInput
from warehouse.sources import FileSettings

PIECE_ROWS = 5_000
MAX_PART_BYTES = 16 * 2**20
MAX_TEXTS_BYTES = 128 * 2**20
MAX_UNPACKED_BYTES = 8 * 2**30
EVERY_SHEET = "*"
_LOCAL_DATES = frozenset({*range(27, 37), *range(50, 59)})
_OLD = b"\xd0\xcf\x11\xe0"
_PASSWORD = "EncryptedPackage".encode("utf-16-le")
_ZEROS = re.compile(r"(0+)(?:\.(0+))?")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook: its name, whether people see it, and the part that holds its cells."""

    name: str
    hidden: bool
    part: str


class Workbook:
    """An open workbook."""

    def __init__(self, shown: str, archive: zipfile.ZipFile) -> None:
        self.shown, self._archive = shown, archive
        self._parts = {info.filename.lower(): info for info in archive.infolist()}
        if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise RefusedInput(f"{shown}: would unpack to more than {MAX_UNPACKED_BYTES >> 30} GiB; that is no table")
        book = _target(self._related("", "_rels/.rels"), "officeDocument") or "xl/workbook.xml"
        root = self._xml(book)
        related = self._related(book, _relations_of(book))
        self.sheets = [sheet for item in _all(root, "sheet") if (sheet := _sheet(item, related))]
        styles = self._xml(_target(related, "styles") or "")
        first = next(iter(_all(root, "workbookPr")), None)
        self.styles = _styles(styles, first is not None and first.get("date1904") in {"1", "true", "on"})
        self.texts = self._shared(_target(related, "sharedStrings") or "")

    def _related(self, part: str, relations: str) -> dict[str, tuple[str, str]]:
        """Read what a part refers to: kind and name of each part, by the id of the reference."""
        folder = PurePosixPath(part).parent
        found: dict[str, tuple[str, str]] = {}
        for item in self._xml(relations):
            target = item.get("Target", "")
            whole = target[1:] if target.startswith("/") else str(folder / target)
            found[item.get("Id", "")] = (item.get("Type", "").rpartition("/")[2], whole)
        return found

    def _xml(self, part: str) -> Element:
        """Parse a small part; one that is not there is empty."""
        info = self._parts.get(part.lower())
        if info is None:
            return Element("none")
        if info.file_size > MAX_PART_BYTES:
            raise BrokenSheetError(f"its part {part} is larger than {MAX_PART_BYTES >> 20} MiB")
        text = self._archive.read(info)
        if b"<!DOCTYPE" in text:
            raise BrokenSheetError("a document type, which no workbook has")
        return fromstring(text)  # noqa: S314 - no document type, so no entities; its size is limited

    def _shared(self, part: str) -> list[str]:
        info = self._parts.get(part.lower())
        if info is None:
            return []
        if info.file_size > MAX_TEXTS_BYTES:
            raise BrokenSheetError(f"it holds more than {MAX_TEXTS_BYTES >> 20} MiB of texts; export it as CSV")
        with self._archive.open(info) as stream:
            return shared_texts(stream)

    @contextmanager
    def open_sheet(self, sheet: Sheet) -> Iterator[IO[bytes]]:
        """Open the XML of a sheet."""
        info = self._parts.get(sheet.part.lower())
        if info is None:
            raise BrokenSheetError(f"the part of sheet {sheet.name!r} is not there")
        with self._archive.open(info) as stream:
            yield stream

    def rows(self, sheet: Sheet, wanted: frozenset[int] | None = None) -> Iterator[tuple[int, Cells]]:
        """Yield the rows of a sheet."""
        with self.open_sheet(sheet) as stream:
            yield from sheet_rows(stream, self.texts, self.styles, wanted)

    def merged(self, sheet: Sheet) -> Iterator[tuple[int, int, int, int]]:
        """Yield the merged ranges of a sheet."""
        with self.open_sheet(sheet) as stream:
            yield from merged_cells(stream)


def read_workbook(content: Content, settings: FileSettings, fields: Mapping[str, bool]) -> Iterator[Rows]:
    """Yield the wanted columns of a workbook; rows have the numbers that the sheet shows.

    Raises RefusedInput for what is no workbook that can be read, or has no sheet with the columns, or several.
    """
    try:
        with content.open_seekable() as stream:
            _refuse_disguise(content, stream)
            with zipfile.ZipFile(stream) as archive:
                book = Workbook(content.shown, archive)
                for sheet, header in _choose(book, settings, fields):
                    label = f"sheet {sheet.name} row" if settings.sheet == EVERY_SHEET else "row"
                    for rows in _records(book, sheet, header, fields, label):
                        yield without_empty(rows)
    except (BrokenSheetError, ParseError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise RefusedInput(f"{content.shown}: not a whole Excel workbook: {error}; save it again") from None


def _refuse_disguise(content: Content, stream: IO[bytes]) -> None:
    start = stream.read(8)
    if start.startswith(_OLD):
        stream.seek(0)
        protected = any(_PASSWORD in block for block in iter(lambda: stream.read(2**22), b""))
        told = (
            "protected by a password; save it without one" if protected else "an old Excel workbook; save it as .xlsx"
        )
        raise RefusedInput(f"{content.shown}: {told}")
    if not start.startswith(b"PK"):
        told = "empty" if not start else "no Excel workbook, whatever its name says"
        raise RefusedInput(f"{content.shown}: {told}; export it again")
    stream.seek(0)


def _choose(book: Workbook, settings: FileSettings, fields: Mapping[str, bool]) -> list[tuple[Sheet, Header]]:
    """Choose the sheet to read, or the sheets, with the header of each."""
    every = settings.sheet == EVERY_SHEET
    named = [sheet for sheet in book.sheets if sheet.name.strip() == settings.sheet.strip()]
    names = ", ".join(sheet.name + (" (hidden)" if sheet.hidden else "") for sheet in book.sheets)[:600]
    if settings.sheet and not every and not named:
        raise RefusedInput(f"{book.shown}: has no sheet {settings.sheet!r}; sheets there: {names}; correct sheet")
    looked = named if settings.sheet and not every else [sheet for sheet in book.sheets if not sheet.hidden]
    tops = [(sheet, _top(book, sheet, settings.header_row)) for sheet in looked]
    found = [(sheet, header) for sheet, top in tops if (header := _header(book, sheet, top, settings, fields))]
    if not found:
        tops = tops or [(Sheet("", False, ""), [])]
        sheet, top = max(tops, key=lambda item: fitting(item[1], fields, settings.header_row))
        told = explain_missing(top, fields, settings.header_row)
        raise RefusedInput(f"{book.shown}: sheet {sheet.name!r}: {told}; sheets there: {names}")
    if len(found) > 1 and not every:
        both = ", ".join(sheet.name for sheet, _ in found)
        raise RefusedInput(
            f"{book.shown}: several sheets have the columns: {both[:600]}; set sheet to one, or to * for all"
        )
    return found


def _top(book: Workbook, sheet: Sheet, header_row: int) -> list[Row]:
    """Return the first rows of a sheet, whole."""
    last = max(HEADER_ROWS, header_row)
    return [(number, _dense(cells)) for number, cells in takewhile(lambda row: row[0] <= last, book.rows(sheet))]


def _dense(cells: Cells) -> list[str]:
    return [cells.get(column, "") for column in range(max(cells, default=-1) + 1)]


def _header(
    book: Workbook, sheet: Sheet, top: list[Row], settings: FileSettings, fields: Mapping[str, bool]
) -> Header | None:
    """Find the header of a sheet; a name that is merged over two rows counts in the lower one, too."""
    shown = f"{book.shown}: sheet {sheet.name!r}"
    if header := look_for_header(shown, top, fields, settings.header_row):
        return header
    rows = {number: list(cells) for number, cells in top}
    for first, last, column, _ in book.merged(sheet):
        name = rows[first][column] if first in rows and column < len(rows[first]) else ""
        for number in range(first + 1, min(last, max(rows, default=0)) + 1) if name else ():
            cells = rows.setdefault(number, [])
            cells.extend([""] * (column + 1 - len(cells)))
            cells[column] = name
    return look_for_header(shown, sorted(rows.items()), fields, settings.header_row)


def _records(book: Workbook, sheet: Sheet, header: Header, fields: Mapping[str, bool], label: str) -> Iterator[Rows]:
    wanted = frozenset(header.columns.values())
    fill = _Fill(
        [
            (first, last, column)
            for first, last, column, _ in book.merged(sheet)
            if last > first and last > header.row and column in wanted
        ]
    )
    piece: list[tuple[int, Cells]] = []
    for number, cells in book.rows(sheet, wanted):
        fill.apply(number, cells)
        if number > header.row:
            piece.append((number, cells))
        if len(piece) == PIECE_ROWS:
            yield _piece(piece, header, fields, label)
            piece = []
    if piece:
        yield _piece(piece, header, fields, label)


def _piece(piece: Sequence[tuple[int, Cells]], header: Header, fields: Mapping[str, bool], label: str) -> Rows:
    columns: dict[str, list[str | None]] = {
        name: [None if at is None else cells.get(at, "") for _, cells in piece]
        for name, at in ((name, header.columns.get(name)) for name in fields)
    }
    return text_rows(columns, [number for number, _ in piece], label)


class _Fill:
    """Cells merged over several rows: what the first says is said in each."""

    def __init__(self, ranges: list[tuple[int, int, int]]) -> None:
        self._coming = sorted(ranges, reverse=True)
        self._open: list[tuple[int, int, str]] = []

    def apply(self, number: int, cells: Cells) -> None:
        """Fill the cells of a row; rows come in their order."""
        if not self._coming and not self._open:
            return
        self._open = [item for item in self._open if item[0] >= number]
        for _, column, text in self._open:
            cells.setdefault(column, text)
        while self._coming and self._coming[-1][0] <= number:
            first, last, column = self._coming.pop()
            if first == number and column in cells:
                self._open.append((last, column, cells[column]))


# --- parts of a workbook --------------------------------------------------------------------------------------


def _relations_of(part: str) -> str:
    path = PurePosixPath(part)
    return str(path.parent / "_rels" / f"{path.name}.rels")


def _target(related: Mapping[str, tuple[str, str]], kind: str) -> str | None:
    return next((target for name, target in related.values() if name == kind), None)


def _all(root: Element, tag: str) -> list[Element]:
    """Find elements by name, whatever their name space."""
    return [item for item in root.iter() if item.tag.rpartition("}")[2] == tag]


def _sheet(item: Element, related: Mapping[str, tuple[str, str]]) -> Sheet | None:
    """Make a sheet of its entry; a chart is none."""
    ids = [value for name, value in item.attrib.items() if name.endswith("}id")]
    kind, part = related.get(ids[0] if ids else "", ("", ""))
    if kind != "worksheet":
        return None
    return Sheet(item.get("name", ""), item.get("state", "visible") != "visible", part)


def _styles(root: Element, from_1904: bool) -> Styles:
    formats = {int(item.get("numFmtId", 0)): item.get("formatCode", "") for item in _all(root, "numFmt")}
    cells = next(iter(_all(root, "cellXfs")), Element("none"))
    shown: dict[str, Callable[[str], str]] = {}
    for style, item in enumerate(cells):
        number = int(item.get("numFmtId", 0))
        code = formats.get(number, BUILTIN_FORMATS.get(number, "General"))
        if is_timedelta_format(code):
            shown[str(style)] = duration_text
        elif is_date_format(code) or (number in _LOCAL_DATES and number not in formats):
            shown[str(style)] = partial(date_text, from_1904=from_1904)
        elif code != "0" and (zeros := _ZEROS.fullmatch(code)):
            shown[str(style)] = partial(padded_text, before=len(zeros[1]), behind=len(zeros[2] or ""))
    return Styles(shown)
