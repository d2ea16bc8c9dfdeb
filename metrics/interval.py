"""How sure a share is: the Wilson score interval, and which values are uncertain because little stands behind them.

Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927). Unlike the
usual p ± z·√(p(1−p)/n) it stays inside 0 to 1, and 10 of 10 satisfied answers do not count as certainty.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from metrics.metric import Kind, Metric, Unit
from warehouse.errors import BadQuestion

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends of an interval of shares, 0 to 1."""

    low: float
    high: float


def wilson(numerator: int, denominator: int, confidence: float = CONFIDENCE) -> Interval | None:
    """Return the Wilson score interval of `numerator` of `denominator`; None where there is nothing to measure.

    Raises BadQuestion when the numerator is not a part of the denominator, or the confidence not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise BadQuestion(f"confidence {confidence:g}: write a number between 0 and 1, such as 0.95")
    if denominator < 0 or not 0 <= numerator <= denominator:
        raise BadQuestion(f"{numerator} of {denominator} is no share; the numerator must be a part of the denominator")
    if denominator == 0:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, n = numerator / denominator, denominator
    middle = share + z * z / (2 * n)
    reach = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # the ends of 0 of n and n of n are exact, but not in floating point
    low = 0.0 if numerator == 0 else (middle - reach) / scale
    high = 1.0 if numerator == denominator else (middle + reach) / scale
    return Interval(low, high)


def interval(metric: Metric, numerator: int | None, denominator: int | None) -> Interval | None:
    """Return the interval of a measured value; None where the metric is no share of a whole, or has no denominator."""
    if metric.kind is not Kind.RATIO or metric.unit is not Unit.SHARE or numerator is None or denominator is None:
        return None
    # answers may outnumber the results handed over: such a rate is no share
    return wilson(numerator, denominator) if 0 <= numerator <= denominator else None


def uncertain(metric: Metric, denominator: int | None) -> bool:
    """Whether a value stands on fewer cases than the metric declares as its minimum, so that it is shown greyed."""
    return denominator is not None and 0 < denominator < metric.minimum


__all__ = ["CONFIDENCE", "Interval", "interval", "uncertain", "wilson"]
