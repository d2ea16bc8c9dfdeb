"""Nasty records: the same catalogue through every reader; nothing is lost, nothing is counted twice."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook
from sqlalchemy import Engine, select

from connectors.runs import RunReport
from connectors.sync import sync_source
from tests.connectors.intake import Intake
from tests.connectors.support import NOW, file_source, record, rest_source, settings_of, table_rows
from warehouse.schema import data_state, dossier, quarantine, sync_run
from warehouse.sources import SourceSettings
from warehouse.vocabulary import RunState

Feed = Callable[[list[dict[str, Any]]], SourceSettings]


def _flat(item: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
        for name, value in item.items()
    }


def _names(records: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for item in records for name in item))


def _csv(records: list[dict[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, _names(records), restval="")
    writer.writeheader()
    writer.writerows(_flat(item) for item in records)
    return text.getvalue()


def _cell(value: object) -> object:
    """Excel writes signs that XML does not have as _xHHHH_."""
    return value.replace("\0", "_x0000_") if isinstance(value, str) else value


@pytest.fixture(params=["rest", "csv", "csv in zip", "xlsx", "json", "parquet"])
def feed(request: pytest.FixtureRequest, tmp_path: Path, intake: Intake) -> Feed:
    """Give records to a source of each kind."""

    def by_rest(records: list[dict[str, Any]]) -> SourceSettings:
        intake.records = records
        return rest_source(intake.url, reader={"page_size": 2})

    def by_csv(records: list[dict[str, Any]]) -> SourceSettings:
        (tmp_path / "dossiers.csv").write_text(_csv(records), encoding="utf-8", newline="")
        return file_source(tmp_path)

    def by_zip(records: list[dict[str, Any]]) -> SourceSettings:
        with zipfile.ZipFile(tmp_path / "dossiers.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xã/dossiers.csv", _csv(records).encode("utf-16"))
        return file_source(tmp_path)

    def by_xlsx(records: list[dict[str, Any]]) -> SourceSettings:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Danh sách")
        sheet.append(["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"])
        sheet.append(_names(records))
        for item in map(_flat, records):
            sheet.append([_cell(item.get(name, "")) for name in _names(records)])
        book.save(tmp_path / "dossiers.xlsx")
        return file_source(tmp_path)

    def by_json(records: list[dict[str, Any]]) -> SourceSettings:
        (tmp_path / "dossiers.json").write_text(json.dumps({"data": records}), encoding="utf-8")
        return file_source(tmp_path, reader={"records": "data"})

    def by_parquet(records: list[dict[str, Any]]) -> SourceSettings:
        pd.DataFrame([_flat(item) for item in records]).astype("str").to_parquet(tmp_path / "dossiers.parquet")
        return file_source(tmp_path / "*.parquet")

    kinds = {"csv": by_csv, "csv in zip": by_zip, "xlsx": by_xlsx, "json": by_json, "parquet": by_parquet}
    return {"rest": by_rest, **kinds}[request.param]


def run(engine: Engine, source: SourceSettings) -> RunReport:
    report = sync_source(engine, settings_of(source), source, now=NOW)
    assert report.read == report.stored + report.unchanged + report.quarantined
    return report


def counts(report: RunReport) -> tuple[int, int, int, int]:
    assert report.state is RunState.OK, report.error
    return report.read, report.stored, report.unchanged, report.quarantined


def reasons(engine: Engine) -> dict[str | None, tuple[str, str]]:
    with engine.connect() as connection:
        rows = connection.execute(select(quarantine)).all()
    return {row.code: (row.reason, row.detail) for row in rows}


def test_a_good_record_is_stored_with_every_column(warehouse: Engine, feed: Feed) -> None:
    supplement = {"NgayHenTraTruoc": "20220303170000", "NgayHenTraMoi": "20220305170000"}
    changes = {
        "DanhSachHoSoBoSung": [supplement], "TaiLieuNop": [{"DuocTaiSuDung": 0}, {"DuocTaiSuDung": 2}],
        "DanhSachGiayToKetQua": [{"DuongDanTepTinKetQua": "/ket-qua/1.pdf"}],
    }  # fmt: skip
    assert counts(run(warehouse, feed([record(1, **changes), record(2)]))) == (2, 2, 0, 0)
    with warehouse.connect() as connection:
        first, second = connection.execute(select(dossier).order_by(dossier.c.code)).all()
    assert (first.channel, first.status, first.payment, first.return_channel) == (2, 10, 1, 0)
    assert (first.digitised, first.reused, first.e_result, first.supplements) == (True, True, True, 1)
    assert first.first_due_at.isoformat() == "2022-03-03T10:00:00+00:00"
    assert first.due_at.isoformat() == "2022-03-05T10:00:00+00:00"
    assert first.received_at.isoformat() == "2022-03-01T01:00:00+00:00"
    assert (second.reused, second.e_result, second.supplements, second.interlinked) == (False, False, 0, None)
    assert second.first_due_at == second.due_at
    assert first.flags == []


def test_duplicates_in_and_across_pages_are_counted_once(warehouse: Engine, feed: Feed) -> None:
    newer = record(1, TrangThaiHoSo="9", NgayCapNhat="20220310000000")
    records = [newer, record(1), record(2), record(1), record(2), record(3)]
    assert counts(run(warehouse, feed(records))) == (6, 3, 3, 0)
    with warehouse.connect() as connection:
        assert connection.execute(select(dossier.c.status).order_by(dossier.c.code)).scalars().all() == [9, 10, 10]


def test_bad_records_are_quarantined_with_field_and_value(warehouse: Engine, feed: Feed) -> None:
    records = [
        record(1, NgayTiepNhan="20220230080000"),
        record(2, KenhThucHien="7"),
        record(3, DonViXuLy="99999"),
        record(4, DonViXuLy=""),
        record(5, NgayKetThucXuLy="20220101080000"),
        record(6, NgayTiepNhan="20220701080000", NgayKetThucXuLy="", TrangThaiHoSo="4"),
        record(7, DanhSachHoSoBoSung="[{not a list"),
        record(8, MaHoSo="H" * 500),
        record(9),
        record(10, MaHoSo=" "),
        record(11, DanhSachHoSoBoSung="[" + ",".join(["{}"] * 32_768) + "]"),
    ]
    assert counts(run(warehouse, feed(records))) == (11, 1, 0, 10)
    found = {code and code[:20]: reason for code, (reason, _) in reasons(warehouse).items()}
    cut = feed.__name__ == "by_xlsx"  # no cell holds more than 32,767 signs
    assert found == {
        "H29.27-220301-0001": "bad_date", "H29.27-220301-0002": "unknown_code", "H29.27-220301-0003": "unknown_unit",
        "H29.27-220301-0004": "missing_unit", "H29.27-220301-0005": "finished_before_received",
        "H29.27-220301-0006": "received_in_future", "H29.27-220301-0007": "bad_list", "H" * 20: "huge_text",
        "H29.27-220301-0011": "bad_list" if cut else "huge_number", None: "missing_key",
    }  # fmt: skip
    details = {code: detail for code, (_, detail) in reasons(warehouse).items()}
    assert details["H29.27-220301-0001"] == "bad_date: NgayTiepNhan: '20220230080000'"
    assert details["H29.27-220301-0003"] == "unknown_unit: unit = 99999"


def test_a_corrected_record_resolves_its_quarantine(warehouse: Engine, feed: Feed) -> None:
    assert counts(run(warehouse, feed([record(1, KenhThucHien="x"), record(2)]))) == (2, 1, 0, 1)
    source = feed([record(1, KenhThucHien="x"), record(2), record(1, NgayCapNhat="20220310000000")])
    report = run(warehouse, source)
    assert report.stored == 1
    with warehouse.connect() as connection:
        assert connection.execute(select(quarantine.c.resolved_at)).scalars().all() == [NOW]


def test_flagged_records_are_stored_with_the_names_of_the_checks(warehouse: Engine, feed: Feed) -> None:
    records = [
        record(1, NgayTiepNhan=""),
        record(2, NgayKetThucXuLy=""),
        record(3, NgayHenTra="20220201000000"),
        record(4, MaHoSo="H29.27-220302-0004"),
    ]
    assert counts(run(warehouse, feed(records))) == (4, 4, 0, 0)
    with warehouse.connect() as connection:
        flags = dict(connection.execute(select(dossier.c.code, dossier.c.flags)).all())
    assert flags == {
        "H29.27-220301-0001": ["no_receipt_date"], "H29.27-220301-0002": ["finished_without_end"],
        "H29.27-220301-0003": ["due_before_received"], "H29.27-220302-0004": ["code_contradicts_date"],
    }  # fmt: skip


def test_names_are_normalised_and_nul_is_dropped(warehouse: Engine, feed: Feed) -> None:
    name = unicodedata.normalize("NFD", "Đăng ký khai sinh")
    source = feed([record(1, MaTTHC=" 1.000110 ", TenTTHC=f"  {name}\0 "), record(2, MaTTHC="1.000110", TenTTHC=name)])
    assert counts(run(warehouse, source)) == (2, 2, 0, 0)
    from warehouse.schema import procedure  # noqa: PLC0415 - only here

    assert table_rows(warehouse, procedure)[0][:4] == ("1.000110", "Đăng ký khai sinh", "HT", "Hộ tịch")


def test_extra_fields_are_ignored_and_retyped_ones_read(warehouse: Engine, feed: Feed) -> None:
    odd = record(1, KenhThucHien=2, TrangThaiHoSo=10.0, HoSoCoThanhPhanSoHoa=True, NgayTiepNhan=20220301080000)
    assert counts(run(warehouse, feed([odd | {"TruongMoi": {"a": [1]}}, record(2)]))) == (2, 2, 0, 0)
    with warehouse.connect() as connection:
        row = connection.execute(select(dossier).order_by(dossier.c.code)).first()
    assert row is not None
    assert (row.channel, row.status, row.digitised) == (2, 10, True)
    assert row.received_at.isoformat() == "2022-03-01T01:00:00+00:00"


def test_reading_again_changes_nothing(warehouse: Engine, feed: Feed) -> None:
    source = feed([record(1), record(2), record(3, KenhThucHien="?")])
    run(warehouse, source)
    version = table_rows(warehouse, data_state)[0][1]
    for _ in range(3):
        assert counts(run(warehouse, source)) == (0, 0, 0, 0)
    assert table_rows(warehouse, data_state)[0][1] == version
    assert len(table_rows(warehouse, sync_run)) == 2, "empty runs share one row"


def test_an_unexpected_shape_names_what_is_missing_and_what_is_there(warehouse: Engine, feed: Feed) -> None:
    records = [{"SoHoSo": item["MaHoSo"], "DonViXuLy": item["DonViXuLy"]} for item in (record(1), record(2))]
    report = run(warehouse, feed(records))
    assert report.state is RunState.FAILED
    assert "MaHoSo" in (report.error or "")
    assert "SoHoSo" in (report.error or "")
    assert table_rows(warehouse, dossier) == []
