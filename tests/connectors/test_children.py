"""Rows that a record carries: stored with it, and always those of the version of it that is stored."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

from connectors.mapping import load_mapping
from connectors.runs import RunReport
from connectors.sync import receive
from tests.connectors.one_warehouse import empty, module_warehouse, units
from tests.connectors.support import CLOCKS, NOW, record, rest_source, settings_of, table_rows
from tests.connectors.test_presets import batch_of
from warehouse.errors import ConfigurationError
from warehouse.schema import dossier, dossier_step, dossier_supplement, quarantine

__all__ = ["empty", "module_warehouse", "units"]  # fixtures


def supplement(number: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "HoSoBoSungId": number, "NguoiYeuCauBoSung": "Nguyễn Văn A", "NgayBoSung": "20220302080000",
        "NgayTiepNhanBoSung": "", "NgayHenTraTruoc": "20220304170000", "NgayHenTraMoi": "20220305170000",
    } | changes  # fmt: skip


def take(engine: Engine, *records: dict[str, Any], mapping: str = "dvcqg", **options: Any) -> RunReport:  # noqa: ANN401
    source = rest_source("http://127.0.0.1:9/", mapping=mapping, **options)
    return receive(engine, settings_of(source), source, batch_of(records), now=NOW).report


def keys(engine: Engine) -> list[tuple[str, str]]:
    found = select(dossier_supplement.c.code, dossier_supplement.c.supplement).order_by("code", "supplement")
    with engine.connect() as connection:
        return [(row.code[-4:], row.supplement) for row in connection.execute(found)]


def version(day: int, *supplements: dict[str, Any], number: int = 1) -> dict[str, Any]:
    return record(number, DanhSachHoSoBoSung=list(supplements), NgayCapNhat=f"202203{day:02}080000")


def test_counters_of_the_run_are_those_of_the_records(units: Engine) -> None:
    report = take(units, version(1, supplement(1), supplement(2)), version(1, number=2), version(1, number=3))
    assert (report.read, report.stored) == (3, 3)
    assert keys(units) == [("0001", "1"), ("0001", "2")]


def test_a_newer_version_brings_its_own_children(units: Engine) -> None:
    take(units, version(1, supplement(1), supplement(2)), version(1, supplement(9), number=2))
    take(units, version(5, supplement(2, NgayTiepNhanBoSung="20220304080000"), supplement(3)))
    assert keys(units) == [("0001", "2"), ("0001", "3"), ("0002", "9")]
    with units.connect() as connection:
        row = connection.execute(select(dossier_supplement).where(dossier_supplement.c.supplement == "2")).one()
    assert row.received_at is not None
    take(units, version(6))
    assert keys(units) == [("0002", "9")]


def test_an_older_version_that_comes_late_changes_nothing(units: Engine) -> None:
    take(units, version(5, supplement(2)))
    before = table_rows(units, dossier_supplement)
    assert take(units, version(1, supplement(1), supplement(2))).unchanged == 1
    assert table_rows(units, dossier_supplement) == before


def test_children_that_change_make_another_version_of_the_record(units: Engine) -> None:
    take(units, record(1, NgayCapNhat="", DanhSachHoSoBoSung=[supplement(1)]))
    later = record(1, NgayCapNhat="", DanhSachHoSoBoSung=[supplement(1, NgayTiepNhanBoSung="20220304080000")])
    assert take(units, later).stored == 1
    assert take(units, later).unchanged == 1
    with units.connect() as connection:
        assert connection.execute(select(dossier_supplement.c.received_at)).scalar_one() is not None


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_and_number_of_replays_ends_in_the_same_children(units: Engine, seed: int) -> None:
    rng = random.Random(seed)
    versions = [
        version(rng.randint(1, 4), *(supplement(n) for n in rng.sample(range(1, 6), rng.randint(0, 3))), number=number)
        for number in (1, 2, 3)
        for _ in range(4)
    ]
    outcomes = []
    for attempt in range(2):
        with units.begin() as connection:
            for table in (dossier, dossier_supplement):
                connection.execute(table.delete())
        shuffled = versions * (1 + attempt)
        rng.shuffle(shuffled)
        for start in range(0, len(shuffled), 6):
            take(units, *shuffled[start : start + 6])
        outcomes.append([table_rows(units, table, without=tuple(CLOCKS)) for table in (dossier, dossier_supplement)])
    assert outcomes[0][0]
    assert outcomes[1] == outcomes[0]
    with units.connect() as connection:
        counts = {code[-4:]: count for code, count in connection.execute(select(dossier.c.code, dossier.c.supplements))}
    assert {code: len([1 for key, _ in keys(units) if key == code]) for code in counts} == counts


def test_a_child_that_cannot_be_read_is_stored_without_that_value_and_flagged(units: Engine) -> None:
    take(units, version(1, supplement(1, NgayBoSung="hôm qua"), supplement(2)), version(1, number=2))
    with units.connect() as connection:
        flags = dict(connection.execute(select(dossier.c.code, dossier.c.flags)).all())
        rows = connection.execute(select(dossier_supplement).order_by("supplement")).all()
    assert flags == {"H29.27-220301-0001": ["bad_child"], "H29.27-220301-0002": []}
    assert [(row.supplement, row.requested_at is None, row.flags) for row in rows] == [
        ("1", True, ["bad_date"]), ("2", False, []),
    ]  # fmt: skip


def test_a_source_may_refuse_records_with_such_children(units: Engine) -> None:
    bad = version(1, supplement(1, NgayBoSung="hôm qua"))
    assert take(units, bad, checks={"bad_child": "quarantine"}).quarantined == 1
    assert keys(units) == []
    with units.connect() as connection:
        row = connection.execute(select(quarantine)).one()
    assert row.reason == "bad_child"
    assert "DanhSachHoSoBoSung[].NgayBoSung" in row.detail
    assert "Nguyễn Văn A" not in str(row.payload), "items that no rule names are not kept"
    assert "hôm qua" in str(row.payload)


def test_children_of_a_refused_record_are_not_stored(units: Engine) -> None:
    assert take(units, version(1, supplement(1)) | {"KenhThucHien": "?"}).quarantined == 1
    assert keys(units) == []


def test_ids_that_are_all_alike_or_missing_lose_no_child(units: Engine) -> None:
    take(
        units,
        version(1, supplement(0), supplement(0), supplement(0)),
        version(1, supplement(1, HoSoBoSungId=None), supplement(2, HoSoBoSungId=""), number=2),
    )
    assert keys(units) == [("0001", "0"), ("0001", "0#2"), ("0001", "0#3"), ("0002", "1"), ("0002", "2")]


def test_a_list_that_is_not_there_has_no_children(units: Engine) -> None:
    take(units, version(1, supplement(1)))
    take(units, record(1, DanhSachHoSoBoSung=None, NgayCapNhat="20220309080000"))
    assert keys(units) == []
    with units.connect() as connection:
        assert connection.execute(select(dossier.c.supplements)).scalar_one() is None, "unknown, as the record says"


def test_steps_that_a_system_nests_in_the_dossier(units: Engine, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        'extends = "dvcqg"\n[[children]]\nentity = "dossier_step"\nlist = "QuaTrinh"\n[children.fields]\n'
        'step = { item = "ThoiDiemXuLy" }\nfinished_at = { item = "ThoiDiemXuLy" }\n'
        'status = { item = "TrangThai", codes = "status" }\n'
    )
    steps = [{"ThoiDiemXuLy": "20220301090000", "TrangThai": "4"}, {"ThoiDiemXuLy": "20220304080000", "TrangThai": "9"}]
    take(units, version(1, supplement(1)) | {"QuaTrinh": steps}, mapping=str(file))
    assert [row[2] for row in table_rows(units, dossier_step)] == ["20220301090000", "20220304080000"]
    assert keys(units) == [], "children that are given stand instead of those of the preset"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('entity = "unit"\nlist = "l"\nfields = { name = { item = "n" } }', "children are dossier_step or"),
        ('entity = "dossier_step"\nlist = "l"\nfields = { code = { item = "n" } }', "code are those of the record"),
        ('entity = "dossier_step"\nlist = "l"\nfields = { color = { item = "n" } }', "unknown \\['color'\\]"),
        ('entity = "dossier_step"\nlist = "l"\nfields = { step = { item = "ChuHoSo" } }', "personal fields"),
    ],
)
def test_wrong_children_are_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(f'extends = "dvcqg"\n[[children]]\n{text}\n')
    with pytest.raises(ConfigurationError, match=message):
        load_mapping(str(file))


def test_supplements_say_since_when_and_how_long_a_dossier_waited(units: Engine) -> None:
    asked = ("20220301090000", "20220303100000", "20220304110000")
    came = ("20220302090000", "", "20220304100000")  # a day; not yet; before it was asked for
    supplements = [
        supplement(number, NgayBoSung=start, NgayTiepNhanBoSung=end)
        for number, (start, end) in enumerate(zip(asked, came, strict=True), start=1)
    ]
    take(units, version(1, *supplements), version(1, *supplements[1:2], number=2), version(1, number=3))
    with units.connect() as connection:
        columns = (dossier.c.supplement_requested_at, dossier.c.paused_seconds)
        rows = connection.execute(select(*columns).order_by(dossier.c.code)).all()
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    assert [tuple(row) for row in rows] == [
        (datetime(2022, 3, 1, 9, tzinfo=zone), 86_400), (datetime(2022, 3, 3, 10, tzinfo=zone), None), (None, None)
    ]  # fmt: skip
