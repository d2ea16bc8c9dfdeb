"""Reading JSON files: a list of records, an object with a list somewhere inside, or a record on each line.

The file is read as a stream, one record in memory after the other, whatever its size. A number keeps the digits that
it is written with: the code 1.000110 stays what it is even where somebody forgot its quotes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

from connectors.batch import as_text, text_array
from connectors.readers import encoding as encodings
from connectors.readers.archive import Content
from connectors.readers.delimited import refuse_disguise
from connectors.readers.rows import Rows
from warehouse.errors import RefusedInput
from warehouse.sources import FileSettings

MAX_RECORD_SIGNS = 16 * 2**20
PIECE_ROWS = 5_000
_READ_BYTES = 2**20
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_ABSENT: Any = object()


class _Number(float):
    """A number that knows how it was written."""

    __slots__ = ("text",)
    text: str

    @classmethod
    def read(cls, text: str) -> _Number:
        number = cls(text)
        number.text = text
        return number


class _Broken(Exception):  # noqa: N818 - not told to anybody
    """The text is no JSON here."""


def _no_constant(name: str) -> NoReturn:
    raise _Broken(f"{name} is no number of JSON")


_DECODER = json.JSONDecoder(parse_float=_Number.read, parse_constant=_no_constant)


class _Text:
    """A JSON text of which a part is in memory: what was read is forgotten when more is fetched."""

    def __init__(self, stream: Any, encoding: str) -> None:  # noqa: ANN401 - any binary stream
        self._stream, self._decoder = stream, encodings.decoder("", encoding)
        self._text, self._at, self._ended = "", 0, False

    def _fetch(self, signs: int) -> None:
        """Fetch at least `signs` more, unless the end comes first."""
        parts, have = [self._text[self._at :]], 0
        while have < signs and not self._ended:
            block = self._stream.read(_READ_BYTES)
            self._ended = not block
            parts.append(self._decoder.decode(block, final=self._ended))
            have += len(parts[-1])
        self._text, self._at = "".join(parts), 0

    def peek(self) -> str:
        """Return the next sign that is no space; nothing at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._fetch(1)

    def expect(self, signs: str) -> str:
        """Take the next sign that is no space, one of `signs`."""
        sign = self.peek()
        if not sign or sign not in signs:
            raise _Broken("cut off" if not sign else f"{' or '.join(signs)} expected")
        self._at += 1
        return sign

    def value(self) -> Any:  # noqa: ANN401 - a value of JSON
        """Take the next value."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
                if end < len(self._text) or self._ended:
                    self._at = end
                    return value
            except json.JSONDecodeError as error:
                if self._ended:
                    raise _Broken(error.msg) from None
            except (ValueError, RecursionError):
                raise _Broken("a number of too many digits, or nested too deeply") from None
            held = len(self._text) - self._at
            if held > MAX_RECORD_SIGNS:
                raise _Broken(f"no whole value within {MAX_RECORD_SIGNS >> 20} MiB")
            self._fetch(max(held, 1))


def read_json(content: Content, settings: FileSettings, fields: Mapping[str, bool]) -> Iterator[Rows]:
    """Yield the wanted fields of the records of a JSON file, counted from 1; rows say which fields a record lacks.

    Raises RefusedInput for what is no whole JSON, or no list of records.
    """
    with content.open() as raw:
        head = raw.read(encodings.SAMPLE_BYTES)
    refuse_disguise(content, head, "JSON")
    encoding = encodings.find_encoding(head) if settings.encoding == "auto" else settings.encoding
    if encoding is None:
        raise encodings.undecided(content.shown)
    encodings.decoder(content.shown, encoding)
    read = 0
    try:
        with content.open() as raw:
            piece: list[dict[str, Any]] = []
            for record in _records(_Text(raw, encoding), settings.records):
                if not isinstance(record, dict):
                    raise _Broken("no object with named fields")
                piece.append(record)
                if len(piece) == PIECE_ROWS:
                    yield _rows(content, piece, fields, read)
                    read, piece = read + len(piece), []
            if piece:
                yield _rows(content, piece, fields, read)
                read, piece = read + len(piece), []
    except _Broken as error:
        where = f"item {read + len(piece) + 1}"
        raise RefusedInput(f"{content.shown}: {where}: not whole JSON with records: {error}; write it again") from None
    except UnicodeDecodeError as error:
        told = f"not text in {encoding} throughout: {error.reason}; set encoding"
        raise RefusedInput(f"{content.shown}: {told}") from None


def _records(text: _Text, path: str) -> Iterator[Any]:
    """Take the records one by one, and make sure that the text ends as it should."""
    first = text.peek()
    if path:
        found: list[str] = []
        yield from _inside(text, tuple(path.split(".")), found)
        if not found:
            raise _Broken(f"there is no list at records = {path}")
    elif first == "[":
        yield from _list(text)
    else:
        if not first:
            raise _Broken("empty")
        while text.peek():  # a record on each line
            yield text.value()
        return
    if text.peek():
        raise _Broken("something follows behind its end")


def _list(text: _Text) -> Iterator[Any]:
    text.expect("[")
    if text.peek() == "]":
        text.expect("]")
        return
    while True:
        yield text.value()
        if text.expect(",]") == "]":
            return


def _inside(text: _Text, path: Sequence[str], found: list[str]) -> Iterator[Any]:
    """Go through an object, take the records of the list at `path`, and pass over everything else."""
    if not path:
        if text.peek() != "[":
            raise _Broken("records is not the path of a list")
        found.append("")
        yield from _list(text)
        return
    text.expect("{")
    if text.peek() == "}":
        text.expect("}")
        return
    while True:
        name = text.value()
        text.expect(":")
        if name == path[0]:
            yield from _inside(text, path[1:], found)
        else:
            text.value()
        if text.expect(",}") == "}":
            return


def _rows(content: Content, records: Sequence[Mapping[str, Any]], fields: Mapping[str, bool], before: int) -> Rows:
    columns: dict[str, Any] = {}
    absent: dict[str, Any] = {}
    for name, needed in fields.items():
        values = [record.get(name, _ABSENT) for record in records]
        lacking = np.fromiter((value is _ABSENT for value in values), bool, len(values))
        if needed and lacking.any():
            absent[name] = lacking
        columns[name] = text_array([None if value is _ABSENT else _as_text(value) for value in values])
    missing = [name for name, rows in absent.items() if rows.all()]
    if missing and not before and (len(records) > 1 or len(missing) == sum(fields.values())):
        _refuse_other_records(content, records, missing)
    numbers = np.arange(before + 1, before + 1 + len(records), dtype=np.int64)
    return Rows(pa.table(columns), numbers, "item", absent)


def _refuse_other_records(content: Content, records: Sequence[Mapping[str, Any]], missing: Sequence[str]) -> NoReturn:
    found = sorted({name for record in records[:100] for name in record})
    raise RefusedInput(
        f"{content.shown}: no record has the field(s) {', '.join(missing)}; fields there: {', '.join(found)[:600]};"
        " correct the mapping, mark the column optional, or set records to the path of the list"
    )


def _as_text(value: Any) -> str | None:  # noqa: ANN401 - a value of JSON
    """Render a value as text; a number as it is written, but a whole one without its fraction of zeros."""
    if isinstance(value, _Number) and "e" not in value.text.lower():
        whole, _, fraction = value.text.partition(".")
        return whole if fraction == "0" else value.text
    return as_text(value)
