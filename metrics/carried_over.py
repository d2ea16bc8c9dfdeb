"""What the period before was said to leave open, to compare with what a period carries in: (6) = (11) of form II.06.

Computed from the dossiers of today both are the same number. They can differ from what was signed: from the figures
that were recorded when the period before had ended (metrics/closing.py), and from those that the units reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection

from metrics.balance import ITSELF, reported
from metrics.calendar import Clock
from metrics.corrections import recorded, recorded_counters
from metrics.period import Period
from metrics.scope import Scope
from warehouse.vocabulary import ReportItem


class Told(StrEnum):
    """Who said what was left open."""

    RECORDED = "recorded"
    REPORTED = "reported"


FORMULAS: Mapping[Told, str] = {
    Told.RECORDED: "(6) = (11) recorded for the period before",
    Told.REPORTED: "(6) = (11) reported for the period before",
}


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """Column (11) of the period before as it was told: by unit, and in `total` where that is known.

    A unit that is not there left nothing open where the figures were recorded (`recorded_at`), and is not known where
    units reported them.
    """

    told: Told
    period: str
    units: Mapping[str, int]
    total: int | None = None
    recorded_at: datetime | None = None

    def of(self, code: str | None) -> int | None:
        """What a unit left open; None where nobody told it."""
        nothing = 0 if self.told is Told.RECORDED else None
        return nothing if code is None else self.units.get(code, nothing)


def carried_over(
    connection: Connection, *, clock: Clock, before: Period, as_of: datetime, scope: Scope
) -> tuple[CarriedOver, ...]:
    """Return what is known at `as_of` of the end of a period: as recorded, as reported; nothing where neither is."""
    found = []
    kept = recorded(connection, before)
    if kept is not None and kept.recorded_at <= as_of:
        counts = recorded_counters(connection, kept, ["open"], clock=clock, period=before, scope=scope)
        units = {str(unit): of_unit["open"] for unit, of_unit in counts.items()}
        at = kept.recorded_at.astimezone(clock.zone)
        found.append(CarriedOver(Told.RECORDED, kept.period, units, sum(units.values()), at))
    told = reported(connection, clock, before, as_of, scope)
    item = ReportItem.OPEN_TOTAL
    units = {unit: items[item] for (unit, level), items in told.items() if level == ITSELF and item in items}
    if units:
        found.append(CarriedOver(Told.REPORTED, before.text, units))
    return tuple(found)


__all__ = ["FORMULAS", "CarriedOver", "Told", "carried_over"]
