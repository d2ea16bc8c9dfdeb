"""Numbers, dates and ages as the reader's language writes them: 28.856 and 57,73 % in Vietnamese."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from warehouse.vocabulary import Language

NONE = "–"
THIN = "\u00a0"


def number(value: float | None, language: Language, digits: int = 0) -> str:
    """Write a count or a quantity; unknown is a dash."""
    if value is None or value != value:  # noqa: PLR0124 - NaN is not itself
        return NONE
    text = f"{value:,.{digits}f}"
    if language == "vi":
        text = text.replace(",", "\0").replace(".", ",").replace("\0", ".")
    return text.replace("-", "\u2212")


def signed(value: float, language: Language, digits: int = 0) -> str:
    """Write a difference with its sign; zero has none."""
    return ("+" if value > 0 else "") + number(value, language, digits)


def percent(ratio: float | None, language: Language, digits: int = 1) -> str:
    """Write a ratio of 0..1 as a percentage; unknown is a dash."""
    if ratio is None or ratio != ratio:  # noqa: PLR0124
        return NONE
    return f"{number(ratio * 100, language, digits)}{THIN}%"


def day(value: date | datetime | None, zone: ZoneInfo) -> str:
    """Write a civil day as dd/MM/yyyy."""
    if value is None or value != value:  # noqa: PLR0124 - NaT is not itself
        return NONE
    return (value.astimezone(zone) if isinstance(value, datetime) else value).strftime("%d/%m/%Y")


def moment(value: datetime | None, zone: ZoneInfo) -> str:
    """Write an instant as HH:mm dd/MM/yyyy on the civil clock."""
    if value is None or value != value:  # noqa: PLR0124
        return NONE
    return value.astimezone(zone).strftime("%H:%M %d/%m/%Y")


_UNITS = (
    (86_400, {"vi": "ngày", "en": "d"}),
    (3_600, {"vi": "giờ", "en": "h"}),
    (60, {"vi": "phút", "en": "min"}),
    (1, {"vi": "giây", "en": "s"}),
)


def span(length: timedelta | None, language: Language) -> str:
    """Write a length of time in its largest whole unit: 3 phút, 2 ngày."""
    if length is None:
        return NONE
    seconds = max(0, int(length.total_seconds()))
    for size, names in _UNITS:
        if seconds >= size or size == 1:
            return f"{number(seconds // size, language)}{THIN}{names[language]}"
    raise AssertionError("the last unit always fits")
