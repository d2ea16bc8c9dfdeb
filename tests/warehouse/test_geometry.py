"""The schematic: one cell a unit, apart from one another, each around its centre; labels inside."""

from __future__ import annotations

import csv
import gzip
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon

from tests.conftest import shared
from warehouse.geometry import label_place, voronoi_cells

CENTRES = st.lists(
    st.tuples(st.integers(10_500, 10_900), st.integers(106_300, 106_800)), min_size=1, max_size=20, unique=True
).map(lambda spots: {f"{number:05d}": (lon / 1000, lat / 1000) for number, (lat, lon) in enumerate(spots)})


@given(CENTRES)
@settings(max_examples=60, deadline=None)
def test_each_unit_has_a_cell_of_its_own_around_its_centre(centres: dict[str, tuple[float, float]]) -> None:
    cells = {code: Polygon(ring) for code, ring in voronoi_cells(centres).items()}
    assert cells.keys() == centres.keys()
    for code, cell in cells.items():
        assert cell.is_valid
        assert cell.distance(Point(centres[code])) < 1e-3
    for one, other in combinations(cells.values(), 2):
        assert one.intersection(other).area < 1e-9


@given(CENTRES)
@settings(max_examples=30, deadline=None)
def test_a_label_stands_inside_its_cell(centres: dict[str, tuple[float, float]]) -> None:
    for ring in voronoi_cells(centres).values():
        spot, width = label_place(ring)
        cell = Polygon(ring)
        assert cell.buffer(1e-6).contains(Point(spot))
        west, _south, east, _north = cell.bounds
        assert 0 < width <= east - west + 1e-9


def test_no_units_and_units_on_one_point() -> None:
    assert voronoi_cells({}) == {}
    assert set(voronoi_cells({"a": (106.5, 10.7), "b": (106.5, 10.7), "c": (106.6, 10.8)})) == {"a", "b", "c"}


def test_every_commune_of_the_country() -> None:
    with gzip.open(shared("vn_units/communes_from_2025-07.csv.gz"), "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lon, lat = (next(name for name in rows[0] if name.lower().endswith(end)) for end in ("lon", "lat"))
    centres = {str(number): (float(row[lon]), float(row[lat])) for number, row in enumerate(rows)}
    assert len(voronoi_cells(centres)) == 3321
