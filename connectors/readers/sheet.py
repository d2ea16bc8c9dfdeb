"""The rows of one sheet of an Excel workbook, read as a stream of XML: memory does not grow with the sheet.

calamine and pandas hold a whole sheet (2 GB for a million dossiers) and drop error cells; openpyxl takes four times as
long. What a cell says comes out as text: dates as ISO, numbers in the fifteen digits that Excel shows, errors as
themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import IO
from xml.parsers import expat

MAX_ROW, MAX_COLUMN = 1_048_576, 16_384
NO_RESULT = "#FORMULA!"
_READ_BYTES = 2**16
_MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_SHORT_INTEGER = re.compile(r"-?\d{1,15}")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})\"")

Cells = dict[int, str]


class BrokenSheetError(Exception):
    """The XML is not that of a sheet; the text says why and shows no contents."""


@dataclass(frozen=True, slots=True)
class Styles:
    """What the formats of a workbook's cells say about numbers: by number of style."""

    dates: frozenset[int] = frozenset()
    durations: frozenset[int] = frozenset()
    zeros: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    """Formats such as 00000 and 0.000000: the digits before and behind the point that are always shown."""
    from_1904: bool = False


def column_number(letters: str) -> int:
    """Return the position of a column, A is 0."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _names(*tags: str) -> dict[str, str]:
    return {f"{space} {tag}": tag for space in _MAIN for tag in tags} | {tag: tag for tag in tags}


class _Parser:
    """Collects what an XML stream says, until somebody fetches it."""

    tags: dict[str, str]

    def __init__(self) -> None:
        self.expat = expat.ParserCreate(namespace_separator=" ")
        self.expat.buffer_text = True
        self.expat.StartElementHandler = self.start
        self.expat.EndElementHandler = self.end
        self.expat.StartDoctypeDeclHandler = self._refuse_doctype
        self.buffer: list[str] = []
        self.listening = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        raise NotImplementedError

    def end(self, name: str) -> None:
        raise NotImplementedError

    @staticmethod
    def _refuse_doctype(*_: object) -> None:
        raise BrokenSheetError("a document type, which no workbook has")

    def listen(self) -> None:
        self.buffer.clear()
        self.listening = True
        self.expat.CharacterDataHandler = self.buffer.append

    def heard(self) -> str:
        self.listening = False
        self.expat.CharacterDataHandler = None
        return "".join(self.buffer)

    def feed(self, stream: IO[bytes]) -> Iterator[None]:
        """Parse piece by piece, and stop after each."""
        try:
            while block := stream.read(_READ_BYTES):
                self.expat.Parse(block)
                yield
            self.expat.Parse(b"", True)
            yield
        except expat.ExpatError as error:
            raise BrokenSheetError(f"{expat.ErrorString(error.code)} (line {error.lineno})") from None


class _Strings(_Parser):
    """The table of shared texts; runs of different type face are one text, readings beside it (rPh) none of it."""

    tags = _names("si", "t", "rPh")

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._parts: list[str] = []
        self._aside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = self.tags.get(name)
        if tag == "t":
            if not self._aside:
                self.listen()
        elif tag == "si":
            self._parts = []
        elif tag == "rPh":
            self._aside = True

    def end(self, name: str) -> None:
        tag = self.tags.get(name)
        if tag == "t":
            if self.listening:
                self._parts.append(self.heard())
        elif tag == "si":
            self.texts.append(plain(self._parts[0] if len(self._parts) == 1 else "".join(self._parts)))
        elif tag == "rPh":
            self._aside = False


def shared_texts(stream: IO[bytes]) -> list[str]:
    """Read the table of shared texts.

    Raises BrokenSheetError.
    """
    parser = _Strings()
    for _ in parser.feed(stream):
        pass
    return parser.texts


def plain(text: str) -> str:
    """Put in the signs that Excel writes as _xHHHH_."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


