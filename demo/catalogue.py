"""The catalogue of procedures: hand-written rows, filled up with variants to the counts that a scenario states."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, count
from pathlib import Path
from typing import Any

from demo.office import DAY, WORKDAY

LEVEL_WORDS = {"district": "Cấp huyện", "commune": "Cấp xã", "interlinked": "Liên thông"}
_VARIANT_WEIGHT = 0.05


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure: statutory time as the catalogue writes it, and `weight`, how often it is asked for."""

    code: str
    name: str
    field_code: str
    field: str
    level: str
    online: int
    time: int
    unit: str
    fee: bool
    weight: float

    @property
    def calendar_seconds(self) -> int:
        """Statutory time in calendar seconds when it is counted in calendar days, else 0."""
        return self.time * DAY if self.unit == "ngày" else 0

    @property
    def working_seconds(self) -> int:
        """Statutory time in working seconds; for calendar days about five in seven."""
        if self.unit == "giờ":
            return self.time * 3600
        return round(self.time * 5 / 7) * WORKDAY if self.unit == "ngày" else self.time * WORKDAY


@cache
def _written() -> tuple[tuple[Procedure, ...], tuple[str, ...]]:
    tables: dict[str, Any] = tomllib.loads((Path(__file__).parent / "catalogue.toml").read_text(encoding="utf-8"))
    rows = [
        Procedure(code, name, field["code"], field["name"], level, online, time, unit, bool(fee), float(weight))
        for field in tables["field"]
        for code, level, online, time, unit, fee, weight, name in field["procedures"]
    ]
    return tuple(rows), tuple(tables["variants"])


def procedures(counts: dict[str, int], online: dict[int, int] | None = None) -> list[Procedure]:
    """Return exactly `counts[level]` procedures of each level, and, if given, `online[level]` of each online level."""
    rows, variants = _written()
    chosen: list[Procedure] = []
    for level, wanted in counts.items():
        own = [row for row in rows if row.level == level]
        more = (
            replace(row, code="", name=f"{row.name} – {variant}", weight=row.weight * _VARIANT_WEIGHT)
            for variant in variants
            for row in own
        )
        filled = [row for row, _ in zip(chain(own, more), range(wanted), strict=False)]
        if len(filled) < wanted:
            raise ValueError(f"the catalogue has no more than {len(filled)} procedures of level {level}, not {wanted}")
        chosen += filled
    return _numbered(_with_online_levels(chosen, online) if online else chosen)


def _with_online_levels(chosen: list[Procedure], wanted: dict[int, int]) -> list[Procedure]:
    """Give out the online levels anew; what is online already keeps the highest ones."""
    if sum(wanted.values()) != len(chosen):
        raise ValueError(f"{sum(wanted.values())} online levels for {len(chosen)} procedures")
    levels = [level for level in sorted(wanted, reverse=True) for _ in range(wanted[level])]
    order = sorted(range(len(chosen)), key=lambda index: -chosen[index].online)
    given = dict(zip(order, levels, strict=True))
    return [replace(row, online=given[index]) for index, row in enumerate(chosen)]


def _numbered(chosen: list[Procedure]) -> list[Procedure]:
    fresh = (f"3.{number:06d}" for number in count(100_010, 7))
    return [row if row.code else replace(row, code=next(fresh)) for row in chosen]
