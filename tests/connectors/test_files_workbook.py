"""Excel workbooks: real exports of the national portal, and what Excel, its users and other programs make of cells."""

from __future__ import annotations

import csv
import gzip
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import Engine, select

from connectors.batch import Batch
from connectors.readers import files, workbook
from connectors.readers.sheet import date_text, number_text
from connectors.sync import sync_source
from tests.conftest import ROOT, shared
from tests.connectors.support import NOW, file_source, record, settings_of
from warehouse.errors import RefusedInput
from warehouse.schema import dossier, procedure, quarantine
from warehouse.sources import FileSettings
from warehouse.vocabulary import Entity, RunState

FIELDS = {"code": True, "value": True, "note": False}
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def read(
    *paths: Path,
    position: str | None = None,
    rows: int = 1000,
    fields: Mapping[str, bool] = FIELDS,
    **options: Any,  # noqa: ANN401
) -> list[Batch]:
    setting = FileSettings(**({"kind": "file", "path": paths, "settle_seconds": 0} | options))
    return list(files.read(setting, position, fields, rows))


def made(
    path: Path, *rows: list[Any], change: Callable[[Worksheet], Any] = lambda sheet: None, old: bool = False
) -> Path:
    book = Workbook()
    if old:
        book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in rows:
        sheet.append(row)
    change(sheet)
    book.save(path)
    return path


def values(batches: list[Batch], name: str = "value") -> list[str]:
    return [text for batch in batches for text in batch.frame[name].tolist()]


