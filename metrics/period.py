"""Periods: half-open spans of time on the civil clock of the offices, and the texts that name them."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Literal

from warehouse.errors import BadQuestion

Step = Literal["day", "month"]

PRESETS = (
    "today",
    "this-week",
    "month-to-date",
    "last-month",
    "quarter-to-date",
    "year-to-date",
    "last-12-months",
)
"""Periods that depend on the day of the question; this-week and *-to-date end with that day."""

ACCEPTED = (
    "2022, 2022Q1, 2022H1, 2022-03, 2022-W48, 2022-03-05, 2022-01-01/2022-12-05 (last day included),"
    " two instants with offset and a slash between (end left out), report-2022, report-2022Q1, report-2022-03"
    f" (statutory reporting periods, 15th to 14th), {', '.join(PRESETS)}"
)


@dataclass(frozen=True, slots=True)
class Period:
    """The instants from `start` up to, not including, `end`; `text` names it and can be parsed again."""

    start: datetime
    end: datetime
    text: str

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise BadQuestion(f"period {self.text!r}: its bounds must be instants with a time zone")
        if self.start >= self.end:
            raise BadQuestion(f"period {self.text!r} ends before it begins; write the earlier bound first")

    @classmethod
    def parse(cls, text: str, zone: tzinfo, *, today: date | None = None) -> Period:
        """Return the period that `text` names on the civil clock `zone`; presets need `today`.

        Raises BadQuestion that lists what is accepted.
        """
        words = text.strip()
        if isinstance(today, datetime):
            today = today.astimezone(zone).date()
        try:
            found = _instants(words) or _days(words, today)
        except ValueError as error:
            raise BadQuestion(f"period {text!r}: {error}; accepted: {ACCEPTED}") from None
        if found is None:
            raise BadQuestion(f"period {text!r} is not understood; accepted: {ACCEPTED}")
        first, stop = found
        if isinstance(first, datetime) and isinstance(stop, datetime):
            return cls(first.astimezone(zone), stop.astimezone(zone), words)
        return cls(midnight(first, zone), midnight(stop, zone), words)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One day or month of a period, cut to it; `code` is a text that Period.parse understands."""

    code: str
    start: datetime
    end: datetime


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the first instant of a civil day."""
    return datetime.combine(day, time(), zone)


def buckets(period: Period, step: Step, until: datetime, zone: tzinfo) -> list[Bucket]:
    """Return the days or months of `period` that have begun before `until`, the last one cut at `until`.

    A period that begins exactly at `until` has one empty bucket.
    """
    first = period.start.astimezone(zone).date()
    if step == "month":
        first = first.replace(day=1)
    stop = max(until, period.start)
    days = [first]
    while (following := days[-1] + timedelta(1) if step == "day" else shift_months(days[-1], 1)) and (
        midnight(following, zone) < stop
    ):
        days.append(following)
    edges = [period.start, *(midnight(day, zone) for day in days[1:]), stop]
    form = "%Y-%m-%d" if step == "day" else "%Y-%m"
    return [Bucket(day.strftime(form), a, b) for day, (a, b) in zip(days, pairwise(edges), strict=True)]


def previous(period: Period) -> Period:
    """Return the comparable period before: the calendar unit before, the same days so far of the unit before, or for
    any other span the same length directly before."""
    zone = period.start.tzinfo
    first, stop = period.start.date(), period.end.date()
    if zone is None or period.start != midnight(first, zone) or period.end != midnight(stop, zone):
        length = period.end - period.start
        start = period.start - length
        return Period(start, period.start, f"{start.isoformat()}/{period.start.isoformat()}")
    last = stop - timedelta(1)
    months = _months_back(period.text)
    if months and (period.text in PRESETS and period.text != "last-month"):
        return _span(shift_months(first, -months), shift_months(last, -months), zone)
    if months:
        return _named(period.text, shift_months(first, -months), stop, months, zone)
    back = timedelta(7) if period.text == "this-week" else stop - first
    return _span(first - back, last - back, zone)


def year_before(period: Period) -> Period:
    """Return the same period of the year before: same calendar unit, same ISO week (the 52nd for a 53rd), or the same
    civil days; 29 February becomes the 28th."""
    if match := re.fullmatch(r"(report-)?(\d{4})((?:Q|H|-W|-)\d{1,2})?", period.text):
        prefix, year, part = match[1] or "", int(match[2]) - 1, match[3] or ""
        try:
            return Period.parse(f"{prefix}{year:04d}{part}", _zone(period))
        except BadQuestion:  # a year with 52 weeks
            return Period.parse(f"{year:04d}-W52", _zone(period))
    first, last = period.start.date(), (period.end - timedelta(microseconds=1)).date()
    if period.start != midnight(first, _zone(period)) or period.end != midnight(last + timedelta(1), _zone(period)):
        start, end = (_year_earlier(edge) for edge in (period.start, period.end))
        return Period(start, end, f"{start.isoformat()}/{end.isoformat()}")
    return _span(shift_months(first, -12), shift_months(last, -12), _zone(period))


def _zone(period: Period) -> tzinfo:
    if period.start.tzinfo is None:
        raise BadQuestion(f"period {period.text!r}: its bounds must be instants with a time zone")
    return period.start.tzinfo


def _year_earlier(instant: datetime) -> datetime:
    day = shift_months(instant.date(), -12)
    return instant.replace(year=day.year, month=day.month, day=day.day)


def shift_months(day: date, months: int) -> date:
    """Return the same day of another month; the last day where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


