"""Opening what is to be read: a file, what a gzip file packs, or a member of a zip archive.

Nothing is ever unpacked under a name that an archive gives. What unpacks to far more than it should, archives in
archives, names that lead out of the folder and members with a password are refused.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from warehouse.errors import RefusedInput, TransientError

FORMATS = {
    ".csv": "CSV", ".tsv": "CSV", ".json": "JSON", ".jsonl": "JSON", ".ndjson": "JSON",
    ".xlsx": "Excel", ".xlsm": "Excel", ".parquet": "Parquet",
}  # fmt: skip
GZIPPED = (".csv.gz", ".tsv.gz", ".json.gz", ".jsonl.gz", ".ndjson.gz")
SUFFIXES = (*FORMATS, *GZIPPED, ".zip")
FOREIGN = {
    ".xls": "an old Excel workbook; save it as .xlsx", ".xlsb": "a binary Excel workbook; save it as .xlsx",
    ".ods": "an OpenDocument sheet; save it as .xlsx", ".rar": "a RAR archive; pack it as .zip",
    ".7z": "a 7-Zip archive; pack it as .zip", ".tgz": "a tar archive; pack it as .zip",
    ".tar": "a tar archive; pack it as .zip", ".tar.gz": "a tar archive; pack it as .zip",
}  # fmt: skip
"""What looks like data but cannot be read is an error, not passed over."""

MAX_MEMBERS = 10_000
MAX_UNPACKED_BYTES = 16 * 2**30
MAX_RATIO, FREE_BYTES = 500, 64 * 2**20
"""More than so many times its packed size, beyond so many bytes, no honest table unpacks to."""
MAX_COPY_BYTES = 2 * 2**30
_BLOCK = 2**20
_UTF8_NAME, _ENCRYPTED = 0x800, 0x1


@dataclass(frozen=True, slots=True)
class Content:
    """One table to read: a file, or a member of a zip archive."""

    path: Path
    member: zipfile.ZipInfo | None = None

    @property
    def name(self) -> str:
        """Name of the file; of a member, as the archive has it."""
        return self.path.name if self.member is None else _plain_name(self.member)

    @property
    def place(self) -> str:
        """The name by which records say where they came from."""
        return self.name if self.member is None else f"{self.path.name}/{self.name}"

    @property
    def shown(self) -> str:
        """The path by which errors call it, and by which it is remembered."""
        return str(self.path) if self.member is None else f"{self.path}/{self.name}"

    @property
    def format(self) -> str:
        """CSV, JSON, Excel or Parquet."""
        name = self.name.lower().removesuffix(".gz")
        return FORMATS[PurePosixPath(name).suffix]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the unpacked bytes.

        Raises RefusedInput for what cannot be unpacked, TransientError for a file that is not there any more.
        """
        with _named_troubles(self.shown):
            if self.member is not None:
                with zipfile.ZipFile(self.path) as archive, _open_member(archive, self.member) as stream:
                    yield cast("BinaryIO", stream)
            elif self.name.lower().endswith(".gz"):
                with self.path.open("rb") as raw, gzip.open(raw) as unpacked:
                    yield cast("BinaryIO", Measured(unpacked, self.shown, self.path.stat().st_size))
            else:
                with self.path.open("rb") as raw:
                    yield raw

    @contextmanager
    def open_seekable(self) -> Iterator[IO[bytes]]:
        """Open the bytes so that any part can be read at any time; a member of an archive is copied for it."""
        with self.open() as stream:
            if self.member is None:
                yield stream
                return
            if self.member.file_size > MAX_COPY_BYTES:
                raise RefusedInput(f"{self.shown}: larger than {MAX_COPY_BYTES >> 20} MiB; unpack the archive")
            with tempfile.TemporaryFile() as copy:
                shutil.copyfileobj(stream, copy, _BLOCK)
                copy.seek(0)
                yield copy

    def content_hash(self) -> str:
        """Return the hash of the unpacked bytes."""
        digest = hashlib.sha256()
        with self.open() as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest()[:32]


