"""`ioc source`: a starting mapping from a sample, what a source would bring, and the list, through the command line."""

from __future__ import annotations

import csv
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from sqlalchemy import URL, Engine, func, select
from typer.testing import CliRunner, Result

from connectors.mapping import load_mapping
from dashboard.cli import app
from tests.connectors.intake import Intake, page, serve
from tests.connectors.support import insert_units, record
from warehouse.schema import metadata
from warehouse.vocabulary import Entity

EXPORT = {
    "STT": "1", "Mã hồ sơ": "H29.27-220301-0001", "Tên thủ tục": "Đăng ký khai sinh", "Lĩnh vực": "Hộ tịch",
    "Chủ hồ sơ": "Nguyễn Văn A", "Số điện thoại": "0912345678", "Ghi chú": "gọi lại 0987654321",
    "Đơn vị giải quyết": "27001", "Ngày tiếp nhận": "01/03/2022 08:00", "Hạn trả": "05/03/2022",
    "Ngày kết thúc xử lý": "", "Trạng thái": "Đang xử lý", "Hình thức nộp": "Qua mạng", "Cột lạ": "079123456789",
    "Phòng": "Một cửa",
}  # fmt: skip
SECRETS = ("Nguyễn Văn A", "0912345678", "0987654321", "079123456789", "Một cửa", "Đăng ký khai sinh")


