"""Reading the frames of `measure`: one figure, one series, one comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard import numbers
from metrics import METRICS, Kind
from warehouse.vocabulary import Language


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with the parts that it is made of; `value` None means nothing occurred."""

    metric: str
    value: float | None
    numerator: float | None
    denominator: float | None

    @property
    def is_ratio(self) -> bool:
        """Whether the number is a share."""
        return METRICS[self.metric].kind is Kind.RATIO

    def text(self, language: Language) -> str:
        """Write the value: a count, or a percentage."""
        return numbers.percent(self.value, language) if self.is_ratio else numbers.number(self.value, language)

    def parts(self, language: Language) -> str:
        """Write numerator / denominator of a share; empty for a count."""
        if not self.is_ratio:
            return ""
        return f"{numbers.number(self.numerator, language)}/{numbers.number(self.denominator, language)}"


def _known(value: Any) -> float | None:  # noqa: ANN401 - a cell of a frame
    return None if pd.isna(value) else float(value)


def figure(frame: pd.DataFrame, metric: str, **where: object) -> Figure:
    """Return the figure of `metric` where the dimensions have the given codes; unknown where there is no such row."""
    rows = frame[frame["metric"] == metric]
    for column, code in where.items():
        rows = rows[rows[column] == code]
    if rows.empty:
        return Figure(metric, None, None, None)
    row = rows.iloc[0]
    return Figure(metric, _known(row["value"]), _known(row["numerator"]), _known(row["denominator"]))


def series(frame: pd.DataFrame, metric: str, dimension: str) -> pd.Series:
    """Return the values of `metric` along a dimension, in its order."""
    rows = frame[frame["metric"] == metric].sort_values(dimension)
    return rows.set_index(dimension)["value"]


def figure_texts(metric: str, values: pd.Series, language: Language) -> pd.Series:
    """Write many values of one metric, by the same index; unknown is a dash."""
    texts = [Figure(metric, _known(value), None, None).text(language) for value in values]
    return pd.Series(texts, index=values.index, dtype=object)


def wide(frame: pd.DataFrame, dimension: str, metrics: Sequence[str]) -> pd.DataFrame:
    """Return one row for each code of `dimension` and one column for each metric's value."""
    table = frame.pivot(index=dimension, columns="metric", values="value")
    return table.reindex(columns=list(metrics)).astype("Float64").astype(float)
