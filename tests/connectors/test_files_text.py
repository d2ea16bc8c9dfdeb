"""Text files as offices write them: code pages, delimiters, ends of lines, titles above the header, nasty cells."""

from __future__ import annotations

import csv
import gzip
import io
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.batch import Batch
from connectors.readers import files
from connectors.readers.delimited import BLOCK_BYTES, LONGEST_ROW_BYTES
from connectors.readers.encoding import by_evidence, find_encoding, gather_evidence
from tests.conftest import shared
from warehouse.errors import RefusedInput
from warehouse.sources import FileSettings

FIELDS = {"Mã hồ sơ": True, "Tên": True, "Ghi chú": False}
WORDS = (
    "Đăng ký khai sinh", "Chứng thực bản sao", "Ủy ban nhân dân xã Yên Thường", "cấp giấy phép xây dựng nhà ở riêng lẻ",
    "Nghĩa vụ quân sự", "QĐ", "Nguyễn Huỳnh Khuyến", "người cao tuổi", "đường thủy nội địa", "ký quỹ", "ĐƯỢC DUYỆT",
)  # fmt: skip


def read(
    *paths: Path,
    position: str | None = None,
    rows: int = 1000,
    fields: dict[str, bool] | None = None,
    **options: Any,  # noqa: ANN401
) -> list[Batch]:
    setting = FileSettings(**({"kind": "file", "path": paths, "settle_seconds": 0} | options))
    return list(files.read(setting, position, fields or FIELDS, rows))


def cells(batches: list[Batch]) -> list[list[str | None]]:
    return [
        row
        for batch in batches
        for row in batch.frame.astype(object).where(batch.frame.notna(), None).to_numpy().tolist()
    ]


def as_windows_1258(text: str) -> bytes:
    """As Windows writes it: vowels with hat or horn are one sign, the tone is a mark of its own behind them."""
    out = []
    for sign in unicodedata.normalize("NFC", text):
        try:
            out.append(sign.encode("cp1258"))
        except UnicodeEncodeError:
            parts = unicodedata.normalize("NFD", sign)
            tone = next(mark for mark in parts if mark in "\u0300\u0301\u0303\u0309\u0323")
            rest = unicodedata.normalize("NFC", parts.replace(tone, ""))
            out.append((rest + tone).encode("cp1258"))
    return b"".join(out)


def table(delimiter: str = ",", end: str = "\n", words: tuple[str, ...] = WORDS) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow(["Mã hồ sơ", "Khác", "Tên"])
    writer.writerows([f"H29-{number:03d}", "x", word] for number, word in enumerate(words))
    return text.getvalue()


def encoded(text: str, encoding: str) -> bytes:
    return as_windows_1258(text) if encoding == "windows-1258" else text.encode(encoding)


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "windows-1258")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("delimiter", "end"), [(",", "\n"), (";", "\r\n"), ("\t", "\r"), ("|", "\n")])
def test_encoding_delimiter_and_ends_of_lines_are_found(
    tmp_path: Path, encoding: str, delimiter: str, end: str
) -> None:
    (tmp_path / "a.csv").write_bytes(encoded(table(delimiter, end), encoding))
    [batch] = read(tmp_path)
    assert [unicodedata.normalize("NFC", name) for name in batch.frame["Tên"]] == list(WORDS)
    assert batch.frame["Mã hồ sơ"].tolist() == [f"H29-{number:03d}" for number in range(len(WORDS))]
    assert batch.place(2) == "a.csv row 4"


def test_western_text_is_found_and_may_be_told(tmp_path: Path) -> None:
    words = (
        "Genève",
        "délivré à la société",
        "garçon",
        "Müller",
        "hôtel",
        "prêt",
        "pâté de maisons",
        "près de la forêt",
    )
    text = table(words=words).replace("Mã hồ sơ", "Ma ho so").replace("Tên", "Ten").encode("cp1252")
    (tmp_path / "a.csv").write_bytes(text)
    fields = {"Ma ho so": True, "Ten": True}
    for encoding in ("auto", "latin-1", "cp1252"):
        [batch] = read(tmp_path, fields=fields, encoding=encoding)
        assert batch.frame["Ten"].tolist() == list(words)


# "Đăng ký khai sinh, Chứng thực, nhà ở riêng lẻ" in the code pages of old fonts
TCVN3 = b"H\xe5 s\xac, \xae\xa8ng k\xfd khai sinh, ch\xf8ng th\xf9c, nh\xb5 \xeb ri\xaang l\xce, c\xcap gi\xcay ph\xd0p"
VNI = b"Ho\xe0 s\xf4 \xf1a\xeang ky\xf9 khai sinh, chu\xf9ng th\xf6\xefc, nha\xf8 \xf4\xfb rie\xe2ng le\xfb, ca\xe1p"


