"""What may be compared across a change of units, as that of July 2025.

Communes were merged, split, and their codes given to other units. A unit is then compared with what came before it only
as a whole: with the total of its predecessors (numerators and denominators summed) where each of them went into it
entirely. Where a predecessor was split nobody knows which of its dossiers belong here, and there is no comparison: no
share of a unit's land or people is a share of its dossiers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

import pandas as pd
from sqlalchemy import Connection, and_, select

from metrics.successors import Successor, stored_successors
from warehouse.schema import unit


@dataclass(frozen=True)
class Succession:
    """What lies between two spans of days: codes of the first that are another unit in the second.

    `new_of` says what an old code is called now; `lost` are the codes of today that cannot be compared.
    """

    new_of: Mapping[str, str] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()

    @property
    def mapped(self) -> frozenset[str]:
        """The units of today that are compared with the total of their predecessors."""
        return frozenset(self.new_of.values()) - self.lost

    def predecessors(self, codes: Iterable[str]) -> set[str]:
        """Return the old codes that went into units of today."""
        wanted = set(codes)
        return {old for old, new in self.new_of.items() if new in wanted}

    def total(self, answer: pd.DataFrame, kinds: Mapping[str, str | None]) -> pd.DataFrame:
        """Rename the units of an answer of `measure` by unit and unit_kind, and sum up those that became one.

        `kinds` are the kinds of the units of today. Only for counts and shares.
        """
        if not self.new_of:
            return answer
        table = answer.assign(unit=answer["unit"].map(lambda code: self.new_of.get(code, code)))
        table["unit_kind"] = [kinds.get(u, k) for u, k in zip(table["unit"], table["unit_kind"], strict=True)]
        table["unit_kind"] = table["unit_kind"].astype("str")
        groups = table.groupby(["unit", "unit_kind", "metric"], dropna=False, sort=False)
        summed = groups[["numerator", "denominator"]].sum(min_count=1).reset_index()
        share = summed["numerator"].astype("Float64") / summed["denominator"].where(summed["denominator"] != 0)
        count = summed["numerator"].astype("Float64")
        return summed.assign(value=count.where(summed["denominator"].isna(), share).astype("Float64"))


def succession(connection: Connection, before: tuple[date, date], now: tuple[date, date]) -> Succession:
    """Return what changed between two spans of civil days, each from its first day up to, not including, the second.

    A change on the first day of `before` or earlier, or after `now`, does not matter. A unit that changed inside `now`
    cannot be compared, nor one whose code named another unit before and whose predecessors are not stored.
    """
    rows = [row for row in stored_successors(connection) if before[0] < row.changed_on < now[1]]
    lost = {code for row in rows if row.changed_on > now[0] for code in (row.old, row.new)}
    new_of: dict[str, str] = {}
    for day, group in groupby((row for row in rows if row.changed_on <= now[0]), key=lambda row: row.changed_on):
        moves = list(group)
        whole = {row.old: row.new for row in moves if row.whole}
        lost |= {row.new for row in moves if not row.whole}
        lost = {whole.get(code, code) for code in lost}
        if day < before[1]:
            lost |= _used_twice(whole, {row.new for row in moves})
        new_of = {old: whole.get(new, new) for old, new in new_of.items()} | {
            old: new for old, new in whole.items() if old not in new_of
        }
    return Succession(new_of, frozenset(lost | _renamed_without_word(connection, rows, before[0], now[1])))


def _used_twice(whole: Mapping[str, str], news: set[str]) -> set[str]:
    """Codes of a span in which they named one unit first and another one later: their dossiers cannot be told apart."""
    return {code for old, new in whole.items() if old != new and old in news for code in (old, new)}


def _renamed_without_word(connection: Connection, rows: Iterable[Successor], first: date, stop: date) -> set[str]:
    """Codes that began to name a unit inside the span, named one before, and have no stored predecessor.

    The name is no help: a merged commune often bears the name and the code of one of its parts.
    """
    earlier = unit.alias()
    statement = (
        select(unit.c.code, unit.c.valid_from)
        .join(earlier, and_(earlier.c.code == unit.c.code, earlier.c.valid_from < unit.c.valid_from))
        .where(unit.c.valid_from > first, unit.c.valid_from < stop)
    )
    told = {(row.new, row.changed_on) for row in rows}
    return {code for code, day in connection.execute(statement) if (code, day) not in told}


__all__ = ["Succession", "succession"]