def replaced(path: Path, part: str, old: str, new: str) -> None:
    """Rewrite a part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    text = parts[part].decode()
    assert re.search(old, text), text
    parts[part] = re.sub(old, new, text).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


# --- real ones ------------------------------------------------------------------------------------------------

PORTAL = {"Mã số": True, "Tên": True, "Lĩnh vực": True, "Cơ quan ban hành": True, "Cơ quan thực hiện": False}


def test_every_procedure_of_the_official_workbooks_is_read() -> None:
    folder = shared("vn_procedures/excel")
    reference = json.loads(shared("vn_procedures/reference.json").read_text(encoding="utf-8"))["excel"]
    batches = read(folder, fields=PORTAL)
    codes = {name: [] for name in reference}
    for batch in batches:
        codes[batch.place(0).removesuffix(" row 3")] += batch.frame["Mã số"].tolist()
    assert {name: len(found) for name, found in codes.items()} == {n: r["data_rows"] for n, r in reference.items()}
    assert {n: len(set(found)) for n, found in codes.items()} == {n: r["unique_codes"] for n, r in reference.items()}
    zeros = {name: sum(code.strip().endswith("0") for code in found) for name, found in codes.items()}
    assert zeros == {name: figures["codes_ending_in_0"] for name, figures in reference.items()}
    assert sum(map(len, codes.values())) == 2642
    with gzip.open(shared("vn_procedures/procedures.csv.gz"), "rt", encoding="utf-8", newline="") as file:
        known = {row["code"] for row in csv.DictReader(file)}
    there = {name: len(set(found) & known) for name, found in codes.items()}
    assert there == {name: figures["in_procedures_csv"] for name, figures in reference.items()}


def test_the_official_workbooks_are_stored_as_procedures(engine: Engine) -> None:
    source = file_source(shared("vn_procedures/excel"), entity=Entity.PROCEDURE, mapping="dvcqg-procedure-excel")
    report = sync_source(engine, settings_of(source), source, now=NOW)
    assert (report.state, report.read, report.quarantined) == (RunState.OK, 2642, 0), report.error
    with engine.connect() as connection:
        row = connection.execute(select(procedure.c.name).where(procedure.c.code == "1.015027")).one()
    assert row.name.startswith("Xét hưởng chế độ trợ cấp đối với đối tượng")


# --- cells ----------------------------------------------------------------------------------------------------

CELLS: dict[str, tuple[Any, str, str]] = {
    "text": ("1.000110", "General", "1.000110"),
    "number": (27001.0, "General", "27001"),
    "noise": (0.1 + 0.2, "General", "0.3"),
    "code with a format": (1.00011, "0.000000", "1.000110"),
    "unit with a format": (4, "00000", "00004"),
    "a format that would cut": (1.2345, "0.00", "1.2345"),
    "three digits": (28.856, "General", "28.8560"),
    "large": (1e20, "General", "100000000000000000000"),
    "small": (1.5e-7, "General", "0.00000015"),
    "negative": (-3, "0;[Red]-0", "-3"),
    "yes": (True, "General", "true"),
    "day": (date(2022, 3, 1), "dd/mm/yyyy", "2022-03-01"),
    "Vietnamese day": (date(2022, 3, 1), "[$-42A]dd/mm/yyyy;@", "2022-03-01"),
    "instant": (datetime(2022, 3, 1, 8, 30, 15), "dd/mm/yyyy hh:mm", "2022-03-01T08:30:15"),  # noqa: DTZ001
    "almost midnight": (44621.99999999999, "dd/mm/yyyy hh:mm:ss", "2022-03-02"),
    "serial": (44621.5, "General", "44621.5"),
    "clock": (time(7, 30), "hh:mm", "07:30:00"),
    "hours": (timedelta(hours=30), "[h]:mm", "30:00:00"),
    "number of days": (5, '0" ngày"', "5"),
    "line feed": ("a_x000D_\nb", "General", "a\r\nb"),
    "signs": ("<a> & \"b\" 'c'  ", "General", "<a> & \"b\" 'c'  "),
    "NFD": ("Hồ sơ", "General", "Hồ sơ"),
    "runs": (CellRichText("Đăng ", TextBlock(InlineFont(b=True), "ký")), "General", "Đăng ký"),
    "error": ("#N/A", "General", "#N/A"),
    "no result": ("=1/0", "General", "#FORMULA!"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_is_the_text_that_is_meant(tmp_path: Path, name: str) -> None:
    value, code, text = CELLS[name]

    def change(sheet: Worksheet) -> None:
        sheet["B2"].number_format = code

    made(tmp_path / "a.xlsx", ["code", "value"], ["1", value], change=change)
    assert values(read(tmp_path)) == [text]


def test_dates_of_1904_workbooks(tmp_path: Path) -> None:
    days = [datetime(2022, 3, 1, 8, 0), date(2000, 2, 29)]  # noqa: DTZ001
    for old in (True, False):
        made(tmp_path / f"{old}.xlsx", ["code", "value"], *([n, day] for n, day in enumerate(days)), old=old)
    with zipfile.ZipFile(tmp_path / "True.xlsx") as archive:
        assert b'date1904="1"' in archive.read("xl/workbook.xml")
    assert values(read(tmp_path)) == ["2022-03-01T08:00:00", "2000-02-29"] * 2


def test_days_around_the_leap_day_that_never_was() -> None:
    assert [date_text(number) for number in ("1", "59", "60", "61", "-5")] == [
        "1900-01-01", "1900-02-28", "60", "1900-03-01", "-5",
    ]  # fmt: skip


@given(st.datetimes(datetime(1900, 3, 1), datetime(2199, 12, 31)).map(lambda value: value.replace(microsecond=0)))  # noqa: DTZ001
def test_every_second_comes_back_from_its_serial(moment: datetime) -> None:
    serial = (moment - datetime(1899, 12, 30)) / timedelta(days=1)  # noqa: DTZ001
    assert datetime.fromisoformat(date_text(repr(serial))) == moment


@given(st.integers(-(10**14), 10**14), st.integers(0, 6))
def test_a_number_keeps_fifteen_digits(digits: int, places: int) -> None:
    number = digits / 10**places
    assert float(number_text(repr(number))) == pytest.approx(number, rel=1e-14)
    assert "e" not in number_text(repr(number)).lower()


def test_error_cells_are_quarantined_and_kept(warehouse: Engine, tmp_path: Path) -> None:
    rows = [record(1), record(2, MaHoSo="#N/A"), record(3, TenTTHC="#REF!"), record(4, DonViXuLy="#VALUE!")]
    names = [name for name, value in rows[0].items() if not isinstance(value, list)]
    names = [*names, "TaiLieuNop", "DanhSachHoSoBoSung", "DanhSachGiayToKetQua"]
    made(tmp_path / "a.xlsx", names, *([str(row[name]) for name in names] for row in rows))
    source = file_source(tmp_path)
    report = sync_source(warehouse, settings_of(source), source, now=NOW)
    assert (report.read, report.stored, report.quarantined) == (4, 1, 3), report.error
    with warehouse.connect() as connection:
        kept = connection.execute(select(quarantine).order_by(quarantine.c.place)).all()
        assert connection.execute(select(dossier.c.code)).scalars().all() == [rows[0]["MaHoSo"]]
    assert {row.reason for row in kept} == {"error_cell"}
    assert [row.place for row in kept] == ["a.xlsx row 3", "a.xlsx row 4", "a.xlsx row 5"]
    assert "error_cell: MaHoSo: '#N/A'" in kept[0].detail


# --- sheets ---------------------------------------------------------------------------------------------------


def test_rows_have_the_numbers_of_the_sheet(tmp_path: Path) -> None:
    rows = [["TITLE"], [], ["x", "code", "value"], ["x", 1, "a"], [], [None, "", None], ["x", 2, "b"]]
    made(tmp_path / "a.xlsx", *rows, change=lambda sheet: sheet.cell(2000, 2, 3))
    [batch] = read(tmp_path)
    assert values([batch], "code") == ["1", "2", "3"]
    assert [batch.place(row) for row in range(3)] == ["a.xlsx row 4", "a.xlsx row 7", "a.xlsx row 2000"]
    assert batch.frame["note"].isna().all()


def test_cells_merged_over_rows_count_in_each(tmp_path: Path) -> None:
    def change(sheet: Worksheet) -> None:
        for area in ("A1:C1", "A2:A3", "B2:C2", "A4:A6", "A7:C7"):
            sheet.merge_cells(area)

    rows = [
        ["BÁO CÁO", None, None], ["Đơn vị", "Hồ sơ", None], [None, "code", "value"],
        ["27001", 1, "a"], [None, 2, "b"], [None, 3, "c"], ["Tổng cộng", None, None],
    ]  # fmt: skip
    made(tmp_path / "a.xlsx", *rows, change=change)
    [batch] = read(tmp_path, fields={"Đơn vị": True, "code": True, "value": True})
    assert batch.frame.to_numpy().tolist() == [
        ["27001", "1", "a"], ["27001", "2", "b"], ["27001", "3", "c"], ["Tổng cộng", "", ""],
    ]  # fmt: skip


def _sheets(path: Path, **states: str) -> Path:
    book = Workbook()
    for number, (name, state) in enumerate(states.items()):
        sheet = book.create_sheet(name)
        sheet.sheet_state = state.partition(" ")[0]
        if "other" not in state:
            sheet.append(["code", "value"])
            sheet.append([number, name])
    book.remove(book.worksheets[0])
    book.save(path)
    return path


def test_the_sheet_with_the_columns_is_read(tmp_path: Path) -> None:
    path = _sheets(tmp_path / "a.xlsx", bìa="visible other", ẩn="hidden", kín="veryHidden", số="visible")
    assert values(read(path)) == ["số"]
    assert values(read(path, sheet="ẩn")) == ["ẩn"]
    with pytest.raises(RefusedInput, match=r"no sheet 'so'; sheets there: bìa, ẩn \(hidden\), kín \(hidden\), số"):
        read(path, sheet="so")
    with pytest.raises(RefusedInput, match="sheet 'bìa': empty"):
        read(path, sheet="bìa")


def test_several_sheets_with_the_columns_are_no_guess(tmp_path: Path) -> None:
    path = _sheets(tmp_path / "a.xlsx", T1="visible", T2="visible", cũ="hidden")
    with pytest.raises(RefusedInput, match="several sheets have the columns: T1, T2; set sheet"):
        read(path)
    [batch] = read(path, sheet="*")
    assert values([batch]) == ["T1", "T2"]
    assert [batch.place(row) for row in (0, 1)] == ["a.xlsx sheet T1 row 2", "a.xlsx sheet T2 row 2"]
    hidden = _sheets(tmp_path / "b.xlsx", bìa="visible other", ẩn="hidden")
    with pytest.raises(RefusedInput, match=r"ẩn \(hidden\)"):
        read(hidden)


def test_the_message_names_what_is_missing_and_what_is_there(tmp_path: Path) -> None:
    path = made(tmp_path / "a.xlsx", ["Motto"], ["code", "gia tri", "ten"], [1, 2, 3])
    with pytest.raises(RefusedInput, match=r"lacks the column\(s\) value; columns there: code, gia tri, ten \(row 2\)"):
        read(path)


def test_reading_goes_on_at_any_row(tmp_path: Path) -> None:
    path = made(tmp_path / "a.xlsx", ["code", "value"], *([number, "x"] for number in range(25)))
    batches = read(path, rows=4)
    for number, batch in enumerate(batches[:-1], 1):
        rest = read(path, rows=4, position=batch.position)
        assert values(rest, "code") == [str(code) for code in range(number * 4, 25)]
        assert rest[0].place(0) == f"a.xlsx row {number * 4 + 2}"
    assert read(path, position=batches[-1].position) == []


# --- as other programs write them -----------------------------------------------------------------------------


def test_prefixes_missing_places_and_wrong_dimensions(tmp_path: Path) -> None:
    path = made(tmp_path / "a.xlsx", ["code", "value"], [1, "a"], [2, "b"])
    rows = "".join(
        f'<x:row><x:c t="inlineStr"><x:is><x:t>{a}</x:t></x:is></x:c><x:c t="inlineStr"><x:is><x:r><x:t>{b}</x:t></x:r>'
        "<x:rPh><x:t>aside</x:t></x:rPh></x:is></x:c></x:row>"
        for a, b in (("code", "value"), ("1", "a"), ("2", "b"))
    )
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    space = 'xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main"'
    sheet = f'<x:worksheet {space}><x:dimension ref="A1"/><x:sheetData>{rows}</x:sheetData></x:worksheet>'
    parts["xl/worksheets/sheet1.xml"] = sheet.encode()
    del parts["xl/styles.xml"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    [batch] = read(path)
    assert values([batch]) == ["a", "b"]
    assert batch.place(1) == "a.xlsx row 3"


def _share_texts(path: Path, *items: str) -> None:
    """Give a workbook a table of shared texts, and a sheet of two rows that refers to it."""
    cells = [f'<c r="{place}" t="s"><v>{number}</v></c>' for number, place in enumerate(("A1", "B1", "A2", "B2"))]
    rows = f'<row r="1">{"".join(cells[:2])}</row><row r="2">{"".join(cells[2:])}</row>'
    replaced(path, "xl/worksheets/sheet1.xml", "<sheetData>.*</sheetData>", f"<sheetData>{rows}</sheetData>")
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    entry = f'<Relationship Type="{kind}" Target="sharedStrings.xml" Id="rIdTexts"/></Relationships>'
    replaced(path, "xl/_rels/workbook.xml.rels", "</Relationships>", entry)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", f"<sst {MAIN}>{''.join(items)}</sst>")


def test_shared_texts(tmp_path: Path) -> None:
    path = made(tmp_path / "a.xlsx", ["x"])
    runs = "<si><r><t>Đăng </t></r><r><t>ký&amp;</t></r><rPh><t>bên cạnh</t></rPh></si>"
    _share_texts(path, "<si><t>code</t></si>", "<si><t>value</t></si>", "<si><t>1_x000D_</t></si>", runs)
    [batch] = read(path)
    assert batch.frame[["code", "value"]].to_numpy().tolist() == [["1\r", "Đăng ký&"]]


BROKEN: dict[str, tuple[str, str, str, str]] = {
    "cut": ("xl/worksheets/sheet1.xml", "</sheetData>.*", "", "no element found"),
    "entities": ("xl/worksheets/sheet1.xml", "<worksheet", '<!DOCTYPE a [<!ENTITY b "c">]><worksheet', "document type"),
    "entities in a part": ("xl/workbook.xml", "<workbook", '<!DOCTYPE a [<!ENTITY b "c">]><workbook', "document type"),
    "text that is not there": ("xl/worksheets/sheet1.xml", 't="n"', 't="s"', "refers to nothing"),
    "row": ("xl/worksheets/sheet1.xml", '<row r="2"', '<row r="1048577"', "no sheet has"),
    "column": ("xl/worksheets/sheet1.xml", 'r="A2"', 'r="ZZZ2"', "no sheet has"),
    "kind": ("xl/worksheets/sheet1.xml", 't="n"', 't="z"', "refers to nothing"),
    "number": ("xl/worksheets/sheet1.xml", '<v>1</v></c><c r="B2"', '<v>1,5</v></c><c r="B2"', "not a whole|number"),
    "no sheet": ("xl/_rels/workbook.xml.rels", "worksheets/sheet1.xml", "worksheets/sheet7.xml", "is not there"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_workbook_is_refused(tmp_path: Path, name: str) -> None:
    part, old, new, text = BROKEN[name]
    path = made(tmp_path / "a.xlsx", ["code", "value"], [1, "bí mật"])
    replaced(path, part, old, new)
    with pytest.raises(RefusedInput, match=text) as caught:
        read(path)
    assert "bí mật" not in str(caught.value)
    assert "a.xlsx" in str(caught.value)


def _old_format(path: Path, *, password: bool) -> None:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    path.write_bytes(content + ("EncryptedPackage".encode("utf-16-le") if password else b"Workbook") + bytes(512))


def test_old_and_protected_workbooks_have_their_error(tmp_path: Path) -> None:
    for name in ("a.xlsx", "a.xls"):
        _old_format(tmp_path / name, password=False)
        with pytest.raises(RefusedInput, match=r"an old Excel workbook; save it as \.xlsx"):
            read(tmp_path / name)
    _old_format(tmp_path / "a.xlsx", password=True)
    with pytest.raises(RefusedInput, match="protected by a password; save it without one"):
        read(tmp_path / "a.xlsx")
    (tmp_path / "a.xlsx").write_bytes(b"<html>")
    with pytest.raises(RefusedInput, match="no Excel workbook"):
        read(tmp_path / "a.xlsx")


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path / "a.xlsx", ["x"])
    _share_texts(path, *(f"<si><t>{text}</t></si>" for text in ("code", "value", "1", "x" * 5000)))
    monkeypatch.setattr(workbook, "MAX_TEXTS_BYTES", 1000)
    with pytest.raises(RefusedInput, match="of texts; export it as CSV"):
        read(path)
    monkeypatch.setattr(workbook, "MAX_PART_BYTES", 100)
    with pytest.raises(RefusedInput, match="is larger than"):
        read(path)
    monkeypatch.setattr(workbook, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(RefusedInput, match="would unpack to more"):
        read(path)


MEASURE = """
import re, sys
from pathlib import Path
from connectors.readers import files
from warehouse.sources import FileSettings
settings = FileSettings(kind="file", path=(Path(sys.argv[1]),), settle_seconds=0)
rows = sum(len(batch.frame) for batch in files.read(settings, None, {"code": True, "value": True}, 1000))
print(rows, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10)
"""


def test_memory_does_not_grow_with_the_sheet(tmp_path: Path) -> None:
    """A cell far out at the corner and a hundred thousand rows: what holds sheets whole takes gigabytes for that."""
    path = made(tmp_path / "a.xlsx", ["code", "value"])
    data = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}"><v>1</v></c></row>' for n in range(2, 60_002))
    corner = '<row r="1048576"><c r="A1048576"><v>1</v></c><c r="XFD1048576"><v>1</v></c></row>'
    replaced(path, "xl/worksheets/sheet1.xml", "</sheetData>", f"{data}{corner}</sheetData>")
    command = [sys.executable, "-c", MEASURE, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    rows, mebibytes = map(int, done.stdout.split())
    assert rows == 60_001
    assert mebibytes < 350


# --- round trip -----------------------------------------------------------------------------------------------

SIGNS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="￾￿")
CELL = st.text(SIGNS, min_size=1, max_size=12) | st.sampled_from(
    ["1.000110", "007", "a\nb", " x ", "NA", "TRUE", "1e5"]
)


@given(st.lists(st.tuples(CELL, CELL | st.just("")), max_size=10))
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_comes_back(rows: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Bảng")
        for row in [("motto",), ("code", "value"), *rows]:
            sheet.append([_plain_text(sheet, text) for text in row])
        book.save(Path(folder) / "a.xlsx")
        found = read(Path(folder), rows=3)
        assert [tuple(row) for b in found for row in b.frame[["code", "value"]].to_numpy().tolist()] == rows


def _plain_text(sheet: Any, text: str) -> Any:  # noqa: ANN401 - openpyxl
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - only here

    cell = WriteOnlyCell(sheet)
    cell.value = text
    cell.data_type = "s"
    return cell