@pytest.mark.parametrize(
    "text", [TCVN3, VNI, "Đăng ký".encode() + b"\n\xd0\xe3ng", b"\x81\x8d\xff\xfe\xfd", b"\xf1\xfe\xdf"]
)
def test_text_of_which_the_encoding_cannot_be_told_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(b"code,unit\n1," + text.replace(b",", b" ") + b"\n")
    with pytest.raises(RefusedInput, match=r"a\.csv: its text is no UTF-8.*set encoding"):
        read(tmp_path, fields={"code": True, "unit": True})


def test_an_encoding_that_shows_late_is_found_without_reading_a_row_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.readers.encoding.SAMPLE_BYTES", 4096)
    monkeypatch.setattr("connectors.readers.delimited.BLOCK_BYTES", 16_384)
    fields = {"code": True, "name": True}
    text = b"code,name\n" + b"".join(b"%07d,khong dau\n" % number for number in range(3000))
    late = as_windows_1258("".join(f"9{number:06d},{word}\n" for number, word in enumerate(WORDS * 3)))
    (tmp_path / "a.csv").write_bytes(text + late)
    batches = read(tmp_path, fields=fields, rows=1000)
    codes = [code for batch in batches for code in batch.frame["code"]]
    assert len(codes) == len(set(codes)) == 3000 + 3 * len(WORDS)
    last = batches[-1]
    assert [unicodedata.normalize("NFC", name) for name in last.frame["name"]] == list(WORDS * 3)
    assert last.place(len(last.frame) - 1) == f"a.csv row {len(codes) + 1}"
    rest = read(tmp_path, fields=fields, rows=1000, position=batches[1].position)
    assert [code for batch in rest for code in batch.frame["code"]] == codes[2000:]
    (tmp_path / "a.csv").write_bytes(text + b"1,\x81\x8d\n")
    with pytest.raises(RefusedInput, match="cannot be told"):
        read(tmp_path, fields=fields)


def test_an_encoding_that_is_wrong_or_unknown_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(table().encode())
    with pytest.raises(RefusedInput, match="no encoding is called 'utf-9'"):
        read(tmp_path, encoding="utf-9")
    (tmp_path / "a.csv").write_bytes(b"code,name\n1,a\n2,\xe9\n")
    for encoding in ("utf-8", "ascii"):
        with pytest.raises(RefusedInput, match=r"a\.csv: not CSV text in"):
            read(tmp_path, fields={"code": True, "name": True}, encoding=encoding)


@given(st.lists(st.sampled_from(WORDS), min_size=3, max_size=40))
def test_windows_1258_is_told_from_western_text(words: list[str]) -> None:
    text = as_windows_1258("\n".join(words))
    assert find_encoding(text) in {
        "cp1258",
        "utf-8" if text.isascii() else "cp1258",
        None if set(words) == {"QĐ"} else "cp1258",
    }
    assert find_encoding("\n".join(words).encode()) == "utf-8"


def test_evidence_is_gathered_from_lines_far_behind_the_beginning() -> None:
    text = as_windows_1258("khong dau\n" * 150_000 + " ".join(WORDS))
    assert gather_evidence(io.BytesIO(text)) == "cp1258"
    assert by_evidence(b"khong dau") is None


# --- the header -----------------------------------------------------------------------------------------------

TITLES = '"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập – Tự do – Hạnh phúc";;\n;;\nDANH SÁCH HỒ SƠ;;\n'


def test_the_header_is_found_under_titles(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TITLES + table(";"), encoding="utf-8-sig")
    [batch] = read(tmp_path)
    assert batch.frame["Tên"].tolist() == list(WORDS)
    assert batch.place(0) == "a.csv row 5"
    (tmp_path / "a.csv").write_text("sep=;\n" + table(";"), encoding="utf-8-sig")
    assert len(read(tmp_path)[0].frame) == len(WORDS)


def test_names_differ_in_form_space_and_case(tmp_path: Path) -> None:
    header = unicodedata.normalize("NFD", ' MÃ  HỒ SƠ ,"Tên\n",  ghi  chú,,,')
    (tmp_path / "a.csv").write_text(f"{header}\n1,a,b,,,\n", encoding="utf-8")
    assert cells(read(tmp_path)) == [["1", "a", "b"]]
    (tmp_path / "a.csv").write_text("MÃ HỒ SƠ,mã hồ sơ,Tên\n1,2,3\n", encoding="utf-8")
    with pytest.raises(RefusedInput, match="Mã hồ sơ are there twice in row 1"):
        read(tmp_path)
    (tmp_path / "a.csv").write_text("MÃ HỒ SƠ,Mã hồ sơ,Tên\n1,2,3\n", encoding="utf-8")
    assert cells(read(tmp_path)) == [["2", "3"]], "a name that fits exactly goes before one that does not"


