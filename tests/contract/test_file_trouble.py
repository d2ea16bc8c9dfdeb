"""Files that are not what they say, that change, that come in pieces: clear errors, and nothing read twice."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from connectors.readers import files
from warehouse.errors import IocError, RefusedInput, TransientError
from warehouse.sources import FileSettings

FIELDS = {"code": True, "unit": True, "note": False}
HEADER = "code,unit\n"


def read(*paths: Path, position: str | None = None, rows: int = 1000, **options: Any) -> list[files.Batch]:  # noqa: ANN401
    settings = FileSettings(**({"kind": "file", "path": paths, "settle_seconds": 0} | options))
    return list(files.read(settings, position, FIELDS, rows))


def codes(batches: list[files.Batch]) -> list[str]:
    return [code for batch in batches for code in batch.frame["code"].tolist()]


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "x")


TROUBLES: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "empty": ("a.csv", lambda path: path.write_bytes(b""), "not even a header"),
    "html": ("a.csv", lambda path: path.write_text("<html>"), "HTML or XML"),
    "excel": ("a.csv", _zip, "a zip or Excel file"),
    "parquet as csv": ("a.csv", lambda path: path.write_bytes(b"PAR1...."), "it is Parquet"),
    "gzip as csv": ("a.csv", lambda path: path.write_bytes(gzip.compress(b"code,unit\n1,2\n")), "it is gzip"),
    "csv as gzip": ("a.csv.gz", lambda path: path.write_text(HEADER), "not gzip"),
    "cut gzip": ("a.csv.gz", lambda p: p.write_bytes(gzip.compress(b"code,unit\n1,2\n" * 9999)[:-20]), "a.csv.gz"),
    "csv as parquet": ("a.parquet", lambda path: path.write_text(HEADER), "not a whole Parquet file"),
    "cut parquet": ("a.parquet", lambda path: path.write_bytes(b"PAR1" + b"x" * 100), "not a whole Parquet file"),
    "ragged": ("a.csv", lambda path: path.write_text(HEADER + "1,2\n3\n"), "row 3 has 1 columns, the header has 2"),
    "open quote": ("a.csv", lambda path: path.write_text(HEADER + '"1,2\n3,4\n'), "a.csv"),
    "missing column": (
        "a.csv",
        lambda path: path.write_text("code,Units\n"),
        r"column\(s\) unit; columns there: code, Units \(row 1\)",
    ),
    "column twice": ("a.csv", lambda path: path.write_text("code,unit,code\n"), "there twice"),
    "other name": ("a.txt", lambda path: path.write_text(HEADER), "they end in .csv"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_file_that_is_not_what_it_says_is_refused(tmp_path: Path, name: str) -> None:
    file, write, text = TROUBLES[name]
    write(tmp_path / file)
    with pytest.raises(RefusedInput, match=text) as caught:
        read(tmp_path / file)
    assert file in str(caught.value)


def test_a_file_that_is_not_there_may_come(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="no such file"):
        read(tmp_path / "none.csv")
    assert read(tmp_path) == []
    assert read(tmp_path / "*.csv") == []


def test_errors_never_show_what_stands_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + "1,2\nNguyen Van A,0900000000,secret\n")
    with pytest.raises(IocError) as caught:
        read(tmp_path / "a.csv")
    assert "Nguyen" not in str(caught.value)


def test_values_stay_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('code,unit,other\n1.000110,007,x\nNA,"a\nb",y\n', encoding="utf-8-sig")
    [batch] = read(tmp_path / "a.csv")
    assert batch.frame.to_numpy().tolist() == [["1.000110", "007"], ["NA", "a\nb"]]
    assert batch.place(1) == "a.csv row 3"


def test_other_encodings_and_delimiters(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("code;unit\nHồ sơ;1\n".encode("utf-16"))
    assert codes(read(tmp_path / "a.csv", encoding="utf-16", delimiter=";")) == ["Hồ sơ"]


def test_parquet_gives_the_texts_of_csv(tmp_path: Path) -> None:
    zone = pa.timestamp("us", "Asia/Ho_Chi_Minh")
    columns = {
        "float": pa.array([2.0, None]), "int": pa.array([7, None]), "bool": pa.array([True, None]),
        "time": pa.array([1_641_020_400_999_000_000, None], pa.timestamp("ns")),
        "zoned": pa.array([datetime(2022, 1, 1, 7, tzinfo=UTC), None], zone), "day": pa.array([date(2022, 1, 1), None]),
        "list": pa.array([[{"a": "ồ"}], None]), "word": pa.array(["x", None]).dictionary_encode(),
        "decimal": pa.array([Decimal("1.50"), None]),
    }  # fmt: skip
    pa.parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    settings = FileSettings(kind="file", path=(tmp_path / "a.parquet",))
    [batch] = files.read(settings, None, dict.fromkeys(columns, True), 10)
    assert batch.frame.iloc[0].to_dict() == {
        "float": "2", "int": "7", "bool": "true", "time": "2022-01-01T07:00:00", "zoned": "2022-01-01T07:00:00+00:00",
        "day": "2022-01-01", "list": '[{"a":"ồ"}]', "word": "x", "decimal": "1.50",
    }  # fmt: skip
    assert batch.frame.iloc[1].isna().all()


def test_files_come_in_order_and_once(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c.csv"):
        (tmp_path / name).write_text(f"{HEADER}{name},1\n")
    (tmp_path / "notes.txt").write_text("x")
    batches = read(tmp_path)
    assert codes(batches) == ["a.csv", "b.csv", "c.csv"]
    done = batches[-1].position
    assert read(tmp_path, position=done) == []
    (tmp_path / "copy.csv").write_bytes((tmp_path / "a.csv").read_bytes())
    assert read(tmp_path, position=done) == [], "the same content under another name"
    (tmp_path / "a.csv").write_text(f"{HEADER}changed,1\n")
    (tmp_path / "copy.csv").unlink()
    assert codes(read(tmp_path, position=done)) == ["changed"]


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEADER + "".join(f"{number},1\n" for number in range(10)))
    batches = read(path, rows=4)
    assert [len(batch.frame) for batch in batches] == [4, 4, 2]
    rest = read(path, rows=4, position=batches[0].position)
    assert codes(rest) == [str(number) for number in range(4, 10)]
    assert rest[0].place(0) == "a.csv row 6"
    pd.read_csv(path).astype({"unit": "str", "code": "str"}).to_parquet(tmp_path / "a.parquet")
    parquet = read(tmp_path / "a.parquet", rows=4)
    assert codes(read(tmp_path / "a.parquet", rows=4, position=parquet[1].position)) == ["8", "9"]


def test_a_header_alone_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER)
    [batch] = read(tmp_path / "a.csv")
    assert len(batch.frame) == 0
    assert read(tmp_path / "a.csv", position=batch.position) == []


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEADER + "1,1\n2,2\n")
    batches = files.read(FileSettings(kind="file", path=(path,)), None, FIELDS, 1)
    next(batches)
    with path.open("a") as file:
        file.write("3,3\n")
    with pytest.raises(TransientError, match="changed while it was read"):
        list(batches)
