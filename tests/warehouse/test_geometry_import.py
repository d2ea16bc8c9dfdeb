"""Boundaries of the operator: files good and bad, matched with units as they were, and made fit for a screen."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import combinations
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
import shapely
from shapely.geometry import Point, Polygon, box, mapping
from sqlalchemy import Engine, select

from tests.conftest import shared
from warehouse import schema
from warehouse.engine import data_version
from warehouse.errors import RefusedInput
from warehouse.geometry_file import read_boundaries
from warehouse.geometry_shape import VERTICES, for_screen, one_coverage, polygons, simplified
from warehouse.geometry_store import (
    import_boundaries,
    remove_boundaries,
    stamp,
    stored_boundaries,
    stored_sources,
    units_on,
    units_without,
)
from warehouse.unit import Unit
from warehouse.unit_catalogue import CODES_BEGAN, REFORM, catalogue_units
from warehouse.units import store_units
from warehouse.vocabulary import UnitKind

KNOWN = ("27595", "27598", "785", "00004")
TODAY, NOW = date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)
WARDS = "vn_units/wards_2025_simplified.geojson.gz"
ONE, TWO = box(106.5, 10.6, 106.6, 10.7), box(106.6, 10.6, 106.7, 10.7)

Write = Callable[..., Path]


def feature(shape: object, **properties: object) -> dict[str, Any]:
    """A feature of a shape, or of a geometry written by hand."""
    geometry = shape if isinstance(shape, dict) else mapping(shape)
    return {"type": "Feature", "properties": properties, "geometry": geometry}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write features, or any text, to a file."""

    def made(*features: object, name: str = "wards.geojson", text: str | None = None, **members: object) -> Path:
        file = tmp_path / name
        document = {"type": "FeatureCollection", "features": features, **members}
        content = (json.dumps(document, ensure_ascii=False) if text is None else text).encode()
        file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return file

    return made


@pytest.mark.parametrize("name", ["a.geojson", "a.geojson.gz"])
def test_codes_are_found_by_themselves(write: Write, name: str) -> None:
    file = write(
        feature(ONE, ten="Một", province="785", ma="27595"), feature(TWO, province="785", ma="27598"), name=name
    )
    read = read_boundaries(file, KNOWN)
    assert read.property == "ma"
    assert read.shapes["27595"].equals(ONE)
    assert (read.mended, read.unknown) == ((), ())


def test_zeros_that_a_number_lost_are_put_back(write: Write) -> None:
    read = read_boundaries(write(feature(ONE, code=4), feature(TWO, code=27598.0)), KNOWN)
    assert set(read.shapes) == {"00004", "27598"}


def test_names_in_either_unicode_form(write: Write) -> None:
    file = write(
        feature(ONE, **{normalize("NFD", "Mã xã"): "27595", normalize("NFD", "Tên"): normalize("NFD", "Xã Một")})
    )
    assert read_boundaries(file, KNOWN, normalize("NFC", "Mã xã")).property == "Mã xã"
    assert read_boundaries(file, KNOWN, normalize("NFD", "Mã xã")).property == "Mã xã"


def test_unknown_codes_are_listed_and_a_bow_tie_is_mended(write: Write) -> None:
    tie = Polygon([(106.5, 10.6), (106.6, 10.7), (106.6, 10.6), (106.5, 10.7)])
    read = read_boundaries(write(feature(tie, code="27595"), feature(TWO, code="99999")), KNOWN)
    assert (read.mended, read.unknown) == (("27595",), ("99999",))
    assert read.shapes["27595"].is_valid
    assert 0 < read.shapes["27595"].area < box(*tie.bounds).area


