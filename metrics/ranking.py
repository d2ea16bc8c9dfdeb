"""The ranking of units: a declared method, every score opened into its parts."""

from __future__ import annotations

import tomllib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from metrics.calendar import Clock
from metrics.definitions import METRICS, Direction, Kind, Unit
from metrics.measure import measure
from metrics.period import Period, previous
from metrics.question import Filters, last_instant, narrow, parse_values
from metrics.scope import Scope, UnitTree
from metrics.succession import Succession, succession
from warehouse.errors import BadQuestion, ConfigurationError
from warehouse.vocabulary import Label

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
            if not _is_share(part.metric) or part.weight <= 0:
                raise ConfigurationError(
                    f"{file}: part {part.metric!r} must be a known ratio between 0 and 1 with a weight above 0"
                )
        if method.volume not in METRICS or not parts:
            raise ConfigurationError(f"{file}: it needs parts, and a volume that is a known metric")
        return method


def _is_share(name: str) -> bool:
    metric = METRICS.get(name)
    return metric is not None and metric.kind is Kind.RATIO and metric.unit is Unit.SHARE


DEFAULT = Method.load(METHOD_FILE)


class Compared(StrEnum):
    """With what the previous rank of a unit compares it."""

    ITSELF = "itself"
    PREDECESSORS = "predecessors"
    """The total of the units that were merged into it between the two periods."""
    NOTHING = "nothing"
    """It was made of parts of units, or changed inside the period: there is no previous rank."""


COMPARED = {
    Compared.ITSELF: Label("So với chính đơn vị ở kỳ trước", "Against itself in the period before"),
    Compared.PREDECESSORS: Label("So với tổng các đơn vị đã sáp nhập", "Against the total of the merged units"),
    Compared.NOTHING: Label("Không so sánh được do sắp xếp đơn vị", "Not comparable, as units were rearranged"),
}


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
    previous_rank (by the same method, in the period before), compared (codes of Compared), score (0 to 100), volume,
    and for each part {metric}_numerator, _denominator, _value, _weight (after re-scaling, missing where left out) and
    _points. Raises BadQuestion.
    """
    ask = _Asker(connection, clock, as_of, filters, method)
    now = _scores(ask.units(period, scope), method)
    links, ranks = _before(ask, period, scope, dict(zip(now["unit"].tolist(), now["unit_kind"].tolist(), strict=True)))
    known = [None if unit in links.lost else ranks.get(unit) for unit in now["unit"].tolist()]
    words = {**dict.fromkeys(links.mapped, Compared.PREDECESSORS), **dict.fromkeys(links.lost, Compared.NOTHING)}
    now.insert(3, "previous_rank", pd.Series(known, dtype="Int64"))
    now.insert(
        4, "compared", pd.Series([str(words.get(unit, Compared.ITSELF)) for unit in now["unit"].tolist()], dtype="str")
    )
    return now


class _Asker:
    """The questions that a ranking is made of."""

    def __init__(
        self, connection: Connection, clock: Clock, as_of: datetime, filters: Filters | None, method: Method
    ) -> None:
        self.connection, self.clock, self.as_of, self.filters = connection, clock, as_of, filters or {}
        self.method = method
        self._metrics = [method.volume, *(part.metric for part in method.parts)]

    def units(self, period: Period, scope: Scope, filters: Filters | None = None) -> pd.DataFrame:
        """Volume and parts by unit, with its kind."""
        answer = measure(
            self.connection, self._metrics, clock=self.clock, period=period, as_of=self.as_of, scope=scope,
            by=("unit",), filters=self.filters if filters is None else filters,
        )  # fmt: skip
        tree = UnitTree.load(self.connection, self.clock.day(last_instant(period, self.as_of)))
        kinds = [tree.kind(unit) for unit in answer["unit"].tolist()]
        answer.insert(1, "unit_kind", pd.Series(kinds, dtype="str"))
        return answer

    def codes(self, period: Period, scope: Scope) -> frozenset[str] | None:
        """The units that are ranked; None for all."""
        tree = UnitTree.load(self.connection, self.clock.day(last_instant(period, self.as_of)))
        units = {"unit": parse_values("unit", self.filters["unit"])} if "unit" in self.filters else {}
        return narrow(self.connection, scope, units, tree)

    def days(self, period: Period) -> tuple[date, date]:
        """The civil days of a period as far as it is known: the first, and the one after the last."""
        last = last_instant(period, self.as_of) - timedelta(microseconds=1)
        return self.clock.day(period.start), self.clock.day(last) + timedelta(1)


def _before(
    ask: _Asker, period: Period, scope: Scope, kinds: Mapping[Any, Any]
) -> tuple[Succession, Mapping[Hashable, Any]]:
    """What changed since the period before, and the ranks of then by the units of today."""
    past = previous(period)
    links = succession(ask.connection, ask.days(past), ask.days(period))
    codes = ask.codes(period, scope)
    filters = ask.filters
    if codes is not None and links.new_of:
        # who may see a unit may see the total of what it was made of
        scope = Scope.of(codes | links.predecessors(codes))
        filters = {name: values for name, values in filters.items() if name != "unit"}
    try:
        answer = links.total(ask.units(past, scope, filters), kinds)
        if codes is not None and links.new_of:
            answer = answer[answer["unit"].isin(codes)].reset_index(drop=True)
        ranked = _scores(answer, ask.method)
    except BadQuestion:  # a unit of the filter that did not exist then
        return links, {}
    return links, ranked.set_index("unit")["rank"].to_dict()


def _scores(answer: pd.DataFrame, method: Method) -> pd.DataFrame:
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
