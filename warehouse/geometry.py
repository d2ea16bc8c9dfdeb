"""Shapes of units for the map. Without boundaries: a schematic of Voronoi cells around the unit centres.

The schematic shows who lies beside whom, nothing more; screens label it "Sơ đồ, không phải địa giới".
"""

from __future__ import annotations

from collections.abc import Mapping

import shapely
from shapely.geometry import MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry

Centre = tuple[float, float]
"""Longitude and latitude in degrees."""

REACH = 0.35
"""How far the schematic reaches beyond the outermost centres, as a share of the mean distance between neighbours."""


def voronoi_cells(centres: Mapping[str, Centre], *, gap: float = 0.02) -> dict[str, list[Centre]]:
    """Return one ring of (lon, lat) for each code, disjoint, clipped by a buffered hull of all centres.

    `gap` is the width of the lane between cells as a share of the mean neighbour distance. Units that share a point
    are moved apart a little, so that each gets a cell.
    """
    if not centres:
        return {}
    points = _distinct(centres)
    spacing = _spacing(list(points.values()))
    hull = MultiPoint(list(points.values())).convex_hull.buffer(spacing * (0.5 + REACH), quad_segs=16)
    if len(points) == 1:
        (code,) = points
        return {code: _ring(hull)}
    diagram = shapely.voronoi_polygons(MultiPoint(list(points.values())), extend_to=hull)
    tree = shapely.STRtree(diagram.geoms)
    cells: dict[str, list[Centre]] = {}
    for code, point in points.items():
        (index,) = tree.query(point, predicate="within")[:1]
        cell = diagram.geoms[index].intersection(hull).buffer(-spacing * gap, join_style="mitre")
        cells[code] = _ring(cell)
    return cells


def label_place(ring: list[Centre]) -> tuple[Centre, float]:
    """Return the point of a ring that is best for a label, and the width of the ring there in degrees of longitude."""
    polygon = Polygon(ring)
    spot = shapely.maximum_inscribed_circle(polygon, tolerance=polygon.length / 400).coords[0]
    west, _south, east, _north = polygon.bounds
    across = shapely.LineString([(west - 1, spot[1]), (east + 1, spot[1])]).intersection(polygon)
    return (float(spot[0]), float(spot[1])), float(across.length)


def _distinct(centres: Mapping[str, Centre]) -> dict[str, Point]:
    taken: set[Centre] = set()
    points: dict[str, Point] = {}
    for code, (lon, lat) in sorted(centres.items()):
        spot = (lon, lat)
        while spot in taken:
            spot = (spot[0] + 1e-4, spot[1] + 1e-4)
        taken.add(spot)
        points[code] = Point(spot)
    return points


def _spacing(points: list[Point]) -> float:
    if len(points) < 2:
        return 0.02
    tree = shapely.STRtree(points)
    _, distances = tree.query_nearest(points, return_distance=True, exclusive=True, all_matches=False)
    return float(distances.mean())


def _ring(shape: BaseGeometry) -> list[Centre]:
    polygon = shape if isinstance(shape, Polygon) else max(shape.geoms, key=lambda part: part.area)
    return [(round(float(x), 5), round(float(y), 5)) for x, y in polygon.exterior.coords]  # about a metre
