"""Reading files: CSV, Excel, JSON and Parquet, also packed in zip or gzip; every value as text, so that codes such as
1.000110 stay what they are.

A file is known by the hash of its content and is read once; one that changed is read again. A member of a zip archive
is a file of its own. The watermark is JSON: `done` maps each file that is there to its hash, `part` says how far a
file was read that is not done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectors.batch import Batch
from connectors.readers.archive import Content, members
from connectors.readers.delimited import read_delimited
from connectors.readers.folder import find_files, finished, hash_file
from connectors.readers.json_file import read_json
from connectors.readers.parquet import read_parquet
from connectors.readers.rows import Rows, in_batches, make_batch
from connectors.readers.workbook import read_workbook
from warehouse.errors import TransientError
from warehouse.sources import FileSettings


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
    return _Run(settings, Position.parse(position), fields, batch_rows).batches()


class _Run:
    """One read of all files of a source."""

    def __init__(self, settings: FileSettings, state: Position, fields: Mapping[str, bool], batch_rows: int) -> None:
        self._settings, self._fields, self._batch_rows = settings, fields, batch_rows
        self._known = set(state.done.values())
        self._state = Position({name: mark for name, mark in state.done.items() if _is_there(name)})
        self._state.part_hash, self._state.part_rows = state.part_hash, state.part_rows

    def batches(self) -> Iterator[Batch]:
        paths = find_files(self._settings.path)
        marks: dict[Path, str | TransientError] = {}
        for path in finished(paths, self._settings.settle_seconds):
            try:
                mark = hash_file(path)
            except TransientError as error:
                if path.exists() or paths[path]:  # of a folder, what went away since it was listed is passed over
                    marks[path] = error
                continue
            marks[path] = mark
            if mark in self._known:
                self._state.done[str(path)] = mark
        for path, found in marks.items():
            if isinstance(found, TransientError):
                raise found
            if found not in self._known:
                yield from self._file(path, found)

    def _file(self, path: Path, mark: str) -> Iterator[Batch]:
        if not path.name.lower().endswith(".zip"):
            yield from self._content(Content(path), mark)
            return
        there = {content.shown: content for content in members(path)}
        marks = {shown: content.content_hash() for shown, content in there.items()}
        for shown, content in there.items():
            if marks[shown] in self._known:
                self._state.done[shown] = marks[shown]
            else:
                yield from self._content(content, marks[shown], (path, mark))
        within = f"{path}/"
        gone = [name for name in self._state.done if name.startswith(within) and name not in there]
        for name in gone:
            del self._state.done[name]
        self._state.done[str(path)] = mark
        self._known.add(mark)
        yield make_batch(path.name, [], self._fields, self._state.text())

    def _content(self, content: Content, mark: str, archive: tuple[Path, str] | None = None) -> Iterator[Batch]:
        """Yield one file from where it was left; the last batch, perhaps empty, marks it as done."""
        done = self._state.part_rows if self._state.part_hash == mark else 0
        held: list[Rows] = []
        for pieces in in_batches(_rows(content, self._settings, self._fields), self._batch_rows, done):
            if held:
                done += sum(len(piece.numbers) for piece in held)
                self._state.part_hash, self._state.part_rows = mark, done
                yield make_batch(content.place, held, self._fields, self._state.text())
            held = pieces
        path, outer = archive or (content.path, mark)
        if hash_file(path) != outer:
            raise TransientError(f"{path}: changed while it was read; it will be read again")
        self._state.part_hash, self._state.part_rows = None, 0
        self._state.done[content.shown] = mark
        self._known.add(mark)
        yield make_batch(content.place, held, self._fields, self._state.text())


def _is_there(name: str) -> bool:
    """Say whether a file that was read, or the archive that held it, is still there."""
    path = Path(name)
    try:
        return any(place.is_file() for place in (path, *path.parents))
    except OSError:
        return True  # it cannot be seen now; that does not make it new


def _rows(content: Content, settings: FileSettings, fields: Mapping[str, bool]) -> Iterator[Rows]:
    match content.format:
        case "CSV":
            return read_delimited(content, settings, fields)
        case "JSON":
            return read_json(content, settings, fields)
        case "Excel":
            return read_workbook(content, settings, fields)
        case _:
            return read_parquet(content, fields)


__all__ = ["Batch", "Position", "read"]
