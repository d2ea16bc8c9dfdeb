"""What the cells of warehouse/rollups.py know, and whether they can be used by a clock now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, exists, func, literal, select

from metrics.calendar import Clock
from metrics.cell_clocks import fingerprint
from metrics.memory import once
from warehouse import rollups
from warehouse.rollups import answer_log, cell_state, dossier_log, latest_column

MOST_LOGGED = 5_000
"""With a longer log the rows answer: to count it for every question would take longer than the cells save."""


@dataclass(frozen=True)
class State:
    """What the cells know: the year of their office time, their units, their last events, whether the log has more."""

    year: int
    units: frozenset[str]
    latest: Mapping[str, datetime | None]
    logged: bool

    @classmethod
    def read(cls, connection: Connection, clock: Clock) -> State | None:
        """Return the state; None where the cells cannot be used by this clock now."""
        return once(connection, ("cells", clock), lambda: cls._read(connection, clock))

    @classmethod
    def _read(cls, connection: Connection, clock: Clock) -> State | None:
        few = [select(literal(1)).select_from(log).limit(MOST_LOGGED + 1).subquery() for log in rollups.LOGS.values()]
        lengths = [select(func.count()).select_from(rows).scalar_subquery() for rows in few]
        row = connection.execute(select(cell_state, (lengths[0] + lengths[1]).label("logged"))).one_or_none()
        if row is None or row.logged > MOST_LOGGED:
            return None
        year = int(row.fingerprint.partition(":")[0])
        if row.fingerprint != fingerprint(clock, year):
            return None
        latest = {name: getattr(row, latest_column(name)) for name in rollups.LATEST}
        known = cls(year, frozenset(row.units), latest, bool(row.logged))
        return known._with_log(connection) if known.logged else known

    def _with_log(self, connection: Connection) -> State | None:
        last = [
            select(func.max(rollups.LOGS[table].c[column])).scalar_subquery().label(latest_column(name))
            for name, (table, column) in rollups.LATEST.items()
        ]
        everything = exists(select(literal(1)).select_from(dossier_log).where(dossier_log.c.sign == 0))
        row = connection.execute(select(everything.label("everything"), *last)).one()
        if row.everything:
            return None
        logged = {name: getattr(row, latest_column(name)) for name in rollups.LATEST}
        latest = {name: max((at for at in (known, logged[name]) if at), default=None)
                  for name, known in self.latest.items()}  # fmt: skip
        units = connection.execute(select(dossier_log.c.unit).union(select(answer_log.c.unit))).scalars()
        return replace(self, latest=latest, units=self.units | set(units))

    def all_before(self, clock: str, instant: datetime) -> bool:
        """Whether no event of a clock is as late as an instant."""
        last = self.latest[clock]
        return last is None or last < instant

    def all_within(self, codes: frozenset[str] | None) -> bool:
        """Whether every unit that has a cell is among some units; None stands for all units."""
        return codes is None or self.units <= codes
