"""The ranking of units: a declared method, every score opened into its parts."""

from __future__ import annotations

import tomllib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from metrics.calendar import Clock
from metrics.definitions import METRICS, Direction, Kind
from metrics.measure import measure
from metrics.period import Period, previous
from metrics.question import Filters
from metrics.scope import Scope
from warehouse.errors import BadQuestion, ConfigurationError

METHOD_FILE = Path(__file__).with_name("ranking.toml")


@dataclass(frozen=True, slots=True)
class Part:
    """A ratio and the points that its best value gives."""

    metric: str
    weight: float

    @property
    def lower_is_better(self) -> bool:
        """Whether a value of 0 gives all points."""
        return METRICS[self.metric].direction is Direction.LOWER


@dataclass(frozen=True, slots=True)
class Method:
    """A version of the ranking: parts, and the volume under which a unit is listed but not ranked."""

    version: str
    minimum_volume: int
    volume: str
    decimals: int
    parts: tuple[Part, ...]

    @classmethod
    def load(cls, file: Path) -> Method:
        """Read a method; raises ConfigurationError that names the file and what is wrong."""
        try:
            tables = tomllib.loads(file.read_text(encoding="utf-8"))
            parts = tuple(Part(part["metric"], float(part["weight"])) for part in tables.pop("parts"))
            method = cls(parts=parts, **tables)
        except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(f"{file}: not a ranking method: {error}") from None
        for part in parts:
            if part.metric not in METRICS or METRICS[part.metric].kind is not Kind.RATIO or part.weight <= 0:
                raise ConfigurationError(f"{file}: part {part.metric!r} must be a known ratio with a weight above 0")
        if method.volume not in METRICS or not parts:
            raise ConfigurationError(f"{file}: it needs parts, and a volume that is a known metric")
        return method


DEFAULT = Method.load(METHOD_FILE)


def rank_units(
    connection: Connection,
    *,
    clock: Clock,
    period: Period,
    as_of: datetime,
    scope: Scope,
    filters: Filters | None = None,
    method: Method = DEFAULT,
) -> pd.DataFrame:
    """Rank the units of a scope, each kind of unit among its own; best first, those without a rank last.

    Columns: unit, unit_kind, rank (dense; missing under the minimum volume or where nothing can be measured),
    previous_rank (by the same method, in the period before), score (0 to 100), volume, and for each part
    {metric}_numerator, _denominator, _value, _weight (after re-scaling, missing where left out) and _points.
    Raises BadQuestion.
    """
    now = _scores(connection, clock, period, as_of, scope, filters, method)
    try:
        before = _scores(connection, clock, previous(period), as_of, scope, filters, method)
        ranks: Mapping[Hashable, Any] = before.set_index("unit")["rank"].to_dict()
    except BadQuestion:  # a unit of the filter that did not exist then
        ranks = {}
    now.insert(3, "previous_rank", pd.Series([ranks.get(unit) for unit in now["unit"]], dtype="Int64"))
    return now


def _scores(
    connection: Connection,
    clock: Clock,
    period: Period,
    as_of: datetime,
    scope: Scope,
    filters: Filters | None,
    method: Method,
) -> pd.DataFrame:
    asked = [method.volume, *(part.metric for part in method.parts)]
    answer = measure(
        connection, asked, clock=clock, period=period, as_of=as_of, scope=scope, by=("unit", "unit_kind"),
        filters=filters,
    )  # fmt: skip
    rows = {str(metric): group.reset_index(drop=True) for metric, group in answer.groupby("metric")}
    if not rows:
        raise BadQuestion("there is no unit to rank in this scope")
    table = rows[method.volume][["unit", "unit_kind"]].copy()
    volume = rows[method.volume]["numerator"]
    parts = _parts(rows, method)
    points = pd.concat([parts[f"{part.metric}_points"] for part in method.parts], axis=1)
    score = points.sum(axis=1, min_count=1).astype("Float64").round(method.decimals)
    ranked = score.where(volume >= method.minimum_volume)
    rank = ranked.groupby(table["unit_kind"], dropna=False).rank(method="dense", ascending=False)
    ranks = {"rank": rank.astype("Int64"), "score": score, "volume": volume}
    table = pd.concat([table, pd.DataFrame(ranks | parts)], axis=1)
    return table.sort_values(["unit_kind", "rank", "unit"], na_position="last").reset_index(drop=True)


def _parts(rows: Mapping[str, pd.DataFrame], method: Method) -> dict[str, pd.Series]:
    """The columns of the parts; the weights of the parts that can be measured are scaled to 100."""
    measured = {part: rows[part.metric]["value"].notna() for part in method.parts}
    available = pd.concat([known * part.weight for part, known in measured.items()], axis=1).sum(axis=1)
    columns: dict[str, pd.Series] = {}
    for part, known in measured.items():
        found = rows[part.metric]
        weight = (100 * part.weight / available).astype("Float64").where(known)
        good = 1 - found["value"] if part.lower_is_better else found["value"]
        cells = {
            "numerator": found["numerator"],
            "denominator": found["denominator"],
            "value": found["value"],
            "weight": weight,
            "points": weight * good,
        }
        columns |= {f"{part.metric}_{name}": column for name, column in cells.items()}
    return columns
