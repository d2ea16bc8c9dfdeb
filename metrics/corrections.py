"""Corrections: what back-dated changes made of the figures of a period after they were recorded ("đã điều chỉnh").

Old figures are those of metrics/closing.py, new ones what `measure` says of the same period now. Both are sums of the
same counters, so that a ratio is corrected by its numerator and denominator, never by its value.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, any_, func, null, select

from metrics.calendar import Clock
from metrics.closing import FIRST_RECORDED, can_be_corrected, figures_of
from metrics.definitions import METRICS, Metric
from metrics.measure import evaluate
from metrics.period import Period
from metrics.question import Filters, narrow, parse_values
from metrics.scope import Scope, UnitTree
from metrics.statements import texts
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
    """That a period was recorded: under which text, when, of which version of the data, and which counters."""

    period: str
    recorded_at: datetime
    data_version: int
    counters: frozenset[str] = frozenset(FIRST_RECORDED)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that are made of its counters."""
        return tuple(name for name in METRICS if can_be_corrected(name, self.counters))


@dataclass(frozen=True, slots=True)
class Correction:
    """A figure that is another one now than when its period was recorded: both values with what they are made of.

    Values are missing where there was or is nothing to measure; `recorded_at` is on the civil clock.
    """

    old: float | None
    new: float | None
    old_numerator: int | None
    old_denominator: int | None
    new_numerator: int | None
    new_denominator: int | None
    recorded_at: datetime


def recorded(connection: Connection, period: Period) -> Recorded | None:
    """Return when the figures of a period were recorded; None where they were not. Found by its bounds."""
    c = closed_period.c
    statement = select(c.period, c.recorded_at, c.data_version, c.counters).where(
        c.start_at == period.start, c.end_at == period.end
    )
    row = connection.execute(statement.order_by(c.recorded_at, c.period).limit(1)).one_or_none()
    if row is None:
        return None
    counters = FIRST_RECORDED if row.counters is None else row.counters
    return Recorded(row.period, row.recorded_at, row.data_version, frozenset(counters))


def corrected(
    connection: Connection,
    answer: pd.DataFrame,
    *,
    clock: Clock,
    period: Period,
    as_of: datetime,
    scope: Scope,
    filters: Filters | None = None,
) -> dict[tuple[str | None, str], Correction]:
    """Return which figures of an answer of `measure` were others when its period was recorded, by unit and metric.

    `answer` is of any metrics, by unit or of the scope as one (the unit is then None), and was asked with the same
    arguments. One or two small statements, however many metrics. Nothing is returned where nothing can be told: the
    period has not ended at `as_of` or was not recorded, a metric is none of the recorded ones, the answer is by
    something else than units or narrowed by something else than `unit`. Raises BadQuestion as `measure` does.
    """
    by = _groups_of(answer)
    if by not in ([], ["unit"]) or set(filters or {}) - {"unit"} or period.end > as_of:
        return {}
    kept = recorded(connection, period)
    if kept is None:
        return {}
    names = set(kept.metrics) & set(answer["metric"])
    counters = sorted(frozenset[str]().union(*(METRICS[name].counters for name in names)))
    asked = {"clock": clock, "period": period, "scope": scope, "filters": filters}
    before = recorded_counters(connection, kept, counters, by_unit=bool(by), **asked)  # type: ignore[arg-type]
    recorded_at = kept.recorded_at.astimezone(clock.zone)
    found: dict[tuple[str | None, str], Correction] = {}
    for unit, metric, top, bottom, value in _figures_in(answer, bool(by)):
        if metric not in names:
            continue
        old_top, old_bottom, old = evaluate(METRICS[metric], dict(before.get(unit, {})))
        if (old_top, old_bottom) != (top, bottom):
            fractions = (_number(old_top), _number(old_bottom), top, bottom)
            found[unit, metric] = Correction(_float(old), value, *fractions, recorded_at)
    return found


def _figures_in(
    answer: pd.DataFrame, by_unit: bool
) -> Iterator[tuple[str | None, str, int | None, int | None, float | None]]:
    """The rows of an answer as plain values."""
    units = [str(unit) for unit in answer["unit"]] if by_unit else [None] * len(answer)
    columns = (answer[name].tolist() for name in ("metric", "numerator", "denominator", "value"))
    for unit, metric, top, bottom, value in zip(units, *columns, strict=True):
        yield unit, str(metric), _number(top), _number(bottom), None if pd.isna(value) else float(value)


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
    kept = recorded(connection, period)
    if kept is None:
        raise BadQuestion(
            f"period {period.text!r}: its figures were not recorded, so nothing can be told of corrections; recorded:"
            f" {', '.join(_known(connection)) or 'none yet, see ioc figures close'}"
        )
    names = _checked(metrics, kept)
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
    by = _groups_of(frame)
    if by not in ([], ["unit"]):
        raise BadQuestion(f"figures are recorded by unit; corrections by {', '.join(by)} are not known")
    kept = recorded(connection, period) if period.end <= as_of else None
    known = set(kept.metrics) if kept else set()
    found = corrected(connection, frame, clock=clock, period=period, as_of=as_of, scope=scope)
    keys = [(str(row.unit) if by else None, str(row.metric)) for row in frame.itertuples(index=False)]
    marks = [key in found if key[1] in known else None for key in keys]
    values = [found[key].old if key in found else None for key in keys]
    return frame.assign(
        corrected=pd.Series(marks, dtype="boolean", index=frame.index),
        corrected_from=pd.Series(values, dtype="Float64", index=frame.index),
    )


def _groups_of(answer: pd.DataFrame) -> list[str]:
    return [name for name in answer.columns if name not in {"metric", "numerator", "denominator", "value"}]


def _units(
    connection: Connection, clock: Clock, period: Period, scope: Scope, filters: Filters | None
) -> frozenset[str] | None:
    values = {name: parse_values(name, texts) for name, texts in (filters or {}).items()}
    if scope.roots is None and not values:
        return None
    return narrow(connection, scope, values, UnitTree.load(connection, clock.day(period.end)))


def recorded_counters(
    connection: Connection,
    kept: Recorded,
    counters: Iterable[str],
    *,
    clock: Clock,
    period: Period,
    scope: Scope,
    filters: Filters | None = None,
    by_unit: bool = True,
) -> dict[str | None, Counts]:
    """Return some counters of a recorded period by unit, or of the scope as one (None); one that is absent was 0."""
    c = closed_figure.c
    codes = _units(connection, clock, period, scope, filters)
    unit = c.unit if by_unit else null()
    wanted = any_(texts(list(counters)))
    statement = select(unit, c.counter, func.sum(c.value)).where(c.period == kept.period, c.counter == wanted)
    if codes is not None:
        statement = statement.where(c.unit == any_(texts(sorted(codes))))
    found: dict[str | None, dict[str, int]] = defaultdict(dict)
    for code, counter, value in connection.execute(statement.group_by(*([unit] if by_unit else []), c.counter)):
        found[code][counter] = int(value)
    return dict(found)


def _checked(metrics: Iterable[str] | None, kept: Recorded) -> tuple[str, ...]:
    names = kept.metrics if metrics is None else tuple(dict.fromkeys(metrics))
    if other := [name for name in names if name not in kept.metrics]:
        known = ", ".join(kept.metrics)
        raise BadQuestion(f"{', '.join(other)}: not recorded at the end of {kept.period}; recorded: {known}")
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


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


__all__ = [
    "COLUMNS", "CORRECTABLE", "Correction", "Recorded", "corrected", "corrections", "recorded", "recorded_counters",
    "with_corrections",
]  # fmt: skip
