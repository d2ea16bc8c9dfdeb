"""The 766 index of units: the official scores that were imported, and beside them what our own data can estimate.

An estimate has the points of the parts that can be computed and the sum of their maxima; it is never scaled to 100 and
never takes the place of the official score. The 766 satisfaction component is not a survey and is not estimated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Connection, select

from metrics.calendar import Clock
from metrics.measure import measure
from metrics.method766 import METHOD, Method766
from metrics.period import Period
from metrics.question import last_instant
from metrics.scope import Scope, UnitTree
from warehouse.errors import BadQuestion
from warehouse.schema import external_score

TOTAL = "TOTAL"
"""The item of the official total score."""
OFFICIAL = ("official_points", "official_maximum", "official_numerator", "official_denominator", "official_quality")
PART_COLUMNS = ("unit", "group", "part", "numerator", "denominator", "value", "points", "maximum", *OFFICIAL)
SUM_COLUMNS = ("unit", "points", "maximum", "parts", "official", "official_maximum", "band")


class Official(NamedTuple):
    """An imported score as it was told."""

    score: float | None
    max_score: float | None
    numerator: int | None
    denominator: int | None
    quality: str | None


NOT_TOLD = Official(None, None, None, None, None)
Told = Mapping[tuple[str, str], Official]
Fraction = tuple[Any, Any, float | None]


def official_scores(connection: Connection, *, clock: Clock, period: Period) -> dict[tuple[str, str], Official]:
    """Return the imported scores of a period by unit and item (TOTAL, a group, or the code of a part).

    A period is found by its bounds; of several sources the one that comes last in the order of their names stands.
    """
    c = external_score.c
    texts = [text for text in connection.execute(select(c.period).distinct()).scalars() if _same(text, period, clock)]
    columns = (c.unit, c.item, c.score, c.max_score, c.numerator, c.denominator, c.quality)
    statement = select(*columns).where(c.period.in_(texts)).order_by(c.source, c.period)
    rows = connection.execute(statement) if texts else ()
    return {(unit, item): Official(*values) for unit, item, *values in rows}


@dataclass(frozen=True)
class Scores766:
    """The index of units: `parts` (PART_COLUMNS, one row for each unit and part) and `sums` (SUM_COLUMNS)."""

    parts: pd.DataFrame
    sums: pd.DataFrame


def estimate766(
    connection: Connection,
    *,
    clock: Clock,
    period: Period,
    as_of: datetime,
    scope: Scope,
    whole: bool = False,
    method: Method766 = METHOD,
) -> Scores766:
    """Return what can be estimated of the index for each unit, with the official scores of the same period beside it.

    In `parts`, `value` is the ratio, `points` ours (missing where nothing occurred, where we have no data for the part,
    or its maximum is not confirmed), `maximum` that of the part. In `sums`, `points` and `maximum` are of the `parts`
    (their number) that have points for this unit, and `band` is the code of the class of the official total: an
    estimate has none, as it is not of 100.

    `whole` gives one unit: the root of the scope with all below it, missing where there are several roots. The official
    score of a unit with others below it is of all of them: it stands beside ours only there. Raises BadQuestion.
    """
    names = [str(part.metric) for part in method.computed]
    by = () if whole else ("unit",)
    answer = measure(connection, names, clock=clock, period=period, as_of=as_of, scope=scope, by=by)
    units: list[str | None] = [_root(scope)] * len(answer) if whole else [str(code) for code in answer["unit"]]
    told = official_scores(connection, clock=clock, period=period)
    if not whole:
        above = _with_units_below(connection, clock, period, as_of)
        told = {key: official for key, official in told.items() if key[0] not in above}
    measured: dict[str | None, dict[str, Fraction]] = defaultdict(dict)
    figures = (answer[name] for name in ("metric", "numerator", "denominator", "value"))
    for unit, metric, top, bottom, value in zip(units, *figures, strict=True):
        measured[unit][str(metric)] = (top, bottom, None if pd.isna(value) else float(value))
    rows = {unit: list(_rows(unit, found, told, method)) for unit, found in measured.items()}
    parts = pd.DataFrame([row for of_unit in rows.values() for row in of_unit], columns=list(PART_COLUMNS))
    table = _typed(parts, PART_COLUMNS[3:-1])
    sums = [_sum(unit, of_unit, told, method) for unit, of_unit in rows.items()]
    return Scores766(table, _typed(pd.DataFrame(sums, columns=list(SUM_COLUMNS)), SUM_COLUMNS[1:-1]))


def _root(scope: Scope) -> str | None:
    return next(iter(scope.roots)) if scope.roots is not None and len(scope.roots) == 1 else None


def _rows(unit: str | None, found: Mapping[str, Fraction], told: Told, method: Method766) -> Iterator[tuple[Any, ...]]:
    for part in method.parts:
        top, bottom, value = found.get(part.metric or "", (None, None, None))
        points = part.points(value)
        official = told.get((unit or "", part.code), NOT_TOLD)
        yield (unit, part.group, part.number, top, bottom, value,
               None if points is None else round(points, method.decimals), part.maximum, *official)  # fmt: skip


def _sum(unit: str | None, rows: Sequence[tuple[Any, ...]], told: Told, method: Method766) -> tuple[Any, ...]:
    points_at, maximum_at = PART_COLUMNS.index("points"), PART_COLUMNS.index("maximum")
    given = [row for row in rows if row[points_at] is not None]
    total = told.get((unit or "", TOTAL), NOT_TOLD)
    band = method.band(total.score)
    points = round(sum(row[points_at] for row in given), method.decimals) if given else None
    return (unit, points, float(sum(row[maximum_at] for row in given)), len(given), total.score, total.max_score,
            None if band is None else band.code)  # fmt: skip


def _with_units_below(connection: Connection, clock: Clock, period: Period, as_of: datetime) -> set[str | None]:
    tree = UnitTree.load(connection, clock.day(last_instant(period, as_of)))
    return {row.parent for row in tree.rows.values()}


def _same(text: str, period: Period, clock: Clock) -> bool:
    try:
        told = Period.parse(text, clock.zone)
    except BadQuestion:
        return False
    return (told.start, told.end) == (period.start, period.end)


def _typed(frame: pd.DataFrame, numbers: Sequence[str]) -> pd.DataFrame:
    whole = {"numerator", "denominator", "official_numerator", "official_denominator", "parts"}
    kinds = {name: "Int64" if name in whole else "Float64" for name in numbers}
    texts = dict.fromkeys((name for name in frame.columns if name not in kinds), "str")
    return frame.astype(kinds | texts)


__all__ = [
    "OFFICIAL",
    "PART_COLUMNS",
    "SUM_COLUMNS",
    "TOTAL",
    "Official",
    "Scores766",
    "estimate766",
    "official_scores",
]