class Measured(io.RawIOBase):
    """An unpacking stream that refuses to go on when far too much comes out."""

    def __init__(self, stream: io.BufferedIOBase, shown: str, packed: int) -> None:
        self._stream, self._shown = stream, shown
        self._limit, self._count = max(FREE_BYTES, MAX_RATIO * packed), 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes."""
        block = self._stream.read(size if size >= 0 else self._limit + 1)
        self._count += len(block)
        if self._count > self._limit:
            raise RefusedInput(f"{self._shown}: unpacks to more than {MAX_RATIO} times its size; that is no table")
        return block


def members(path: Path) -> list[Content]:
    """List the tables of a zip archive by name.

    Raises RefusedInput for an archive that is damaged, dangerous, or holds no table.
    """
    with _named_troubles(str(path)), zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        packed = path.stat().st_size
    if len(infos) > MAX_MEMBERS:
        raise RefusedInput(f"{path}: holds {len(infos)} members, more than {MAX_MEMBERS}; pack fewer into one")
    unpacked = sum(info.file_size for info in infos)
    if unpacked > MAX_UNPACKED_BYTES or unpacked > max(FREE_BYTES, MAX_RATIO * packed):
        raise RefusedInput(f"{path}: would unpack to {unpacked >> 20} MiB; that is no archive of tables")
    found = [Content(path, info) for info in infos if _is_table(path, info)]
    names = [content.name for content in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise RefusedInput(f"{path}: holds {', '.join(twice)[:200]} twice; pack it again")
    if not found:
        raise RefusedInput(f"{path}: holds no file that can be read; they end in {', '.join(SUFFIXES)}")
    return sorted(found, key=lambda content: content.name)


def _is_table(path: Path, info: zipfile.ZipInfo) -> bool:
    name = _plain_name(info)
    parts = PurePosixPath(name).parts
    if info.is_dir() or not parts or parts[0] == "__MACOSX" or is_unfinished(parts[-1]):
        return False
    if ".." in parts or name.startswith("/") or any(sign in name for sign in "\\:") or not name.isprintable():
        raise RefusedInput(f"{path}: a member has the name {ascii(name)[:200]}, which leads elsewhere; pack it again")
    low = name.lower()
    if low.endswith((*GZIPPED, ".zip")):
        raise RefusedInput(f"{path}/{name}: an archive inside an archive; unpack it")
    if advice := foreign(low):
        raise RefusedInput(f"{path}/{name}: {advice}")
    if low.endswith(tuple(FORMATS)) and info.flag_bits & _ENCRYPTED:
        raise RefusedInput(f"{path}/{name}: protected by a password; pack it without one")
    return low.endswith(tuple(FORMATS))


def _open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return archive.open(info)
    except (NotImplementedError, RuntimeError) as error:  # a compression that we do not have
        raise zipfile.BadZipFile(str(error)) from None


def _plain_name(info: zipfile.ZipInfo) -> str:
    """Read the name; many packers write UTF-8 without saying so."""
    if info.flag_bits & _UTF8_NAME:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def is_unfinished(name: str) -> bool:
    """Say whether a name is one under which programs keep what is not yet, or not at all, a finished file."""
    return name.startswith((".", "~$")) or name.lower().endswith((".part", ".tmp", ".crdownload", "~"))


def foreign(name: str) -> str | None:
    """Say what a file is that looks like data but cannot be read."""
    return next((advice for suffix, advice in FOREIGN.items() if name.lower().endswith(suffix)), None)


@contextmanager
def _named_troubles(shown: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise TransientError(f"{shown}: gone before it was read to its end") from None
    except PermissionError:
        raise TransientError(f"{shown}: cannot be read: permission denied; check its rights") from None
    except gzip.BadGzipFile:
        raise RefusedInput(f"{shown}: named .gz, but not gzip throughout; write it again") from None
    except zipfile.BadZipFile as error:
        raise RefusedInput(f"{shown}: not a whole zip archive: {str(error)[:200]}; pack it again") from None
    except (OSError, EOFError, zlib.error) as error:
        raise RefusedInput(f"{shown}: cannot be read to its end: {str(error)[:200]}; write it again") from None
