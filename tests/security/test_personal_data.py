"""Canaries in the place of applicants: through every kind of connector, in every wrong place, they are kept nowhere.

What somebody types into a field that a mapping names is read; of what is refused, only a masked form is kept.
"""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, select, text

from connectors.push import PushDoor
from connectors.replay import replay
from connectors.runs import RunReport
from connectors.sync import sync_source
from tests.connectors.intake import Intake, Reply
from tests.connectors.pushing import PASSWORD, USERNAME, call, push_source, sent
from tests.connectors.support import NOW, file_source, record, rest_source, settings_of
from tests.security.search import everything, seen
from warehouse.schema import quarantine, sync_run
from warehouse.sources import SourceSettings, SqlSettings
from warehouse.vocabulary import RunState

NAME, PHONE, CARD, OLD_CARD = "Nguyễn Thị Canary", "0912 345 678", "079123456789", "271234567"
MAIL, ADDRESS, FILE = "canary@example.vn", "12 Đường Canary", "/tep/nguyen-thi-canary.pdf"
CANARIES = (
    NAME, PHONE, PHONE.replace(" ", ""), CARD, OLD_CARD, MAIL, ADDRESS, FILE, "Canary", "canary", "NGUYEN THI CANARY",
)  # fmt: skip
PERSONAL = {
    "ChuHoSo": NAME, "SoDienThoai": PHONE, "SoGiayToChuHoSo": CARD, "Email": MAIL, "ThongTinKhac": ADDRESS,
    "DinhDanhCHS": [{"LoaiDinhDanh": 1, "SoDinhDanh": CARD}], "TrichYeuHoSo": f"Hồ sơ của {NAME}", "GhiChu": NAME,
    "TaiLieuNop": [{"TenTepDinhKem": NAME, "DuongDanTaiTepTin": FILE, "DuocTaiSuDung": 1}],
    "DanhSachHoSoBoSung": [{"NguoiYeuCauBoSung": NAME, "NoiDungBoSung": PHONE, "NgayHenTraTruoc": ""}],
    "DanhSachGiayToKetQua": [{"TenGiayTo": NAME, "DuongDanTepTinKetQua": FILE}],
}  # fmt: skip
WRONG_PLACES: list[dict[str, Any]] = [
    {"DonViXuLy": f"{PHONE} {NAME}"}, {"DonViXuLy": NAME}, {"DonViXuLy": "NGUYEN THI CANARY"}, {"DonViXuLy": MAIL},
    {"DonViXuLy": CARD}, {"NgayTiepNhan": PHONE}, {"NgayTiepNhan": f"{NAME}, {ADDRESS}, {MAIL}"},
    {"KenhThucHien": OLD_CARD}, {"TrangThaiHoSo": f"đã gọi {PHONE}"}, {"HinhThuc": NAME},
    {"MaHoSo": f"{NAME} {PHONE}", "KenhThucHien": "?"}, {"MaHoSo": CARD, "KenhThucHien": "?"},
    {"MaHoSo": "x" * 150 + f" {NAME} {PHONE} " + "y" * 100}, {"MaTTHC": f"{ADDRESS} " * 40},
    {"TenTTHC": f"Khai sinh cho cháu, liên hệ {PHONE} {NAME} " + "z" * 3000},
    {"DanhSachHoSoBoSung": json.dumps([NAME, PHONE]), "KenhThucHien": "?"},
    {"DanhSachHoSoBoSung": f'[{{"NguoiYeuCauBoSung": "{NAME}"', "KenhThucHien": "?"},
    {"DanhSachHoSoBoSung": [{"NgayHenTraTruoc": PHONE, "HoSoBoSungId": NAME}], "KenhThucHien": "?"},
    {"TaiLieuNop": [{"DuocTaiSuDung": CARD}, {"DuocTaiSuDung": {"ten": NAME}}], "KenhThucHien": "?"},
]  # fmt: skip


def applicants() -> list[dict[str, Any]]:
    """Good and bad records of dossiers whose applicants are canaries."""
    good = [record(1, **PERSONAL), record(2, **PERSONAL, KenhThucHien="?"), record(3, **PERSONAL, NgayTiepNhan="x")]
    return good + [record(10 + number, **PERSONAL | wrong) for number, wrong in enumerate(WRONG_PLACES)]


def _flat(item: dict[str, Any]) -> dict[str, Any]:
    return {name: json.dumps(part) if isinstance(part, list | dict) else part for name, part in item.items()}


def by_rest(engine: Engine, intake: Intake, folder: Path) -> SourceSettings:
    del engine, folder
    intake.records = applicants()
    return rest_source(intake.url)


