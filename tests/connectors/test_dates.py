"""Dates: every format against the standard library, odd texts, and the two odd hours of a year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.dates import DateFormat, read_dates

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
ALL: tuple[DateFormat, ...] = ("yyyyMMddHHmmss", "yyyyMMdd", "dd/MM/yyyy", "iso", "excel")


def instants(*texts: str | None, zone: ZoneInfo = VIETNAM, formats: tuple[DateFormat, ...] = ALL) -> pd.DatetimeIndex:
    return read_dates(pa.array(texts, pa.large_string()), formats).instants(zone)


def one(text: str, zone: ZoneInfo = VIETNAM) -> str | None:
    [found] = instants(text, zone=zone)
    return None if pd.isna(found) else found.isoformat()


moments = st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31))  # noqa: DTZ001 - civil times
WAYS = {
    "yyyyMMddHHmmss": "%Y%m%d%H%M%S", "dd/MM/yyyy": "%d/%m/%Y %H:%M:%S", "iso": "%Y-%m-%dT%H:%M:%S",
}  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(moments, min_size=1, max_size=20), st.sampled_from(sorted(WAYS)), st.sampled_from([VIETNAM, AMSTERDAM]))
def test_formats_agree_with_the_standard_library(times: list[datetime], way: str, zone: ZoneInfo) -> None:
    texts = [time.strftime(WAYS[way]) for time in times]
    want = [time.replace(microsecond=0, tzinfo=zone) for time in times]
    found = instants(*texts, zone=zone, formats=(way,))  # type: ignore[arg-type]
    for expected, got in zip(want, found, strict=True):
        if expected.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == expected.replace(tzinfo=None):
            assert got.to_pydatetime() == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("0123456789/-: TZ+.", max_size=20), max_size=30))
def test_any_text_is_read_or_not_but_never_an_error(texts: list[str]) -> None:
    found = instants(*texts)
    assert len(found) == len(texts)
    for text, got in zip(texts, found, strict=True):
        if len(text) == 14 and text.isdigit() and not pd.isna(got):
            assert got.tz_convert(VIETNAM).strftime("%Y%m%d%H%M%S") == text


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("20220301080000", "2022-03-01T01:00:00+00:00"),
        ("20240229000000", "2024-02-28T17:00:00+00:00"),
        ("20230229000000", None),
        ("20221301000000", None),
        ("20220301240000", None),
        ("20220301086000", None),
        ("00010101000000", None),
        ("2022030108000", None),
        ("20220301", "2022-02-28T17:00:00+00:00"),
        ("1/3/2022", "2022-02-28T17:00:00+00:00"),
        ("01/03/2022 08:00", "2022-03-01T01:00:00+00:00"),
        ("31/04/2022", None),
        ("2022-03-01", "2022-02-28T17:00:00+00:00"),
        ("2022-03-01 08:00:00.999999+01:00", "2022-03-01T07:00:00+00:00"),
        ("2022-03-01T08:00:00Z", "2022-03-01T08:00:00+00:00"),
        ("2022-03-01T08:00:00-0330", "2022-03-01T11:30:00+00:00"),
        ("2022-03-01T08:00:00+99:00", None),
        ("44621.333333", "2022-03-01T01:00:00+00:00"),
        ("0", None),
        ("hôm qua", None),
    ],
)
def test_cases(text: str, utc: str | None) -> None:
    assert one(text) == utc


def test_counts_since_1970() -> None:
    texts = (
        "1646096400",
        "1646096400999",
        "1646096400999999",
        "9999999999",
        "164609640",
        "16460964000",
        "٢٦٤٦٠٩٦٤٠٠",
        None,
    )
    found = instants(*texts, formats=("epoch",))
    assert [None if pd.isna(time) else time.isoformat() for time in found] == [
        *["2022-03-01T01:00:00+00:00"] * 3, "2286-11-20T17:46:39+00:00", None, None, None, None,
    ]  # fmt: skip
    assert one("1646096400") is None, "only where the mapping names it"


def test_an_hour_that_comes_twice_and_one_that_never_comes() -> None:
    twice = read_dates(pa.array(["2011-10-30T02:30:00"], pa.large_string()), ["iso"])
    assert twice.instants(AMSTERDAM)[0].hour == 0
    assert twice.instants(AMSTERDAM, "second")[0].hour == 1
    assert one("2011-03-27T02:30:00", AMSTERDAM) == "2011-03-27T01:00:00+00:00"


def test_civil_days_have_no_zone() -> None:
    reading = read_dates(pa.array(["20220301", None, "x"], pa.large_string()), ["yyyyMMdd"])
    assert reading.days()[0] == np.datetime64("2022-03-01")
    assert np.isnat(reading.days()[1:]).all()


def test_a_slice_of_an_array_is_read_from_its_own_start() -> None:
    texts = pa.array([None, "20220301080000", "20220302080000"], pa.large_string())[1:]
    found = read_dates(texts, ["yyyyMMddHHmmss"]).instants(VIETNAM)
    assert found[1] - found[0] == timedelta(days=1)
