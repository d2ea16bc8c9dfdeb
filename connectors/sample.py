"""A sample of an unknown source: the fields that its first records have, and their texts.

A file is read as the file reader will read it; of an address one reply is asked, without logging in.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import httpx
import pyarrow.parquet

from connectors.batch import as_text
from connectors.readers import files
from connectors.readers.archive import Content, members
from connectors.readers.encoding import SAMPLE_BYTES, find_encoding
from connectors.readers.header import HEADER_ROWS, tidy
from connectors.readers.workbook import Workbook
from warehouse.errors import RefusedInput, TransientError
from warehouse.sources import FileSettings

RECORDS = 500
LARGEST_BYTES = 64 * 2**20
TIMEOUT_SECONDS = 30.0
_DELIMITERS = ",;\t|"
Known = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Sample:
    """Fields of the first records: texts by name (None: empty), and names that some records do not have at all.

    `reader` are the settings of the reader that would read it.
    """

    place: str
    columns: Mapping[str, Sequence[str | None]]
    lacking: frozenset[str]
    reader: Mapping[str, Any]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def size(self) -> int:
        """How many records."""
        return max(map(len, self.columns.values()), default=0)


def read_sample(place: str, known: Known) -> Sample:
    """Read the first records of a file or an http address; `known` says which names of fields are known.

    Raises RefusedInput for what holds no records, TransientError for what is not there or does not answer.
    """
    if urlsplit(place).scheme in {"http", "https"}:
        return _of_address(place, known)
    path = Path(place)
    if not path.is_file():
        raise TransientError(f"{path}: no such file; give a CSV, Excel, JSON or Parquet file, or an http address")
    contents = members(path) if path.name.lower().endswith(".zip") else [Content(path)]
    if not contents:
        raise RefusedInput(f"{path}: holds no file that can be read")
    content = contents[0]
    match content.format:
        case "JSON":
            return _of_json(
                place, _parse(_whole(content), content.shown), {"kind": "file", "path": str(path.resolve())}, known
            )
        case "Excel":
            names, sheet = _excel_names(content, known)
            return _of_table(path, names, {"sheet": sheet} if sheet else {})
        case "CSV":
            return _of_table(path, _csv_names(content, known), {})
        case _:
            with content.open_seekable() as stream, pyarrow.parquet.ParquetFile(stream) as file:
                return _of_table(path, list(file.schema_arrow.names), {})


def _of_table(path: Path, names: Sequence[str], options: Mapping[str, str]) -> Sample:
    """Read the columns of a file by the reader of files."""
    named = [name for name in dict.fromkeys(names) if name]
    twice = [name for name in named if list(names).count(name) > 1]
    wanted = [name for name in named if name not in twice]
    if not wanted:
        raise RefusedInput(f"{path}: no row of column names was found in its first {HEADER_ROWS} rows")
    settings = FileSettings(kind="file", path=(path,), settle_seconds=0, **options)
    batch = next(files.read(settings, None, dict.fromkeys(wanted, True), RECORDS))
    columns = {name: [None if _missing(text) else text for text in batch.frame[name]] for name in wanted}
    notes = [f"columns that are there twice and cannot be read: {', '.join(twice)}"] if twice else []
    return Sample(str(path), columns, frozenset(), {"kind": "file", "path": str(path.resolve()), **options}, notes)


def _missing(text: Any) -> bool:  # noqa: ANN401 - a text or NaN
    return not isinstance(text, str) or not text.strip()


# --- the row of the column names --------------------------------------------------------------------------------


def _best(rows: Sequence[Sequence[str]], known: Known) -> list[str]:
    """Choose the row that looks most like names of columns: most known names, then most words."""

    def score(row: Sequence[str]) -> tuple[int, int]:
        cells = [tidy(cell) for cell in row if cell and cell.strip()]
        words = sum(not cell.replace(".", "").replace(",", "").isdigit() for cell in cells)
        return sum(map(known, cells)), words if len(cells) > 1 else 0

    best = max(rows, key=score, default=[])
    return [tidy(cell or "") for cell in best]


def _csv_names(content: Content, known: Known) -> list[str]:
    with content.open() as raw:
        head = raw.read(SAMPLE_BYTES)
    text = head.decode(find_encoding(head) or "utf-8", "replace").lstrip("\ufeff")
    tables = [_split(text, delimiter) for delimiter in _DELIMITERS]
    widest = max(tables, key=lambda rows: max((len(row) for row in rows), default=0))
    return _best(widest, known)


def _split(text: str, delimiter: str) -> list[list[str]]:
    try:
        return list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), HEADER_ROWS))
    except csv.Error:
        return []


def _excel_names(content: Content, known: Known) -> tuple[list[str], str]:
    """The best row of names of all visible sheets, and the name of its sheet where there are several."""
    with content.open_seekable() as stream, zipfile.ZipFile(stream) as archive:
        book = Workbook(content.shown, archive)
        sheets = [sheet for sheet in book.sheets if not sheet.hidden]
        tops = {
            sheet.name: [
                [cells.get(column, "") for column in range(max(cells, default=-1) + 1)]
                for _, cells in islice(book.rows(sheet), HEADER_ROWS)
            ]
            for sheet in sheets
        }
    found = {name: _best(rows, known) for name, rows in tops.items() if rows}
    if not found:
        raise RefusedInput(f"{content.shown}: an empty workbook")
    name = max(found, key=lambda sheet: (sum(map(known, found[sheet])), len(found[sheet])))
    return found[name], name if len(found) > 1 else ""


# --- JSON -------------------------------------------------------------------------------------------------------


def _whole(content: Content) -> bytes:
    with content.open() as raw:
        text = raw.read(LARGEST_BYTES + 1)
    if len(text) > LARGEST_BYTES:
        raise RefusedInput(f"{content.shown}: larger than {LARGEST_BYTES >> 20} MiB; a sample may be small")
    return text


def _parse(body: bytes, where: str) -> Any:  # noqa: ANN401 - JSON
    text = body.decode(find_encoding(body[:SAMPLE_BYTES]) or "utf-8", "replace").lstrip("\ufeff")
    try:
        return json.loads(text)
    except ValueError as error:
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            raise RefusedInput(f"{where}: not JSON that can be read: {str(error)[:80]}") from None


def _of_json(place: str, reply: Any, reader: Mapping[str, Any], known: Known) -> Sample:  # noqa: ANN401 - JSON
    """Take the list of objects that has most known names, else the longest."""
    lists = list(_lists(reply, ""))
    if not lists:
        raise RefusedInput(f"{place}: no list of records in it")
    path, records = max(lists, key=lambda item: (sum(known(name) for name in item[1][0]), len(item[1])))
    records = records[:RECORDS]
    names = dict.fromkeys(name for record in records for name in record)
    columns = {name: [as_text(record.get(name)) for record in records] for name in names}
    columns = {name: [None if _missing(text) else text for text in texts] for name, texts in columns.items()}
    lacking = frozenset(name for name in names if any(name not in record for record in records))
    return Sample(place, columns, lacking, {**reader, "records": path}, _pages(reply))


def _lists(value: Any, path: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:  # noqa: ANN401 - JSON
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        yield path, value
    if isinstance(value, dict):
        for name, inside in value.items():
            yield from _lists(inside, f"{path}.{name}" if path else str(name))


def _pages(reply: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    """What the reply says beside its records about how its pages follow each other."""
    if not isinstance(reply, dict):
        return ()
    names = [name for name, value in reply.items() if not isinstance(value, list | dict)]
    return (f"beside the records the reply has: {', '.join(map(str, names))}",) if names else ()


SECRET = ("token", "key", "secret", "password", "session", "sig", "auth")


def _of_address(url: str, known: Known) -> Sample:
    """Ask once; what looks like a secret in the query is not written anywhere."""
    shown = urlunsplit(urlsplit(url)._replace(query="", fragment="", netloc=urlsplit(url).netloc.rpartition("@")[2]))
    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False) as client:
            reply = client.get(url, headers={"Accept": "application/json"})
    except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise TransientError(f"{shown}: no answer ({type(error).__name__}); check the address") from None
    if reply.status_code in {401, 403}:
        raise RefusedInput(
            f"{shown}: answered {reply.status_code}; the sample is asked without logging in: save a reply as a file"
            " and give that"
        )
    if reply.status_code != 200:
        raise RefusedInput(f"{shown}: answered {reply.status_code} instead of records")
    if len(reply.content) > LARGEST_BYTES:
        raise RefusedInput(f"{shown}: a reply of more than {LARGEST_BYTES >> 20} MiB; ask for fewer records")
    query = parse_qsl(urlsplit(url).query)
    parameters = {name: value for name, value in query if not any(word in name.lower() for word in SECRET)}
    reader = {"kind": "rest", "url": shown, **({"parameters": parameters} if parameters else {})}
    return _of_json(shown, _parse(reply.content, shown), reader, known)