def ioc(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("IOC_") and name != "IOC_SHARED":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_excel(path: Path, rows: list[dict[str, str]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"])
    sheet.append(["DANH SÁCH HỒ SƠ"])
    sheet.append([])
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    book.save(path)
    return path


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json", "parquet"])
def test_a_starting_mapping_of_an_export(tmp_path: Path, kind: str) -> None:
    rows = [EXPORT, EXPORT | {"Mã hồ sơ": "H29.27-220301-0002", "Trạng thái": "Đã trả kết quả"}]
    file = tmp_path / f"Ho so T3.{kind}"
    if kind == "csv":
        write_csv(file, rows)
    elif kind == "xlsx":
        write_excel(file, rows)
    elif kind == "json":
        file.write_text(json.dumps({"total": 2, "result": {"items": rows}}))
    else:
        pd.DataFrame(rows).to_parquet(file)
    result = ioc("source", "new", "--from", file, "--entity", "dossier", "--out", tmp_path / "own")
    assert result.exit_code == 0, result.output
    text = (tmp_path / "own" / "ho-so-t3.toml").read_text(encoding="utf-8")
    assert not [secret for secret in SECRETS if secret in text + result.output]
    mapping = load_mapping(str(tmp_path / "own" / "ho-so-t3.toml"))
    assert mapping.entity is Entity.DOSSIER
    assert {column: rule.source for column, rule in mapping.fields.items()} == {
        "code": "Mã hồ sơ", "procedure_name": "Tên thủ tục", "field": "Lĩnh vực", "unit": "Đơn vị giải quyết",
        "received_at": "Ngày tiếp nhận", "due_at": "Hạn trả", "finished_at": "Ngày kết thúc xử lý",
        "status": "Trạng thái", "channel": "Hình thức nộp",
    }  # fmt: skip
    assert mapping.dates == ("dd/MM/yyyy",)
    assert set(mapping.personal) == {"Chủ hồ sơ", "Số điện thoại", "Ghi chú", "Cột lạ"}
    assert mapping.codes["status"] == {"Đang xử lý": 4, "Đã trả kết quả": 10}
    assert '# "Qua mạng" = ...' in text
    source = tomllib.loads((tmp_path / "own" / "ho-so-t3.source.toml").read_text(encoding="utf-8"))["sources"][0]
    assert source["reader"]["path"] == str(file)
    assert source["reader"].get("records", "") == ("result.items" if kind == "json" else "")


def test_a_sample_that_a_preset_fits_extends_it(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"data": [record(1), record(2, TrangThaiHoSo="lạ")]}))
    assert ioc("source", "new", "--from", file).exit_code == 0
    text = (tmp_path / "a.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["extends"] == "dvcqg"
    assert '# "lạ" = ...' in text
    assert load_mapping("a.toml").fields == load_mapping("dvcqg").fields
    again = ioc("source", "new", "--from", file)
    assert again.exit_code == 2
    assert "is there already" in again.output


def test_what_must_be_filled_in_is_said(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", [{"Mã hồ sơ": "1", "Tuổi": "3"}])
    result = ioc("source", "new", "--from", file, "--entity", "dossier")
    assert result.exit_code == 2
    assert "no field was recognised for unit" in result.output
    assert "# TODO unit must be filled" in (tmp_path / "a.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("a.json", "{}", "no list of records"), ("a.json", "<html>", "not JSON"), ("a.csv", "", "a.csv"),
     ("none.csv", None, "no such file")],
)  # fmt: skip
def test_no_sample(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    result = ioc("source", "new", "--from", name)
    assert result.exit_code == 1, result.output
    assert message in result.output


def test_a_sample_of_an_address_writes_no_secret(tmp_path: Path) -> None:
    intake = Intake(answer=lambda *_: page([record(1)], None))
    with serve(intake) as running:
        place = f"{running.url}?limit=5&token=very-secret"
        result = ioc("source", "new", "--from", place, "--name", "mot-cua")
    assert result.exit_code == 0, result.output
    source = (tmp_path / "mot-cua.source.toml").read_text(encoding="utf-8")
    assert "very-secret" not in source + result.output
    block = tomllib.loads(source)["sources"][0]
    assert (block["reader"]["kind"], block["reader"]["records"]) == ("rest", "data")
    assert block["reader"]["parameters"] == {"limit": "5"}


# --- check ------------------------------------------------------------------------------------------------------


def settings(tmp_path: Path, *sources: dict[str, Any]) -> Path:
    lines = []
    for source in sources:
        lines += ["[[sources]]", *(f"{key} = {json.dumps(value)}" for key, value in source.items() if key != "reader")]
        lines += ["[sources.reader]", *(f"{key} = {json.dumps(value)}" for key, value in source["reader"].items())]
    path = tmp_path / "ioc.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def dossiers(tmp_path: Path, *records: dict[str, Any]) -> dict[str, Any]:
    (tmp_path / "ho-so.json").write_text(json.dumps(list(records)))
    reader = {"kind": "file", "path": "ho-so.json", "settle_seconds": 0}
    return {"name": "mot-cua", "mapping": "dvcqg", "reader": reader}


def contents(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }


@pytest.fixture
def warehouse(engine: Engine, database_url: URL, monkeypatch: pytest.MonkeyPatch) -> Engine:
    insert_units(engine)
    monkeypatch.setenv("IOC_DATABASE__URL", database_url.render_as_string(hide_password=False))
    return engine


def test_check_shows_what_would_be_stored_and_stores_nothing(tmp_path: Path, warehouse: Engine) -> None:
    supplement = [{"HoSoBoSungId": 1, "NgayBoSung": "20220302080000"}]
    records = [record(n) for n in range(1, 30)] + [
        record(30, DonViXuLy="99999"), record(31, NgayTiepNhan="mai"), record(32, NgayTiepNhan=""),
        record(33, DanhSachHoSoBoSung=supplement),
    ]  # fmt: skip
    config = settings(tmp_path, dossiers(tmp_path, *records))
    before = contents(warehouse)
    result = ioc("source", "check", "mot-cua", "--config", config)
    assert result.exit_code == 0, result.output
    assert "33 records in" in result.output
    assert "31 would be stored, 2 refused" in result.output
    assert "with them 1 dossier_supplement" in result.output
    assert "refused 1: unknown_unit" in result.output
    assert "e.g. ho-so.json" in result.output
    assert "NgayTiepNhan: 'mai'" in result.output
    assert "flagged 1: no_receipt_date" in result.output
    assert "10: 31" in result.output, "codes of the status are counted"
    assert "2022-03-01" in result.output
    assert contents(warehouse) == before


def test_check_looks_at_no_more_than_it_is_told(tmp_path: Path, warehouse: Engine) -> None:
    config = settings(tmp_path, dossiers(tmp_path, *(record(n) for n in range(1, 200))))
    assert "5 records in" in ioc("source", "check", "mot-cua", "--records", 5, "--config", config).output


def test_check_fails_when_a_run_would(tmp_path: Path, warehouse: Engine) -> None:
    records = [record(n, KenhThucHien="?") for n in range(1, 30)] + [record(30)]
    config = settings(tmp_path, dossiers(tmp_path, *records) | {"refuse_above": 0.1})
    result = ioc("source", "check", "mot-cua", "--config", config)
    assert result.exit_code == 1
    assert "29 of 30 records would be refused" in result.output


def test_check_without_a_warehouse_says_what_it_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_DATABASE__URL", "postgresql://nobody@127.0.0.1:9/none")
    config = settings(tmp_path, dossiers(tmp_path, record(1, DonViXuLy="99999")))
    result = ioc("source", "check", "mot-cua", "--config", config)
    assert result.exit_code == 0, result.output
    assert "units were not checked" in result.output


def test_check_of_a_source_that_cannot_be_read(tmp_path: Path, warehouse: Engine) -> None:
    source = {"name": "xa", "mapping": "dvcqg", "reader": {"kind": "rest", "url": "http://127.0.0.1:9/x", "retries": 0}}
    result = ioc("source", "check", "xa", "--config", settings(tmp_path, source))
    assert result.exit_code == 1
    assert "no answer" in result.output
    assert ioc("source", "check", "khac", "--config", settings(tmp_path, source)).exit_code == 2


def test_the_list_shows_kind_and_state(tmp_path: Path, warehouse: Engine) -> None:
    config = settings(tmp_path, dossiers(tmp_path, record(1)))
    assert "never" in ioc("source", "list", "--config", config).output
    assert ioc("sync", "--config", config).exit_code == 0
    listed = ioc("source", "list", "--config", config).output
    assert "mot-cua" in listed
    assert "fresh" in listed
