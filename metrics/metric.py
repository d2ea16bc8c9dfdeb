"""What a metric is, apart from which metrics there are (metrics/declarations) and how they are computed.

Numerator and denominator are signed sums of *counters* (metrics/counters.py), so that every ratio is Σ numerator over
Σ denominator and never an average.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from warehouse.vocabulary import Label


class Kind(StrEnum):
    """How a metric behaves over time."""

    FLOW = "flow"
    """Counts events: adds up over units and over time."""
    STOCK = "stock"
    """Counts what there is at an instant: adds up over units, never over time."""
    RATIO = "ratio"
    """Numerator over denominator: both add up, the value does not."""
    DISTRIBUTION = "distribution"
    """Describes many values: nothing adds up."""


class Direction(StrEnum):
    """Which way is good."""

    HIGHER = "higher is better"
    LOWER = "lower is better"
    NONE = "neither"


class Unit(StrEnum):
    """What the value counts."""

    DOSSIERS = "dossiers"
    ANSWERS = "survey answers"
    SHARE = "share of 1"
    POINTS = "points"
    SECONDS = "seconds"
    WORKING_SECONDS = "seconds of office time"
    WORKING_DAYS = "working days"


Sum = tuple[tuple[int, str], ...]
"""A signed sum of counters."""


def total(*plus: str, minus: tuple[str, ...] = ()) -> Sum:
    """Write a signed sum of counters."""
    return (*((1, name) for name in plus), *((-1, name) for name in minus))


@dataclass(frozen=True, slots=True)
class Metric:
    """The declaration of one metric.

    `short` is the formula or rule in a few words, `definition` the whole sentence; `minimum` is the denominator under
    which a value is uncertain. The value of a ratio in WORKING_DAYS is the ratio times the working days of the period.
    """

    name: str
    label: Label
    short: Label
    definition: Label
    kind: Kind
    numerator: Sum
    denominator: Sum = ()
    unit: Unit = Unit.DOSSIERS
    direction: Direction = Direction.NONE
    minimum: int = 0
    legal_basis: str = ""

    @property
    def counters(self) -> frozenset[str]:
        """Names of the counters that the metric is made of."""
        return frozenset(name for _, name in (*self.numerator, *self.denominator))
