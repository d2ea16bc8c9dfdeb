"""Quarantine: what is kept, when it is resolved, what a replay makes of it, and when a run is refused altogether."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from connectors.masking import mask, mask_within
from connectors.replay import replay, retry_units
from connectors.runs import Ending, RunReport
from connectors.sync import sync_all, sync_source
from tests.cells import cells, cells_anew
from tests.connectors.intake import Intake
from tests.connectors.support import NOW, insert_units, record, rest_source, settings_of, table_rows
from warehouse.errors import TransientError
from warehouse.schema import dossier, dossier_supplement, quarantine, sync_run, watermark
from warehouse.sources import SourceSettings
from warehouse.vocabulary import RunKind, RunState

LATER = NOW + timedelta(hours=1)


def run(engine: Engine, source: SourceSettings, **options: Any) -> RunReport:  # noqa: ANN401
    report = sync_source(engine, settings_of(source), source, **({"now": NOW} | options))
    assert report.state is RunState.OK, report.error
    return report


def again(engine: Engine, source: SourceSettings, *reasons: str) -> tuple[int, int, int, int, int]:
    """Read, stored, unchanged, refused and incomplete of a replay."""
    done = replay(engine, settings_of(source), source, now=LATER, reasons=reasons)
    if done.report is None:
        return (0, 0, 0, 0, done.incomplete)
    report = done.report
    assert (report.kind, report.state) == (RunKind.REPLAY, RunState.OK), report.error
    assert report.read == report.stored + report.unchanged + report.quarantined
    return report.read, report.stored, report.unchanged, report.quarantined, done.incomplete


def waiting(engine: Engine) -> dict[str | None, str]:
    with engine.connect() as connection:
        rows = connection.execute(
            select(quarantine.c.code, quarantine.c.reason).where(quarantine.c.resolved_at.is_(None))
        )
        return {row.code: row.reason for row in rows}


def mapping_file(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return str(folder / f"{name}.toml")


# --- replay ---------------------------------------------------------------------------------------------------


def test_a_replay_stores_what_passes_now_as_if_it_had_been_read_now(warehouse: Engine, intake: Intake) -> None:
    supplements = [{"HoSoBoSungId": "7", "NgayBoSung": "20220302080000", "NgayHenTraTruoc": "20220304170000"}]
    late = {"DonViXuLy": "27009", "DanhSachHoSoBoSung": supplements}
    files = [{"TenGiayTo": "Nguyễn Văn A", "DuongDanTepTinKetQua": "/ket-qua/nguyen-van-a.pdf"}]
    intake.records = [record(1, **late, DanhSachGiayToKetQua=files), record(2), record(3, **late)]
    source = rest_source(intake.url)
    run(warehouse, source)
    insert_units(warehouse, ["27009"])
    assert again(warehouse, source) == (2, 2, 0, 0, 0)
    assert waiting(warehouse) == {}
    replayed = [table_rows(warehouse, table, without=("seen_at",)) for table in (dossier, dossier_supplement)]
    counted = cells(warehouse)
    with warehouse.begin() as connection:
        for table in (dossier, dossier_supplement, quarantine, watermark):
            connection.execute(table.delete())
    run(warehouse, source)
    read = [table_rows(warehouse, table, without=("seen_at",)) for table in (dossier, dossier_supplement)]
    assert replayed == read
    assert counted == cells_anew(warehouse)
    assert again(warehouse, source) == (0, 0, 0, 0, 0)


def test_a_replay_after_the_mapping_was_mended(warehouse: Engine, intake: Intake, tmp_path: Path) -> None:
    intake.records = [record(1, KenhThucHien="kiosk"), record(2, KenhThucHien="?"), record(3, NgayTiepNhan="x")]
    source = rest_source(intake.url)
    run(warehouse, source)
    mended = mapping_file(tmp_path, "mended", 'extends = "dvcqg"\n[codes.channel]\nkiosk = 1\n')
    source = rest_source(intake.url, mapping=mended)
    assert again(warehouse, source, "unknown_code") == (2, 1, 0, 1, 0)
    assert waiting(warehouse) == {"H29.27-220301-0002": "unknown_code", "H29.27-220301-0003": "bad_date"}
    with warehouse.connect() as connection:
        kinds = connection.execute(select(sync_run.c.kind, sync_run.c.read, sync_run.c.stored)).all()
        mark = connection.execute(select(watermark.c.value)).scalar_one()
    assert [tuple(row) for row in kinds] == [("sync", 3, 0), ("replay", 2, 1)]
    assert mark == "3", "a replay does not move the watermark"


def test_what_is_refused_again_has_the_reason_of_now(warehouse: Engine, intake: Intake, tmp_path: Path) -> None:
    intake.records = [record(1, KenhThucHien="kiosk", DonViXuLy="27009")]
    source = rest_source(intake.url)
    run(warehouse, source)
    assert waiting(warehouse) == {"H29.27-220301-0001": "unknown_code"}
    mended = mapping_file(tmp_path, "mended", 'extends = "dvcqg"\n[codes.channel]\nkiosk = 1\n')
    source = rest_source(intake.url, mapping=mended)
    assert again(warehouse, source) == (1, 0, 0, 1, 0)
    with warehouse.connect() as connection:
        [row] = connection.execute(select(quarantine)).all()
    assert (row.reason, row.detail, row.resolved_at) == ("unknown_unit", "unknown_unit: unit = 27009", None)
    assert row.first_seen_at == NOW, "it waits since it was refused first"
    assert again(warehouse, source) == (1, 0, 0, 1, 0)
    run(warehouse, source, from_start=True)
    assert waiting(warehouse) == {"H29.27-220301-0001": "unknown_unit"}, "reading it again is the same row"
    insert_units(warehouse, ["27009"])
    assert again(warehouse, source) == (1, 1, 0, 0, 0)


def test_pages_of_a_replay_try_each_record_once(warehouse: Engine, intake: Intake, tmp_path: Path) -> None:
    intake.records = [record(number, KenhThucHien="kiosk", DonViXuLy="27009") for number in range(1, 31)]
    run(warehouse, rest_source(intake.url))
    mended = mapping_file(tmp_path, "mended", 'extends = "dvcqg"\n[codes.channel]\nkiosk = 1\n')
    source = rest_source(intake.url, mapping=mended, batch_rows=4)
    assert again(warehouse, source) == (30, 0, 0, 30, 0)
    assert set(waiting(warehouse).values()) == {"unknown_unit"}
    insert_units(warehouse, ["27009"])
    assert again(warehouse, source) == (30, 30, 0, 0, 0)


def test_an_older_version_does_not_come_back(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(1, DonViXuLy="27009", TrangThaiHoSo="4", NgayKetThucXuLy="")]
    source = rest_source(intake.url)
    run(warehouse, source)
    with warehouse.begin() as connection:  # as an operator's repair would leave it
        connection.execute(update(quarantine).values(code=None))
    intake.records.append(record(1, NgayCapNhat="20220501000000"))
    run(warehouse, source)
    insert_units(warehouse, ["27009"])
    assert again(warehouse, source) == (1, 0, 1, 0, 0)
    with warehouse.connect() as connection:
        assert connection.execute(select(dossier.c.status, dossier.c.unit)).one() == (10, "27001")


def test_a_field_that_the_old_mapping_did_not_name_needs_the_source(
    warehouse: Engine, intake: Intake, tmp_path: Path
) -> None:
    intake.records = [record(1, DonViXuLy="27009", NgayXinLoi="20220306080000")]
    run(warehouse, rest_source(intake.url))
    more = '[fields]\napology_at = { from = "NgayXinLoi", optional = true }\n'
    source = rest_source(intake.url, mapping=mapping_file(tmp_path, "more", f'extends = "dvcqg"\n{more}'))
    insert_units(warehouse, ["27009"])
    assert again(warehouse, source) == (0, 0, 0, 0, 1), "it would be stored without that date"
    assert run(warehouse, source, from_start=True).stored == 1
    assert waiting(warehouse) == {}
    with warehouse.connect() as connection:
        assert connection.execute(select(dossier.c.apology_at)).scalar_one() is not None


def test_a_field_that_was_not_there_can_be_made_optional(warehouse: Engine, intake: Intake, tmp_path: Path) -> None:
    intake.records = [record(1), record(2)]
    del intake.records[0]["NgayHenTra"]
    run(warehouse, rest_source(intake.url))
    assert waiting(warehouse) == {"H29.27-220301-0001": "missing_field"}
    lenient = 'extends = "dvcqg"\n[fields]\ndue_at = { from = "NgayHenTra", optional = true }\n'
    source = rest_source(intake.url, mapping=mapping_file(tmp_path, "lenient", lenient))
    assert again(warehouse, source) == (1, 1, 0, 0, 0)


def test_two_processes_do_not_replay_at_once(
    warehouse: Engine, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connectors.runs import stream_lock  # noqa: PLC0415

    monkeypatch.setattr("connectors.replay.LOCK_WAIT_SECONDS", 0.2)
    intake.records = [record(1, DonViXuLy="27009")]
    source = rest_source(intake.url)
    run(warehouse, source)
    with warehouse.connect() as other, stream_lock(other, source, 0), pytest.raises(TransientError, match="another"):
        replay(warehouse, settings_of(source), source, now=LATER)


def test_units_that_come_take_their_records_out(warehouse: Engine, intake: Intake) -> None:
    bad = record(4, DonViXuLy="27009", NgayTiepNhan="x")
    intake.records = [record(1, DonViXuLy="27009"), record(2, DonViXuLy="27010"), record(3, KenhThucHien="?"), bad]
    source = rest_source(intake.url)
    run(warehouse, source)
    settings = settings_of(source)
    assert retry_units(warehouse, settings, source, now=LATER) == [], "nobody came"
    insert_units(warehouse, ["27009"])
    first, second = sync_all(warehouse, settings, now=LATER)
    assert (first.kind, first.read, first.stored, second.kind, second.read) == (RunKind.REPLAY, 1, 1, RunKind.SYNC, 0)
    assert waiting(warehouse) == {
        "H29.27-220301-0002": "unknown_unit", "H29.27-220301-0003": "unknown_code", "H29.27-220301-0004": "bad_date",
    }  # fmt: skip


# --- keys -----------------------------------------------------------------------------------------------------

STEPS_MAPPING = """
entity = "dossier_step"
timezone = "Asia/Ho_Chi_Minh"
dates = ["yyyyMMddHHmmss"]
[fields]
code = { from = "MaHoSo" }
step = { from = "Buoc" }
started_at = { from = "BatDau" }
source_updated_at = { from = "CapNhat" }
"""


def step(number: int, start: str = "20220301080000", updated: str = "20220301080000") -> dict[str, Any]:
    return {"MaHoSo": "H1", "Buoc": str(number) if number else "", "BatDau": start, "CapNhat": updated}


def test_a_key_of_several_columns_is_resolved_as_a_whole(warehouse: Engine, intake: Intake, tmp_path: Path) -> None:
    source = rest_source(intake.url, "dossier_step", mapping_file(tmp_path, "steps", STEPS_MAPPING))
    intake.records = [step(1, "x"), step(2, "x"), step(0)]
    run(warehouse, source)
    assert waiting(warehouse) == {"H1 / 1": "bad_date", "H1 / 2": "bad_date", "H1 / ?": "missing_value"}
    intake.records.append(step(2, updated="20220302080000"))
    run(warehouse, source)
    assert set(waiting(warehouse)) == {"H1 / 1", "H1 / ?"}
    intake.records += [step(1, updated="20220303080000"), step(1, "x", "20220302080000")]
    run(warehouse, source)
    assert set(waiting(warehouse)) == {"H1 / ?"}, "the late bad version is older than the stored one"
    intake.records.append(step(2, "x", "20220304080000"))
    run(warehouse, source)
    assert set(waiting(warehouse)) == {"H1 / ?", "H1 / 2"}


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_of_records_without_a_time_the_last_one_tells(warehouse: Engine, intake: Intake, *, in_one_batch: bool) -> None:
    bad, good = record(1, NgayCapNhat="", KenhThucHien="?"), record(1, NgayCapNhat="")
    source = rest_source(
        intake.url, reader={"page_size": 100 if in_one_batch else 1}, batch_rows=100 if in_one_batch else 1
    )
    intake.records = [bad, good]
    run(warehouse, source)
    assert waiting(warehouse) == {}
    intake.records += [bad]
    run(warehouse, source)
    assert set(waiting(warehouse)) == {"H29.27-220301-0001"}, "what the source says last cannot be read"
    run(warehouse, source, from_start=True)
    assert set(waiting(warehouse)) == {"H29.27-220301-0001"}
    intake.records += [good]
    run(warehouse, source, from_start=True)
    assert waiting(warehouse) == {}


# --- threshold ------------------------------------------------------------------------------------------------


def test_too_many_refused_records_fail_the_run_and_the_next_one_goes_on(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(number, KenhThucHien="?" if number > 20 else "1") for number in range(1, 41)]
    source = rest_source(intake.url, reader={"page_size": 20}, batch_rows=20, refuse_above=0.3)
    report = sync_source(warehouse, settings_of(source), source, now=NOW)
    assert (report.state, report.ending) == (RunState.FAILED, Ending.REFUSED)
    assert "20 of 40 records would be quarantined (unknown_code 20), more than refuse_above = 0.3" in (
        report.error or ""
    )
    assert (report.read, report.stored, report.watermark_after) == (20, 20, "20")
    assert (len(table_rows(warehouse, dossier)), waiting(warehouse)) == (20, {}), "nothing of that batch is there"
    once_more = sync_source(warehouse, settings_of(source), source, now=NOW)
    assert (once_more.state, once_more.watermark_after) == (RunState.FAILED, "20"), "the same batch is refused again"
    for item in intake.records:
        item["KenhThucHien"] = "1"
    mended = run(warehouse, source)
    assert (mended.read, mended.stored, mended.watermark_before) == (20, 20, "20")
    assert len(table_rows(warehouse, dossier)) == 40


@pytest.mark.parametrize(
    ("bad", "of", "limit", "fails"),
    [(6, 20, 0.3, False), (7, 20, 0.3, True), (19, 19, 0.0, False), (1, 20, 0.0, True), (20, 20, 1.0, False)],
)
def test_where_the_threshold_lies(
    warehouse: Engine, intake: Intake, bad: int, of: int, limit: float, *, fails: bool
) -> None:
    intake.records = [record(number, KenhThucHien="?" if number <= bad else "1") for number in range(1, of + 1)]
    source = rest_source(intake.url, refuse_above=limit)
    report = sync_source(warehouse, settings_of(source), source, now=NOW)
    assert (report.state is RunState.FAILED) is fails, report.error


def test_the_share_is_that_of_the_whole_run(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(number, KenhThucHien="?" if number % 4 == 0 else "1") for number in range(1, 81)]
    source = rest_source(intake.url, reader={"page_size": 20}, batch_rows=20, refuse_above=0.26)
    assert run(warehouse, source).quarantined == 20
    intake.records += [record(number, KenhThucHien="?") for number in range(100, 110)]
    report = sync_source(warehouse, settings_of(source), source, now=NOW)
    assert report.state is RunState.OK, "ten records are too few to judge by"


# --- what is kept ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("0909 123 456 Nguyễn Văn A", "***3456"), ("0909123456", "***3456"), ("+84 909.123.456", "***3456"),
        ("(0909) 123-456", "***3456"), ("024 3825 1234", "***1234"), ("079123456789", "***6789"),
        ("079 123 456 789", "***6789"), ("CMND 123456789", "***6789"), ("a.b@c.gov.vn", "***"),
        ("Nguyễn Văn A", "***"), ("NGUYEN VAN A", "***"), ("bà Trần Thị Bích Ngọc", "***"), ("x" * 201, "***(201)"),
    ],
)  # fmt: skip
def test_what_looks_personal_is_masked(text: str, kept: str) -> None:
    assert mask(text, codes=True) == kept


@pytest.mark.parametrize(
    "text",
    [
        "H29.27-220301-0001", "000.00.19.H26-220301-123456789", "20220301080000", "2022-03-09 08:00:00",
        "03-03-2022 08:00:00", "03.03.2022 08:00", "1646092800", "1646092800000", "27001", "1.000110", "Hồ sơ mới",
        "Phường Nguyễn Văn Cừ", "Thành phố Hồ Chí Minh", "Đã trả kết quả", "0000123456", "12,5",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    ],
)  # fmt: skip
def test_what_is_needed_to_find_the_trouble_stays(text: str) -> None:
    assert mask(text, codes=True) == text


def test_names_of_procedures_may_hold_names_and_numbers_nine_digits() -> None:
    assert mask("Cấp giấy Nguyễn Văn Trỗi", codes=False) == "Cấp giấy Nguyễn Văn Trỗi"
    assert mask("123456789", codes=True, numbers=True) == "123456789"
    assert mask_within("bad_date: 'gọi 0909123456 hay a@b.vn'") == "bad_date: 'gọi *** hay ***'"


def test_a_masked_record_is_not_replayed_and_its_detail_is_masked(warehouse: Engine, intake: Intake) -> None:
    intake.records = [
        record(1, DonViXuLy="0909 123 456 Nguyễn Văn A"), record(2, NgayTiepNhan="Nguyễn Văn A, 079123456789"),
        record(3, MaHoSo="Nguyễn Văn A 0909123456", KenhThucHien="?"),
    ]  # fmt: skip
    source = rest_source(intake.url)
    run(warehouse, source)
    with warehouse.connect() as connection:
        rows = connection.execute(select(quarantine).order_by(quarantine.c.reason)).all()
    assert [(row.reason, row.complete) for row in rows] == [
        ("bad_date", False), ("unknown_code", False), ("unknown_unit", False),
    ]  # fmt: skip
    assert [row.detail for row in rows] == ["bad_date: NgayTiepNhan: ***6789", "unknown_code: KenhThucHien: '?'",
                                            "unknown_unit: unit = ***3456"]  # fmt: skip
    assert rows[1].code == "***3456"
    assert again(warehouse, source) == (0, 0, 0, 0, 3)
