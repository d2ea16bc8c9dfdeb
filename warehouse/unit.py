"""What a unit is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from warehouse.vocabulary import UnitKind


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit for as long as it kept its code, name and place in the tree."""

    code: str
    name: str
    kind: UnitKind
    valid_from: date
    valid_to: date | None = None
    parent: str | None = None
    lat: float | None = None
    lon: float | None = None
    population: int | None = None
