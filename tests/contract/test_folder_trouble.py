"""Folders that people and programs write into while we read, and archives: nothing half written, nothing twice."""

from __future__ import annotations

import gzip
import os
import tempfile
import threading
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from connectors.readers import archive, files, folder
from connectors.sync import sync_source
from tests.connectors.support import NOW, file_source, record, settings_of
from warehouse.errors import RefusedInput, TransientError
from warehouse.schema import dossier
from warehouse.sources import FileSettings

FIELDS = {"code": True, "unit": True}
HEADER = "code,unit\n"


def read(*paths: Path, position: str | None = None, rows: int = 1000, **options: Any) -> list[files.Batch]:  # noqa: ANN401
    settings = FileSettings(**({"kind": "file", "path": paths, "settle_seconds": 0} | options))
    return list(files.read(settings, position, FIELDS, rows))


def codes(batches: list[files.Batch]) -> list[str]:
    return [code for batch in batches for code in batch.frame["code"].tolist()]


def places(batches: list[files.Batch]) -> list[str]:
    return [batch.place(row) for batch in batches for row in range(len(batch.frame))]


def put(path: Path, *names: str, age: float = 100.0) -> Path:
    path.write_text(HEADER + "".join(f"{name},1\n" for name in names or (path.name,)), encoding="utf-8")
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def pack(path: Path, **members: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return path


# --- files that are not finished ------------------------------------------------------------------------------


def test_a_young_file_in_a_folder_is_left_for_later(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", age=0)
    put(tmp_path / "b.csv")
    batches = read(tmp_path, settle_seconds=30)
    assert codes(batches) == codes(read(tmp_path / "*.csv", settle_seconds=30)) == ["b.csv"]
    put(tmp_path / "a.csv")
    assert codes(read(tmp_path, settle_seconds=30, position=batches[-1].position)) == ["a.csv"]


def test_a_young_file_with_a_name_of_its_own_is_waited_for(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", age=0)
    began = time.monotonic()
    assert codes(read(path, settle_seconds=0.5)) == ["a.csv"]
    assert time.monotonic() - began >= 0.5


def test_a_file_that_grows_while_it_is_waited_for_is_not_read(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", age=0)

    def grow() -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write("2,1\n")

    timer = threading.Timer(0.3, grow)
    timer.start()
    with pytest.raises(TransientError, match=r"a\.csv: still being written"):
        read(path, settle_seconds=0.8)
    timer.join()


def test_a_clock_that_is_ahead_does_not_hide_a_file(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", age=-3600)
    batches = read(tmp_path, settle_seconds=0.3)
    assert codes(batches) == ["a.csv"]
    began = time.monotonic()
    assert read(tmp_path, settle_seconds=5, position=batches[-1].position) == []
    assert time.monotonic() - began < 4, "it was waited for once"


def test_names_of_unfinished_files_are_passed_over(tmp_path: Path) -> None:
    for name in ("a.csv.part", "b.csv.tmp", "c.csv~", ".d.csv", "~$e.xlsx", "f.csv.crdownload"):
        put(tmp_path / name)
    put(tmp_path / "g.csv")
    assert codes(read(tmp_path)) == codes(read(tmp_path / "*")) == ["g.csv"]


def test_a_file_that_goes_away_is_passed_over_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a.csv")
    gone = put(tmp_path / "b.csv")
    put(tmp_path / "c.csv")

    def hash_file(path: Path) -> str:
        gone.unlink(missing_ok=True)
        return folder.hash_file(path)

    monkeypatch.setattr(files, "hash_file", hash_file)
    assert codes(read(tmp_path)) == ["a.csv", "c.csv"]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.xlsx", "a.json", "a.parquet", "a.zip"])
def test_a_file_that_goes_away_when_it_is_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = put(tmp_path / name)

    def hash_and_lose(path: Path) -> str:
        mark = folder.hash_file(path)
        path.unlink()
        return mark

    monkeypatch.setattr(files, "hash_file", hash_and_lose)
    with pytest.raises(TransientError, match="gone before it was read to its end"):
        read(path)


# --- what else lies in folders --------------------------------------------------------------------------------


def test_folders_pipes_and_links_inside(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    put(inbox / "a.csv")
    (inbox / "b.csv").mkdir()
    os.mkfifo(inbox / "c.csv")
    (inbox / "d.csv").symlink_to(put(inbox / "e.csv", "linked"))
    (inbox / "f.csv").symlink_to(inbox / "nothing.csv")
    (inbox / "g.md").write_text("x")
    assert codes(read(inbox)) == ["a.csv", "linked"]
    (inbox / "h.csv").symlink_to(put(tmp_path / "outside.csv"))
    with pytest.raises(RefusedInput, match=r"h\.csv: a link that leads out of the folder"):
        read(inbox)


def test_names_may_be_written_with_other_characters(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "hồ sơ tháng 3.csv")
    put(tmp_path / decomposed, "1")
    for name in ("hồ sơ tháng 3.csv", "hồ sơ*.csv"):
        assert codes(read(tmp_path / name)) == ["1"]


@contextmanager
def as_somebody() -> Iterator[None]:
    """Act as a user without special rights, where the tests run with them."""
    special = os.geteuid() == 0
    if special:
        os.seteuid(65534)
    try:
        yield
    finally:
        if special:
            os.seteuid(0)


def test_rights_that_are_missing_are_said() -> None:
    with tempfile.TemporaryDirectory() as name:
        inbox = Path(name)
        inbox.chmod(0o755)
        put(inbox / "a.csv")
        put(inbox / "b.csv").chmod(0)
        settings = FileSettings(kind="file", path=(inbox,), settle_seconds=0)
        with as_somebody():
            batches = files.read(settings, None, FIELDS, 1000)
            assert codes([next(batches)]) == ["a.csv"]
            with pytest.raises(TransientError, match=r"b\.csv: cannot be read: Permission denied; check its rights"):
                next(batches)
        inbox.chmod(0o700)
        for path in (inbox, inbox / "a.csv", inbox / "*.csv"):
            with as_somebody(), pytest.raises(TransientError, match="Permission denied; check its rights"):
                read(path)
        inbox.chmod(0o755)
        (inbox / "b.csv").chmod(0o644)


def test_what_looks_like_data_but_cannot_be_read_is_said(tmp_path: Path) -> None:
    for name, told in (
        ("a.xls", "old Excel"),
        ("a.ods", "OpenDocument"),
        ("a.rar", "RAR"),
        ("a.tar.gz", "tar archive"),
    ):
        path = put(tmp_path / name)
        with pytest.raises(RefusedInput, match=told):
            read(tmp_path)
        path.unlink()


# --- once, and again when corrected ---------------------------------------------------------------------------


def test_a_renamed_file_is_not_read_again_and_a_corrected_one_is(tmp_path: Path) -> None:
    done = read(put(tmp_path / "a.csv").parent)[-1].position
    (tmp_path / "a.csv").rename(tmp_path / "z.csv")
    put(tmp_path / "b.csv")
    later = read(tmp_path, position=done)
    assert codes(later) == ["b.csv"]
    assert read(tmp_path, position=later[-1].position) == []
    put(tmp_path / "z.csv", "corrected")
    corrected = read(tmp_path, position=later[-1].position)
    assert codes(corrected) == ["corrected"]
    put(tmp_path / "z.csv", "a.csv")
    assert codes(read(tmp_path, position=corrected[-1].position)) == ["a.csv"], "back to the first content"


def test_a_corrected_file_restates(warehouse: Engine, tmp_path: Path) -> None:
    names = ["MaHoSo", "MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "KenhThucHien", "NgayTiepNhan", "TrangThaiHoSo"]
    names += ["DonViXuLy", "NgayNopHoSo", "NgayHenTra", "NgayTra", "NgayKetThucXuLy", "NgayTuChoi", "NgayCapNhat"]
    names += [name for name in record() if name not in names]

    def write(*records: dict[str, Any]) -> None:
        rows = [",".join("" if isinstance(item[name], list) else item[name] for name in names) for item in records]
        pack(tmp_path / "a.zip", **{"hồ sơ.csv": "\n".join([",".join(names), *rows])})

    source = file_source(tmp_path)
    for status in ("9", "10", "9"):
        write(record(1, TrangThaiHoSo=status, NgayCapNhat=""), record(2))
        report = sync_source(warehouse, settings_of(source), source, now=NOW)
        assert (report.error, report.read) == (None, 2)
        with warehouse.connect() as connection:
            assert connection.execute(select(dossier.c.status).order_by(dossier.c.code)).scalars().first() == int(
                status
            )


# --- archives -------------------------------------------------------------------------------------------------


def test_each_member_is_a_file_of_its_own(tmp_path: Path) -> None:
    members = {
        "b.csv": HEADER + "b,1\n",
        "thư mục/a.csv": HEADER + "a1,1\na2,1\n",
        "readme.txt": "x",
        "c.json": '[{"code":"c","unit":1}]',
    }
    pack(tmp_path / "x.zip", **members, **{"__MACOSX/._b.csv": "x", ".DS_Store": "x"})
    batches = read(tmp_path, rows=1)
    assert places(batches) == [
        "x.zip/b.csv row 2", "x.zip/c.json item 1", "x.zip/thư mục/a.csv row 2", "x.zip/thư mục/a.csv row 3",
    ]  # fmt: skip
    for number, batch in enumerate(batches):
        assert codes(read(tmp_path, rows=1, position=batch.position)) == codes(batches)[number + 1 :]
    done = batches[-1].position
    assert read(tmp_path, position=done) == []
    pack(tmp_path / "x.zip", **members | {"b.csv": HEADER + "new,1\n", "same.csv": members["thư mục/a.csv"]})
    assert codes(read(tmp_path, position=done)) == ["new"], "only what is new of an archive that was packed again"
    (tmp_path / "a.csv").write_text(members["thư mục/a.csv"], encoding="utf-8")
    assert codes(read(tmp_path, position=done)) == ["new"], "nor what was taken out of it"


def _with(change: Callable[[zipfile.ZipFile], Any]) -> Callable[[Path], Any]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            change(made)

    return write


def _encrypt(path: Path) -> None:
    pack(path, **{"a.csv": HEADER + "1,1\n"})
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    path.write_bytes(data)


def _spoil(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a.csv", HEADER + "1,1\n" * 100)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"1,1\n1,1\n", b"1,1\n2,1\n", 1))


def _twice(made: zipfile.ZipFile) -> None:
    made.writestr("a.csv", HEADER + "1,1\n")
    with pytest.warns(UserWarning, match="Duplicate"):
        made.writestr("a.csv", HEADER + "2,1\n")


ARCHIVES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no zip": (lambda path: path.write_bytes(b"code,unit\n"), "not a whole zip archive"),
    "cut": (lambda path: path.write_bytes(pack(path, a="x").read_bytes()[:-10]), "not a whole zip archive"),
    "spoilt": (_spoil, r"a\.zip/a\.csv: not a whole zip archive: Bad CRC"),
    "nothing in it": (_with(lambda made: made.writestr("a.txt", "x")), "holds no file that can be read"),
    "nested": (_with(lambda made: made.writestr("b.zip", "x")), "an archive inside an archive"),
    "nested gzip": (_with(lambda made: made.writestr("b.csv.gz", gzip.compress(b"x"))), "an archive inside an archive"),
    "out of the folder": (_with(lambda made: made.writestr("../../etc/a.csv", "x")), "leads elsewhere"),
    "from the root": (_with(lambda made: made.writestr("/a.csv", "x")), "leads elsewhere"),
    "drive": (_with(lambda made: made.writestr("C:\\a.csv", "x")), "leads elsewhere"),
    "bell": (_with(lambda made: made.writestr("a\a.csv", "x")), "leads elsewhere"),
    "twice": (_with(_twice), r"holds a\.csv twice"),
    "password": (_encrypt, "protected by a password; pack it without one"),
    "old Excel inside": (_with(lambda made: made.writestr("a.xls", "x")), r"a\.zip/a\.xls: an old Excel workbook"),
    "bomb": (_with(lambda made: made.writestr("a.csv", bytes(100 * 2**20))), "would unpack to 100 MiB"),
    "missing column": (_with(lambda made: made.writestr("a.csv", "code,u\n")), r"a\.zip/a\.csv: lacks the column"),
    "cut Parquet": (
        _with(lambda made: made.writestr("a.parquet", b"PAR1....")),
        r"a\.zip/a\.parquet: not a whole Parq",
    ),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_that_are_damaged_or_dangerous_are_refused(tmp_path: Path, name: str) -> None:
    write, told = ARCHIVES[name]
    write(tmp_path / "a.zip")
    with pytest.raises(RefusedInput, match=told):
        read(tmp_path)


def test_a_compression_that_is_not_known_is_said(tmp_path: Path) -> None:
    pack(tmp_path / "a.zip", **{"a.csv": HEADER})
    data = bytearray((tmp_path / "a.zip").read_bytes())
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(mark) + at] = 9
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(RefusedInput, match="compression"):
        read(tmp_path)


def test_limits_of_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path / "a.zip", **{f"{number}.csv": HEADER for number in range(3)})
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    with pytest.raises(RefusedInput, match="holds 3 members, more than 2"):
        read(tmp_path)
    monkeypatch.setattr(archive, "MAX_COPY_BYTES", 10)
    pack(tmp_path / "a.zip", **{"a.parquet": b"x" * 100})
    with pytest.raises(RefusedInput, match="larger than"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl.gz"])
def test_a_gzip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(archive, "FREE_BYTES", 2**20)
    monkeypatch.setattr(archive, "MAX_RATIO", 50)
    row = b"1,1\n" if name == "a.csv.gz" else b'{"code":1,"unit":1}\n'
    head = b"code,unit\n" if name == "a.csv.gz" else b""
    (tmp_path / name).write_bytes(gzip.compress(head + row * (3 * 2**20 // len(row))))
    with pytest.raises(RefusedInput, match=r"gz: unpacks to more than 50 times its size"):
        read(tmp_path)


def test_names_that_packers_write_without_saying_how(tmp_path: Path) -> None:
    pack(tmp_path / "a.zip", **{"hồ sơ.csv": HEADER + "1,1\n"})
    data = bytearray((tmp_path / "a.zip").read_bytes())
    for mark, at in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        data[data.index(mark) + at] &= ~8
    (tmp_path / "a.zip").write_bytes(data)
    assert places(read(tmp_path)) == ["a.zip/hồ sơ.csv row 2"]
