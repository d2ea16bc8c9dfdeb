"""Numbers and ages as Vietnamese readers write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from dashboard import numbers

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def test_the_figures_of_the_published_report() -> None:
    assert numbers.number(28856, "vi") == "28.856"
    assert numbers.number(28856, "en") == "28,856"
    assert numbers.percent(3905 / 6764, "vi", 2) == "57,73\u00a0%"
    assert numbers.percent(1845 / 10434, "en", 2) == "17.68\u00a0%"


def test_unknown_is_a_dash_and_never_zero() -> None:
    for value in (None, float("nan")):
        assert numbers.number(value, "vi") == "–"
        assert numbers.percent(value, "vi") == "–"
    assert numbers.day(None, ZONE) == "–"
    assert numbers.moment(None, ZONE) == "–"
    assert numbers.span(None, "vi") == "–"


def test_signs() -> None:
    assert numbers.signed(12, "vi") == "+12"
    assert numbers.signed(-12, "vi") == "\u221212"
    assert numbers.signed(0, "vi") == "0"


def test_civil_clock() -> None:
    instant = datetime(2022, 12, 31, 17, 30, tzinfo=UTC)
    assert numbers.moment(instant, ZONE) == "00:30 01/01/2023"
    assert numbers.day(instant, ZONE) == "01/01/2023"
    assert numbers.day(date(2022, 12, 31), ZONE) == "31/12/2022"


def test_spans() -> None:
    assert numbers.span(timedelta(seconds=3), "vi") == "3\u00a0giây"
    assert numbers.span(timedelta(minutes=61), "vi") == "1\u00a0giờ"
    assert numbers.span(timedelta(days=1500), "vi") == "1.500\u00a0ngày"
    assert numbers.span(timedelta(0), "en") == "0\u00a0s"
    assert numbers.span(timedelta(seconds=-5), "vi") == "0\u00a0giây"


@given(st.integers(-(10**12), 10**12))
def test_a_written_number_reads_back(value: int) -> None:
    written = numbers.number(value, "vi")
    assert int(written.replace(".", "").replace("\u2212", "-")) == value
