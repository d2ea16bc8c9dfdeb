"""Labels that do not collide: each inside its own unit.

A label that is readable at the first view has a size in pixels: going nearer only brings it further from the others.
All others have a size in metres, too small to be seen at first, and grow with their units as the reader goes nearer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians, sin

import shapely
from shapely.geometry.base import BaseGeometry

from dashboard.map_layers import LARGEST, METRES, PITCH, Row
from dashboard.map_places import Place, Places
from dashboard.theme import rgba

LETTER = 0.56
"""Mean width of a letter as a share of the type size."""
LINE = 1.15
READABLE = 8.0
"""Type size (px) of the smallest label that is written at the first view."""
MARGIN = 3
"""Pixels around a label that no other one enters."""
HIDDEN = 1.6
"""Type size (px) at the first view of a label that is there only for those who go nearer."""
CROWDED = 11.0
"""Type size (px) of the largest label between boundaries."""
COLUMN_SIZE, TALL = 11.0, 40
"""Type size (px) of the labels of columns, and how many columns may have one where there is room."""
FILLED = 0.88
"""Share of a unit's width that its label may take."""
INK = ("#14213A", "#F2F5FA")


@dataclass(frozen=True, slots=True)
class Label:
    """What is written on a unit: its name, and a number below it or nothing."""

    code: str
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Paper:
    """What is written on: pixels for a degree of longitude, dark or light, and whether every label lies in its unit."""

    scale: float
    dark: bool
    inside: bool


def labels_of(
    labels: Sequence[Label], places: Places, paper: Paper, rows: Mapping[str, Row], heights: Mapping[str, float]
) -> tuple[list[Row], list[Row]]:
    """Return the labels in pixels, of which no two overlap, and those in metres; `heights` are those of columns."""
    fixed: list[Row] = []
    growing: list[Row] = []
    boxes: list[BaseGeometry] = []
    squeeze = cos(radians((places.box[1] + places.box[3]) / 2))
    for label in _in_order(labels, places, heights):
        place = places.found[label.code]
        lines, size = fit_label(label.name, place.width * paper.scale * FILLED)
        size = size if paper.inside else min(size, CROWDED)
        written = [*lines, label.number] if label.number else lines
        tall = heights.get(label.code, 0.0)
        if heights:
            written, size = [f"{' '.join(lines)} {label.number}".strip()], COLUMN_SIZE
        box = _box(place, written, max(size, READABLE), paper.scale, squeeze, tall)
        ink = _ink(rows[label.code]["fill"]) if paper.inside else INK[paper.dark]
        spot = [round(number, 5) for number in place.spot] + ([tall] if tall else [])
        row = {"label": "\n".join(written), "spot": spot, "ink": rgba(ink)}
        free = paper.inside or (size >= READABLE and not any(box.intersects(other) for other in boxes))
        if free:
            boxes.append(box)
            fixed.append({**row, "size": max(size, READABLE)})
        elif not heights:
            growing.append({**row, "size": round(min(size, HIDDEN) / paper.scale * METRES * squeeze)})
    return fixed, growing


def _in_order(labels: Sequence[Label], places: Places, heights: Mapping[str, float]) -> list[Label]:
    """Return the labels, the most important first: those of the tallest columns only, else of the widest units."""
    if heights:
        return sorted((item for item in labels if item.code in heights), key=lambda item: -heights[item.code])[:TALL]
    return sorted(labels, key=lambda item: -places.found[item.code].width)


def _box(place: Place, lines: Sequence[str], size: float, scale: float, squeeze: float, tall: float) -> BaseGeometry:
    """Return the ground that a label covers at the first view, in degrees; that of a column stands at its top."""
    wide = (LETTER * size * max(len(line) for line in lines) / 2 + MARGIN) / scale
    high = (LINE * size * len(lines) / 2 + MARGIN) / scale * squeeze
    lon, lat = place.spot
    if tall:
        lat = lat * cos(radians(PITCH)) + tall / METRES * sin(radians(PITCH))
    return shapely.box(lon - wide, lat - high, lon + wide, lat + high)


def fit_label(name: str, pixels: float) -> tuple[list[str], float]:
    """Return the lines of a unit's name and the type size (px) that fits `pixels`; kinds such as 'Xã' are left out."""
    words = re.sub(r"^(Xã|Phường|Thị trấn|Quận|Huyện|Thành phố|Đặc khu)\s+(?=\D)", "", name).split()
    best: tuple[list[str], float] = ([" ".join(words)], 0.0)
    for cut in range(len(words), 0, -1):
        lines = [line for line in (" ".join(words[:cut]), " ".join(words[cut:])) if line]
        size = min(LARGEST - 0.5, pixels / (LETTER * max(len(line) for line in lines)))
        if size > best[1] + (0.5 if len(lines) > 1 else 0):
            best = (lines, size)
    return best[0], round(best[1], 1)


def _ink(ground: Sequence[int]) -> str:
    red, green, blue = ground[:3]
    return "#14213A" if 0.299 * red + 0.587 * green + 0.114 * blue > 150 else "#FFFFFF"
