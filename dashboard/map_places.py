"""Where each unit lies on the map: its boundary where one was imported, else a cell of the schematic.

The two are never mixed: where some units have a boundary, the others are named beside the map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import cos, radians

import pandas as pd
import shapely
import streamlit as st
from sqlalchemy import Connection

from dashboard.draw import current
from warehouse.geometry import Centre, label_place, voronoi_cells
from warehouse.geometry_shape import Part, for_screen
from warehouse.geometry_store import stamp, stored_boundaries

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

GAIN = 1.5
"""How much larger the map must become for a far unit to be moved into the inset."""
SPECK = 0.05
"""A part smaller than this share of the largest one is not drawn in the inset."""
FEW = 4
"""At most so many units are moved."""


@dataclass(frozen=True, slots=True)
class Place:
    """One unit: its polygons, the point and width (degrees) for its label, and the polygons as deck.gl reads them."""

    parts: tuple[Part, ...]
    spot: Centre
    width: float
    written: tuple[str, ...]

    @property
    def box(self) -> Box:
        """Return the extent of all parts."""
        boxes = [shapely.LineString(_pairs(part.outer)).bounds for part in self.parts]
        return _around(boxes)


@dataclass(frozen=True)
class Places:
    """All units that have a place, the extent to show, and which of them are drawn in an inset beside the others."""

    found: Mapping[str, Place]
    schematic: bool
    box: Box
    inset: tuple[str, ...] = ()
    frame: Box | None = None
    """Extent of the inset."""


def places_of(units: pd.DataFrame) -> Places:
    """Return the places of units (columns code, lat, lon) in the draw of this page."""
    draw = current()
    codes = tuple(str(code) for code in units["code"])
    centres = {
        code: (float(lon), float(lat))
        for code, lon, lat in zip(codes, units["lon"], units["lat"], strict=True)
        if pd.notna(lon) and pd.notna(lat)
    }
    return _places(draw.connection, stamp(draw.connection), codes, tuple(sorted(centres.items())), draw.today)


@st.cache_resource(max_entries=6, show_spinner=False)
def _places(
    _connection: Connection,
    imported: str,
    codes: tuple[str, ...],
    centres: tuple[tuple[str, Centre], ...],
    today: date,
) -> Places:
    """Keep what costs time to make; nobody changes it, so that all sessions share it."""
    shapes = stored_boundaries(_connection, codes, today) if imported else {}
    if shapes:
        parts = for_screen(shapes)
    else:
        parts = {code: [Part(_flat(ring))] for code, ring in voronoi_cells(dict(centres)).items()}
    made = Places({code: _place(tuple(found)) for code, found in parts.items()}, not shapes, (0.0, 0.0, 0.0, 0.0))
    return framed(made) if made.found else made


def _place(parts: tuple[Part, ...]) -> Place:
    spot, width = label_place(_pairs(parts[0].outer))
    return Place(parts, spot, width, tuple(_written(part) for part in parts))


def _written(part: Part) -> str:
    outer = _numbers(part.outer)
    if not part.holes:
        return f"[{outer}]"
    starts, length = [], len(part.outer)
    for hole in part.holes:
        starts.append(str(length))
        length += len(hole)
    rings = ",".join([outer, *(_numbers(hole) for hole in part.holes)])
    return f'{{"positions":[{rings}],"holeIndices":[{",".join(starts)}]}}'


def _numbers(ring: Sequence[float]) -> str:
    return ",".join(f"{number:.5f}".rstrip("0") for number in ring)


def _pairs(ring: Sequence[float]) -> list[Centre]:
    return list(zip(ring[::2], ring[1::2], strict=True))


def _flat(ring: Sequence[Centre]) -> list[float]:
    return [number for point in ring for number in point]


def _around(boxes: Sequence[Box]) -> Box:
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


def _size(box: Box) -> float:
    """Return the larger side of an extent in degrees of latitude."""
    return max((box[2] - box[0]) * cos(radians((box[1] + box[3]) / 2)), box[3] - box[1])


def framed(places: Places) -> Places:
    """Return the places with the extent to show; a few far islands, which would make all others small, in an inset.

    The unit that makes the extent the largest goes first. An inset is drawn at the scale of the map.
    """
    boxes = {code: place.box for code, place in places.found.items()}
    whole = _around(list(boxes.values()))
    kept, moved = dict(boxes), list[str]()
    while len(moved) < min(FEW, len(boxes) // 10):
        far = max(kept, key=lambda code: -_size(_around([box for other, box in kept.items() if other != code])))
        kept.pop(far)
        moved.append(far)
        box = _around(list(kept.values()))
        if _size(whole) / _size(box) >= GAIN:
            return _with_inset(places, moved, box)
    return replace(places, box=whole)


def _with_inset(places: Places, moved: Sequence[str], box: Box) -> Places:
    """Move units, without their specks, into the corner of the extent that has the fewest others."""
    margin = _size(box) * 0.02
    near = {code: _place(_main_parts(places.found[code])) for code in moved}
    boxes = {code: place.box for code, place in near.items()}
    wide = max(own[2] - own[0] for own in boxes.values()) + 2 * margin
    tall = sum(own[3] - own[1] + margin for own in boxes.values()) + margin
    others = shapely.STRtree([shapely.box(*place.box) for code, place in places.found.items() if code not in boxes])
    corners = [(west, south) for south in (box[1], box[3] - tall) for west in (box[2] - wide, box[0])]
    frames = [(west, south, west + wide, south + tall) for west, south in corners]
    frame = min(frames, key=lambda corner: len(others.query(shapely.box(*corner), predicate="intersects")))
    found, top = dict(places.found), frame[1] + margin
    for code, own in boxes.items():
        found[code] = _shifted(near[code], frame[0] + margin - own[0], top - own[1])
        top += margin + own[3] - own[1]
    return Places(found, places.schematic, box, tuple(moved), frame)


def _main_parts(place: Place) -> tuple[Part, ...]:
    """Leave out parts that are small beside the largest, which stands first."""
    areas = [shapely.Polygon(_pairs(part.outer)).area for part in place.parts]
    return tuple(part for part, area in zip(place.parts, areas, strict=True) if area >= SPECK * areas[0])


def _shifted(place: Place, right: float, down: float) -> Place:
    def ring(numbers: Sequence[float]) -> list[float]:
        return [number + (down if n % 2 else right) for n, number in enumerate(numbers)]

    parts = tuple(Part(ring(part.outer), tuple(ring(hole) for hole in part.holes)) for part in place.parts)
    return _place(parts)
