"""Boundaries in the warehouse, keyed to the unit as it was at a time: (code, valid_from)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, delete, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from warehouse.engine import advance_version
from warehouse.errors import RefusedInput
from warehouse.geometry_file import read_boundaries
from warehouse.geometry_shape import one_coverage, simplified
from warehouse.schema import unit, unit_geometry

SIMPLIFY = 20.0
"""Metres: corners smaller than a square of this side are not stored, unless the operator says otherwise."""
FAR = 0.2
"""Degrees from a unit's centre at which its boundary is somebody else's."""


@dataclass(frozen=True, slots=True)
class UnitAt:
    """A unit as it was on a day."""

    code: str
    name: str
    valid_from: date
    is_leaf: bool
    centre: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did; the tuples are unit codes."""

    property: str
    stored: int
    vertices: int
    mended: tuple[str, ...]
    unknown: tuple[str, ...]
    """Codes of the file that are no unit."""
    missing: tuple[str, ...]
    """Units of the lowest level without a boundary after it."""
    overlapping: tuple[str, ...]
    far: tuple[str, ...]
    """Units whose boundary lies elsewhere than their centre."""


def units_on(connection: Connection, day: date) -> dict[str, UnitAt]:
    """Return each code as it was on a day, else as it was last before, else first after: as screens name them."""
    statement = (
        select(unit)
        .ext(distinct_on(unit.c.code))
        .order_by(unit.c.code, (unit.c.valid_from <= day).desc(), func.abs(unit.c.valid_from - day))
    )
    rows = connection.execute(statement).all()
    parents = {row.parent for row in rows}
    return {
        row.code: UnitAt(
            code=row.code,
            name=row.name,
            valid_from=row.valid_from,
            is_leaf=row.code not in parents and (row.valid_to is None or row.valid_to > day),
            centre=(row.lon, row.lat) if row.lon is not None and row.lat is not None else None,
        )
        for row in rows
    }


def import_boundaries(
    connection: Connection,
    file: Path,
    *,
    day: date,
    now: datetime,
    code_property: str | None = None,
    metres: float = SIMPLIFY,
) -> Imported:
    """Read a GeoJSON file and store the boundaries of the units as they were on `day`, in the caller's transaction.

    A boundary that a unit had before is replaced, those of other units stay. Raises RefusedInput and stores nothing
    when the file is not what it should be, or when most of its shapes lie elsewhere than the units of their codes.
    """
    units = units_on(connection, day)
    read = read_boundaries(file, units.keys(), code_property)
    far = tuple(code for code, item in read.shapes.items() if _is_far(units[code], item))
    if len(far) * 2 > len(read.shapes):
        raise RefusedInput(
            f"{file}, property {read.property}: {len(far)} of {len(read.shapes)} shapes lie elsewhere than their units,"
            f" {units[far[0]].name} ({far[0]}) for one; codes were used anew in July 2025: name the day of the file's"
            " units (--on 2025-06-30), or another property (--code-property)"
        )
    shapes, overlapping = one_coverage(read.shapes)
    made = simplified(shapes, metres) if not overlapping else read.shapes
    _store(connection, {code: (units[code].valid_from, item) for code, item in made.items()}, file.name, now)
    have = {(row.code, row.valid_from) for row in connection.execute(select(_key.code, _key.valid_from))}
    return Imported(
        property=read.property,
        stored=len(made),
        vertices=sum(int(shapely.get_num_coordinates(item)) for item in made.values()),
        mended=read.mended,
        unknown=read.unknown,
        missing=tuple(
            item.code for item in units.values() if item.is_leaf and (item.code, item.valid_from) not in have
        ),
        overlapping=overlapping,
        far=far,
    )


_key = unit_geometry.c


def _is_far(found: UnitAt, item: BaseGeometry) -> bool:
    return found.centre is not None and item.distance(shapely.Point(found.centre)) > FAR


def _store(connection: Connection, shapes: Mapping[str, tuple[date, BaseGeometry]], source: str, now: datetime) -> None:
    rows = [
        {
            "code": code,
            "valid_from": since,
            "geometry": shapely.to_wkb(item, output_dimension=2),
            "vertices": int(shapely.get_num_coordinates(item)),
            "source": source,
            "imported_at": now,
        }
        for code, (since, item) in shapes.items()
    ]
    new = insert(unit_geometry)
    values = {name: new.excluded[name] for name in ("geometry", "vertices", "source", "imported_at")}
    connection.execute(new.on_conflict_do_update(index_elements=[_key.code, _key.valid_from], set_=values), rows)
    advance_version(connection)


def stored_boundaries(connection: Connection, codes: Collection[str], day: date) -> dict[str, BaseGeometry]:
    """Return the boundaries of these units as they were on `day`; a unit without one is left out."""
    current = (
        select(unit.c.code, unit.c.valid_from)
        .ext(distinct_on(unit.c.code))
        .where(unit.c.code.in_(sorted(codes)))
        .order_by(unit.c.code, (unit.c.valid_from <= day).desc(), func.abs(unit.c.valid_from - day))
        .subquery()
    )
    same = (current.c.code == _key.code) & (current.c.valid_from == _key.valid_from)
    rows = connection.execute(select(_key.code, _key.geometry).join(current, same).order_by(_key.code)).all()
    read = shapely.from_wkb([row.geometry for row in rows])
    return {row.code: item for row, item in zip(rows, read, strict=True)}


def stamp(connection: Connection) -> str:
    """Return a text that changes whenever a boundary does; '' where there is none."""
    count, newest = connection.execute(select(func.count(), func.max(_key.imported_at))).one()
    return f"{count} {newest.isoformat()}" if count else ""


@dataclass(frozen=True, slots=True)
class StoredSource:
    """What one file left in the warehouse."""

    source: str
    units: int
    vertices: int
    size: int
    """Bytes."""
    imported_at: datetime


def stored_sources(connection: Connection) -> list[StoredSource]:
    """Return what each file left, newest first."""
    statement = (
        select(
            _key.source,
            func.count(),
            func.sum(_key.vertices),
            func.sum(func.length(_key.geometry)),
            func.max(_key.imported_at),
        )
        .group_by(_key.source)
        .order_by(func.max(_key.imported_at).desc(), _key.source)
    )
    return [StoredSource(*row) for row in connection.execute(statement)]


def units_without(connection: Connection, day: date) -> list[UnitAt]:
    """Return the units of the lowest level that have no boundary on a day, by code."""
    have = {(row.code, row.valid_from) for row in connection.execute(select(_key.code, _key.valid_from))}
    return [
        item for item in units_on(connection, day).values() if item.is_leaf and (item.code, item.valid_from) not in have
    ]


def remove_boundaries(connection: Connection, *, codes: Collection[str] = (), source: str | None = None) -> int:
    """Remove the boundaries of these units, or those of one file, or all; return how many there were."""
    statement = delete(unit_geometry)
    if codes or source is not None:
        statement = statement.where(or_(_key.code.in_(sorted(codes)), _key.source == source))
    removed = len(connection.execute(statement.returning(literal_column("1"))).all())
    if removed:
        advance_version(connection)
    return removed
