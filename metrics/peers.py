"""Units of like size: whose volume or population is neither many times nor a small part of one's own."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from warehouse.errors import BadQuestion

FACTOR = 2.0
Size = Literal["volume", "population"]


def peers(ranking: pd.DataFrame, units: pd.DataFrame, unit: str, by: Size, factor: float = FACTOR) -> frozenset[str]:
    """Return the units of the same kind and like size, with the unit itself; empty where its own size is unknown.

    `ranking` is that of `rank_units`, `units` that of `metrics.units`. Like size: from 1/factor to factor times. Raises
    BadQuestion for a factor under 1, and when the ranking does not have the unit.
    """
    if factor < 1:
        raise BadQuestion(f"factor {factor:g}: write 1 or more")
    if unit not in set(ranking["unit"]):
        raise BadQuestion(f"the ranking does not have the unit {unit!r}")
    table = ranking.set_index("unit")[["unit_kind", "volume"]]
    population = units.drop_duplicates("code").set_index("code")["population"]
    sizes = pd.to_numeric(table["volume"] if by == "volume" else table.index.to_series().map(population))
    own, kind = sizes[unit], table["unit_kind"][unit]
    if pd.isna(own) or own <= 0:
        return frozenset()
    same = table["unit_kind"].isna() if pd.isna(kind) else table["unit_kind"] == kind
    like = sizes.between(own / factor, own * factor)
    return frozenset(map(str, table.index[same & like.fillna(value=False)]))


__all__ = ["FACTOR", "peers"]