def test_header_row_is_the_settings_word(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Mã hồ sơ,Tên\nMã hồ sơ,Tên\n1,a\n", encoding="utf-8")
    assert cells(read(tmp_path)) == [["Mã hồ sơ", "Tên"], ["1", "a"]]
    assert cells(read(tmp_path, header_row=2)) == [["1", "a"]]
    with pytest.raises(RefusedInput, match=r"row 3 does not have the column\(s\) Mã hồ sơ, Tên"):
        read(tmp_path, header_row=3)
    (tmp_path / "a.csv").write_text(60 * "x,y\n" + table(), encoding="utf-8")
    with pytest.raises(RefusedInput, match="set header_row"):
        read(tmp_path)
    assert len(read(tmp_path, header_row=61)[0].frame) == len(WORDS)


def test_a_file_without_header_is_refused_and_its_records_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("H29-1,Trần Thị Bí Mật,0912345678\n" * 3, encoding="utf-8")
    with pytest.raises(RefusedInput, match="none of the first 50 rows has the column") as caught:
        read(tmp_path)
    assert "Trần" not in str(caught.value)


def test_rows_behind_the_last_record_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Mã hồ sơ,Tên,x\n1,a,\n,,\n2,b,\n,,\n,,\n\n", encoding="utf-8")
    [batch] = read(tmp_path)
    assert cells([batch]) == [["1", "a"], ["2", "b"]]
    assert (batch.place(0), batch.place(1)) == ("a.csv row 2", "a.csv row 4")
    (tmp_path / "a.csv").write_text("Mã hồ sơ,Tên,x\n1,a,\n,Tổng cộng,2\n", encoding="utf-8")
    assert cells(read(tmp_path)) == [["1", "a"], ["", "Tổng cộng"]], "a row that says something is left to the checks"


def test_ragged_rows_are_named_by_their_row_under_titles(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TITLES + "Mã hồ sơ;Tên;x\n1;a;\n2\n", encoding="utf-8")
    with pytest.raises(RefusedInput, match="row 6 has 1 columns, the header has 3"):
        read(tmp_path)


def test_a_row_that_is_larger_than_a_block_is_read(tmp_path: Path) -> None:
    """Some systems write a scanned page into a cell."""
    lines = [f"{number},a,{'x' * (3 * BLOCK_BYTES if number == 1500 else 1000)}" for number in range(2000)]
    (tmp_path / "a.csv").write_text("Mã hồ sơ,Tên,Ảnh\n" + "\n".join(lines), encoding="utf-8")
    batches = read(tmp_path, rows=700)
    assert [row[0] for row in cells(batches)] == [str(number) for number in range(2000)]
    assert batches[-1].place(599) == "a.csv row 2001"


def test_a_quote_that_is_not_closed_is_refused(tmp_path: Path) -> None:
    rest = "1,a,x\n" * (2 * LONGEST_ROW_BYTES // 6)
    (tmp_path / "a.csv").write_text('Mã hồ sơ,Tên,x\n1,a,\n2,"b,\n' + rest, encoding="utf-8")
    with pytest.raises(RefusedInput, match="a quote that is not closed, or a row of more than"):
        read(tmp_path)


# --- round trips ----------------------------------------------------------------------------------------------

SIGNS = st.characters(exclude_categories=("Cs",), exclude_characters="\0\ufeff")
CELL = st.text(SIGNS, max_size=12) | st.sampled_from(
    ["", "1.000110", "007", "NA", 'a"b', "a\r\nb", " x ", ";", "\t|,", "=1+1"]
)
TABLE = st.lists(st.tuples(CELL.filter(bool), CELL), max_size=12)


@given(
    TABLE,
    st.sampled_from(ENCODINGS[:-1]),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_comes_back_from_csv(
    tmp_path: Path, rows: list[tuple[str, str]], encoding: str, delimiter: str, end: str, packed: bool
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["Mã hồ sơ", "Tên"])
    writer.writerows(rows)
    data = text.getvalue().encode(encoding)
    for old in tmp_path.iterdir():
        old.unlink()
    if packed:
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("thư mục/a.csv", data)
    else:
        (tmp_path / "a.csv.gz").write_bytes(gzip.compress(data))
    found = read(tmp_path, rows=5)
    assert cells(found) == [list(row) for row in rows]
    # from any position on
    for number, batch in enumerate(found[:-1], 1):
        assert cells(read(tmp_path, rows=5, position=batch.position)) == [list(row) for row in rows][number * 5 :]


@given(TABLE)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_comes_back_from_parquet(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    columns = {"Mã hồ sơ": [row[0] for row in rows], "x": [1.5] * len(rows), "Tên": [row[1] for row in rows]}
    schema = pa.schema([("Mã hồ sơ", pa.string()), ("x", pa.float64()), ("Tên", pa.string())])
    buffer = io.BytesIO()
    pa.parquet.write_table(pa.table(columns, schema=schema), buffer)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.parquet", buffer.getvalue())
    assert cells(read(tmp_path)) == [list(row) for row in rows]


def test_the_real_log_of_a_municipality_comes_as_pandas_reads_it() -> None:
    import pandas as pd  # noqa: PLC0415 - only here

    path = shared("coselog_receipt/receipt.csv.gz")
    names = ["case:concept:name", "case:channel", "case:startdate", "case:enddate_planned"]
    plain = pd.read_csv(path, dtype=str, keep_default_na=False)[names]
    found = cells(read(path, fields=dict.fromkeys(names, True), rows=3000))
    assert found == plain.to_numpy().tolist()
    assert len(found) == 8577
