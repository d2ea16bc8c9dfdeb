"""The published figures, counted by plain Python over what is served; the generator's own columns are not asked."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo.__main__ import main
from demo.files import pages
from demo.intake import Intake
from demo.office import ZONE, local_seconds
from demo.scenario import load
from demo.server import clock_from
from tests.conftest import shared
from tests.demo.conftest import Starter

Record = dict[str, Any]
FIVE = (
    "Nội vụ",
    "Hộ tịch",
    "Thành lập và hoạt động của hộ kinh doanh",
    "Quy hoạch xây dựng, kiến trúc",
    "Hoạt động xây dựng",
)


@cache
def served(name: str, *, scenario: str) -> list[Record]:
    intake = Intake(load(scenario), clock_from(None), None)
    return [record for page in pages(intake, name) for record in page]


def received(rows: list[Record], start: str, end: str) -> list[Record]:
    return [row for row in rows if start <= row["NgayTiepNhan"] < end]


def carried(rows: list[Record], start: str) -> list[Record]:
    return [row for row in rows if row["NgayTiepNhan"] < start]


def resolved(rows: list[Record]) -> list[Record]:
    return [row for row in rows if row["NgayKetThucXuLy"] and row["TrangThaiHoSo"] in {9, 10}]


def still_open(rows: list[Record]) -> list[Record]:
    return [row for row in rows if row["TrangThaiHoSo"] in {2, 4, 5, 6}]


def late(rows: list[Record]) -> list[Record]:
    return [row for row in resolved(rows) if row["NgayKetThucXuLy"] > row["NgayHenTra"]]


def online(rows: list[Record]) -> list[Record]:
    return [row for row in rows if row["KenhThucHien"] == 2]


def levels(scenario: str) -> dict[str, tuple[str, int]]:
    return {row["MaTTHC"]: (row["CapThucHien"], row["MucDo"]) for row in served("procedures", scenario=scenario)}


def count_levels(scenario: str) -> dict[str, int]:
    words = [level for level, _ in levels(scenario).values()]
    return {word: words.count(word) for word in sorted(set(words))}


def no_event_from(rows: list[Record], end: str) -> None:
    for row in rows:
        for name in ("NgayNopHoSo", "NgayTiepNhan", "NgayTra", "NgayKetThucXuLy", "NgayCapNhat"):
            assert row[name] < end, (row["MaHoSo"], name)


def test_binh_chanh_2022() -> None:
    rows = served("dossiers", scenario="binh-chanh-2022")
    level = {code: online for code, (_, online) in levels("binh-chanh-2022").items()}
    assert len(received(rows, "20220101", "20230101")) == len(rows) == 28_856
    assert len({row["MaHoSo"] for row in rows}) == 28_856
    assert len(resolved(rows)) == 28_658
    waiting = still_open(rows)
    assert len(waiting) == 198
    assert {row["TenLinhVuc"] for row in waiting} == {"Đất đai", "Giải quyết khiếu nại, tố cáo"}
    partly = [row for row in rows if level[row["MaTTHC"]] == 3]
    fully = [row for row in rows if level[row["MaTTHC"]] == 4]
    assert (len(online(partly)), len(partly)) == (3_905, 6_764)
    assert (len(online(fully)), len(fully)) == (108, 108)
    assert len(online(rows)) == 3_905 + 108
    assert {row["DonViXuLy"] for row in rows} == {str(code) for code in range(27_595, 27_641, 3)}
    assert count_levels("binh-chanh-2022") == {"Cấp huyện": 183, "Cấp xã": 121}
    no_event_from(rows, "20230101")


def test_binh_chanh_2022_post() -> None:
    rows = served("dossiers", scenario="binh-chanh-2022")
    five = [row for row in rows if row["TenLinhVuc"] in FIVE]
    rest = [row for row in rows if row["TenLinhVuc"] not in FIVE]
    assert len(five) == len(resolved(five)) == 10_434
    assert sum(row["KenhThucHien"] == 3 for row in five) == 435
    assert sum(row["HinhThuc"] == 1 for row in resolved(five)) == 1_845
    assert not [row for row in rest if row["KenhThucHien"] == 3 or row["HinhThuc"] == 1]
    salary = [row for row in rows if row["TenTTHC"].startswith("Nâng bậc lương")]
    assert sum(row["KenhThucHien"] == 3 for row in salary) == 435


def test_binh_chanh_2022_survey_and_units() -> None:
    answers = served("surveys", scenario="binh-chanh-2022")
    happy = sum(row["DanhGia"] in {"Rất hài lòng", "Hài lòng"} for row in answers)
    assert len(answers) > 2_000
    assert 0.99 < happy / len(answers) < 1
    no_later = [row for row in answers if row["ThoiGianDanhGia"] >= "20230101"]
    assert not no_later
    units = served("units", scenario="binh-chanh-2022")
    assert sum(row["CapDonVi"] == "commune" and row["MaDonViCha"] == "785" for row in units) == 16


def test_gia_lam_2022() -> None:
    rows = served("dossiers", scenario="gia-lam-2022")
    level = levels("gia-lam-2022")
    start, end = "20220101", "20221206"
    desk = [row for row in rows if row["DonViXuLy"] == "018"]
    communes = [row for row in rows if row["DonViXuLy"] != "018"]
    assert len({row["DonViXuLy"] for row in communes}) == 22
    assert (len(carried(desk, start)), len(received(desk, start, end))) == (239, 15_864)
    assert (len(resolved(desk)), len(still_open(desk))) == (15_890, 213)
    eligible = [row for row in desk if level[row["MaTTHC"]][1] in {3, 4}]
    assert len(online(desk)) == len(eligible) == len(resolved(online(eligible))) == 2_687
    assert sum(level[row["MaTTHC"]][0] == "Liên thông" for row in desk) == 1_880
    assert (len(carried(communes, start)), len(received(communes, start, end))) == (687, 82_174)
    assert (len(resolved(communes)), len(still_open(communes))) == (82_567, 285)
    gap = [row for row in communes if row["TrangThaiHoSo"] == 10 and not row["NgayKetThucXuLy"]]
    assert len(gap) == 9 == 687 + 82_174 - 82_567 - 285
    assert len(online(communes)) == sum(level[row["MaTTHC"]][1] == 3 for row in communes) == 9_623
    assert not late(rows)
    assert not [row for row in still_open(rows) if row["NgayHenTra"] < end]
    assert not [row for row in carried(rows, start) if row["NgayKetThucXuLy"] < start]
    assert count_levels("gia-lam-2022") == {"Cấp huyện": 245, "Cấp xã": 110, "Liên thông": 49}
    no_event_from(rows, end)


def test_vu_ban_2022_from_written_files(tmp_path: Path) -> None:
    assert main(["write", "--scenario", "vu-ban-2022h1", "--out", str(tmp_path), "--format", "csv"]) == 0
    with (tmp_path / "dossiers.csv").open(encoding="utf-8", newline="") as file:
        rows: list[Record] = list(csv.DictReader(file))
    assert len(rows) == len(received(rows, "20220101", "20220701")) == 1_843
    assert sum(row["KenhThucHien"] == "2" for row in rows) == 860
    assert sum(row["HinhThuc"] == "1" and row["NgayKetThucXuLy"] != "" for row in rows) == 400
    done = [row for row in rows if row["NgayKetThucXuLy"]]
    assert all(row["NgayKetThucXuLy"] <= row["NgayHenTra"] for row in done)
    assert all(row["NgayHenTra"] > "20220701" for row in rows if not row["NgayKetThucXuLy"])
    with (tmp_path / "units.csv").open(encoding="utf-8", newline="") as file:
        units = list(csv.DictReader(file))
    assert sum(unit["CapDonVi"] == "commune" for unit in units) == 18
    assert {row["DonViXuLy"] for row in rows} <= {unit["MaDonVi"] for unit in units}
    no_event_from(rows, "20220701")


def test_tphcm_2018_on_columns_and_over_http(start: Starter, tmp_path: Path) -> None:
    scenario = load("tphcm-2018")
    intake = Intake(scenario, clock_from(None), None)
    lives = intake.simulation.lives
    year = [local_seconds(datetime(y, 1, 1, tzinfo=ZONE)) for y in (2018, 2019)]
    assert len(lives) == int(((lives.received >= year[0]) & (lives.received < year[1])).sum()) == 852_023
    assert int((lives.channel == 2).sum()) == 326_578
    online_level = np.array([row.online for row in scenario.procedures])
    assert (int((online_level == 3).sum()), int((online_level == 4).sum()), len(online_level)) == (655, 112, 767)
    assert sum(unit.kind == "district" for unit in scenario.units) == 24
    assert len(np.unique(lives.procedure)) == 767
    server = start("tphcm-2018", state=tmp_path / "big")
    page = server.get("/api/dossiers?limit=5000")
    assert len(page["data"]) == 5_000
    assert {row["DonViXuLy"] for row in page["data"]} <= {unit.code for unit in scenario.units}
    assert all(row["NgayTiepNhan"][:4] == "2018" for row in page["data"])
    again = intake.page("dossiers", "", 5_000)
    assert again.records == page["data"]


def test_live_history_is_calibrated() -> None:
    now = datetime(2026, 11, 22, 13, tzinfo=ZONE)
    scenario = load("live-binh-chanh")
    intake = Intake(scenario, lambda: local_seconds(now), None)
    rows = [record for page in pages(intake, "dossiers") for record in page]
    known = [row for row in rows if row["NgayTiepNhan"]]
    assert len(known) == len(received(known, "20251122130000", "20261122130000")) == 28_856
    assert len(still_open(rows)) == 198
    late_ones = [row for row in still_open(rows) if row["NgayHenTra"] < "20261122130000"]
    assert len(late_ones) == 62
    by_unit = Counter(row["DonViXuLy"] for row in late_ones)
    assert (by_unit["27601"], by_unit["27610"], by_unit["27631"]) == (21, 17, 11)
    assert sum(row["TrangThaiHoSo"] == 1 for row in rows) == 27
    assert len(online(known)) == 4_013


@pytest.mark.parametrize(
    ("key", "field", "figure"),
    [
        ("binh_chanh_2022", "received", 28_856),
        ("binh_chanh_2022", "post_out", 1_845),
        ("gia_lam_2022_district", "solved_on_time", 15_890),
        ("gia_lam_2022_communes", "solved_on_time", 82_567),
        ("hcmc_2018", "online", 326_578),
        ("vu_ban_2022", "online_of", 1_843),
    ],
)
def test_the_figures_here_are_the_published_ones(key: str, field: str, figure: int) -> None:
    reference = json.loads(shared("vn_reported_figures/reference.json").read_text(encoding="utf-8"))
    assert reference["figures"][key][field] == figure
