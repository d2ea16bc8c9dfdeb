"""How the column of the last change counts time, so that it can be compared with an instant and stepped back from.

| scale | column | value |
|---|---|---|
| instant | timestamp with time zone; TIMESTAMP of MariaDB | UTC |
| civil | timestamp, DATETIME | clock of the mapping |
| day | date | the whole day is read again |
| text | texts of one form that sorts: 20220301080000, 2022-03-01 08:00:00, 2022-03-01T01:00:00Z | as it says |
| whole | seconds, milliseconds, microseconds since 1970; the digits yyyyMMddHHmmss or yyyyMMdd | UTC; of the mapping |

SQLite has no types of columns that bind, so there, and for texts and whole numbers everywhere, some values are looked
at. A number that only counts changes cannot be stepped back from by seconds, and a floating one not be compared
exactly: both are refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Literal

from sqlalchemy import ColumnElement, types
from sqlalchemy.dialects.mysql import TIMESTAMP as MYSQL_TIMESTAMP

Kind = Literal["instant", "civil", "day", "text", "whole"]
Raw = str | int | float
FLOOR = datetime(1990, 1, 2, tzinfo=UTC)
"""No system of the field is older; an earlier value means that there is none."""
CEILING = datetime(2200, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT = re.compile(
    r"^(?P<stamp>\d{4}(?P<d>[-/]?)\d{2}(?P=d)\d{2}(?:[ T]?\d{2}(?P<t>:?)\d{2}(?P=t)\d{2}(?:[.,]?\d{1,6})?)?)"
    r"(?P<zone> ?(?:Z|[+-]\d{2}(?::?\d{2})?))?$"
)
_DIGITS = ("yyyyMMddHHmmss", "yyyyMMdd")
_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}


@dataclass(frozen=True, slots=True)
class Scale:
    """One way of counting time; `form` is the pattern of texts or the unit of whole numbers."""

    kind: Kind
    zone: tzinfo
    form: str = ""

    @property
    def label(self) -> str:
        """Name of the scale; a watermark of another one means nothing."""
        return f"{self.kind} {self.form}".strip()

    def instant(self, raw: Any) -> datetime | None:  # noqa: ANN401 - a value of the driver
        """Read a value of the column; None where it is no time of this scale."""
        try:
            return self._instant(raw)
        except (ValueError, OverflowError, TypeError):
            return None

    def _instant(self, raw: Any) -> datetime | None:  # noqa: ANN401
        if self.kind == "whole" and self.form in _UNITS:
            return _EPOCH + timedelta(seconds=float(raw) / _UNITS[self.form])
        if self.kind in {"instant", "civil", "day"}:
            found = datetime.fromisoformat(str(raw))
            return (found if found.tzinfo else found.replace(tzinfo=self._clock)).astimezone(UTC)
        text = str(raw)
        stamp = text if self.kind == "whole" else text[: self.form.rfind("_") + 1]
        digits = re.sub(r"\D", "", stamp)
        if len(digits) < 8:
            return None
        return datetime.strptime(digits[:14].ljust(14, "0"), "%Y%m%d%H%M%S").replace(
            microsecond=int(digits[14:20].ljust(6, "0")), tzinfo=self._clock
        ).astimezone(UTC)  # fmt: skip

    def raw(self, instant: datetime) -> Raw:
        """Write an instant as the column would hold it; what the column cannot tell is cut off."""
        if self.kind == "whole" and self.form in _UNITS:
            return (instant - _EPOCH) // timedelta(microseconds=1_000_000 // _UNITS[self.form])
        local = instant.astimezone(self._clock)
        if self.kind == "day":
            return local.strftime("%Y-%m-%d")
        if self.kind in {"instant", "civil"}:
            return local.strftime("%Y-%m-%d %H:%M:%S.%f")
        digits = local.strftime("%Y%m%d%H%M%S%f")
        if self.kind == "whole":
            return int(digits[: len(self.form)])
        left = iter(digits)
        return "".join(next(left) if sign == "_" else sign for sign in self.form)

    @property
    def _clock(self) -> tzinfo:
        if self.kind == "instant":
            return UTC
        if self.kind != "text":
            return self.zone
        said = _offset(self.form[self.form.rfind("_") + 1 :])
        return self.zone if said is None else said

    def holds(self, column: ColumnElement[Any]) -> ColumnElement[bool] | None:
        """The condition that a value has the form of this scale; None where the type of the column says so."""
        return column.like(self.form) if self.kind == "text" else None


def _offset(text: str) -> tzinfo | None:
    text = text.strip()
    if not text:
        return None
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    distance = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-distance if text[0] == "-" else distance)


def typed_scale(type_: types.TypeEngine[Any], zone: tzinfo) -> Scale | None:
    """Return the scale that the type of a column says, None where its values must be looked at.

    Raises ValueError for a type that cannot be compared with instants.
    """
    if isinstance(type_, types.DateTime):
        aware = type_.timezone or isinstance(type_, MYSQL_TIMESTAMP)
        return Scale("instant" if aware else "civil", zone)
    if isinstance(type_, types.Date):
        return Scale("day", zone)
    if isinstance(type_, types.String | types.Integer) or (isinstance(type_, types.Numeric) and not type_.scale):
        return None
    raise ValueError(f"is of the type {type_}, which cannot be stepped through in the order of time")


def sampled_scale(values: Sequence[Any], zone: tzinfo) -> Scale | None:
    """Return the scale that most of some values have; None without values.

    Raises ValueError when they are no times that sort.
    """
    forms = Counter(form for form in map(_form, values) if form is not None)
    if forms:
        kind, form = forms.most_common(1)[0][0]
        return Scale(kind, zone, form)
    if not values:
        return None
    raise ValueError(
        "holds values that do not sort like time; there may be texts such as 2022-03-01 08:00:00 or 20220301080000,"
        " or whole seconds, milliseconds or microseconds since 1970"
    )


def _form(value: Any) -> tuple[Kind, str] | None:  # noqa: ANN401
    if isinstance(value, int) and not isinstance(value, bool):
        return _fitting("whole", [name for name in _DIGITS if len(str(value)) == len(name)] + list(_UNITS), value)
    if isinstance(value, str) and (match := _TEXT.match(value)) is not None:
        return _fitting("text", [re.sub(r"\d", "_", match["stamp"]) + (match["zone"] or "")], value)
    return None


def _fitting(kind: Kind, forms: Sequence[str], value: Raw) -> tuple[Kind, str] | None:
    """Return the first form by which a value is a time that can be."""
    for form in forms:
        instant = Scale(kind, UTC, form).instant(value)
        if instant is not None and FLOOR <= instant < CEILING:
            return kind, form
    return None


__all__ = ["CEILING", "FLOOR", "Raw", "Scale", "sampled_scale", "typed_scale"]
