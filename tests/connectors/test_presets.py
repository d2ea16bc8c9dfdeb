"""Every preset on records of its own shape, from the source's fields to the table."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from sqlalchemy import Engine, insert, select

from connectors.batch import Batch, Stretch, as_text, text_array, text_column
from connectors.entities import SHAPES
from connectors.mapping import PRESETS, load_mapping
from connectors.runs import RunReport
from connectors.sync import receive, sync_source
from tests.conftest import shared
from tests.connectors.one_warehouse import empty, module_warehouse, units
from tests.connectors.support import NOW, file_source, record, settings_of, table_rows
from warehouse.schema import procedure, quarantine
from warehouse.vocabulary import Entity, ReportItem

__all__ = ["empty", "module_warehouse", "units"]  # fixtures

ENTITIES = {path.stem: load_mapping(path.stem).entity for path in PRESETS.glob("*.toml")}


def batch_of(records: Sequence[Mapping[str, Any]], label: str = "records.json item") -> Batch:
    """Records as a reader hands them on."""
    names = dict.fromkeys(name for item in records for name in item)
    columns = {name: text_column(text_array([as_text(item.get(name)) for item in records])) for name in names}
    return Batch(pd.DataFrame(columns), [Stretch(0, label, 1)], None)


def take(
    engine: Engine, preset: str, *records: Mapping[str, Any], label: str = "records.json item",
    entity: Entity | None = None, source: str = "nguon",
) -> RunReport:  # fmt: skip
    """Map, check and store records of a source."""
    chosen = file_source(Path(), entity=entity or load_mapping(preset).entity, mapping=preset, name=source)
    return receive(engine, settings_of(chosen), chosen, batch_of(records, label), now=NOW).report


def stored(engine: Engine, entity: Entity) -> list[dict[str, Any]]:
    table = SHAPES[entity].table
    with engine.connect() as connection:
        rows = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        return [dict(row) for row in rows]


def refused(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(quarantine.c.detail).order_by(quarantine.c.place)).scalars())


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


SUPPLEMENT = {
    "HoSoBoSungId": 7, "NguoiYeuCauBoSung": "Nguyễn Văn A", "NoiDungBoSung": "thiếu giấy khai sinh",
    "NgayBoSung": "2022-03-02T08:00:00", "NgayTiepNhanBoSung": "20220303080000", "TrangThaiBoSung": True,
    "NgayHenTraTruoc": "2022-03-04T17:00:00", "NgayHenTraMoi": "2022-03-05T17:00:00",
}  # fmt: skip
STEP = {
    "MaHoSo": "H29.27-220301-0001", "NguoiXuLy": "Trần Thị B", "ChucDanh": "Chuyên viên",
    "ThoiDiemXuLy": "20220301103000", "PhongBanXuLy": "Tư pháp - Hộ tịch", "NoiDungXuLy": "chuyển bước",
    "TrangThai": "4", "NgayBatDau": "20220301080000", "NgayKetThucTheoQuyDinh": "20220302170000",
}  # fmt: skip
IOC_DOSSIER = {
    "Id": "5f2c", "MaHoSo": "H56.27-220301-0001", "TenDonVi": "UBND xã Tân Nhựt", "LinhVuc": "Hộ tịch",
    "ThuTuc": "Đăng ký khai sinh", "NgayTiepNhan": "2022-03-01T08:00:00", "NgayHenTra": "2022-03-05T17:00:00",
    "NgayKetThucXuLy": None, "TrangThaiHoSoId": "4", "MaDinhDanh": "27001",
}  # fmt: skip
UNIT_MONTH = {
    "MaDonVi": "27001", "TenDonVi": "UBND xã Tân Nhựt", "HSTiepNhanTong": 120, "HSTiepNhan": 100,
    "HSTiepNhanKyTruoc": 20, "HSTiepNhanTrucTuyen": 70, "HSTrucTiepVaBCCI": 30, "HSDaXuLyTong": 90,
    "HSDaXLDungHan": 60, "HSDaXLQuaHan": 5, "HSDangXuLyTong": 25, "HSDangXLTrongHan": 22, "HSDangXLQuaHan": 3,
    "HSBoSung": 4, "HSTraLai": 1,
}  # fmt: skip
STATISTIC = {
    "month": 3, "year": 2022, "govAgencyCode": "27001", "govAgencyName": "UBND xã", "domainCode": "HT",
    "domainName": "Hộ tịch", "reporting": True, "totalCount": 105, "deniedCount": 5, "cancelledCount": 0,
    "processCount": 100, "remainingCount": 20, "receivedCount": 80, "onlineCount": 50, "onegateCount": 30,
    "releaseCount": 70, "betimesCount": 40, "ontimeCount": 25, "overtimeCount": 5, "unresolvedCount": 0,
    "processingCount": 28, "waitingCount": 2, "undueCount": 25, "overdueCount": 3, "ontimePercentage": 93,
}  # fmt: skip
SURVEY_FORM = {
    "Id": "9b1d", "DonVi": "27001", "MaHoSo": "H56.27-220301-0001", "HinhThucDanhGia": "Tại quầy",
    "NgayTao": "2022-03-04T09:00:00", "HoanThanhDanhGia": True, "TongDiem": "12", "XepLoai": "Tốt",
    **{f"TraLoi{number}": str(number % 3) for number in range(1, 11)}, "TraLoi11": None,
    "MucDoRHL": "0", "MucDoHL": "1", "MucDoBT": "0", "MucDoKHL": "0", "MucDoRKHL": "0",
    "NguoiNhapDanhGiaText": "Lê C",
}  # fmt: skip
WORD = {
    "Id": "77", "MaHoSo": "27001-220301-0001", "LoaiDanhGia": "HoSo", "NguoiDanhGia": "Lê C", "NoiDungDanhGia": "tốt",
    "ThoiGianDanhGia": "2022-03-04T09:00:00", "DanhGia": "RẤT HÀI LÒNG",
}  # fmt: skip
KIOSK = {"id": "k1", "MaDonVi": "27001", "ThietBi": "kiosk", "ThoiGianDanhGia": "20220304090000", "DanhGia": "Hài lòng"}
VOTE = {
    "votingId": 12, "selected": 3, "createDate": "2022-03-04 09:00:00", "modifiedDate": "2022-03-04 09:00:00",
    "className": "dossier", "classPK": "991", "votingCode": "thai-do", "govAgencyCode": "27001", "userId": 5,
    "comment": "chậm", "employeeId": 3,
}  # fmt: skip
SCORES = {
    "departmentId": "019d2be3-6a85", "departmentName": "UBND xã", "departmentCode": "27001", "totalScore": 68.32,
    "ratio": 68.32, "groupScores": {"CKMB": 11.45, "TDGQ": 17.72, "CLGQ": 8.83, "TTTT": None},
}  # fmt: skip
METRICS = {
    "departmentId": "27001", "departmentName": "UBND xã", "totalScore": 6, "metrics": [
        {"code": "PUBLISH_ON_TIME", "name": "…", "numerator": 0, "denominator": 0, "ratio": None, "score": None,
         "maxScore": 6},
        {"code": "DOSSIER_SYNC", "name": "…", "numerator": 2247, "denominator": 2250, "ratio": 99.87, "score": 5.99,
         "maxScore": 6, "dataQualityStatus": "TEMP_NATIONAL_REPORT_DENOMINATOR"},
    ],
}  # fmt: skip
PROGRESS = {
    "departmentCode": "27001", "departmentName": "UBND xã", "level": "COMMUNE", "totalReceived": 57, "totalOnTime": 47,
    "totalOverdue": 10, "avgProcessingDays": 1.04, "ratio": 82.46, "score": 16.49, "maxScore": 20, "scoreDelta": None,
}  # fmt: skip
ONLINE = {
    "departmentCode": "27001", "totalScore": 10, "totalMaxScore": 12, "onlineDossierCount": 8,
    "onlineServiceTotal": 40, "channelOnlineSum": 90, "channelTotalSum": 100,
}  # fmt: skip
PAYMENT = {
    "departmentCode": "27001", "totalScore": 7.5, "totalMaxScore": 10, "totalDossierOnlinePaymentSuccess": 30,
    "totalDossierFinancialObligation": 60,
}  # fmt: skip
FORM_06 = {"(1)": "1", "(2)": "Hộ tịch"} | {f"({number})": str(number * 10) for number in range(3, 14)}
UNIT = {"MaDonVi": "27003", "TenDonVi": "Xã mới", "CapDonVi": "commune", "HieuLucTu": "20250701"}

SAMPLES: dict[str, dict[str, Any]] = {
    "dvcqg": record(1, DanhSachHoSoBoSung=[SUPPLEMENT]),
    "dvcqg-push": record(1, DanhSachHoSoBoSung=[SUPPLEMENT]),
    "dvcqg-step": STEP,
    "td-ioc-dossier": IOC_DOSSIER,
    "td-ioc-unit-month": UNIT_MONTH,
    "opencps-statistic": STATISTIC,
    "td-survey-form": SURVEY_FORM,
    "td-survey-five-level": SURVEY_FORM,
    "td-survey-word": WORD,
    "survey-three-level": KIOSK,
    "survey-three-level-neutral": KIOSK,
    "survey-five-level": KIOSK,
    "opencps-vote": VOTE,
    "dvcqg-766": SCORES,
    "dvcqg-766-metric": METRICS,
    "dvcqg-766-progress": PROGRESS,
    "dvcqg-766-online": ONLINE,
    "dvcqg-766-payment": PAYMENT,
    "external-score": {"unit": "27001", "period": "2022", "item": "TOTAL", "score": "83,47"},
    "form-06": FORM_06,
    "form-06-numbers": {name.strip("()"): value for name, value in FORM_06.items()},
    "form-06-by-unit": FORM_06 | {"(2)": "27001"},
    "dvcqg-procedure": {"MaTTHC": "1.000110", "TenTTHC": "Khai sinh", "MaLinhVuc": "HT", "TenLinhVuc": "Hộ tịch"},
    "dvcqg-procedure-excel": {"Mã số": "1.000111", "Tên": "Khai sinh", "Lĩnh vực": "Hộ tịch"},
    "procedure": {"code": "1.000112", "name": "Khai sinh", "n_cases": "1", "case_days": "5 WORKING_DAY"},
    "dvcqg-unit": UNIT,
    "unit": {"code": "27004", "name": "Xã mới", "kind": "commune", "valid_from": "2025-07-01"},
}
LABELS = {
    "td-ioc-unit-month": "thang-2022-03.json item", "form-06": "27001_report-2022Q1.xlsx row",
    "form-06-numbers": "27001_2022Q1.xlsx row",
    "form-06-by-unit": "huyen_report-2022Q1.xlsx row",
} | dict.fromkeys((name for name in ENTITIES if name.startswith("dvcqg-766")), "766_2022-03.json item")  # fmt: skip


def test_a_record_of_every_shape_comes_to_its_table(units: Engine) -> None:
    """One warehouse for all of them, each a source of its own."""
    for number, (preset, entity) in enumerate(sorted(ENTITIES.items())):
        before = len(stored(units, entity))
        report = take(
            units, preset, SAMPLES[preset], label=LABELS.get(preset, "records.json item"), source=f"nguon-{number}"
        )
        assert (report.quarantined, refused(units)) == (0, []), preset
        assert report.read == report.stored > 0, preset
        shared_table = entity in {Entity.PROCEDURE, Entity.UNIT}
        assert shared_table or len(stored(units, entity)) - before == report.stored, preset


@pytest.mark.parametrize("preset", sorted(ENTITIES))
def test_no_personal_field_of_a_shape_is_read(preset: str) -> None:
    personal = {
        "ChuHoSo", "SoGiayToChuHoSo", "DinhDanhCHS", "Email", "SoDienThoai", "TrichYeuHoSo", "NguoiXuLy", "NoiDungXuLy",
        "NguoiDanhGia", "NoiDungDanhGia", "NguoiNhapDanhGiaText", "GopY", "comment", "userId", "employeeId",
        "NguoiYeuCauBoSung", "NoiDungBoSung",
    }  # fmt: skip
    chosen = load_mapping(preset)
    items = {item for found in chosen.nested_fields.values() for item in found}
    assert not (set(chosen.source_fields) | items) & personal
    assert personal & set(SAMPLES[preset]) <= set(chosen.personal)


def test_every_preset_says_what_it_is_for() -> None:
    for path in PRESETS.glob("*.toml"):
        assert path.read_text(encoding="utf-8").startswith("# "), path.name


def test_a_supplement_keeps_both_due_dates(units: Engine) -> None:
    take(units, "dvcqg", SAMPLES["dvcqg"])
    [row] = stored(units, Entity.DOSSIER_SUPPLEMENT)
    assert (row["code"], row["supplement"], row["state"]) == ("H29.27-220301-0001", "7", "true")
    assert (row["old_due_at"], row["new_due_at"]) == (at(2022, 3, 4, 10), at(2022, 3, 5, 10))
    assert (row["requested_at"], row["received_at"]) == (at(2022, 3, 2, 1), at(2022, 3, 3, 1))
    assert row["source_updated_at"] == at(2022, 3, 4, 2)


def test_status_may_be_a_number_a_word_or_one_of_opencps(units: Engine) -> None:
    words = ["4", "Đang xử lý", unicodedata.normalize("NFD", "ĐANG XỬ LÝ"), "processing", "4.0"]
    records = [record(number, TrangThaiHoSo=word, NgayKetThucXuLy="") for number, word in enumerate(words, 1)]
    assert take(units, "dvcqg", *records).stored == len(words)
    assert {row["status"] for row in stored(units, Entity.DOSSIER)} == {4}


def test_steps_without_a_number_are_told_apart(units: Engine) -> None:
    other = STEP | {"PhongBanXuLy": ""}
    report = take(units, "dvcqg-step", STEP, other, STEP)
    assert (report.read, report.stored, report.unchanged) == (3, 2, 1)
    first, second = stored(units, Entity.DOSSIER_STEP)
    assert (first["step"], first["department"]) == ("20220301103000/4/", None)
    assert second["step"] == "20220301103000/4/Tư pháp - Hộ tịch"
    assert (second["started_at"], second["due_at"]) == (at(2022, 3, 1, 1), at(2022, 3, 2, 10))
    assert (second["finished_at"], second["status"]) == (at(2022, 3, 1, 3, 30), 4)


def test_a_source_that_writes_small_first_letters(units: Engine, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('extends = "td-ioc-dossier"\nfirst_letter = "lower"\n[codes.unit]\n"H56.27" = "27002"\n')
    small = {name[0].lower() + name[1:]: value for name, value in IOC_DOSSIER.items()} | {"maDinhDanh": "H56.27"}
    assert take(units, str(file), small).stored == 1
    assert stored(units, Entity.DOSSIER)[0]["unit"] == "27002"


def test_figures_of_a_unit_and_month(units: Engine) -> None:
    assert take(units, "td-ioc-unit-month", UNIT_MONTH, label="2022-03.json item").stored == 12
    rows = {row["item"]: row["value"] for row in stored(units, Entity.REPORTED_FIGURE)}
    assert rows[ReportItem.RECEIVED_TOTAL] == 120
    assert rows[ReportItem.CARRIED_IN] + rows[ReportItem.RECEIVED_ONLINE] + rows[ReportItem.RECEIVED_OTHER] == 120
    assert {row["period"] for row in stored(units, Entity.REPORTED_FIGURE)} == {"2022-03"}


def test_a_period_that_the_file_does_not_say_is_refused(units: Engine) -> None:
    for name in ("thang", "2022-13", "20220301", "2022-03-01", "12022-03"):
        report = take(units, "td-ioc-unit-month", UNIT_MONTH, label=f"{name}.json item")
        assert (report.read, report.quarantined) == (12, 12), name
    assert all("bad_pattern" in detail for detail in refused(units))


def test_months_and_years_of_opencps(units: Engine) -> None:
    take(units, "opencps-statistic", STATISTIC, STATISTIC | {"month": 0, "domainCode": "", "domainName": None})
    rows = stored(units, Entity.REPORTED_FIGURE)
    assert {(row["period"], row["field"]) for row in rows} == {("2022-03", "Hộ tịch"), ("2022", "")}


def test_form_06_gives_eleven_figures_a_field(units: Engine) -> None:
    total = FORM_06 | {"(1)": None, "(2)": "TỔNG SỐ"}
    heading = dict.fromkeys(FORM_06) | {"(1)": "I", "(2)": "Cấp xã"}
    label = "27001_report-2022Q1.xlsx row"
    report = take(units, "form-06", heading, FORM_06, total, label=label)
    assert (report.read, report.stored) == (22, 22)
    rows = stored(units, Entity.REPORTED_FIGURE)
    assert {row["item"] for row in rows} == {str(item) for item in ReportItem}
    assert {(row["unit"], row["form"], row["period"]) for row in rows} == {("27001", "II.06", "report-2022Q1")}
    assert {row["field"] for row in rows} == {"", "Hộ tịch"}
    assert {row["value"] for row in rows if row["item"] == ReportItem.OPEN_LATE} == {130}


def test_a_figure_that_is_not_there_is_no_zero(units: Engine) -> None:
    report = take(units, "form-06", FORM_06 | {"(4)": "-", "(5)": ""}, label="27001_2022.xlsx row")
    assert report.stored == 9


def test_a_cell_that_is_no_figure_is_one_refused_row(units: Engine) -> None:
    report = take(units, "form-06", FORM_06 | {"(4)": "Người lập"}, label="27001_2022.xlsx row")
    assert (report.read, report.stored, report.quarantined) == (11, 10, 1)
    with units.connect() as connection:
        row = connection.execute(select(quarantine)).one()
    assert row.place == "27001_2022.xlsx row 1"
    assert row.payload["(4)"] is not None
    assert row.payload["(3)"] is None, "only what makes the refused row is kept"


def test_the_three_forms_of_survey(units: Engine) -> None:
    take(units, "td-survey-form", SURVEY_FORM)
    [form] = stored(units, Entity.SURVEY_ANSWER)
    assert (form["scale"], form["score"], form["satisfied"]) == ("form_012", 12, True)
    assert form["aspects"] == {str(number): number % 3 for number in range(1, 11)}
    take(units, "td-survey-five-level", SURVEY_FORM | {"Id": "2", "MucDoHL": "0", "MucDoBT": "1"})
    five = stored(units, Entity.SURVEY_ANSWER)[0]
    assert (five["scale"], five["score"], five["satisfied"], five["aspects"]) == ("five_level", 3, False, None)
    take(units, "td-survey-word", WORD)
    word = next(row for row in stored(units, Entity.SURVEY_ANSWER) if row["id"] == "77")
    assert (word["unit"], word["scale"], word["score"], word["satisfied"]) == ("27001", "three_level", 3, True)


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (4, ("Mức độ 4", "MỨC ĐỘ 4", "4", "Toàn trình", "Trực tuyến toàn trình")),
        (3, ("Mức độ 3", "3", "Một phần", "Trực tuyến một phần", unicodedata.normalize("NFD", "một phần"))),
        (2, ("Mức độ 1", "Mức độ 2", "1", "2", "Cung cấp thông tin trực tuyến")),
    ],
)
def test_old_and_new_words_of_the_online_levels(units: Engine, level: int, words: tuple[str, ...]) -> None:
    for number, word in enumerate(words):
        row = {"MaTTHC": f"1.{number}", "TenTTHC": "Khai sinh", "MaLinhVuc": "HT", "TenLinhVuc": "Hộ tịch"}
        take(units, "dvcqg-procedure", row | {"MucDo": word})
    found = {row["code"]: row["online_level"] for row in stored(units, Entity.PROCEDURE)}
    assert [found[f"1.{number}"] for number in range(len(words))] == [level] * len(words)


def test_words_of_the_faces(units: Engine) -> None:
    for preset, word, score, satisfied in (
        ("survey-three-level", "RẤT HÀI LÒNG", 3, True),
        ("survey-three-level", unicodedata.normalize("NFD", "Không hài lòng"), 1, False),
        ("survey-three-level-neutral", "bình thường", 2, False),
        ("survey-five-level", "Rất không hài lòng", 1, False),
        ("survey-five-level", "Bình thường", 3, False),
        ("survey-five-level", "4", 4, True),
    ):
        take(units, preset, KIOSK | {"id": word, "DanhGia": word})
        [row] = [row for row in stored(units, Entity.SURVEY_ANSWER) if row["id"] == unicodedata.normalize("NFC", word)]
        assert (row["score"], row["satisfied"]) == (score, satisfied), word


def test_an_unfinished_form_is_no_answer(units: Engine) -> None:
    report = take(units, "td-survey-form", SURVEY_FORM | {"HoanThanhDanhGia": False}, SURVEY_FORM)
    assert (report.read, report.stored) == (1, 1)


def test_a_vote_that_may_mean_two_things_is_refused(units: Engine) -> None:
    report = take(units, "opencps-vote", VOTE, VOTE | {"selected": 0, "classPK": "992"})
    assert (report.stored, report.quarantined) == (1, 1)
    [row] = stored(units, Entity.SURVEY_ANSWER)
    assert (row["score"], row["satisfied"]) == (1, False)


def test_the_766_scores_of_the_portal(units: Engine) -> None:
    label = "766_2022-03.json item"
    take(units, "dvcqg-766", SCORES, label=label)
    take(units, "dvcqg-766-metric", METRICS, label=label)
    take(units, "dvcqg-766-online", ONLINE, label=label)
    rows = {row["item"]: row for row in stored(units, Entity.EXTERNAL_SCORE)}
    assert set(rows) == {"TOTAL", "CKMB", "TDGQ", "CLGQ", "PUBLISH_ON_TIME", "DOSSIER_SYNC", "3.2", "3.3"}
    assert (rows["TOTAL"]["score"], rows["TOTAL"]["max_score"]) == (68.32, 100)
    assert (rows["TDGQ"]["score"], rows["TDGQ"]["max_score"]) == (17.72, 20)
    assert (rows["PUBLISH_ON_TIME"]["score"], rows["PUBLISH_ON_TIME"]["max_score"]) == (None, 6)
    sync = rows["DOSSIER_SYNC"]
    assert (sync["numerator"], sync["denominator"], sync["quality"]) == (2247, 2250, "TEMP_NATIONAL_REPORT_DENOMINATOR")
    assert (rows["3.3"]["numerator"], rows["3.3"]["denominator"], rows["3.3"]["score"]) == (90, 100, None)
    assert {row["period"] for row in rows.values()} == {"2022-03"}


def test_a_score_with_a_decimal_comma(units: Engine) -> None:
    take(units, "external-score", SAMPLES["external-score"])
    assert stored(units, Entity.EXTERNAL_SCORE)[0]["score"] == 83.47


def test_a_reference_dossier_takes_the_mapping_of_dossiers(units: Engine) -> None:
    take(units, "dvcqg", SAMPLES["dvcqg"], entity=Entity.REFERENCE_DOSSIER)
    assert len(stored(units, Entity.REFERENCE_DOSSIER)) == 1
    assert stored(units, Entity.DOSSIER) == []
    assert stored(units, Entity.DOSSIER_SUPPLEMENT) == [], "supplements of another system's copy are in no figure"


def test_a_catalogue_keeps_what_a_poorer_source_does_not_know(empty: Engine) -> None:
    full = {"MaTTHC": "1.000110", "TenTTHC": "Khai sinh", "CapThucHien": "Cấp xã", "MucDo": "mức độ 4", "CoPhi": "1"}
    take(empty, "dvcqg-procedure", full | {"MaLinhVuc": "HT", "TenLinhVuc": "Hộ tịch"})
    poor = {"Mã số": "1.000110", "Tên": "Đăng ký khai sinh", "Lĩnh vực": "Hộ tịch"}
    assert take(empty, "dvcqg-procedure-excel", poor).stored == 1
    assert take(empty, "dvcqg-procedure-excel", poor).unchanged == 1
    assert table_rows(empty, procedure)[0][:6] == ("1.000110", "Đăng ký khai sinh", "HT", "Hộ tịch", "commune", 4)


def test_a_unit_list_without_places_leaves_them(empty: Engine) -> None:
    with empty.begin() as connection:
        values = {
            "code": "27003",
            "valid_from": date(2025, 7, 1),
            "name": "Cũ",
            "kind": "commune",
            "lat": 10.5,
            "lon": 106,
        }
        connection.execute(insert(SHAPES[Entity.UNIT].table), values)
    take(empty, "dvcqg-unit", UNIT)
    [row] = stored(empty, Entity.UNIT)
    assert (row["name"], row["lat"], row["population"]) == ("Xã mới", 10.5, None)


# --- real files -------------------------------------------------------------------------------------------------


def sync_files(engine: Engine, entity: Entity, preset: str, *paths: Path) -> RunReport:
    source = file_source(*paths, entity=entity, mapping=preset)
    report = sync_source(engine, settings_of(source), source, now=NOW)
    assert report.error is None
    return report


def form_06_workbook(path: Path) -> None:
    """A workbook as units print it: titles, merged headings, the row of numbers, fields, a total, signatures."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Biểu số II.06a/VPCP/KSTT"])
    sheet.append(["TÌNH HÌNH, KẾT QUẢ GIẢI QUYẾT TTHC TẠI UBND XÃ TÂN NHỰT"])
    sheet.append(["Từ ngày 15/12/2021 đến ngày 14/3/2022"])
    sheet.append(["STT", "Lĩnh vực, công việc giải quyết theo cấp", "Tiếp nhận", None, None, None, "Đã giải quyết"])
    sheet.append([None, None, "Tổng số", "Trực tuyến", "Trực tiếp, dịch vụ bưu chính", "Từ kỳ trước", "Tổng số"])
    sheet.merge_cells("C4:F4")
    sheet.append([f"({number})" for number in range(1, 14)])
    sheet.append(["I", "Cấp xã"])
    sheet.append([1, "Hộ tịch", 1200, 700, 480, 20, 1150, 900, 230, 20, 50, 48, 2])
    sheet.append([2, "Chứng thực", 300, 0, 300, None, 300, 300, 0, 0, 0, 0, 0])
    sheet.append([None, "Tổng số", 1500, 700, 780, 20, 1450, 1200, 230, 20, 50, 48, 2])
    sheet.append([])
    sheet.append([None, "NGƯỜI LẬP BIỂU", None, None, None, None, None, None, None, "CHỦ TỊCH"])
    book.save(path)


