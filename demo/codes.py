"""Dossier codes `H29.27595-261122-0012`: agency and unit, day of receipt, number of the day; and their order.

The number of a day has lanes of 10,000, so that dossiers that are generated apart never share a code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from demo.office import DAY, Ints, day_numbers
from demo.paths import Lives
from demo.scenario import Scenario

LANE = 10_000
HAND_LANE = 9
"""The lane of dossiers that were created by hand; the others are counted in days after a block's own day."""
_LAST_LANE = 8
_PATTERN = re.compile(r"([A-Z][0-9]+\.[0-9]+)-([0-9]{6})-([0-9]{4,5})")
_SERIALS = 11 * LANE


def number_by_day(lives: Lives, own_day: int | None, offset: int = 0) -> None:
    """Number the dossiers of each unit and day from 1 on, in order of receipt.

    With `own_day` (days since 1970): dossiers whose code bears a later day go into the lane of that many days, and
    `offset` is added to keep clear of another block. Without, there is one lane.
    """
    when = lives.code_instant
    day = when // DAY
    order = np.lexsort((when, lives.unit, day))
    group = day[order] * 100_000 + lives.unit[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    lives.serial[order] = rank + 1
    if own_day is not None:
        lane = np.clip(day - own_day, 0, _LAST_LANE)
        lives.serial += lane * LANE + offset


@dataclass(frozen=True)
class Coder:
    """Writes codes, and maps them to numbers whose order is that of the texts."""

    prefixes: tuple[str, ...]
    rank: Ints

    @classmethod
    def of(cls, scenario: Scenario) -> Coder:
        """Return the coder for the units of a scenario."""
        prefixes = tuple(f"{scenario.agency}.{unit.code}" for unit in scenario.units)
        ordered = sorted(prefixes, key=lambda prefix: prefix + "-")
        return cls(prefixes, np.array([ordered.index(prefix) for prefix in prefixes], dtype=np.int64))

    def keys(self, unit: Ints, when: Ints, serial: Ints) -> Ints:
        """Return one number for each code; the order of the numbers is the order of the codes as text."""
        first4 = np.where(serial < LANE, serial, serial // 10)
        fifth = np.where(serial < LANE, 0, serial % 10 + 1)
        keys: Ints = (self.rank[unit] * 1_000_000 + day_numbers(when)) * _SERIALS + first4 * 11 + fifth
        return keys

    def texts(self, unit: Ints, when: Ints, serial: Ints) -> list[str]:
        """Return the codes as texts."""
        days = day_numbers(when).tolist()
        return [
            f"{self.prefixes[u]}-{day:06d}-{number:04d}"
            for u, day, number in zip(unit.tolist(), days, serial.tolist(), strict=True)
        ]

    def key_of(self, code: str) -> int:
        """Return the number of one code; ValueError when it is no code of this scenario."""
        match = _PATTERN.fullmatch(code)
        if not match or match[1] not in self.prefixes:
            raise ValueError(f"{code!r} is not a dossier code of this intake")
        serial = int(match[3])
        first4, fifth = (serial, 0) if len(match[3]) == 4 else (serial // 10, serial % 10 + 1)
        rank = int(self.rank[self.prefixes.index(match[1])])
        return (rank * 1_000_000 + int(match[2])) * _SERIALS + first4 * 11 + fifth
