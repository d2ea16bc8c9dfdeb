"""The civil clock and the working time of the simulated offices, as arithmetic on whole arrays.

Instants are whole seconds of the local wall clock since 1970-01-01 00:00 (Việt Nam has no daylight saving, UTC+7).
Working time is a second coordinate: seconds of open office since the first working day of the table.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache

import holidays
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ZONE = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
DAY = 86_400
WORKDAY = 8 * 3600
NEVER = 1 << 50
"""An instant that does not come."""

_FIRST_YEAR, _LAST_YEAR = 2015, 2045
_MORNING, _NOON, _AFTERNOON = 7 * 3600 + 1800, 4 * 3600, 13 * 3600
# Announced in December 2025 and missing in the package: Friday 2 January off, Saturday 10 January worked instead.
_SWAPPED_OFF, _SWAPPED_ON = date(2026, 1, 2), date(2026, 1, 10)


def local_seconds(instant: datetime) -> int:
    """Return `instant` (aware) as whole seconds of the local wall clock."""
    return int(instant.astimezone(UTC).timestamp() // 1) + 7 * 3600


def to_datetime(seconds: int) -> datetime:
    """Return the aware instant of local wall-clock seconds."""
    return datetime.fromtimestamp(seconds - 7 * 3600, UTC).astimezone(ZONE)


def day_start(day: date) -> int:
    """Return the first second of a civil day."""
    return (day - date(1970, 1, 1)).days * DAY


@cache
def _working_days() -> Ints:
    table = holidays.country_holidays("VN", years=range(_FIRST_YEAR, _LAST_YEAR + 1))
    worked = set(table.weekend_workdays) | {_SWAPPED_ON}
    first, last = date(_FIRST_YEAR, 1, 1), date(_LAST_YEAR, 12, 31)
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    free = set(table) | {_SWAPPED_OFF}
    days = [day for day in every if day in worked or (day.weekday() < 5 and day not in free)]
    return np.array([(day - date(1970, 1, 1)).days for day in days], dtype=np.int64)


def position(instants: Ints) -> Ints:
    """Return the working-time coordinate; a closed office counts as its next opening."""
    days = _working_days()
    day, second = instants // DAY, instants % DAY
    index = np.minimum(np.searchsorted(days, day), len(days) - 1)
    inside = np.clip(second - _MORNING, 0, _NOON) + np.clip(second - _AFTERNOON, 0, _NOON)
    return index * WORKDAY + np.where(days[index] == day, inside, 0)


def instant(positions: Ints) -> Ints:
    """Return the local second at which the office has been open for `positions` seconds."""
    days = _working_days()
    index = np.clip(positions // WORKDAY, 0, len(days) - 1)
    inside = positions % WORKDAY
    return days[index] * DAY + np.where(inside < _NOON, _MORNING + inside, _AFTERNOON - _NOON + inside)


def civil_day(positions: Ints) -> Ints:
    """Return the days since 1970-01-01 of working-time coordinates."""
    days = _working_days()
    return days[np.clip(positions // WORKDAY, 0, len(days) - 1)]


def day_numbers(instants: Ints) -> Ints:
    """Return civil days as yymmdd numbers, for dossier codes."""
    day = (instants // DAY).astype("datetime64[D]")
    year = day.astype("datetime64[Y]")
    month = day.astype("datetime64[M]")
    yy = (year.astype(np.int64) + 1970) % 100
    mm = month.astype(np.int64) % 12 + 1
    dd = (day - month.astype("datetime64[D]")).astype(np.int64) + 1
    number: Ints = yy * 10_000 + mm * 100 + dd
    return number


def stamps(instants: Ints) -> list[str]:
    """Return instants as yyyyMMddHHmmss texts, the empty text for NEVER."""
    real = np.where(instants < NEVER, instants, 0)
    second = real % DAY
    clock = second // 3600 * 10_000 + second // 60 % 60 * 100 + second % 60
    whole = (day_numbers(real) + 20_000_000) * 1_000_000 + clock
    known = (instants < NEVER).tolist()
    return [str(value) if there else "" for value, there in zip(whole.tolist(), known, strict=True)]


def from_stamp(text: str) -> int:
    """Read a yyyyMMddHHmmss text; ValueError when it is none."""
    return local_seconds(datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=ZONE))
