"""Periods as people say and type them: "Kỳ báo cáo tháng 11/2026 (15/10–14/11)", "11/2026", "tuần 48/2022"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo

from dashboard.texts import _, later
from metrics import Period
from metrics.period import PRESETS, shift_months
from warehouse.errors import BadQuestion

PRESET_TITLES = {
    "today": later("Today"),
    "this-week": later("This week"),
    "month-to-date": later("This month"),
    "last-month": later("Last month"),
    "quarter-to-date": later("This quarter"),
    "year-to-date": later("This year"),
    "last-12-months": later("Last 12 months"),
}
ROMAN = {1: "I", 2: "II", 3: "III", 4: "IV"}
_UNITS = {
    "month": later("Month {month}/{year}"),
    "quarter": later("Quarter {quarter}/{year}"),
    "year": later("Year {year}"),
}
_REPORTS = {
    "month": later("Reporting month {month}/{year}"),
    "quarter": later("Reporting quarter {quarter}/{year}"),
    "year": later("Reporting year {year}"),
}
_UNIT = re.compile(r"(?P<report>report-)?(?P<year>\d{4})(?:Q(?P<quarter>\d)|H(?P<half>\d)|-(?P<month>\d{2}))?")
_WEEK = re.compile(r"(\d{4})-W(\d{2})")


def reporting_periods(today: date) -> tuple[str, ...]:
    """Return the statutory reporting periods that a reader of this day wants: the running month and the two before,
    the last whole quarter, this year and the one before."""
    running = shift_months(today.replace(day=1), 1 if today.day >= 15 else 0)
    months = [shift_months(running, -back) for back in range(3)]
    quarter = shift_months(running, -3)
    return (
        *(f"report-{month:%Y-%m}" for month in months),
        f"report-{quarter.year}Q{(quarter.month + 2) // 3}",
        f"report-{running.year}",
        f"report-{running.year - 1}",
    )


def title(text: str, zone: tzinfo, today: date) -> str:
    """Return what a period is called, with its days where the name does not tell them."""
    if text in PRESET_TITLES:
        return _(PRESET_TITLES[text])
    name = _name(text)
    calendar_unit = _UNIT.fullmatch(text) and not text.startswith("report-")
    if name and calendar_unit:
        return name
    try:
        span = days(Period.parse(text, zone, today=today), zone)
    except BadQuestion:
        return text
    return f"{name} ({span})" if name else span


def full_title(period: Period, zone: tzinfo) -> str:
    """Return what a period is called and its days: for headings and exports, which outlive the present."""
    name = _(PRESET_TITLES[period.text]) if period.text in PRESET_TITLES else _name(period.text)
    span = days(period, zone)
    return f"{name} ({span})" if name else span


def days(period: Period, zone: tzinfo) -> str:
    """Return the first and the last civil day of a period; the year stands where it is needed."""
    first, last = period.start.astimezone(zone), (period.end - timedelta(seconds=1)).astimezone(zone)
    if first.date() == last.date():
        return f"{first:%d/%m/%Y}"
    if first.year == last.year:
        return f"{first:%d/%m}–{last:%d/%m/%Y}"
    return f"{first:%d/%m/%Y}–{last:%d/%m/%Y}"


def _name(text: str) -> str | None:
    if match := _WEEK.fullmatch(text):
        return _("Week {week}/{year}", week=int(match[2]), year=match[1])
    match = _UNIT.fullmatch(text)
    if match is None:
        return None
    part = next((name for name in ("month", "quarter", "half") if match[name]), "year")
    number, year = int(match[part]), match["year"]
    if part == "half":
        return _("First half of {year}", year=year) if number == 1 else _("Second half of {year}", year=year)
    patterns = _REPORTS if match["report"] else _UNITS
    return _(patterns[part]).format(month=number, quarter=ROMAN.get(number, number), year=year)


def understood(text: str) -> str:
    """Return the code of a period that a reader typed in the Vietnamese or English way; the text where it is another.

    11/2026 is a month, 26/11/2026 a day, two days with a dash or slash between are a span; "tuần 48/2022",
    "quý 4/2022" and "năm 2022" are what they say.
    """
    words = unicodedata.normalize("NFC", text).strip()
    if words in PRESETS:
        return words
    for pattern, write in _TYPED:
        if match := pattern.fullmatch(words.casefold()):
            return write(match)
    return words


def _day(text: str) -> str:
    for form in ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a civil day
        except ValueError:
            continue
    return text


_DAY = r"\d{1,2}[/.]\d{1,2}[/.]\d{4}"
_QUARTERS = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_TYPED: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"({_DAY})"), lambda m: _day(m[1])),
    (re.compile(rf"({_DAY})\s*[-–]\s*({_DAY})"), lambda m: f"{_day(m[1])}/{_day(m[2])}"),
    (re.compile(r"(?:tháng|month)?\s*(\d{1,2})/(\d{4})"), lambda m: f"{m[2]}-{int(m[1]):02d}"),
    (re.compile(r"(?:tuần|week)\s*(\d{1,2})[/\s]\s*(\d{4})"), lambda m: f"{m[2]}-W{int(m[1]):02d}"),
    (
        re.compile(r"(?:quý|quarter)\s*(i{1,3}|iv|\d)[/\s]\s*(\d{4})"),
        lambda m: f"{m[2]}Q{_QUARTERS.get(m[1], m[1])}",
    ),
    (re.compile(r"(?:năm|year)\s*(\d{4})"), lambda m: m[1]),
)