POINT = {"type": "Point", "coordinates": [106.5, 10.6]}
SHORT = {"type": "Polygon", "coordinates": [[[106.5, 10.6], [106.6, 10.6]]]}
WORDS = {"type": "Polygon", "coordinates": [[["a", "b"], ["c", "d"], ["e", "f"], ["a", "b"]]]}
FLAT = {"type": "Polygon", "coordinates": [[[106.5, 10.6], [106.6, 10.6], [106.5, 10.6], [106.5, 10.6]]]}
SWAPPED = box(10.6, 106.5, 10.7, 106.6)
PROJECTED = box(590_000, 1_180_000, 600_000, 1_190_000)


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ((), "no features"),
        ((feature(POINT, code="27595"),), r"feature 1: geometry is Point; a boundary is a Polygon"),
        (({"type": "Feature", "properties": {"code": "27595"}, "geometry": None},), "feature 1: geometry is missing"),
        ((feature(ONE, code="27595"), feature(SHORT, code="27598")), "feature 2: coordinates that cannot be read"),
        ((feature(WORDS, code="27595"),), "feature 1: coordinates that cannot be read"),
        ((feature(FLAT, code="27595"),), "feature 1: the shape has no area"),
        ((feature(Polygon(), code="27595"),), "feature 1: no coordinates"),
        ((feature(SWAPPED, code="27595"),), "feature 1: latitude stands before longitude .* swap them"),
        ((feature(PROJECTED, code="27595"),), "feature 1: .* projected .VN-2000.* ogr2ogr"),
        ((feature(ONE, code="27595"), feature(TWO, code="27595")), "features 1 and 2, property code: both are '27595'"),
        ((feature(ONE, code="27595"), feature(TWO, code=None)), "feature 2, property code: no unit code"),
        (
            (feature(ONE, code="11111", name="Một"),),
            r"properties of feature 1: code \('11111'\), name .*ioc units load",
        ),
        ((feature(ONE),), "properties of feature 1: none"),
        ((["not", "a", "feature"],), "feature 1: geometry is missing"),
    ],
)
def test_a_bad_feature_is_refused_with_its_place(write: Write, features: tuple[Any, ...], words: str) -> None:
    with pytest.raises(RefusedInput, match=rf"wards\.geojson.*{words}"):
        read_boundaries(write(*features), KNOWN)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ma;ten\n27595;Một", r"wards\.geojson, line 1: not JSON"),
        ("", "not JSON"),
        ('{"type": "Topology"}', "TopoJSON"),
        ('{"type": "Feature"}', "no GeoJSON FeatureCollection"),
        ("[]", "no GeoJSON FeatureCollection"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_not_geojson_is_refused(write: Write, text: str, words: str) -> None:
    with pytest.raises(RefusedInput, match=words):
        read_boundaries(write(text=text), KNOWN)


def test_other_coordinates_are_refused_by_name(write: Write) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4756"}}
    with pytest.raises(RefusedInput, match="member crs: coordinates are in urn:ogc:def:crs:EPSG::4756"):
        read_boundaries(write(feature(ONE, code="27595"), crs=crs), KNOWN)
    crs["properties"] = {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}
    assert read_boundaries(write(feature(ONE, code="27595"), crs=crs), KNOWN).shapes


def test_a_torn_gzip_file_and_other_bytes(write: Write, tmp_path: Path) -> None:
    whole = write(feature(ONE, code="27595"), name="a.geojson.gz").read_bytes()
    torn = tmp_path / "torn.gz"
    for content in (whole[:-12], whole[:20], whole[:30] + b"\0\0\0" + whole[33:]):
        torn.write_bytes(content)
        with pytest.raises(RefusedInput, match=r"torn\.gz: not a whole gzip file"):
            read_boundaries(torn, KNOWN)
    torn.write_bytes("Xã".encode("utf-16"))
    with pytest.raises(RefusedInput, match="not UTF-8 text"):
        read_boundaries(torn, KNOWN)
    with pytest.raises(RefusedInput, match="cannot be read: No such file"):
        read_boundaries(tmp_path / "none.geojson", KNOWN)


def test_a_named_property_must_be_there_and_hold_codes(write: Write) -> None:
    file = write(feature(ONE, code="27595", name="Một"))
    with pytest.raises(RefusedInput, match="no feature has a property 'ma'; it has code, name"):
        read_boundaries(file, KNOWN, "ma")
    with pytest.raises(RefusedInput, match=r"property name: none of its 1 codes \(Một\) is a unit"):
        read_boundaries(file, KNOWN, "name")
    with pytest.raises(RefusedInput, match="we have no units"):
        read_boundaries(file, ())


def test_neighbours_get_one_border_and_keep_it() -> None:
    wavy = [(106.6 + 0.0001 * (number % 2), 10.6 + number / 200) for number in range(21)]
    left = Polygon([(106.5, 10.6), *wavy, (106.5, 10.7)])
    right = Polygon([(106.7, 10.6), *((lon + 2e-5, lat) for lon, lat in wavy), (106.7, 10.7)])
    assert left.overlaps(right) or left.distance(right) > 0
    shapes, under = one_coverage({"a": left, "b": right})
    assert under == ()
    made = simplified(shapes, 100)
    assert shapely.coverage_is_valid(list(made.values()))
    assert shapely.get_num_coordinates(made["a"]) < shapely.get_num_coordinates(left) / 2
    assert made["a"].touches(made["b"])


def test_units_that_lie_under_others_stay_as_they_are() -> None:
    shapes, under = one_coverage({"a": ONE, "b": ONE.buffer(-0.01), "c": TWO})
    assert under
    assert shapes["b"].equals(ONE.buffer(-0.01))


def test_a_screen_gets_no_more_vertices_than_it_may() -> None:
    round_ones = {str(number): Point(106 + number / 10, 10).buffer(0.04, quad_segs=64) for number in range(20)}
    parts = for_screen(round_ones, vertices=800)
    assert sum(len(part.outer) // 2 for found in parts.values() for part in found) <= 800
    assert all(found and len(found[0].outer) >= 8 for found in parts.values())
    ring = for_screen({"a": ONE.difference(ONE.buffer(-0.02))})["a"][0]
    assert len(ring.holes) == 1
    assert ring.outer[:2] == ring.outer[-2:]


def test_parts_come_largest_first() -> None:
    assert [round(part.area, 4) for part in polygons(shapely.union_all([ONE, box(107, 10, 107.01, 10.01)]))] == [
        0.01,
        0.0001,
    ]


@pytest.fixture
def units(engine: Engine) -> Engine:
    """A warehouse with a district of two communes; code 27595 was another commune before the reform."""
    with engine.begin() as connection:
        store_units(
            connection,
            [
                Unit("785", "Huyện Thử", UnitKind.DISTRICT, REFORM),
                Unit("27595", "Xã Cũ", UnitKind.COMMUNE, CODES_BEGAN, REFORM, "785", lat=10.65, lon=106.55),
                Unit("27595", "Xã Một", UnitKind.COMMUNE, REFORM, None, "785", lat=10.65, lon=106.55),
                Unit("27598", "Xã Hai", UnitKind.COMMUNE, REFORM, None, "785"),
            ],
        )
    return engine


def test_boundaries_belong_to_the_unit_of_the_day(units: Engine, write: Write) -> None:
    file = write(feature(ONE, code="27595"), feature(TWO, code="99999"))
    with units.begin() as connection:
        before = data_version(connection)
        done = import_boundaries(connection, file, day=TODAY, now=NOW)
        assert (done.stored, done.unknown, done.missing, done.far) == (1, ("99999",), ("27598",), ())
        assert data_version(connection) > before
        row = connection.execute(select(schema.unit_geometry)).one()
        assert (row.code, row.valid_from, row.source) == ("27595", REFORM, "wards.geojson")
        assert stored_boundaries(connection, ["27595", "27598"], TODAY)["27595"].equals(ONE)
        assert stored_boundaries(connection, ["27595"], date(2020, 1, 1)) == {}
        import_boundaries(connection, file, day=date(2020, 1, 1), now=NOW)
        assert stored_boundaries(connection, ["27595"], date(2020, 1, 1))["27595"].equals(ONE)
        assert [item.code for item in units_without(connection, TODAY)] == ["27598"]
        assert units_on(connection, date(2020, 1, 1))["27595"].name == "Xã Cũ"


def test_a_second_file_replaces_only_its_own_units(units: Engine, write: Write) -> None:
    with units.begin() as connection:
        assert stamp(connection) == ""
        import_boundaries(connection, write(feature(ONE, code="27595"), feature(TWO, code="27598")), day=TODAY, now=NOW)
        first = stamp(connection)
        later = NOW.replace(hour=5)
        import_boundaries(
            connection, write(feature(TWO.buffer(0.01), code="27598"), name="b.json"), day=TODAY, now=later
        )
        assert stamp(connection) != first
        found = stored_boundaries(connection, ["27595", "27598"], TODAY)
        assert found["27595"].equals(ONE)
        assert found["27598"].area > TWO.area
        assert [(item.source, item.units) for item in stored_sources(connection)] == [
            ("b.json", 1),
            ("wards.geojson", 1),
        ]
        assert remove_boundaries(connection, source="b.json") == 1
        assert remove_boundaries(connection, codes=["27598"]) == 0
        assert remove_boundaries(connection) == 1


def test_shapes_that_lie_elsewhere_are_another_list_of_units(units: Engine, write: Write) -> None:
    hanoi = box(105.8, 21.0, 105.9, 21.1)
    with units.begin() as connection:
        with pytest.raises(RefusedInput, match=r"1 of 1 shapes lie elsewhere .* Xã Một \(27595\).*--on 2025-06-30"):
            import_boundaries(connection, write(feature(hanoi, code="27595")), day=TODAY, now=NOW)
        file = write(feature(hanoi, code="27595"), feature(TWO, code="27598"), name="half.json")
        assert import_boundaries(connection, file, day=TODAY, now=NOW).far == ("27595",)


def test_the_wards_of_ho_chi_minh_city(engine: Engine) -> None:
    file = shared(WARDS)
    with engine.begin() as connection:
        store_units(connection, catalogue_units("from-2025-07", ["79"]))
        done = import_boundaries(connection, file, day=TODAY, now=NOW)
        assert done.property == "code"
        assert done.stored == 168
        assert len(done.unknown) == 3321 - 168
        assert (done.missing, done.overlapping, done.far) == ((), (), ())
        shapes = stored_boundaries(connection, [item.code for item in units_on(connection, TODAY).values()], TODAY)
    assert shapely.coverage_is_valid(list(shapes.values()))
    given = json.loads(gzip.decompress(file.read_bytes()))["features"]
    areas = {entry["properties"]["code"]: shapely.geometry.shape(entry["geometry"]).area for entry in given}
    assert all(item.is_valid and abs(item.area / areas[code] - 1) < 0.1 for code, item in shapes.items())


def test_every_ward_of_the_country_fits_a_screen() -> None:
    given = json.loads(gzip.decompress(shared(WARDS).read_bytes()))["features"]
    shapes = {entry["properties"]["code"]: shapely.geometry.shape(entry["geometry"]) for entry in given}
    cleaned, under = one_coverage(shapes)
    assert under == ()
    parts = for_screen(cleaned)
    assert len(parts) == 3321
    assert sum(len(part.outer) // 2 for found in parts.values() for part in found) <= VERTICES * 1.05
    sent = json.dumps([part.outer for found in parts.values() for part in found], separators=(",", ":"))
    assert len(sent) < 1_600_000
    for one, other in combinations(list(cleaned)[:200], 2):
        assert not cleaned[one].overlaps(cleaned[other])