class _Cells(_Parser):
    """Rows of cells, as far as their columns are wanted."""

    tags = _names("row", "c", "v", "t", "f", "rPh")

    def __init__(self, texts: list[str], styles: Styles, wanted: frozenset[int] | None) -> None:
        super().__init__()
        self.rows: list[tuple[int, Cells]] = []
        self._texts, self._styles, self._wanted = texts, styles, wanted
        self._row, self._column, self._cells = 0, -1, Cells()
        self._kind, self._style = "n", 0
        self._taken, self._aside, self._formula = False, False, False
        self._parts: list[str] = []
        self._columns: dict[str, int] = {}
        self._read: dict[str, Callable[[str], str]] = {
            "s": self._shared, "str": plain, "inlineStr": plain, "e": str, "d": str,
            "b": lambda text: "true" if text == "1" else "false",
        }  # fmt: skip

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = self.tags.get(name)
        if tag == "c":
            self._begin_cell(attributes)
        elif tag in {"v", "t"}:
            if self._taken and not self._aside:
                self.listen()
        elif tag == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._column, self._cells = -1, {}
            if not 1 <= self._row <= MAX_ROW:
                raise BrokenSheetError("a row number that no sheet has")
        elif tag == "f":
            self._formula = True
        elif tag == "rPh":
            self._aside = True

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        letters = attributes.get("r", "").rstrip("0123456789")
        column = self._columns.get(letters) if letters else self._column + 1
        if column is None:
            column = self._columns[letters] = column_number(letters)
        self._column = column
        self._taken = self._wanted is None or column in self._wanted
        if self._taken:
            if column >= MAX_COLUMN:
                raise BrokenSheetError("a column that no sheet has")
            self._kind, self._style = attributes.get("t", "n"), int(attributes.get("s", 0))
            self._parts, self._formula = [], False

    def end(self, name: str) -> None:
        tag = self.tags.get(name)
        if tag in {"v", "t"}:
            if self.listening:
                self._parts.append(self.heard())
        elif tag == "c":
            if self._taken:
                self._end_cell()
        elif tag == "row":
            if self._cells:
                self.rows.append((self._row, self._cells))
        elif tag == "rPh":
            self._aside = False

    def _end_cell(self) -> None:
        text = "".join(self._parts)
        if text:
            read = self._read.get(self._kind)
            self._cells[self._column] = self._number(text) if read is None else read(text)
        elif self._formula and self._kind != "str":
            self._cells[self._column] = NO_RESULT

    def _shared(self, text: str) -> str:
        return self._texts[int(text)]

    def _number(self, text: str) -> str:
        style = self._style
        if style in self._styles.dates:
            return serial_text(float(text), self._styles.from_1904)
        if style in self._styles.durations:
            return _clock(round(float(text) * 86_400))
        if style in self._styles.zeros:
            return _padded(text, *self._styles.zeros[style])
        return number_text(text)


def sheet_rows(
    stream: IO[bytes], texts: list[str], styles: Styles, wanted: frozenset[int] | None = None
) -> Iterator[tuple[int, Cells]]:
    """Yield the rows of a sheet that have a cell with something in it: their number and the texts of their cells.

    Raises BrokenSheetError.
    """
    parser = _Cells(texts, styles, wanted)
    try:
        for _ in parser.feed(stream):
            yield from parser.rows
            parser.rows.clear()
    except (ValueError, IndexError, OverflowError):
        raise BrokenSheetError("a cell that refers to nothing, or a number that is none") from None


def merged_cells(stream: IO[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """Yield the merged ranges of a sheet: first row, last row, first column, last column."""
    rest = b""
    while block := stream.read(_READ_BYTES * 4):
        text = rest + block
        at = 0
        for match in _MERGED.finditer(text):
            at = match.end()
            first, top, last, bottom = (part.decode() for part in match.groups())
            yield int(top), int(bottom), column_number(first), column_number(last)
        rest = text[at:][-200:]


def number_text(text: str) -> str:
    """Write a number without the noise of binary fractions: 27001.0 is 27001, 0.30000000000000004 is 0.3."""
    if _SHORT_INTEGER.fullmatch(text):
        return text
    short = f"{float(text):.15g}"
    return format(Decimal(short), "f") if "e" in short else short


def _padded(text: str, before: int, behind: int) -> str:
    """Show the zeros of a format where they change nothing: unit codes 00004, procedure codes 1.000110."""
    short = number_text(text)
    sign, short = ("-", short[1:]) if short.startswith("-") else ("", short)
    whole, _, fraction = short.partition(".")
    fraction = fraction.ljust(behind, "0")
    return sign + whole.rjust(before, "0") + (f".{fraction}" if fraction else "")


def serial_text(serial: float, from_1904: bool) -> str:
    """Write a date of a sheet as ISO: a day, a day and a time, or a time alone; to the nearest second."""
    seconds = round(serial * 86_400)
    if 0 <= seconds < 86_400:
        return _clock(seconds)
    days = seconds // 86_400
    # the sheets of Lotus believed in 29 February 1900, which is number 60; before it every number is one too small
    epoch = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30 if days > 60 else 31)  # noqa: DTZ001 - civil
    if days < 0 or (days == 60 and not from_1904):
        return number_text(repr(serial))
    moment = epoch + timedelta(seconds=seconds)
    return moment.date().isoformat() if seconds % 86_400 == 0 else moment.isoformat()


def _clock(seconds: int) -> str:
    sign = "-" if seconds < 0 else ""
    minutes, second = divmod(abs(seconds), 60)
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"
