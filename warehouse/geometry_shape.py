"""Boundaries made fit for a screen: one border between neighbours, few vertices, coordinates in whole metres.

Neighbours that were drawn apart overlap or leave slivers; `one_coverage` gives them one common border, so that
`simplified` moves it once for both. All lengths are metres, all coordinates WGS84 degrees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

METRES = 111_320.0
"""Of a degree of latitude."""
SNAP = 10.0
"""Vertices nearer than this are one."""
GAP = 100.0
"""Gaps between neighbours narrower than this are closed: without it slivers hold every border in its place."""
KEPT_AREA = 0.8
"""Share of its area that a unit keeps in a coverage; one that loses more lies under another one."""
VERTICES = 80_000
"""Vertices that a screen may get: about 1.4 MB."""
STEPS = (0, 20, 40, 80, 160, 320, 640, 960, 1280, 1920, 2560)
SPECK = 0.01
"""A part smaller than this share of its unit is left out where vertices are short."""

Ring = list[float]
"""lon, lat, lon, lat, … of a closed ring."""


@dataclass(frozen=True, slots=True)
class Part:
    """One polygon of a unit: its outer ring and its holes."""

    outer: Ring
    holes: tuple[Ring, ...] = ()


def one_coverage(shapes: Mapping[str, BaseGeometry]) -> tuple[dict[str, BaseGeometry], tuple[str, ...]]:
    """Return the shapes with common borders, and the codes that lie under others.

    Where units lie under others (old and new boundaries in one file, say) all shapes stay as they are.
    """
    codes = list(shapes)
    given = np.array([shapes[code] for code in codes], dtype=object)
    cleaned = shapely.coverage_clean(given, snapping_distance=SNAP / METRES, gap_width=GAP / METRES)
    lost = shapely.area(cleaned) < KEPT_AREA * shapely.area(given)
    under = tuple(code for code, loses in zip(codes, lost, strict=True) if loses)
    return dict(shapes) if under else dict(zip(codes, cleaned, strict=True)), under


def simplified(shapes: Mapping[str, BaseGeometry], metres: float) -> dict[str, BaseGeometry]:
    """Return the shapes without the corners that are smaller than a square of `metres`; shared borders stay shared.

    No shape vanishes, crosses itself or overlaps another one because of it.
    """
    if metres <= 0 or not shapes:
        return dict(shapes)
    made = shapely.coverage_simplify(np.array(list(shapes.values()), dtype=object), metres / METRES)
    return dict(zip(shapes, made, strict=True))


def for_screen(shapes: Mapping[str, BaseGeometry], vertices: int = VERTICES) -> dict[str, list[Part]]:
    """Return the polygons of each unit, largest first, as coarse as needed to have at most about `vertices` in all."""
    made = dict(shapes)
    for step in STEPS:
        made = simplified(shapes, step)
        if _count(made) <= vertices:
            break
    if step:
        made = {code: _without_specks(item) for code, item in made.items()}
    digits = 5 if _count(made) <= vertices / 4 else 4  # one metre or eleven
    return {code: _parts(item, digits) for code, item in made.items()}


def _count(shapes: Mapping[str, BaseGeometry]) -> int:
    return int(shapely.get_num_coordinates(np.array(list(shapes.values()), dtype=object)).sum())


def polygons(item: BaseGeometry) -> Sequence[Polygon]:
    """Return the polygons of a shape, largest first."""
    parts = [part for part in shapely.get_parts(item) if isinstance(part, Polygon) and not part.is_empty]
    return sorted(parts, key=lambda part: -part.area)


def _without_specks(item: BaseGeometry) -> BaseGeometry:
    parts = polygons(item)
    return MultiPolygon([part for part in parts if part.area >= SPECK * parts[0].area])


def _parts(item: BaseGeometry, digits: int) -> list[Part]:
    found: list[Part] = []
    for polygon in polygons(item):
        outer = _ring(polygon.exterior.coords, digits)
        if len(outer) >= 8 or not found:
            holes = (_ring(hole.coords, digits) for hole in polygon.interiors)
            found.append(Part(outer, tuple(hole for hole in holes if len(hole) >= 8)))
    return found


def _ring(coordinates: Sequence[tuple[float, ...]], digits: int) -> Ring:
    points = np.round(np.asarray(coordinates)[:, :2], digits)
    moved = np.ones(len(points), dtype=bool)
    moved[1:] = (np.diff(points, axis=0) != 0).any(axis=1)
    return [float(number) for number in points[moved].ravel()]
