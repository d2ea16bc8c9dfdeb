"""What holds for every life path, in the history and live, as it is served."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import pytest

from demo.files import pages
from demo.intake import Intake
from demo.office import ZONE, local_seconds
from demo.scenario import load

Record = dict[str, Any]
FIRST_START = local_seconds(datetime(2026, 11, 20, 10, 30, tzinfo=ZONE))


@cache
def played(scenario: str, hours: int) -> list[Record]:
    """The dossiers of a scenario whose clock ran for `hours` after its first start."""
    intake = Intake(load(scenario), lambda: FIRST_START + hours * 3600, None, anchor=FIRST_START)
    return [record for page in pages(intake, "dossiers") for record in page]


CASES = [("binh-chanh-2022", 0), ("vu-ban-2022h1", 0), ("live-binh-chanh", 0), ("live-binh-chanh", 100)]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}+{case[1]}h")
def records(request: pytest.FixtureRequest) -> list[Record]:
    return played(*request.param)


def test_order_of_a_life(records: list[Record]) -> None:
    for row in records:
        path = [row[name] for name in ("NgayNopHoSo", "NgayTiepNhan", "NgayKetThucXuLy", "NgayTra") if row[name]]
        assert path == sorted(path), row["MaHoSo"]
        assert row["NgayNopHoSo"]
        if row["NgayTiepNhan"]:
            assert row["NgayHenTra"] > row["NgayTiepNhan"]
        assert row["NgayCapNhat"] >= max(path)


def test_states_fit_their_dates(records: list[Record]) -> None:
    for row in records:
        status = row["TrangThaiHoSo"]
        assert bool(row["NgayTiepNhan"]) == (status not in {1, 3}), row["MaHoSo"]
        assert bool(row["NgayKetThucXuLy"]) == (status in {7, 8, 9, 10}), row["MaHoSo"]
        assert bool(row["NgayTuChoi"]) == (status == 3)
        assert bool(row["NgayTra"]) == (status == 10)
        assert bool(row["NgayHenTra"]) == bool(row["NgayTiepNhan"])


def test_codes_say_unit_and_day_of_receipt(records: list[Record]) -> None:
    assert len({row["MaHoSo"] for row in records}) == len(records)
    for row in records:
        agency, day, number = row["MaHoSo"].split("-")
        assert agency.split(".")[1] == row["DonViXuLy"] == row["DonViTiepNhan"]
        assert len(number) >= 4
        if row["NgayTiepNhan"] or row["NgayTuChoi"]:
            assert "20" + day == (row["NgayTiepNhan"] or row["NgayTuChoi"])[:8]


def test_supplements_keep_the_first_due_date(records: list[Record]) -> None:
    asked = [row for row in records if row["DanhSachHoSoBoSung"]]
    assert asked
    for row in asked:
        (supplement,) = row["DanhSachHoSoBoSung"]
        assert row["NgayTiepNhan"] < supplement["NgayBoSung"] < supplement["NgayHenTraTruoc"]
        if supplement["NgayTiepNhanBoSung"]:
            assert supplement["NgayBoSung"] < supplement["NgayTiepNhanBoSung"] < supplement["NgayHenTraMoi"]
            assert row["NgayHenTra"] == supplement["NgayHenTraMoi"]
            assert not row["NgayKetThucXuLy"] or row["NgayKetThucXuLy"] > supplement["NgayTiepNhanBoSung"]
        else:
            assert row["NgayHenTra"] == supplement["NgayHenTraTruoc"]
            assert row["TrangThaiHoSo"] in {5, 6, 7, 8}


def test_listed_in_order_of_change(records: list[Record]) -> None:
    places = [(row["NgayCapNhat"], row["MaHoSo"]) for row in records]
    assert places == sorted(places)


def test_offices_receive_in_opening_hours_only() -> None:
    for row in played("live-binh-chanh", 0):
        if row["NgayTiepNhan"]:
            clock = row["NgayTiepNhan"][8:]
            assert "073000" <= clock < "113000" or "130000" <= clock < "170000", row["MaHoSo"]
    nights = [row for row in played("live-binh-chanh", 0) if not "073000" <= row["NgayNopHoSo"][8:] < "170000"]
    assert nights
    assert {row["KenhThucHien"] for row in nights} == {2}


def test_records_hold_invented_people_to_leave_out() -> None:
    row = played("vu-ban-2022h1", 0)[0]
    assert row["ChuHoSo"]
    assert row["TrichYeuHoSo"].endswith(row["ChuHoSo"])
    assert len(row["SoGiayToChuHoSo"]) == 12
    assert row["DinhDanhCHS"] == [{"LoaiDinhDanh": 1, "SoDinhDanh": row["SoGiayToChuHoSo"]}]
    assert len(row["SoDienThoai"]) == 10


def test_live_part_runs_around_the_clock_and_closes() -> None:
    before = {row["MaHoSo"] for row in played("live-binh-chanh", 0)}
    after = played("live-binh-chanh", 100)
    fresh = [row for row in after if row["MaHoSo"] not in before]
    assert before <= {row["MaHoSo"] for row in after}
    assert 0.8 < len(fresh) / (180 * 100) < 1.2
    assert {row["NgayNopHoSo"][8:10] for row in fresh} == {f"{hour:02d}" for hour in range(24)}
    assert sum(row["TrangThaiHoSo"] in {9, 10} for row in fresh) > 0.9 * len(fresh)
    assert min(row["NgayNopHoSo"] for row in fresh) >= "20261120103000"