def test_a_form_06_workbook(units: Engine, tmp_path: Path) -> None:
    form_06_workbook(tmp_path / "27001_report-2022Q1.xlsx")
    report = sync_files(units, Entity.REPORTED_FIGURE, "form-06", tmp_path)
    assert (report.stored, report.quarantined) == (32, 1), "the signature under a figure's column is refused, visibly"
    rows = {(row["field"], row["item"]): row["value"] for row in stored(units, Entity.REPORTED_FIGURE)}
    assert rows["", ReportItem.RECEIVED_TOTAL] == 1500
    assert rows["Hộ tịch", ReportItem.OPEN_LATE] == 2
    assert ("Chứng thực", ReportItem.CARRIED_IN) not in rows
    assert "CHỦ TỊCH" in refused(units)[0]


def test_a_reply_of_the_portal_saved_as_a_file(units: Engine, tmp_path: Path) -> None:
    reply = {"code": "OK", "data": {"overview": {"totalScore": 56.56}, "evaluation": [SCORES]}, "message": None}
    (tmp_path / "766_2022-03.json").write_text(json.dumps(reply))
    source = file_source(
        tmp_path, entity=Entity.EXTERNAL_SCORE, mapping="dvcqg-766", reader={"records": "data.evaluation"}
    )
    assert sync_source(units, settings_of(source), source, now=NOW).stored == 4
    assert {row["period"] for row in stored(units, Entity.EXTERNAL_SCORE)} == {"2022-03"}


def test_the_excel_export_of_the_portal(empty: Engine) -> None:
    report = sync_files(empty, Entity.PROCEDURE, "dvcqg-procedure-excel", shared("vn_procedures/excel"))
    assert (report.read, report.quarantined) == (2642, 0)
    codes = {row["code"] for row in stored(empty, Entity.PROCEDURE)}
    assert len(codes) == report.stored
    assert any(code.endswith("0") for code in codes), "codes are texts"


def test_the_procedures_of_the_portal(empty: Engine) -> None:
    report = sync_files(empty, Entity.PROCEDURE, "procedure", shared("vn_procedures/procedures.csv.gz"))
    assert (report.read, report.quarantined) == (5665, 0)
    rows = stored(empty, Entity.PROCEDURE)
    assert {row["level"] for row in rows} == {"commune", "province", None}
    assert all(row["name"] == unicodedata.normalize("NFC", row["name"]) for row in rows)
