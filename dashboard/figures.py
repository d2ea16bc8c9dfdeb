"""Reading the frames of `measure`: one figure, one series, one comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard import numbers
from metrics import METRICS, Kind
from metrics.metric import Unit
from warehouse.vocabulary import Label, Language


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with the parts that it is made of; `value` None means nothing occurred."""

    metric: str
    value: float | None
    numerator: float | None
    denominator: float | None

    @property
    def is_ratio(self) -> bool:
        """Whether the number has a denominator."""
        return METRICS[self.metric].kind is Kind.RATIO

    @property
    def is_few(self) -> bool:
        """Whether so few cases stand behind the number that it may be chance (Metric.minimum)."""
        least = METRICS[self.metric].minimum
        return bool(least) and self.denominator is not None and 0 < self.denominator < least

    def text(self, language: Language, digits: int = 1) -> str:
        """Write the value in the unit of the metric; `digits` behind the comma where it is no count."""
        return amount(self.metric, self.value, language, digits)

    def parts(self, language: Language) -> str:
        """Write numerator / denominator of a share; empty for a count."""
        if not self.is_ratio:
            return ""
        return f"{numbers.number(self.numerator, language)}/{numbers.number(self.denominator, language)}"


def amount(metric: str, value: float | None, language: Language, digits: int = 1) -> str:
    """Write a value of a metric: a count, a percentage, points, hours, working days; unknown is a dash."""
    unit = METRICS[metric].unit
    if unit is Unit.SHARE:
        return numbers.percent(value, language, digits)
    if value is None or unit in {Unit.DOSSIERS, Unit.ANSWERS}:
        return numbers.number(value, language)
    if unit in {Unit.SECONDS, Unit.WORKING_SECONDS}:
        return f"{numbers.number(value / 3600, language, digits)}{numbers.THIN}{_HOURS.text(language)}"
    words = f"{numbers.THIN}{_DAYS.text(language)}" if unit is Unit.WORKING_DAYS else ""
    return f"{numbers.number(value, language, digits)}{words}"


_HOURS, _DAYS = Label("giờ", "h"), Label("ngày", "d")


def _known(value: Any) -> float | None:  # noqa: ANN401 - a cell of a frame
    return None if pd.isna(value) else float(value)


def figure(frame: pd.DataFrame, metric: str, **where: object) -> Figure:
    """Return the figure of `metric` where the dimensions have the given codes; unknown where there is no such row."""
    for column, code in where.items():
        frame = frame[frame[column] == code]
    names = frame["metric"].tolist()  # a mask of pandas takes ten times as long over so few rows
    if metric not in names:
        return Figure(metric, None, None, None)
    row = names.index(metric)
    value, numerator, denominator = (_known(frame[column].iat[row]) for column in ("value", "numerator", "denominator"))
    return Figure(metric, value, numerator, denominator)


def series(frame: pd.DataFrame, metric: str, dimension: str) -> pd.Series:
    """Return the values of `metric` along a dimension, in its order."""
    names, codes, values = (frame[column].tolist() for column in ("metric", dimension, "value"))
    own = [place for place, name in enumerate(names) if name == metric]
    own.sort(key=lambda place: (codes[place] is None, codes[place]))
    index = pd.Index([codes[place] for place in own], name=dimension)
    return pd.Series([values[place] for place in own], index=index, dtype="Float64", name="value")


def figure_texts(metric: str, values: pd.Series, language: Language) -> pd.Series:
    """Write many values of one metric, by the same index; unknown is a dash."""
    texts = [Figure(metric, _known(value), None, None).text(language) for value in values]
    return pd.Series(texts, index=values.index, dtype=object)


def wide(frame: pd.DataFrame, dimension: str, metrics: Sequence[str]) -> pd.DataFrame:
    """Return one row for each code of `dimension` and one column for each metric's value."""
    table = frame.pivot(index=dimension, columns="metric", values="value")
    return table.reindex(columns=list(metrics)).astype("Float64").astype(float)
