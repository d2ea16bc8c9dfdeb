"""Classes of values for the map: round bounds, a colour and words for each, and the words of one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from dashboard import numbers
from dashboard.maps import UNKNOWN, Shade
from dashboard.texts import _, later, translate
from dashboard.theme import ACHIEVEMENT, BURDEN
from metrics import METRICS, Direction
from metrics.metric import Unit
from warehouse.vocabulary import Language

STEPS = 5
LENGTHS = {
    Unit.SECONDS: (86_400.0, later("days")),
    Unit.WORKING_SECONDS: (3_600.0, later("working hours")),
    Unit.WORKING_DAYS: (1.0, later("working days")),
}
"""Into what lengths of time are written, and the word for it."""


@dataclass(frozen=True, slots=True)
class Classes(Shade):
    """Classes with words: class 0 is below the first bound, class n from bound n - 1 on; one bound at least."""

    def colour(self, value: float | None, *, dark: bool) -> str:
        """Return the colour of a value; unknown has a grey of its own."""
        if value is None or pd.isna(value):
            return UNKNOWN[dark]
        return self.colours(dark=dark)[self.index(value)]

    def colours(self, *, dark: bool) -> list[str]:
        """Return the colours of the classes: from the first of the scale to its last, however few they are."""
        steps = self.scale.steps(dark=dark)
        last = len(self.bounds)
        return [steps[round(n * (len(steps) - 1) / last)] for n in range(last + 1)]

    def index(self, value: float) -> int:
        """Return the class of a value."""
        return sum(value >= bound for bound in self.bounds)

    def words(self, metric: str, language: Language) -> list[str]:
        """Return what each class holds, from the lowest: "0", "1–9", "10–24", "≥ 25"."""
        size = step(metric)
        texts = [value_text(metric, bound, language) for bound in self.bounds]
        found = [f"< {texts[0]}"]
        if METRICS[metric].unit not in {Unit.POINTS} and self.bounds[0] <= size:
            found = [value_text(metric, 0.0, language)]
        for lower, upper in zip(self.bounds, self.bounds[1:], strict=False):
            ends = value_text(metric, lower, language), value_text(metric, upper - size, language)
            found.append(ends[0] if ends[0] == ends[1] else f"{_bare(ends[0], ends[1])}–{ends[1]}")
        whole = METRICS[metric].unit is Unit.SHARE and self.bounds[-1] >= 1
        return [*found, texts[-1] if whole else f"≥ {texts[-1]}"]


def _bare(lower: str, upper: str) -> str:
    """Leave out the unit of the lower end where the upper end has the same."""
    number, _space, unit = lower.partition(numbers.THIN)
    return number if unit and upper.endswith(numbers.THIN + unit) else lower


def classes_of(metric: str, values: Sequence[float | None] | pd.Series) -> Classes:
    """Return classes for a metric that hold about equally many of the values, with round bounds.

    Zero is a class of its own, but for what is better the more it is.
    """
    known = pd.Series(values, dtype=float).dropna()
    direction, size = METRICS[metric].direction, step(metric)
    scale = BURDEN if direction is Direction.LOWER else ACHIEVEMENT
    shares = [n / (STEPS + 1) for n in range(1, STEPS + 1)]
    if direction is not Direction.HIGHER and (known <= 0).any():
        known, shares = known[known > 0], [n / STEPS for n in range(STEPS)]
    bounds = {_round(float(known.quantile(share)), size) for share in shares} if len(known) else {size}
    return Classes(scale, tuple(sorted(bounds)))


def step(metric: str) -> float:
    """Return the smallest difference that the words of a metric show."""
    unit = METRICS[metric].unit
    if unit in LENGTHS:
        return LENGTHS[unit][0] / 10
    return {Unit.SHARE: 0.001, Unit.POINTS: 0.01}.get(unit, 1.0)


def _round(value: float, size: float) -> float:
    """Round down to two digits of what the words show, at least to its smallest difference."""
    count = int(value / size + 1e-9)
    rough = 10 ** max(0, len(str(count)) - 2)
    return float(round(max(1, count // rough * rough) * size, 6))


def value_text(metric: str, value: float | None, language: Language) -> str:
    """Write one value with its unit: a count, 57,7 %, 2,5 ngày, 3,1 giờ, 2,71; unknown is a dash."""
    if value is None or pd.isna(value):
        return numbers.NONE
    unit = METRICS[metric].unit
    if unit is Unit.SHARE:
        return numbers.percent(value, language)
    if unit is Unit.POINTS:
        return numbers.number(value, language, 2)
    if unit not in LENGTHS:
        return numbers.number(value, language)
    size, word = LENGTHS[unit]
    return f"{numbers.number(value / size, language, 1)}{numbers.THIN}{translate(word, language)}"


def reading(metric: str) -> str:
    """Say what a stronger colour means: darker on light ground, brighter on dark ground."""
    return {
        Direction.HIGHER: _("The stronger the colour, the better"),
        Direction.LOWER: _("The stronger the colour, the more it needs attention"),
    }.get(METRICS[metric].direction, _("The stronger the colour, the more"))
