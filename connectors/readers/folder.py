"""Which files are there to be read: those of paths, folders and patterns that are finished.

In a folder, or by a pattern, a file that is not finished is left for later: one with the name of an unfinished file,
or that changed less than settle_seconds ago. For a file that the settings name, that time is waited once.
"""

from __future__ import annotations

import hashlib
import os
import time
import unicodedata
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from connectors.readers.archive import SUFFIXES, foreign, is_unfinished
from warehouse.errors import RefusedInput, TransientError

HASH_SETTLED_SECONDS = 2.0
"""A file that changed less long ago may change again without a new time of change."""
_Look = tuple[int, int]
_settled: dict[Path, _Look] = {}  # files with a time of change to come: how they looked when they had been waited for


def find_files(patterns: Sequence[Path]) -> dict[Path, bool]:
    """List the files of paths, folders and patterns: those in the order given, the files of each by name.

    The value says whether the settings name the file itself. Raises TransientError for a named file or folder that is
    not there, RefusedInput for a name that cannot be read and for a link that leads out of its folder.
    """
    found: dict[Path, bool] = {}
    for pattern in patterns:
        try:
            _find(pattern, found)
        except OSError as error:
            raise TransientError(f"{pattern}: cannot be listed: {error.strerror}; check its rights") from None
    return found


def _find(pattern: Path, found: dict[Path, bool]) -> None:
    by_name = False
    if any(sign in pattern.name for sign in "*?["):
        paths = _inside(pattern.parent, _like(pattern))
    elif pattern.is_dir():
        paths = [path for path in _inside(pattern, pattern.iterdir()) if _is_data(path)]
    else:
        paths, by_name = [_named(pattern)], True
    for path in paths:
        _refuse_unreadable(path)
        found[path] = by_name or found.get(path, False)


def _like(pattern: Path) -> list[Path]:
    """Find the files of a pattern; other systems write the same Vietnamese name with other characters."""
    return [path for path in pattern.parent.iterdir() if fnmatchcase(_same(path.name), _same(pattern.name))]


def _named(path: Path) -> Path:
    if path.is_file():
        return path
    for other in path.parent.iterdir() if path.parent.is_dir() else ():
        if _same(other.name) == _same(path.name) and other.is_file():
            return other
    raise TransientError(f"{path}: no such file or folder; check path of this source")


def _same(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _inside(folder: Path, paths: Iterable[Path]) -> list[Path]:
    """Keep the finished files, by name; a link that leads out of the folder is refused."""
    files = sorted(path for path in paths if not is_unfinished(path.name) and path.is_file())
    for path in files:
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            raise RefusedInput(f"{path}: a link that leads out of the folder; put the file itself there")
    return files


def _is_data(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith(SUFFIXES) or foreign(name) is not None


def _refuse_unreadable(path: Path) -> None:
    if advice := foreign(path.name):
        raise RefusedInput(f"{path}: {advice}")
    if not path.name.lower().endswith(SUFFIXES):
        raise RefusedInput(f"{path}: not a name of a file that can be read; they end in {', '.join(SUFFIXES)}")


def finished(paths: dict[Path, bool], settle_seconds: float) -> list[Path]:
    """Leave out files that are still being written, and those that went away.

    Raises TransientError for one that the settings name.
    """
    looks = {path: look for path in paths if (look := _look(path)) is not None}
    ages = {path: time.time() - look[1] / 1e9 for path, look in looks.items()}
    young = {path for path, age in ages.items() if age < settle_seconds and _settled.get(path) != looks[path]}
    # a time of change to come says nothing of the age: the other side's clock is wrong
    waited = {path for path in young if paths[path] or ages[path] < -settle_seconds}
    if waited:
        time.sleep(settle_seconds)
    for path in waited:
        if _look(path) == looks[path]:
            _settled[path] = looks[path]
            young.discard(path)
        elif paths[path]:
            raise TransientError(f"{path}: still being written; it will be read when it is finished")
    return [path for path in paths if path in looks and path not in young]


def _look(path: Path) -> _Look | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def hash_file(path: Path) -> str:
    """Return the hash of a file's content; a file that has not been touched since is not read for it again.

    Raises TransientError.
    """
    try:
        status = path.stat()
        if time.time() - status.st_mtime > HASH_SETTLED_SECONDS:
            return _settled_hash(path, status.st_size, status.st_mtime_ns, status.st_ino)
        return _hash(path)
    except OSError as error:
        raise TransientError(f"{path}: cannot be read: {os.strerror(error.errno or 0)}; check its rights") from error


@lru_cache(maxsize=4096)
def _settled_hash(path: Path, size: int, modified: int, inode: int) -> str:
    del size, modified, inode  # part of the cache's key
    return _hash(path)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
