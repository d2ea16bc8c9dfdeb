"""Boundaries from a GeoJSON file of the operator: read, checked as a whole, and matched with unit codes.

Coordinates are WGS84 degrees, longitude first (RFC 7946). Nothing of a file that fails a check is used.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import normalize

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from warehouse.errors import RefusedInput

LARGEST = 1 << 30
"""Bytes that a file may have when it is unpacked."""
WGS84 = ("crs84", "epsg:4326", "epsg::4326", "wgs84", "wgs 84", "epsg:4979", "epsg::4979")
CONVERT = "convert it, for example: ogr2ogr -t_srs EPSG:4326 out.geojson FILE"
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Boundaries:
    """What a file says: the shape of each code, in which property the codes stood, and which shapes were mended."""

    property: str
    shapes: dict[str, BaseGeometry]
    mended: tuple[str, ...]
    unknown: tuple[str, ...]
    """Codes of the file that are no unit."""


@dataclass(frozen=True, slots=True)
class _Feature:
    number: int
    properties: dict[str, Any]
    shape: BaseGeometry
    mended: bool


def read_boundaries(file: Path, known: Collection[str], code_property: str | None = None) -> Boundaries:
    """Return the boundaries of a GeoJSON file (plain or gzip) for the `known` unit codes.

    The code stands in `code_property`, else in the property whose values are units most often; leading zeros that a
    number has lost are put back. Rings that cross themselves are mended. Raises RefusedInput that names file, feature,
    property and what to do.
    """
    features = _features(file, _document(file))
    name, width = _code_property(file, features, frozenset(known), code_property)
    shapes: dict[str, _Feature] = {}
    for feature in features:
        code = _code(feature.properties.get(name), width)
        if not code:
            raise RefusedInput(f"{file}, feature {feature.number}, property {name}: no unit code; fill it in")
        if code in shapes:
            raise RefusedInput(
                f"{file}, features {shapes[code].number} and {feature.number}, property {name}: both are {code!r};"
                " a unit is one feature: merge its parts into one MultiPolygon, or remove the wrong one"
            )
        shapes[code] = feature
    wanted = {code: feature for code, feature in shapes.items() if code in known}
    if not wanted:
        raise RefusedInput(
            f"{file}, property {name}: none of its {len(shapes)} codes ({_some(sorted(shapes))}) is a unit;"
            f" {_known(known)}; load the units first (`ioc units load`) or name another property (--code-property)"
        )
    return Boundaries(
        property=name,
        shapes={code: feature.shape for code, feature in sorted(wanted.items())},
        mended=tuple(sorted(code for code, feature in wanted.items() if feature.mended)),
        unknown=tuple(sorted(shapes.keys() - wanted.keys())),
    )


def _document(file: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        with file.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(file, "rb") if packed else file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise RefusedInput(f"{file}: not a whole gzip file ({error}); copy it again") from None
    except OSError as error:
        raise RefusedInput(f"{file}: cannot be read: {error.strerror}") from None
    if len(content) > LARGEST:
        raise RefusedInput(f"{file}: more than {LARGEST >> 20} MiB; leave out what is not needed, or simplify it first")
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RefusedInput(f"{file}: not UTF-8 text: {error.reason} at byte {error.start}; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise RefusedInput(f"{file}, line {error.lineno}: not JSON: {error.msg}; a GeoJSON file is needed") from None
    except RecursionError:
        raise RefusedInput(f"{file}: nested too deep for GeoJSON") from None


def _features(file: Path, document: Any) -> list[_Feature]:  # noqa: ANN401
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "Topology":
        raise RefusedInput(f"{file}: TopoJSON, not GeoJSON; convert it, for example with topo2geo or mapshaper")
    if kind != "FeatureCollection" or not isinstance(document.get("features"), list):
        raise RefusedInput(f'{file}: no GeoJSON FeatureCollection; it must begin with {{"type": "FeatureCollection"')
    _refuse_other_crs(file, document.get("crs"))
    if not document["features"]:
        raise RefusedInput(f"{file}: no features; it holds no boundary")
    return [_feature(file, number, entry) for number, entry in enumerate(document["features"], start=1)]


def _refuse_other_crs(file: Path, crs: Any) -> None:  # noqa: ANN401
    if crs is None:
        return
    named = crs.get("properties", {}) if isinstance(crs, dict) else {}
    name = str(named.get("name", crs) if isinstance(named, dict) else crs)
    if not name.lower().endswith(WGS84):
        raise RefusedInput(f"{file}, member crs: coordinates are in {name}, not in WGS84 degrees; {CONVERT}")


def _feature(file: Path, number: int, entry: Any) -> _Feature:  # noqa: ANN401
    place = f"{file}, feature {number}"
    geometry = entry.get("geometry") if isinstance(entry, dict) else None
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in {"Polygon", "MultiPolygon"}:
        raise RefusedInput(f"{place}: geometry is {kind or 'missing'}; a boundary is a Polygon or MultiPolygon")
    try:
        read = shapely.force_2d(shape(geometry))
    except (ShapelyError, ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise RefusedInput(
            f"{place}: coordinates that cannot be read ({error}); a ring is a list of at least four [lon, lat]"
        ) from None
    _refuse_place(place, read)
    mended = not read.is_valid
    if mended:
        read = _only_area(shapely.make_valid(read, method="structure", keep_collapsed=False))
    if read.is_empty or read.area == 0:
        raise RefusedInput(f"{place}: the shape has no area; draw its ring anew")
    properties = entry.get("properties")
    words = {normalize("NFC", str(key)): value for key, value in (properties or {}).items()}
    return _Feature(number, words, read, mended)


def _refuse_place(place: str, read: BaseGeometry) -> None:
    if read.is_empty:
        raise RefusedInput(f"{place}: no coordinates; draw its ring anew")
    west, south, east, north = read.bounds
    across, along = max(-west, east), max(-south, north)
    if across <= 180 and along <= 90:
        return
    spot = f"{west:.6g}, {south:.6g}"
    if across <= 90 and along <= 180:
        raise RefusedInput(f"{place}: latitude stands before longitude ({spot}); swap them, GeoJSON is [lon, lat]")
    raise RefusedInput(
        f"{place}: {spot} is no place in degrees; the coordinates are projected (VN-2000, UTM) or broken; {CONVERT}"
    )


def _only_area(mended: BaseGeometry) -> BaseGeometry:
    parts = [part for part in shapely.get_parts(mended) if part.geom_type == "Polygon"]
    return shapely.union_all(parts) if parts else shapely.MultiPolygon()


def _code_property(
    file: Path, features: list[_Feature], known: frozenset[str], wanted: str | None
) -> tuple[str, int | None]:
    """Return the property of the codes, and to how many digits they are filled with zeros."""
    names = sorted({name for feature in features for name in feature.properties})
    if wanted is not None:
        wanted = normalize("NFC", wanted)
        if wanted not in names:
            raise RefusedInput(f"{file}: no feature has a property {wanted!r}; it has {', '.join(names) or 'none'}")
        names = [wanted]
    widths: tuple[int | None, ...] = (None, *sorted({len(code) for code in known if code.isdigit()}))
    found: Counter[tuple[str, int | None]] = Counter()
    for name in names:
        for width in widths:
            codes = {_code(feature.properties.get(name), width) for feature in features}
            found[name, width] = len(codes & known)
    if found and max(found.values()) > 0:
        return max(found, key=lambda way: (found[way], way[1] is None))
    if wanted is not None:
        return wanted, None
    samples = ", ".join(f"{name} ({features[0].properties.get(name)!r})" for name in names[:SHOWN]) or "none"
    raise RefusedInput(
        f"{file}: no property holds codes of our units; properties of feature 1: {samples}; {_known(known)};"
        " load the units first (`ioc units load`) or name the property (--code-property)"
    )


def _code(value: Any, width: int | None) -> str:  # noqa: ANN401
    """Return a property as a unit code; '' where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, float):
        if not value.is_integer():
            return ""
        value = int(value)
    text = normalize("NFC", str(value)).strip()
    return text.zfill(width) if width is not None and text.isdigit() else text


def _known(known: Collection[str]) -> str:
    return f"our unit codes are such as {_some(sorted(known, key=len, reverse=True))}" if known else "we have no units"


def _some(codes: Collection[str] | Mapping[str, object]) -> str:
    listed = list(codes)
    return ", ".join(listed[:SHOWN]) + (f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else "")
