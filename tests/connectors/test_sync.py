"""Sync: any order and number of replays, crashes and rivals end in the same tables; changes leave a trace."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, delete, select, text, update

from connectors.runs import ABANDONED, Ending, RunReport, stream_lock
from connectors.sync import sync_all, sync_source
from tests.cells import cells, total
from tests.conftest import ROOT
from tests.connectors.intake import Intake, Reply, serve
from tests.connectors.support import NOW, insert_units, record, rest_source, settings_of, table_rows
from warehouse.errors import ConfigurationError
from warehouse.schema import (
    data_state,
    dossier,
    dossier_change,
    metadata,
    procedure,
    quarantine,
    survey_answer,
    sync_run,
    unit,
    watermark,
)
from warehouse.sources import SourceSettings
from warehouse.vocabulary import Entity, RunState

PLACES = ("place", "seen_at", "first_seen_at", "resolved_at")


def run(engine: Engine, source: SourceSettings, **options: Any) -> RunReport:  # noqa: ANN401
    report = sync_source(engine, settings_of(source), source, **({"now": NOW} | options))
    assert report.read == report.stored + report.unchanged + report.quarantined
    return report


def contents(engine: Engine) -> dict[str, Any]:
    tables = (dossier, procedure, survey_answer, quarantine)
    found: dict[str, Any] = {table.name: table_rows(engine, table, without=PLACES) for table in tables}
    return found | {"cells": cells(engine)}


def history(seed: int) -> list[dict[str, Any]]:
    """Several versions of some dossiers, some of them bad, some with the same time of update."""
    rng = random.Random(seed)
    versions = []
    for number in range(1, 13):
        for step in range(rng.randrange(1, 5)):
            closed = step > 1 and rng.random() < 0.7
            versions.append(
                record(
                    number,
                    TrangThaiHoSo=str(rng.choice([9, 10, 7, 3]) if closed else rng.choice([2, 4, 5])),
                    NgayKetThucXuLy=f"202203{rng.randrange(1, 28):02d}090000" if closed else "",
                    NgayHenTra=rng.choice(["", f"202203{rng.randrange(2, 28):02d}170000"]),
                    DonViXuLy=rng.choice(["27001", "27002"]),
                    KenhThucHien=rng.choice(["1", "2", "3", "bad"]),
                    NgayCapNhat=f"202204{rng.choice([step, step + 1]) + 1:02d}000000",
                )
            )
    return versions


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_and_number_of_replays_ends_in_the_same_tables(engine: Engine, intake: Intake, seed: int) -> None:
    insert_units(engine)
    rng = random.Random(seed)
    versions = history(seed)
    outcomes = []
    for attempt in range(3):
        _empty(engine)
        shuffled = versions * (1 + attempt)
        rng.shuffle(shuffled)
        for start in range(0, len(shuffled), 16):
            intake.records = shuffled[start : start + 16]
            _forget(engine)
            run(
                engine,
                rest_source(intake.url, reader={"page_size": rng.choice([3, 16])}, batch_rows=rng.choice([4, 20])),
            )
        outcomes.append(contents(engine))
    assert outcomes[0]["dossier"]
    assert outcomes[1] == outcomes[0]
    assert outcomes[2] == outcomes[0]


def _empty(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            if table is not unit:
                connection.execute(delete(table))


def _forget(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(watermark))


def test_an_older_version_never_overwrites_a_newer_one(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(1, NgayCapNhat="20220402000000", TrangThaiHoSo="9")]
    run(warehouse, rest_source(intake.url))
    intake.records.append(record(1, NgayCapNhat="20220401000000", TrangThaiHoSo="4", NgayKetThucXuLy=""))
    assert run(warehouse, rest_source(intake.url)).unchanged == 1
    assert table_rows(warehouse, dossier_change) == []


def test_changes_of_watched_columns_are_kept(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(1, TrangThaiHoSo="4", NgayKetThucXuLy="", NgayTra="")]
    run(warehouse, rest_source(intake.url))
    intake.records.append(record(1, NgayCapNhat="20220405000000", NgayHenTra="20220306170000", DonViXuLy="27002"))
    run(warehouse, rest_source(intake.url), now=NOW + timedelta(hours=1))
    assert [row[3:] for row in table_rows(warehouse, dossier_change)] == [
        ("due_at", "2022-03-05 10:00:00+00", "2022-03-06 10:00:00+00"),
        ("finished_at", None, "2022-03-04 01:00:00+00"),
        ("status", "4", "10"),
        ("unit", "27001", "27002"),
    ]
    assert {key[3] for key in cells(warehouse) if key[0] == "unit_cell"} == {"27002"}


def test_the_version_grows_only_when_something_changed(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(1)]
    run(warehouse, rest_source(intake.url))
    before = table_rows(warehouse, data_state)
    intake.records += [record(1), record(1)]
    assert run(warehouse, rest_source(intake.url)).unchanged == 2
    assert table_rows(warehouse, data_state) == before


def test_a_failed_run_keeps_what_was_committed_and_says_why(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(number) for number in range(1, 6)]
    intake.answer = lambda number, cursor: Reply(b"<html>") if cursor == "4" else None
    source = rest_source(intake.url, reader={"page_size": 2}, batch_rows=2)
    failed = run(warehouse, source)
    assert (failed.state, failed.stored, failed.watermark_after) == (RunState.FAILED, 4, "4")
    assert "page 3" in (failed.error or "")
    intake.answer = None
    mended = run(warehouse, source)
    assert (mended.state, mended.read, mended.stored) == (RunState.OK, 1, 1)
    assert [row[sync_run.columns.keys().index("state")] for row in table_rows(warehouse, sync_run)] == ["failed", "ok"]


def test_repeated_failures_and_empty_runs_are_one_row_each(warehouse: Engine, intake: Intake) -> None:
    intake.answer = lambda number, cursor: Reply(status=404)
    for _ in range(3):
        run(warehouse, rest_source(intake.url))
    intake.answer = None
    for hour in range(3):
        last = run(warehouse, rest_source(intake.url), now=NOW + timedelta(hours=hour))
    with warehouse.connect() as connection:
        runs = connection.execute(select(sync_run).order_by(sync_run.c.id)).all()
    assert [(row.state, row.id) for row in runs][1] == ("ok", last.run_id)
    assert len(runs) == 2
    assert runs[1].finished_at >= NOW + timedelta(hours=2)


def test_dossiers_wait_until_units_are_known(engine: Engine, intake: Intake) -> None:
    intake.records = [record(1)]
    waiting = run(engine, rest_source(intake.url))
    assert waiting.state is RunState.FAILED
    assert "no unit is loaded yet" in (waiting.error or "")
    insert_units(engine)
    assert run(engine, rest_source(intake.url)).stored == 1


def test_two_runs_at_once_do_the_work_once(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(number) for number in range(1, 200)]
    source = rest_source(intake.url, reader={"page_size": 40}, batch_rows=40)
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda _: run(warehouse, source), range(3)))
    assert [report.state for report in reports] == [RunState.OK] * 3
    assert sum(report.stored for report in reports) == 199
    assert sum(report.read for report in reports) == 199
    assert len(table_rows(warehouse, dossier)) == 199


def test_a_stream_that_another_process_reads_is_left_alone(
    warehouse: Engine, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.sync.LOCK_WAIT_SECONDS", 0.2)
    source = rest_source(intake.url)
    with warehouse.connect() as other, stream_lock(other, source, 0) as held:
        assert held
        report = run(warehouse, source)
    assert (report.state, report.read, report.run_id) == (RunState.RUNNING, 0, None)
    assert table_rows(warehouse, sync_run) == []
    assert run(warehouse, source).state is RunState.OK


def test_two_sources_move_the_same_cells(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(number) for number in range(1, 100)]
    sources = [
        rest_source(intake.url, name=f"mot-cua-{number}", reader={"page_size": 30}, batch_rows=30)
        for number in range(3)
    ]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda source: run(warehouse, source), sources))
    assert total(warehouse, "received") == 3 * 99


WORKER = """
import sys
from datetime import datetime
from sqlalchemy import make_url
from connectors.sync import sync_source
from tests.connectors.support import rest_source, settings_of
from warehouse.engine import open_engine

