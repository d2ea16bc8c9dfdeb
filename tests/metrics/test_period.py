"""Periods: what each text means, what comes before it, how it is cut, what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import Period, previous, year_before
from metrics.period import PRESETS, buckets
from tests.metrics.world import AMSTERDAM, HANOI
from warehouse.errors import BadQuestion

TODAY = date(2024, 3, 30)  # a Saturday of a leap year, with a longer month before the shorter one


@pytest.mark.parametrize(
    ("text", "first", "stop", "before"),
    [
        ("2022", "2022-01-01", "2023-01-01", "2021"),
        ("2022Q1", "2022-01-01", "2022-04-01", "2021Q4"),
        ("2022H2", "2022-07-01", "2023-01-01", "2022H1"),
        ("2022-03", "2022-03-01", "2022-04-01", "2022-02"),
        ("2024-02-29", "2024-02-29", "2024-03-01", "2024-02-28"),
        ("2022-W48", "2022-11-28", "2022-12-05", "2022-11-21/2022-11-27"),
        ("2020-W53", "2020-12-28", "2021-01-04", "2020-12-21/2020-12-27"),
        ("2022-01-01/2022-12-05", "2022-01-01", "2022-12-06", "2021-01-27/2021-12-31"),
        ("report-2026Q1", "2025-12-15", "2026-03-15", "report-2025Q4"),
        ("report-2026", "2025-12-15", "2026-12-15", "report-2025"),
        ("report-2026-01", "2025-12-15", "2026-01-15", "report-2025-12"),
        ("today", "2024-03-30", "2024-03-31", "2024-03-29"),
        ("this-week", "2024-03-25", "2024-03-31", "2024-03-18/2024-03-23"),
        ("month-to-date", "2024-03-01", "2024-03-31", "2024-02-01/2024-02-29"),
        ("last-month", "2024-02-01", "2024-03-01", "2024-01"),
        ("quarter-to-date", "2024-01-01", "2024-03-31", "2023-10-01/2023-12-30"),
        ("year-to-date", "2024-01-01", "2024-03-31", "2023-01-01/2023-03-30"),
        ("last-12-months", "2023-04-01", "2024-03-31", "2022-04-01/2023-03-30"),
    ],
)
def test_text_bounds_and_the_period_before(text: str, first: str, stop: str, before: str) -> None:
    period = Period.parse(text, HANOI, today=TODAY)
    assert (period.start, period.end) == (_midnight(first), _midnight(stop))
    assert period.text == text
    earlier = previous(period)
    assert earlier.text == before
    assert earlier == Period.parse(before, HANOI)
    assert earlier.end <= period.start


def test_instants_are_half_open_and_keep_their_length() -> None:
    period = Period.parse("2024-01-01T07:00:00+07:00/2024-01-01T19:00:00+07:00", HANOI)
    assert (period.end - period.start) == timedelta(hours=12)
    assert previous(period).end == period.start
    assert previous(period).start == datetime(2023, 12, 31, 12, tzinfo=UTC)
    assert Period.parse(previous(period).text, HANOI) == previous(period)


def test_today_may_be_an_instant_of_any_zone() -> None:
    instant = datetime(2024, 3, 29, 18, tzinfo=UTC)  # already the 30th in Hanoi
    assert Period.parse("today", HANOI, today=instant) == Period.parse("today", HANOI, today=TODAY)


def test_every_preset_is_understood_and_named_in_the_refusal() -> None:
    with pytest.raises(BadQuestion) as refusal:
        Period.parse("yesteryear", HANOI)
    for preset in PRESETS:
        assert Period.parse(preset, HANOI, today=TODAY).text == preset
        assert preset in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    ["", "2022-13", "2022Q5", "2022H3", "2022-W54", "2022-02-30", "2022-03-05/2022-03-01", "22", "report-2022H1",
     "2022-01-01T00:00:00/2022-02-01T00:00:00", "0000", "month-to-date"],
)  # fmt: skip
def test_nonsense_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(BadQuestion, match="2022Q1"):
        Period.parse(text, HANOI)


def test_a_period_upside_down_or_without_zone_is_refused() -> None:
    with pytest.raises(BadQuestion, match="ends before it begins"):
        Period(_midnight("2022-02-01"), _midnight("2022-01-01"), "upside down")
    with pytest.raises(BadQuestion, match="time zone"):
        Period(datetime(2022, 1, 1), datetime(2022, 2, 1), "naive")  # noqa: DTZ001 - that is the point


def test_days_follow_the_civil_clock_over_a_change_of_summer_time() -> None:
    period = Period.parse("2024-03", AMSTERDAM)
    days = buckets(period, "day", period.end, AMSTERDAM)
    assert len(days) == 31
    assert (days[30].end.astimezone(UTC) - days[30].start.astimezone(UTC)) == timedelta(hours=23)


@given(
    first=st.dates(date(2019, 1, 1), date(2025, 12, 31)),
    length=st.integers(1, 500),
    known=st.integers(0, 600 * 86_400),
    step=st.sampled_from(["day", "month"]),
)
def test_buckets_cover_the_period_without_gap_or_overlap(first: date, length: int, known: int, step: str) -> None:
    last = first + timedelta(length - 1)
    period = Period.parse(f"{first}/{last}", HANOI)
    until = min(period.end, period.start + timedelta(seconds=known))
    cuts = buckets(period, "day" if step == "day" else "month", until, HANOI)
    assert cuts[0].start == period.start
    assert cuts[-1].end == until
    assert all(a.end == b.start for a, b in pairwise(cuts))
    assert all(bucket.start < bucket.end for bucket in cuts) or until == period.start
    for bucket in cuts:
        named = Period.parse(bucket.code, HANOI)
        assert named.start <= bucket.start <= bucket.end <= named.end


@pytest.mark.parametrize(
    ("text", "named", "first", "stop"),
    [
        ("2022-03", "2021-03", "2021-03-01", "2021-04-01"),
        ("2022Q1", "2021Q1", "2021-01-01", "2021-04-01"),
        ("2022H2", "2021H2", "2021-07-01", "2022-01-01"),
        ("2022", "2021", "2021-01-01", "2022-01-01"),
        ("2022-W48", "2021-W48", "2021-11-29", "2021-12-06"),
        ("2020-W53", "2019-W52", "2019-12-23", "2019-12-30"),
        ("report-2022-03", "report-2021-03", "2021-02-15", "2021-03-15"),
        ("report-2022", "report-2021", "2020-12-15", "2021-12-15"),
        ("2024-02-29", "2023-02-28", "2023-02-28", "2023-03-01"),
        ("2024-02-01/2024-02-29", "2023-02-01/2023-02-28", "2023-02-01", "2023-03-01"),
        ("month-to-date", "2023-03-01/2023-03-30", "2023-03-01", "2023-03-31"),
        ("today", "2023-03-30", "2023-03-30", "2023-03-31"),
    ],
)
def test_the_same_period_of_the_year_before(text: str, named: str, first: str, stop: str) -> None:
    before = year_before(Period.parse(text, HANOI, today=TODAY))
    assert (before.start, before.end, before.text) == (_midnight(first), _midnight(stop), named)
    assert Period.parse(named, HANOI, today=TODAY) == before


def test_the_year_before_of_instants_keeps_their_clock() -> None:
    period = Period.parse("2024-02-29T08:00:00+07:00/2024-03-01T09:30:00+07:00", HANOI)
    before = year_before(period)
    assert before.start.isoformat() == "2023-02-28T08:00:00+07:00"
    assert before.end.isoformat() == "2023-03-01T09:30:00+07:00"


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), HANOI)
