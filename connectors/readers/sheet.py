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
    """How numbers of certain styles are shown, by the number of the style; the others as they are."""

    shown: Mapping[str, Callable[[str], str]] = field(default_factory=dict)


def column_number(letters: str) -> int:
    """Return the position of a column, A is 0."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


Attributes = dict[str, str]


class _Parser:
    """Calls a method at the beginning and at the end of each element that it knows, whatever its name space."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._begins: dict[str, Callable[[Attributes], None]] = {}
        self._ends: dict[str, Callable[[], None]] = {}
        self._expat = expat.ParserCreate(namespace_separator=" ")
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._begin
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self.heard.append
        self._expat.StartDoctypeDeclHandler = self._refuse_doctype

    def know(self, tag: str, begin: Callable[[Attributes], None] | None, end: Callable[[], None] | None) -> None:
        for name in (tag, *(f"{space} {tag}" for space in _MAIN)):
            if begin is not None:
                self._begins[name] = begin
            if end is not None:
                self._ends[name] = end

    def _begin(self, name: str, attributes: Attributes) -> None:
        if name in self._begins:
            self._begins[name](attributes)

    def _end(self, name: str) -> None:
        if name in self._ends:
            self._ends[name]()

    @staticmethod
    def _refuse_doctype(*_: object) -> None:
        raise BrokenSheetError("a document type, which no workbook has")

    def feed(self, stream: IO[bytes]) -> Iterator[None]:
        """Parse piece by piece, and stop after each."""
        try:
            while block := stream.read(_READ_BYTES):
                self._expat.Parse(block)
                yield
            self._expat.Parse(b"", True)
            yield
        except expat.ExpatError as error:
            raise BrokenSheetError(f"{expat.ErrorString(error.code)} (line {error.lineno})") from None


class _Strings(_Parser):
    """The table of shared texts; runs of different type face are one text, readings beside it (rPh) none of it."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._parts: list[str] = []
        self._aside = False
        self.know("si", lambda _: self._parts.clear(), self._end_item)
        self.know("t", lambda _: self.heard.clear(), self._end_text)
        self.know("rPh", lambda _: self._set_aside(True), lambda: self._set_aside(False))

    def _set_aside(self, aside: bool) -> None:
        self._aside = aside

    def _end_text(self) -> None:
        if not self._aside:
            self._parts.append("".join(self.heard))

    def _end_item(self) -> None:
        self.texts.append(plain("".join(self._parts)))
        self.heard.clear()


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

    def __init__(self, texts: list[str], styles: Styles, wanted: frozenset[int] | None) -> None:
        super().__init__()
        self.rows: list[tuple[int, Cells]] = []
        self._texts, self._styles, self._wanted = texts, styles, wanted
        self._row, self._column, self._cells = 0, -1, Cells()
        self._kind, self._style, self._value = "n", "0", ""
        self._taken, self._aside, self._formula = False, False, False
        self._columns: dict[str, int] = {}
        self._read: dict[str, Callable[[str], str]] = {
            "s": self._shared, "n": self._number, "str": plain, "inlineStr": plain, "e": str, "d": str,
            "b": lambda text: "true" if text == "1" else "false",
        }  # fmt: skip
        self.know("row", self._begin_row, self._end_row)
        self.know("c", self._begin_cell, self._end_cell)
        self.know("v", self._begin_value, self._end_value)
        self.know("t", self._begin_value, self._end_value)
        self.know("f", self._begin_formula, None)
        self.know("rPh", lambda _: self._set_aside(True), lambda: self._set_aside(False))

    def _begin_row(self, attributes: Attributes) -> None:
        self._row = int(attributes.get("r", self._row + 1))
        self._column, self._cells = -1, {}
        if not 1 <= self._row <= MAX_ROW:
            raise BrokenSheetError("a row number that no sheet has")

    def _end_row(self) -> None:
        if self._cells:
            self.rows.append((self._row, self._cells))

    def _begin_cell(self, attributes: Attributes) -> None:
        letters = attributes["r"].rstrip("0123456789") if "r" in attributes else ""
        if letters in self._columns:
            column = self._columns[letters]
        elif letters:
            column = self._columns[letters] = column_number(letters)
        else:
            column = self._column + 1
        self._column = column
        self._taken = self._wanted is None or column in self._wanted
        if self._taken:
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "0")
            self._value, self._formula = "", False

    def _begin_value(self, _: Attributes) -> None:
        self.heard.clear()

    def _end_value(self) -> None:
        if self._taken and not self._aside:
            self._value += "".join(self.heard)

    def _begin_formula(self, _: Attributes) -> None:
        self._formula = True

    def _set_aside(self, aside: bool) -> None:
        self._aside = aside

    def _end_cell(self) -> None:
        if not self._taken:
            return
        if self._value:
            if self._column >= MAX_COLUMN:
                raise BrokenSheetError("a column that no sheet has")
            self._cells[self._column] = self._read[self._kind](self._value)
        elif self._formula and self._kind != "str":
            self._cells[self._column] = NO_RESULT

    def _shared(self, text: str) -> str:
        return self._texts[int(text)]

    def _number(self, text: str) -> str:
        show = self._styles.shown.get(self._style)
        return number_text(text) if show is None else show(text)


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
    except (ValueError, LookupError, OverflowError):
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
    """Write a number without the noise of binary fractions: 27001.0 is 27001, 0.30000000000000004 is 0.3.

    Three digits behind the point get a fourth: what a cell holds as a number, 28.856, is not 28 thousand.
    """
    if _SHORT_INTEGER.fullmatch(text):
        return text
    short = f"{float(text):.15g}"
    short = format(Decimal(short), "f") if "e" in short else short
    return short + "0" if short[-4:-3] == "." else short


def padded_text(text: str, before: int, behind: int) -> str:
    """Show the zeros of a format where they change nothing: unit codes 00004, procedure codes 1.000110."""
    short = number_text(text)
    sign, short = ("-", short[1:]) if short.startswith("-") else ("", short)
    whole, _, fraction = short.partition(".")
    fraction = fraction.ljust(behind, "0")
    return sign + whole.rjust(before, "0") + (f".{fraction}" if fraction else "")


def date_text(text: str, *, from_1904: bool = False) -> str:
    """Write a date of a sheet as ISO: a day, a day and a time, or a time alone; to the nearest second."""
    seconds = round(float(text) * 86_400)
    if 0 <= seconds < 86_400:
        return duration_text(text)
    days = seconds // 86_400
    # the sheets of Lotus believed in 29 February 1900, which is number 60; before it every number is one too small
    epoch = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30 if days > 60 else 31)  # noqa: DTZ001 - civil
    if days < 0 or (days == 60 and not from_1904):
        return number_text(text)
    moment = epoch + timedelta(seconds=seconds)
    return moment.date().isoformat() if seconds % 86_400 == 0 else moment.isoformat()


def duration_text(text: str) -> str:
    """Write a part of a day, or many days, as hours, minutes and seconds."""
    seconds = round(float(text) * 86_400)
    minutes, second = divmod(abs(seconds), 60)
    return f"{'-' if seconds < 0 else ''}{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"
