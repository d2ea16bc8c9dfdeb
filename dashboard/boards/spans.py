"""The stretches of time that a board shows beside its period."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

from metrics import Period
from metrics.period import midnight, shift_months

COURSE_DAYS = 30
LONG, SHORT = timedelta(days=62), timedelta(days=13)


def course(period: Period, as_of: datetime, zone: tzinfo) -> tuple[Period, str]:
    """Return the days or months that show the course of a period, and which of the two.

    A period of less than two weeks is widened to the thirty days up to its end, one over two months goes by month.
    """
    first, stop = _known_days(period, as_of, zone)
    if stop - first > LONG:
        return _span(first, stop, zone), "month"
    return _span(first if stop - first > SHORT else stop - timedelta(COURSE_DAYS), stop, zone), "day"


def year(period: Period, as_of: datetime, zone: tzinfo) -> Period:
    """Return the twelve months up to the end of a period, the last one as far as it goes."""
    _first, stop = _known_days(period, as_of, zone)
    last = stop - timedelta(1)
    return _span(shift_months(last.replace(day=1), -11), stop, zone)


def _known_days(period: Period, as_of: datetime, zone: tzinfo) -> tuple[date, date]:
    """The first civil day of a period, and the day after the last one that has begun."""
    last = min(period.end - timedelta(microseconds=1), max(as_of, period.start))
    return period.start.astimezone(zone).date(), last.astimezone(zone).date() + timedelta(1)


def _span(first: date, stop: date, zone: tzinfo) -> Period:
    last = stop - timedelta(1)
    return Period(midnight(first, zone), midnight(stop, zone), f"{first.isoformat()}/{last.isoformat()}")
