"""Units with validity: how they are stored, and the units that the settings name.

A unit is (code, valid_from). The lists come from `warehouse.unit_catalogue` and `warehouse.unit_csv`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import Connection, Engine, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import insert

from warehouse import schema
from warehouse.engine import advance_version
from warehouse.settings import UnitsSettings
from warehouse.unit import Unit
from warehouse.unit_catalogue import catalogue_units
from warehouse.unit_csv import read_units


@dataclass(frozen=True, slots=True)
class StoredUnits:
    """What a load did: rows of the list that were new, changed, or already so."""

    added: int
    changed: int
    unchanged: int


def store_units(connection: Connection, units: Iterable[Unit]) -> StoredUnits:
    """Insert or update units by (code, valid_from), in the caller's transaction; nothing is deleted.

    The data version grows when a row changed.
    """
    rows = [{**asdict(unit), "kind": unit.kind.value} for unit in units]
    if not rows:
        return StoredUnits(0, 0, 0)
    table = schema.unit
    new = insert(table)
    keys = {column.name for column in table.primary_key.columns}
    values = {name: new.excluded[name] for name in rows[0] if name not in keys}
    differs = or_(*(table.c[name].is_distinct_from(value) for name, value in values.items()))
    upsert = new.on_conflict_do_update(index_elements=[table.c.code, table.c.valid_from], set_=values, where=differs)
    before = connection.execute(select(func.count()).select_from(table)).scalar_one()
    touched = len(connection.execute(upsert.returning(literal_column("1")), rows).all())
    added = connection.execute(select(func.count()).select_from(table)).scalar_one() - before
    if touched:
        advance_version(connection)
    return StoredUnits(added=added, changed=touched - added, unchanged=len(rows) - touched)


def load_units(engine: Engine, settings: UnitsSettings) -> StoredUnits:
    """Store the units that the settings name, in one transaction.

    Raises RefusedInput for a file that is not what it should be, ConfigurationError for an unknown `under` code.
    """
    with engine.begin() as connection:
        known = frozenset(connection.execute(select(schema.unit.c.code)).scalars())
        return store_units(connection, configured_units(settings, known))


def configured_units(settings: UnitsSettings, known: Collection[str] = ()) -> list[Unit]:
    """Read the units that the settings name; a unit of the file replaces the same unit of the catalogue.

    A parent in the file may be a unit of the file, of the catalogue or one of the `known` codes.
    """
    chosen: dict[tuple[str, date], Unit] = {}
    if settings.catalogue != "none":
        units = catalogue_units(settings.catalogue, settings.under)
        chosen.update({(unit.code, unit.valid_from): unit for unit in units})
    if settings.file is not None:
        above = {*known, *(code for code, _ in chosen)}
        chosen.update({(unit.code, unit.valid_from): unit for unit in read_units(settings.file, above)})
    return list(chosen.values())


__all__ = ["StoredUnits", "Unit", "configured_units", "load_units", "store_units"]
