"""The Wilson interval against published values, and against the equation that it solves."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import METRICS
from metrics.interval import interval, uncertain, wilson
from warehouse.errors import BadQuestion

Z = 1.959963984540054
"""97.5 % point of the normal distribution, from a table."""
# R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3
NEWCOMBE = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0.0, 0.1611), (1, 29): (0.0061, 0.1718)}


@pytest.mark.parametrize(("case", "ends"), NEWCOMBE.items())
def test_published_values(case: tuple[int, int], ends: tuple[float, float]) -> None:
    found = wilson(*case)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == ends


@given(n=st.integers(1, 100_000), data=st.data())
def test_ends_are_where_the_share_is_just_z_deviations_away(n: int, data: st.DataObject) -> None:
    """Each end p solves |x/n − p| = z·√(p(1−p)/n), the test that the interval inverts."""
    x = data.draw(st.integers(0, n))
    found = wilson(x, n)
    assert found is not None
    assert 0 <= found.low <= x / n <= found.high <= 1
    for end in {found.low, found.high} - {0.0, 1.0}:
        assert abs(x / n - end) == pytest.approx(Z * sqrt(end * (1 - end) / n), rel=1e-6, abs=1e-9)
    mirrored = wilson(n - x, n)
    assert mirrored is not None
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((found.low, found.high), abs=1e-12)


@given(n=st.integers(1, 1000), times=st.integers(2, 50), data=st.data())
def test_more_cases_make_it_narrower_and_more_confidence_wider(n: int, times: int, data: st.DataObject) -> None:
    x = data.draw(st.integers(0, n))
    few, many, surer = wilson(x, n), wilson(x * times, n * times), wilson(x, n, 0.99)
    assert few is not None
    assert many is not None
    assert surer is not None
    assert many.high - many.low < few.high - few.low < surer.high - surer.low


def test_nothing_measured_and_what_is_no_share() -> None:
    assert wilson(0, 0) is None
    assert interval(METRICS["satisfied_share"], None, 0) is None
    assert interval(METRICS["received"], 5, None) is None
    assert interval(METRICS["mean_score_three"], 25, 10) is None
    assert interval(METRICS["response_rate"], 12, 10) is None
    assert interval(METRICS["satisfied_share"], 9, 10) == wilson(9, 10)
    for bad in ((11, 10), (-1, 10), (0, -1)):
        with pytest.raises(BadQuestion, match="no share"):
            wilson(*bad)
    with pytest.raises(BadQuestion, match="confidence"):
        wilson(1, 2, 95)


def test_a_value_under_the_minimum_is_uncertain() -> None:
    metric = METRICS["satisfied_share"]
    assert metric.minimum == 30
    assert [uncertain(metric, n) for n in (None, 0, 1, 29, 30, 31)] == [False, False, True, True, False, False]
    assert not uncertain(METRICS["received"], 1)
