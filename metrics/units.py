"""The units that a screen may show: their names, kinds and places, as of a civil day."""

from __future__ import annotations

from datetime import date

import pandas as pd
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from metrics.scope import Scope, UnitTree, resolve
from warehouse.schema import unit

COLUMNS = ("code", "name", "kind", "parent", "lat", "lon", "population")


def units(connection: Connection, scope: Scope, day: date) -> pd.DataFrame:
    """Return code, name, kind, parent, lat, lon (degrees) and population of the units of a scope, ordered by code.

    Each code appears once, as it was on `day`, else as it was last before, else first after. Raises BadQuestion when
    the scope names a unit that nothing knows.
    """
    if connection.execute(select(unit.c.code).limit(1)).first() is None:
        return pd.DataFrame(columns=list(COLUMNS))
    codes = resolve(connection, scope, UnitTree.load(connection, day))
    statement = (
        select(*(unit.c[name] for name in COLUMNS))
        .ext(distinct_on(unit.c.code))
        .order_by(unit.c.code, (unit.c.valid_from <= day).desc(), func.abs(unit.c.valid_from - day))
    )
    if codes is not None:
        statement = statement.where(unit.c.code.in_(sorted(codes)))
    return pd.DataFrame(connection.execute(statement).all(), columns=list(COLUMNS))