_MONTHS_BACK = {
    "month-to-date": 1, "last-month": 1, "quarter-to-date": 3, "year-to-date": 12, "last-12-months": 12,
}  # fmt: skip
_UNITS = re.compile(r"(?P<report>report-)?(?P<year>\d{4})(?:Q(?P<quarter>\d)|H(?P<half>\d)|-(?P<month>\d{2}))?")


def _months_back(text: str) -> int | None:
    if match := _UNITS.fullmatch(text):
        return 3 if match["quarter"] else 6 if match["half"] else 1 if match["month"] else 12
    return _MONTHS_BACK.get(text)


def _named(text: str, first: date, stop: date, months: int, zone: tzinfo) -> Period:
    report = text.startswith("report-")
    inside = shift_months(first, 1).replace(day=1) if report else first
    part = {3: f"Q{(inside.month + 2) // 3}", 6: f"H{(inside.month + 5) // 6}", 1: f"-{inside.month:02d}", 12: ""}
    name = f"{'report-' if report else ''}{inside.year}{part[months]}"
    return Period(midnight(first, zone), midnight(shift_months(stop, -months), zone), name)


def _span(first: date, last: date, zone: tzinfo) -> Period:
    text = first.isoformat() if first == last else f"{first.isoformat()}/{last.isoformat()}"
    return Period(midnight(first, zone), midnight(last + timedelta(1), zone), text)


def _instants(text: str) -> tuple[datetime, datetime] | None:
    if "T" not in text or "/" not in text:
        return None
    start, _, end = text.partition("/")
    bounds = datetime.fromisoformat(start), datetime.fromisoformat(end)
    if any(bound.tzinfo is None for bound in bounds):
        raise ValueError("instants need an offset such as +07:00")
    return bounds


def _days(text: str, today: date | None) -> tuple[date, date] | None:
    """Return the first day and the day after the last; None where the text has no known form."""
    if text in PRESETS:
        if today is None:
            raise ValueError("this period needs to know which day it is today")
        return _preset(text, today)
    if match := _UNITS.fullmatch(text):
        return _unit(match)
    if match := re.fullmatch(r"(\d{4})-W(\d{2})", text):
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1)
        return monday, monday + timedelta(7)
    if match := re.fullmatch(r"(\d{4}-\d{2}-\d{2})(?:/(\d{4}-\d{2}-\d{2}))?", text):
        first = date.fromisoformat(match[1])
        last = date.fromisoformat(match[2] or match[1])
        if last < first:
            raise ValueError("it ends before it begins; write the earlier day first")
        return first, last + timedelta(1)
    return None


def _unit(match: re.Match[str]) -> tuple[date, date]:
    months = _months_back(match[0]) or 12
    number = int(match["quarter"] or match["half"] or match["month"] or 1)
    if not 1 <= number <= 12 // months:
        raise ValueError(f"a year has only {12 // months} of these")
    first = date(int(match["year"]), (number - 1) * months + 1, 1)
    if match["report"]:
        if match["half"]:
            raise ValueError("reporting periods are months, quarters and years")
        first = shift_months(first, -1).replace(day=15)
    return first, shift_months(first, months)


def _preset(name: str, today: date) -> tuple[date, date]:
    month = today.replace(day=1)
    firsts = {
        "today": today,
        "this-week": today - timedelta(today.weekday()),
        "month-to-date": month,
        "last-month": shift_months(month, -1),
        "quarter-to-date": date(today.year, (today.month - 1) // 3 * 3 + 1, 1),
        "year-to-date": date(today.year, 1, 1),
        "last-12-months": shift_months(month, -11),
    }
    return firsts[name], month if name == "last-month" else today + timedelta(1)
