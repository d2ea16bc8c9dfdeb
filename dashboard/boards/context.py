"""Who answers the questions of a board, and the words, names and numbers of one reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import pandas as pd

from dashboard import numbers
from dashboard.metric_words import short_head, short_title
from dashboard.words import translate
from metrics import METRICS, Period
from metrics.interval import Interval
from warehouse.online_terms import OnlineTerms, in_online_terms
from warehouse.settings import Settings
from warehouse.vocabulary import Language, UnitKind


class Reader(Protocol):
    """Answers questions from one snapshot of the warehouse: one data version, one instant, one scope."""

    settings: Settings
    version: int
    as_of: datetime

    @property
    def language(self) -> Language:
        """Language of the words."""

    @property
    def today(self) -> Any:  # noqa: ANN401 - a date
        """The civil day of `as_of`."""

    def ask(
        self,
        names: Sequence[str],
        period: Period,
        by: Sequence[str] = (),
        filters: Mapping[str, Sequence[str]] | None = None,
    ) -> pd.DataFrame:
        """Return what `metrics.measure` answers."""

    def opinions(self, what: str, period: Period, filters: Mapping[str, Sequence[str]] | None = None) -> pd.DataFrame:
        """Return the answers by question ("questions") or the distribution of scores ("scores") of a period."""

    def ranking(self, period: Period) -> pd.DataFrame:
        """Return what `metrics.rank_units` answers."""

    def names(self, dimension: str, codes: Sequence[Any]) -> dict[Any, str]:
        """Return the words for the codes of a dimension."""

    def units(self) -> pd.DataFrame:
        """Return the units of the scope."""

    def targets(self, names: Sequence[str], units: Sequence[str]) -> pd.DataFrame:
        """Return the targets that hold today."""


@dataclass(frozen=True)
class BoardView:
    """What a board is about; `words` names the period for people."""

    period: Period
    compared: Period | None
    """None: compare with nothing."""
    words: str
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    compared_words: str = ""


@dataclass(frozen=True)
class Context:
    """What a builder needs beside its answers: there is room for so many `rows` of a table and `bars` of a chart."""

    reader: Reader
    view: BoardView
    rows: int = 16
    bars: int = 16

    @property
    def language(self) -> Language:
        """Language of the words."""
        return self.reader.language

    @property
    def terms(self) -> OnlineTerms:
        """The words for levels of online service that are set."""
        return self.reader.settings.display.online_terms

    def say(self, text: str, **values: object) -> str:
        """Return a text of the catalogue with `{name}` places filled in."""
        words = translate(text, self.language)
        return words.format(**values) if values else words

    def number(self, value: Any, digits: int = 0) -> str:  # noqa: ANN401 - a cell of a frame
        """Write a count or a quantity; unknown is a dash."""
        return numbers.number(known(value), self.language, digits)

    def percent(self, value: Any, digits: int = 1) -> str:  # noqa: ANN401 - a cell of a frame
        """Write a share of 0..1; unknown is a dash."""
        return numbers.percent(known(value), self.language, digits)

    def names(self, dimension: str, codes: Sequence[Any]) -> list[str]:
        """Return the words for codes of a dimension, in their order."""
        found = self.reader.names(dimension, list(codes))
        return [str(found.get(code, code)) for code in codes]

    def title(self, metric: str) -> str:
        """Return the short title of a metric."""
        return short_title(metric, self.language, self.terms)

    def head(self, metric: str) -> str:
        """Return the shortest name of a metric, for heads of columns."""
        return short_head(metric, self.language, self.terms)

    def label(self, metric: str) -> str:
        """Return the full name of a metric."""
        return in_online_terms(METRICS[metric].label, self.terms).text(self.language)

    def definition(self, metric: str) -> str:
        """Return the formula of a metric in a few words."""
        return in_online_terms(METRICS[metric].short, self.terms).text(self.language)

    def civil(self, instant: datetime) -> date:
        """Return the civil day of an instant."""
        return instant.astimezone(self.reader.settings.zone).date()

    @property
    def last_day(self) -> date:
        """The last civil day that the board knows of."""
        return self.civil(min(self.view.period.end, self.reader.as_of + timedelta(seconds=1)) - timedelta(seconds=1))

    def target(self, metric: str) -> float | None:
        """Return the target that most of the units of the board have for a metric; None where there is none."""
        units = self.reader.units()
        leaves = units[~units["code"].isin(units["parent"]) & (units["kind"] != UnitKind.DEPARTMENT)]
        found = self.reader.targets((metric,), [str(code) for code in leaves["code"]])
        return None if found.empty else float(found["target"].mode().iloc[0])


def known(value: Any) -> float | None:  # noqa: ANN401 - a cell of a frame
    """Return a cell as a number, None where it is missing."""
    return None if value is None or pd.isna(value) else float(value)


def interval_text(found: Interval | None, context: Context) -> str:
    """Write an interval: 97,1–98,4 %."""
    if found is None:
        return ""
    low = context.percent(found.low).removesuffix("%").rstrip()
    return f"{low}–{context.percent(found.high)}"