def by_csv(engine: Engine, intake: Intake, folder: Path) -> SourceSettings:
    del engine, intake
    records = [_flat(item) for item in applicants()]
    with (folder / "ho-so.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        writer.writerows(records)
    return file_source(folder / "ho-so.csv", reader={"settle_seconds": 0})


def by_json(engine: Engine, intake: Intake, folder: Path) -> SourceSettings:
    del engine, intake
    (folder / "ho-so.json").write_text(json.dumps(applicants()), encoding="utf-8")
    return file_source(folder / "ho-so.json", reader={"settle_seconds": 0})


def by_sql(engine: Engine, intake: Intake, folder: Path) -> SourceSettings:
    del engine, intake
    records = [_flat(item) for item in applicants()]
    names = list(records[0])
    replica = create_engine(f"sqlite:///{folder / 'replica.db'}")
    columns = ", ".join(f'"{name}" text' for name in names)
    values = ", ".join(f":{name}" for name in names)
    with replica.begin() as connection:
        connection.execute(text(f"create table ho_so ({columns})"))
        connection.execute(text(f"insert into ho_so values ({values})"), records)
    replica.dispose()
    reader = SqlSettings(
        kind="sql", url=f"sqlite:///{folder / 'replica.db'}", table="ho_so", updated="NgayCapNhat", key="MaHoSo"
    )
    return SourceSettings(name="mot-cua", reader=reader, mapping="dvcqg")


Feed = Callable[[Engine, Intake, Path], SourceSettings]


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[dict[str, str]]:
    """Everything that is logged, down to the least."""
    caplog.set_level(logging.DEBUG)
    found: dict[str, str] = {}
    yield found
    found["log"] = "\n".join(f"{item.getMessage()} {item.exc_text or ''}" for item in caplog.records)
    assert seen(CANARIES, {"log": found["log"]}) == []


@pytest.mark.parametrize("feed", [by_rest, by_csv, by_json, by_sql])
def test_no_applicant_is_kept(
    warehouse: Engine, intake: Intake, tmp_path: Path, heard: dict[str, str], feed: Feed
) -> None:
    del heard
    source = feed(warehouse, intake, tmp_path)
    report = sync_source(warehouse, settings_of(source), source, now=NOW)
    assert report.state is RunState.OK, report.error
    assert report.read == len(applicants())
    assert report.quarantined == len(applicants()) - 1, "all but the first are refused"
    again = replay(warehouse, settings_of(source), source, now=NOW)
    assert again.incomplete >= len(WRONG_PLACES) - 3
    assert seen(CANARIES, {**everything(warehouse), "report": repr(report)}) == []
    with warehouse.connect() as connection:
        details = list(connection.execute(select(quarantine.c.detail)).scalars())
    assert "unknown_unit: unit = ***5678" in details, "the last digits help to find it at the source"


def test_no_applicant_who_is_pushed_is_kept_or_sent_back(warehouse: Engine, heard: dict[str, str]) -> None:
    del heard
    door = PushDoor(warehouse, settings_of(push_source()))
    login = door.answer(sent({"username": USERNAME, "password": PASSWORD}, "/login"))
    reply = door.answer(sent(call(applicants(), str(login.body["session"]))))
    with warehouse.connect() as connection:
        assert connection.execute(select(sync_run.c.read)).scalar_one() == len(applicants())
    assert seen([*CANARIES, PASSWORD], everything(warehouse)) == []
    answered = {"reply": json.dumps({name: part for name, part in reply.body.items() if name != "result"})}
    assert seen([*CANARIES, PASSWORD], answered) == []


BROKEN = json.dumps(applicants(), ensure_ascii=False)
TROUBLES: dict[str, Reply] = {
    "cut": Reply(f'{{"data": {BROKEN[:2000]}'.encode()),
    "no records": Reply(json.dumps({"data": [NAME, PHONE, CARD]}).encode()),
    "other shape": Reply(json.dumps({"data": [{"Ten": NAME, "Dien thoai": PHONE}, {"Ten": MAIL}]}).encode()),
    "html": Reply(f"<html>{BROKEN}</html>".encode()),
    "error": Reply(json.dumps({"error": BROKEN}).encode()),
    "status": Reply(BROKEN.encode(), status=500),
    "cursor": Reply(json.dumps({"data": [], "next_cursor": [NAME, PHONE]}).encode()),
    "number": Reply(f'{{"data": [{{"MaHoSo": "{NAME}", "x": NaN}}]}}'.encode()),
    "encoding": Reply('{"data": [{"MaHoSo": "Nguyãn Thí Canary 0912345678"}]}'.encode("latin-1")),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_of_a_source_is_told_without_its_contents(
    warehouse: Engine, intake: Intake, heard: dict[str, str], trouble: str
) -> None:
    del heard
    intake.answer = lambda number, cursor: TROUBLES[trouble]
    report: RunReport = sync_source(
        warehouse, settings_of(source := rest_source(intake.url, reader={"retries": 0})), source, now=NOW
    )
    assert report.state is RunState.FAILED
    assert seen(CANARIES, {**everything(warehouse), "report": repr(report)}) == []


@pytest.mark.parametrize("name", ["ho-so.csv", "ho-so.json", "ho-so.xlsx", "ho-so.parquet", "ho-so.zip"])
def test_a_file_that_is_not_what_it_says_is_told_without_its_contents(
    warehouse: Engine, tmp_path: Path, heard: dict[str, str], name: str
) -> None:
    del heard
    (tmp_path / name).write_text(f"{NAME};{PHONE};{CARD}\n{MAIL};{ADDRESS}\n" * 3, encoding="utf-8")
    source = file_source(tmp_path / name, reader={"settle_seconds": 0})
    report = sync_source(warehouse, settings_of(source), source, now=NOW)
    assert report.state is RunState.FAILED
    assert seen(CANARIES, {**everything(warehouse), "report": repr(report)}) == []


def test_what_the_warehouse_refuses_is_not_quoted(warehouse: Engine, intake: Intake, heard: dict[str, str]) -> None:
    del heard
    with warehouse.begin() as connection:
        connection.execute(text("alter table dossier add constraint no_names check (code not like '%Canary%')"))
    intake.records = [record(1, MaHoSo="H29-Canary")]
    report = sync_source(warehouse, settings_of(source := rest_source(intake.url)), source, now=NOW)
    assert report.state is RunState.FAILED
    assert "CheckViolation (no_names, dossier)" in (report.error or "")
    with warehouse.begin() as connection:
        connection.execute(text("alter table dossier drop constraint no_names"))
    assert seen(["H29-Canary"], {**everything(warehouse), "report": repr(report)}) == []
