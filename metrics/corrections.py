"""Corrections: what back-dated changes made of the figures of a period after they were recorded ("đã điều chỉnh").

Old figures are those of metrics/closing.py, new ones what `measure` says of the same period now. Both are sums of the
same counters, so that a ratio is corrected by its numerator and denominator, never by its value.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, select

from metrics.calendar import Clock
from metrics.closing import can_be_corrected, figures_of
from metrics.definitions import METRICS, Metric
from metrics.measure import evaluate
from metrics.period import Period
from metrics.scope import Scope, UnitTree, resolve
from warehouse.errors import BadQuestion
from warehouse.schema import closed_figure, closed_period

CORRECTABLE = tuple(name for name in METRICS if can_be_corrected(name))
"""The metrics that are made of recorded counters."""
COLUMNS = (
    "unit", "metric", "old", "new", "difference", "old_numerator", "old_denominator", "new_numerator",
    "new_denominator", "recorded_at",
)  # fmt: skip
_COUNTS = ("old_numerator", "old_denominator", "new_numerator", "new_denominator")
Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Recorded:
    """That a period was recorded: under which text, when, and of which version of the data."""

    period: str
    recorded_at: datetime
    data_version: int


def recorded(connection: Connection, period: Period) -> Recorded | None:
    """Return when the figures of a period were recorded; None where they were not. Found by its bounds."""
    c = closed_period.c
    statement = select(c.period, c.recorded_at, c.data_version).where(
        c.start_at == period.start, c.end_at == period.end
    )
    row = connection.execute(statement.order_by(c.recorded_at, c.period).limit(1)).one_or_none()
    return None if row is None else Recorded(*row)


def corrections(
    connection: Connection,
    *,
    clock: Clock,
    period: Period,
    as_of: datetime,
    scope: Scope,
    metrics: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Return every figure of a recorded period that is another one now: COLUMNS, one row for each unit and metric.

    `unit` is missing for the total of the scope, which comes first. Numerators and denominators are Int64, values
    Float64 (missing where there was or is nothing to measure), `recorded_at` is on the civil clock. Nothing that is
    unchanged has a row.

    Raises BadQuestion for a period that was not recorded, and for a metric that is made of other counters.
    """
    names = _checked(metrics)
    kept = recorded(connection, period)
    if kept is None:
        raise BadQuestion(
            f"period {period.text!r}: its figures were not recorded, so nothing can be told of corrections; recorded:"
            f" {', '.join(_known(connection)) or 'none yet, see ioc figures close'}"
        )
    question, now = figures_of(connection, clock=clock, period=period, as_of=as_of, scope=scope)
    before = _figures(connection, kept.period, question.codes)
    pairs: list[tuple[str | None, Counts, Counts]] = [(None, _total(before.values()), _total(now.values()))]
    pairs += [(unit, before.get(unit, {}), now.get(unit, {})) for unit in sorted({*before, *now})]
    rows = [
        (unit, name, *changed, kept.recorded_at)
        for unit, old, new in pairs
        for name in names
        if (changed := _change(METRICS[name], old, new)) is not None
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["recorded_at"] = pd.to_datetime(frame["recorded_at"], utc=True).dt.tz_convert(clock.zone)
    values = dict.fromkeys(("old", "new", "difference"), "Float64")
    return frame.astype({"unit": "str", "metric": "str", **values, **dict.fromkeys(_COUNTS, "Int64")})


def with_corrections(
    connection: Connection, frame: pd.DataFrame, *, clock: Clock, period: Period, as_of: datetime, scope: Scope
) -> pd.DataFrame:
    """Add to an answer of `measure`, without filters, of a whole period, by unit or of the scope as one:

    `corrected` (boolean: the figure was another one when the period was recorded; missing where that is not known) and
    `corrected_from` (Float64: the value then). Raises BadQuestion for an answer by something else.
    """
    by = [name for name in frame.columns if name not in {"metric", "numerator", "denominator", "value"}]
    if by not in ([], ["unit"]):
        raise BadQuestion(f"figures are recorded by unit; corrections by {', '.join(by)} are not known")
    kept = recorded(connection, period) if period.end <= as_of else None
    known: dict[str, Counts] = {}
    if kept is not None:
        codes = resolve(connection, scope, UnitTree.load(connection, clock.day(period.end)))
        known = _figures(connection, kept.period, codes)
    total = _total(known.values())
    marks: list[bool | None] = []
    values: list[float | None] = []
    for row in frame.itertuples(index=False):
        if kept is None or row.metric not in CORRECTABLE:
            marks.append(None)
            values.append(None)
            continue
        old = known.get(str(row.unit), {}) if by else total
        top, bottom, value = evaluate(METRICS[str(row.metric)], dict(old))
        differs = (top, bottom) != (_number(row.numerator), _number(row.denominator))
        marks.append(differs)
        values.append(value if differs else None)
    return frame.assign(
        corrected=pd.Series(marks, dtype="boolean", index=frame.index),
        corrected_from=pd.Series(values, dtype="Float64", index=frame.index),
    )


def _checked(metrics: Iterable[str] | None) -> tuple[str, ...]:
    names = CORRECTABLE if metrics is None else tuple(dict.fromkeys(metrics))
    if other := [name for name in names if name not in CORRECTABLE]:
        raise BadQuestion(f"{', '.join(other)}: not recorded at the end of periods; recorded: {', '.join(CORRECTABLE)}")
    return names


def _known(connection: Connection) -> list[str]:
    c = closed_period.c
    return list(connection.execute(select(c.period).order_by(c.end_at.desc(), c.period)).scalars())


def _figures(connection: Connection, period: str, codes: frozenset[str] | None) -> dict[str, Counts]:
    c = closed_figure.c
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for unit, counter, value in connection.execute(select(c.unit, c.counter, c.value).where(c.period == period)):
        if codes is None or unit in codes:
            found[unit][counter] = value
    return dict(found)


def _total(all_counts: Iterable[Counts]) -> Counts:
    total: Counter[str] = Counter()
    for counts in all_counts:
        total.update(counts)
    return total


def _change(metric: Metric, old: Counts, new: Counts) -> tuple[Any, ...] | None:
    """Old and new value, their difference, both fractions; None where nothing changed."""
    before, after = evaluate(metric, dict(old)), evaluate(metric, dict(new))
    if before[:2] == after[:2]:
        return None
    was, now = before[2], after[2]
    difference = None if was is None or now is None else now - was
    return was, now, difference, *before[:2], *after[:2]


def _number(value: Any) -> int | None:  # noqa: ANN401 - a cell
    return None if pd.isna(value) else int(value)


__all__ = ["COLUMNS", "CORRECTABLE", "Recorded", "corrections", "recorded", "with_corrections"]