source = rest_source(sys.argv[2], reader={"page_size": 5, "timeout_seconds": 60}, batch_rows=5)
engine = open_engine(make_url(sys.argv[1]))
sync_source(engine, settings_of(source), source, now=datetime.fromisoformat(sys.argv[3]),
            progress=lambda report: print(report.read, flush=True))
"""


def test_a_killed_worker_is_taken_over(warehouse: Engine, database_url: URL, intake: Intake) -> None:
    intake.records = [record(number, KenhThucHien="x" if number % 7 == 0 else "1") for number in range(1, 31)]

    def stall(number: int, cursor: str | None) -> Reply | None:
        if cursor == "15":
            time.sleep(3)
        return None

    intake.answer = stall
    url = database_url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", WORKER, url, intake.url, NOW.isoformat()]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert worker.stdout is not None
    while worker.stdout.readline().strip() != "15":
        assert worker.poll() is None
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    intake.answer = None
    source = rest_source(intake.url, reader={"page_size": 5}, batch_rows=5)
    report = run(warehouse, source)
    assert (report.state, report.watermark_before, report.read) == (RunState.OK, "15", 15)
    with warehouse.connect() as connection:
        runs = connection.execute(select(sync_run).order_by(sync_run.c.id)).all()
    assert [(row.state, row.read) for row in runs] == [("failed", 15), ("ok", 15)]
    assert runs[0].error == ABANDONED
    resumed = contents(warehouse)
    _empty(warehouse)
    run(warehouse, source)
    assert contents(warehouse) == resumed


def test_a_batch_that_cannot_be_stored_leaves_nothing_behind(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(number) for number in range(1, 11)]
    source = rest_source(intake.url, reader={"page_size": 5}, batch_rows=5)
    with warehouse.begin() as connection:
        connection.execute(text("alter table dossier add constraint no_8 check (code not like '%0008')"))
    failed = run(warehouse, source)
    assert (failed.state, failed.ending) == (RunState.FAILED, Ending.OURS)
    assert "CheckViolation (no_8, dossier)" in (failed.error or "")
    assert "H29" not in (failed.error or ""), "the row is not quoted"
    assert len(table_rows(warehouse, dossier)) == 5
    assert table_rows(warehouse, watermark)[0][2] == "5"
    assert total(warehouse, "received") == 5
    with warehouse.begin() as connection:
        connection.execute(text("alter table dossier drop constraint no_8"))
    assert run(warehouse, source).stored == 5


UNIT = {
    "MaDonVi": "27001", "TenDonVi": "Xã A", "CapDonVi": "commune", "MaDonViCha": "785", "HieuLucTu": "20200101",
    "HieuLucDen": "", "ViDo": "10.7", "KinhDo": 106.5, "DanSo": "12345", "NgayCapNhat": "20220101000000",
}  # fmt: skip
PROCEDURE = {
    "MaTTHC": "1.000110", "TenTTHC": "Khai sinh", "MaLinhVuc": "HT", "TenLinhVuc": "Hộ tịch", "CapThucHien": "Cấp xã",
    "MucDo": 4, "ThoiGianGiaiQuyet": 0.5, "DonViThoiGian": "ngày làm việc", "CoPhi": 0, "NgayCapNhat": "20220101000000",
}  # fmt: skip
SURVEY = {
    "id": "s1", "MaDonVi": "27001", "MaHoSo": "", "ThietBi": "kiosk", "ThoiGianDanhGia": "20220304100000",
    "DanhGia": "Không hài lòng", "GopY": "Nguyễn Văn A", "NgayCapNhat": "20220304100000",
}  # fmt: skip


def test_every_entity_in_the_order_of_their_need(engine: Engine) -> None:
    feeds = (
        (Entity.SURVEY_ANSWER, "survey-three-level", SURVEY),
        (Entity.DOSSIER, "dvcqg", record(1, TenTTHC="Tên khác")),
        (Entity.PROCEDURE, "dvcqg-procedure", PROCEDURE),
        (Entity.UNIT, "dvcqg-unit", UNIT),
    )
    sources = []
    with serve(Intake()) as a, serve(Intake()) as b, serve(Intake()) as c, serve(Intake()) as d:
        for running, (entity, mapping, item) in zip((a, b, c, d), feeds, strict=True):
            running.records = [item]
            sources.append(rest_source(running.url, entity, mapping))
        reports = sync_all(engine, settings_of(*sources), now=NOW)
        again = sync_all(engine, settings_of(*sources), now=NOW, only="mot-cua")
        with pytest.raises(ConfigurationError, match="no source is called 'khac'"):
            sync_all(engine, settings_of(*sources), now=NOW, only="khac")
    assert [(report.entity, report.stored, report.error) for report in reports] == [
        ("unit", 1, None), ("procedure", 1, None), ("dossier", 1, None), ("survey_answer", 1, None),
    ]  # fmt: skip
    assert all(report.read == 0 for report in again)
    assert table_rows(engine, procedure, without=("source_updated_at",)) == [
        ("1.000110", "Khai sinh", "HT", "Hộ tịch", "commune", 4, 0.5, "working_day", False)
    ]
    with engine.connect() as connection:
        answer = connection.execute(select(survey_answer)).one()
        place = connection.execute(select(unit)).one()
    assert (answer.satisfied, answer.score, answer.scale, answer.code, answer.device) == (
        False, 1, "three_level", None, "kiosk",
    )  # fmt: skip
    assert (place.name, place.parent, place.lat, place.lon, place.population) == ("Xã A", "785", 10.7, 106.5, 12345)


def test_a_mapping_of_another_entity_is_refused(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match="entity = unit"):
        run(engine, rest_source("http://127.0.0.1:9/", Entity.UNIT, "dvcqg"))
    with pytest.raises(ConfigurationError, match="no such check: late"):
        run(engine, rest_source("http://127.0.0.1:9/", checks={"late": "flag"}))


def test_checks_can_be_overridden(warehouse: Engine, intake: Intake) -> None:
    intake.records = [
        record(1, NgayKetThucXuLy="20220101080000"),
        record(2, KenhThucHien="x"),
        record(3, NgayHenTra="x"),
    ]
    checks = {"finished_before_received": "flag", "unknown_code": "flag", "bad_date": "off"}
    assert run(warehouse, rest_source(intake.url, checks=checks)).stored == 3
    with warehouse.connect() as connection:
        flags = dict(connection.execute(select(dossier.c.code, dossier.c.flags)).all())
    assert list(flags.values()) == [["finished_before_received"], ["unknown_code"], []]


CANARIES = (
    "Nguyễn Thị Canary",
    "0912345678",
    "079123456789",
    "canary@example.vn",
    "12 Đường Canary",
    "/tep/canary.pdf",
)


def test_no_personal_data_gets_into_any_table(warehouse: Engine, intake: Intake, tmp_path: Path) -> None:
    name, phone, number, mail, address, file = CANARIES
    personal = {
        "ChuHoSo": name, "SoDienThoai": phone, "SoGiayToChuHoSo": number, "Email": mail, "ThongTinKhac": address,
        "DinhDanhCHS": [{"LoaiDinhDanh": 1, "SoDinhDanh": number}], "TrichYeuHoSo": f"Hồ sơ của {name}", "GhiChu": name,
        "TaiLieuNop": [{"TenTepDinhKem": name, "DuongDanTaiTepTin": file, "DuocTaiSuDung": 1}],
        "DanhSachHoSoBoSung": [{"NguoiYeuCauBoSung": name, "NoiDungBoSung": phone, "NgayHenTraTruoc": ""}],
        "DanhSachGiayToKetQua": [{"TenGiayTo": name, "DuongDanTepTinKetQua": file}],
    }  # fmt: skip
    broken = json.dumps([name, phone], ensure_ascii=False)
    intake.records = [
        record(1, **personal), record(2, **personal | {"KenhThucHien": "x"}),
        record(3, **personal | {"NgayTiepNhan": "x"}), record(4, **personal | {"DanhSachHoSoBoSung": broken}),
        record(5, **personal | {"NgayKetThucXuLy": "", "NgayCapNhat": "20220401000000"}),
    ]  # fmt: skip
    report = run(warehouse, rest_source(intake.url))
    assert (report.stored, report.quarantined) == (2, 3)
    with warehouse.connect() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(text(f"select t::text from {table.name} t")).scalars().all()
            found = [canary for canary in CANARIES for row in rows if canary in row]
            assert not found, f"{table.name} holds {found}"


def test_a_later_good_version_resolves_and_an_earlier_one_does_not(warehouse: Engine, intake: Intake) -> None:
    bad = record(1, KenhThucHien="x", NgayCapNhat="20220402000000")
    later, earlier = record(1, NgayCapNhat="20220403000000"), record(1, NgayCapNhat="20220401000000")
    cases = (([bad, later], True), ([later, bad], True), ([bad, earlier], False), ([earlier, bad], False))
    for versions, resolved in cases:
        _empty(warehouse)
        intake.records = versions
        run(warehouse, rest_source(intake.url, reader={"page_size": 1}, batch_rows=1))
        with warehouse.connect() as connection:
            [at] = connection.execute(select(quarantine.c.resolved_at)).scalars().all()
        assert (at is not None) is resolved, versions


def test_undated_rows_are_replaced_by_the_last_to_arrive(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(1, NgayCapNhat="", TrangThaiHoSo="9")]
    run(warehouse, rest_source(intake.url))
    intake.records.append(record(1, NgayCapNhat="", TrangThaiHoSo="4", NgayKetThucXuLy=""))
    assert run(warehouse, rest_source(intake.url)).stored == 1
    with warehouse.begin() as connection:
        assert connection.execute(select(dossier.c.status)).scalar_one() == 4
        connection.execute(update(dossier).values(source_updated_at=NOW))
    intake.records.append(record(1, NgayCapNhat=""))
    assert run(warehouse, rest_source(intake.url)).unchanged == 1
