"""The cells of the figures as tests look at them: carried over, or made anew, in comparable form."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine, delete

from metrics import Clock, WorkingCalendar
from metrics.cell_refresh import refresh
from tests.metrics.world import HANOI
from warehouse.rollups import OF_ANSWERS, OF_DOSSIERS, cell_state, kind_cell, unit_cell

NOW = datetime(2024, 6, 1, tzinfo=UTC)
CLOCK = Clock(HANOI, WorkingCalendar(HANOI))
Cell = tuple[object, ...]


def cells(engine: Engine, clock: Clock = CLOCK) -> dict[Cell, dict[str, int]]:
    """Carry the log over and return every counter above 0 by table, step, first day and key."""
    refresh(engine, clock=clock, now=NOW)
    found: dict[Cell, dict[str, int]] = {}
    with engine.connect() as connection:
        for table in (unit_cell, kind_cell):
            keys = [column.name for column in table.primary_key.columns]
            for row in connection.execute(table.select()).mappings():
                counted = {name: row[name] for name in (*OF_DOSSIERS, *OF_ANSWERS) if row.get(name)}
                if counted:
                    found[(table.name, *(row[key] for key in keys))] = counted
    return found


def cells_anew(engine: Engine) -> dict[Cell, dict[str, int]]:
    """Make the cells anew from the rows and return them."""
    with engine.begin() as connection:
        connection.execute(delete(cell_state))
    return cells(engine)


def total(engine: Engine, counter: str) -> int:
    """Return the sum of a counter over all units and days."""
    return sum(
        counted.get(counter, 0) for key, counted in cells(engine).items() if key[0] == "unit_cell" and key[1] == "d"
    )
