"""Reading a table or view of a database that we may only read, in the order of (updated, key).

What makes that no record is lost, whatever the source does:

- A pass goes from `overlap_seconds` before the last change that was read to the source's clock at its start. What was
  committed late, or came late to the replica, lies in the overlap. The watermark never passes that clock, so that one
  record dated 2099 does not hide all others. A pass that was cut goes on from its last page to its own upper bound;
  only then a new one begins.
- Rows outside that order are read in full at the end of every run: no time of change, one before 1990, after the
  clock or not in the form of the others, or no key. Where many rows have no time of change, a view with
  coalesce(updated, created) is faster.

What is left to the nightly sweep: commits that are later than the overlap, rows that are deleted, and changes in the
hour that a clock set back shows twice, where `updated` has no offset.

The watermark is JSON: `mark` is the last change that was read; `at` and `bound`, only while a pass is not at its end,
say where it is and where it ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, and_, column, extract, func, literal, or_, select, table, true, types

from connectors.batch import Batch, Stretch
from connectors.readers.sql_database import Database
from connectors.readers.sql_pages import Page, Pager
from connectors.readers.sql_scale import FLOOR, Raw, Scale, sampled_scale, typed_scale
from warehouse.sources import SqlSettings

SAMPLE_ROWS = 500
_ORDERED_TYPES = (types.String, types.Integer, types.Numeric, types.Uuid, types.DateTime, types.Date)
_CLOCKS = {
    "postgresql": extract("epoch", func.clock_timestamp()),
    "sqlite": (func.julianday("now") - 2440587.5) * 86400.0,
    "mysql": func.unix_timestamp(func.now(6)),
    "mariadb": func.unix_timestamp(func.now(6)),
}


@dataclass(frozen=True, slots=True)
class Position:
    """How far a table was read, in values as its column holds them."""

    mark: Raw | None = None
    at: tuple[Raw, Raw] | None = None
    bound: Raw | None = None

    @classmethod
    def parse(cls, text: str | None, stream: Sequence[str]) -> Position:
        """Read a watermark; one of another table, column or form starts anew, which changes nothing."""
        try:
            value = json.loads(text or "{}")
            if value.get("of") != list(stream):
                return cls()
            if "at" not in value:
                return cls(value["mark"])
            updated, key = value["at"]
            return cls(value["mark"], (updated, key), value["bound"])
        except (ValueError, AttributeError, TypeError, KeyError):
            return cls()

    def text(self, stream: Sequence[str]) -> str:
        """Write the watermark."""
        here = {"at": list(self.at), "bound": self.bound} if self.at is not None else {}
        return json.dumps({"of": list(stream), "mark": self.mark, **here}, ensure_ascii=False)


def read(
    settings: SqlSettings, position: str | None, fields: Mapping[str, bool], batch_rows: int, zone: tzinfo = UTC
) -> Iterator[Batch]:
    """Yield the rows that changed after `position`, only the named columns; `zone` is the clock of naive times.

    Raises RefusedInput for what is not as configured, TransientError for what may be better later.
    """
    database = Database(settings)
    try:
        said = position
        for batch in _Reading(database, fields, batch_rows, zone).batches(position):
            if len(batch.frame) or batch.position != said:
                yield batch
            said = batch.position
    finally:
        database.close()


class _Reading:
    """One read of one table."""

    def __init__(self, database: Database, fields: Mapping[str, bool], batch_rows: int, zone: tzinfo) -> None:
        self.database, self.settings, self.zone = database, database.settings, zone
        found = database.columns(self.settings.table, self.settings.schema_name)
        kinds = {name: item.type for name, item in found.items()}
        updated, key = self._special("updated", kinds), self._special("key", kinds)
        self.updated: ColumnElement[Any] = column(updated)
        self.key: ColumnElement[Any] = column(key)
        self.keyless = found[key].nullable
        self.table = table(self.settings.table, schema=self.settings.schema_name)
        self.pager = Pager(database, self.table, self._wanted(fields, kinds), kinds, batch_rows)
        self.type: Any = None
        if database.dialect != "sqlite":  # there a column holds what it is given
            self.type = kinds[updated]
            if not isinstance(kinds[key], _ORDERED_TYPES):
                raise database.refuse(f"key = {key} is of the type {kinds[key]}, which has no order to go by")
        self.scale: Scale | None = None
        self.position = Position()
        self.rows = 0

    # --- the table --------------------------------------------------------------------------------------------

    def _special(self, role: str, found: Mapping[str, Any]) -> str:
        wanted = getattr(self.settings, role)
        if (name := _match(wanted, found)) is None:
            raise self.database.refuse(f"{role} = {wanted} is no column; columns there: {_named(found)}")
        return name

    def _wanted(self, fields: Mapping[str, bool], found: Mapping[str, Any]) -> dict[str, str]:
        """Find the column of each field; the case of letters matters only where it must."""
        names = {name: match for name in fields if (match := _match(name, found)) is not None}
        if missing := [name for name, needed in fields.items() if needed and name not in names]:
            raise self.database.refuse(
                f"lacks the column(s) {', '.join(missing)}; columns there: {_named(found)};"
                " correct the mapping, or mark the column optional"
            )
        return names

    # --- how time is counted ----------------------------------------------------------------------------------

    def _scale(self, position: str | None) -> Scale | None:
        """Learn how `updated` counts time: from its type, else as the watermark says, else from its values."""
        try:
            scale = None if self.type is None else typed_scale(self.type, self.zone)
            return scale or self._known_scale(position) or sampled_scale(self._sample(), self.zone)
        except ValueError as error:
            raise self.database.refuse(f"updated = {self.settings.updated} {error}; name another column") from None

    def _known_scale(self, position: str | None) -> Scale | None:
        try:
            kind, form = json.loads(position or "{}")["of"][-1].split(" ", 1)
        except (ValueError, KeyError, IndexError, AttributeError, TypeError):
            return None
        fits = self.type is None or (kind == "text") is isinstance(self.type, types.String)
        return Scale(kind, self.zone, form) if kind in {"text", "whole"} and fits else None

    def _sample(self) -> list[Any]:
        some = select(self.updated).select_from(self.table).where(self.updated.is_not(None)).limit(SAMPLE_ROWS)
        with self.database.session() as connection:
            queries = (some, some.order_by(self.updated.desc()))
            values = [value for query in queries for value in connection.execute(query).scalars()]
        return [_whole(value) for value in values] if isinstance(self.type, types.Numeric) else values

    def _clock(self) -> datetime:
        """The clock of the source."""
        with self.database.session() as connection:
            seconds = connection.execute(select(_CLOCKS[self.database.dialect])).scalar_one()
        return datetime.fromtimestamp(float(seconds), UTC)

    # --- the order of a run -----------------------------------------------------------------------------------

    def batches(self, position: str | None) -> Iterator[Batch]:
        """Finish the pass that was cut, make a new one, then read what is outside the order of time."""
        self.scale = self._scale(position)
        self.position = Position.parse(position, self._stream)
        loose: ColumnElement[bool] = true()
        if (scale := self.scale) is not None:
            bound = scale.raw(self._clock())
            if self.position.at is not None and self.position.bound is not None:
                yield from self._pass(scale, self.position.bound, None)
            yield from self._pass(scale, bound, self._start(scale))
            loose = or_(self.updated.is_(None), ~self._ordered(scale, bound))
        for page in self.pager.pages(and_(loose, self.key.is_not(None)), (self.key,), None, bool):
            yield self._batch(page)
        for page in self.pager.unordered(self.key.is_(None)) if self.keyless else ():
            yield self._batch(page)

    def _start(self, scale: Scale) -> Raw | None:
        """Where a new pass begins; None: at the first row."""
        mark = None if self.position.mark is None else scale.instant(self.position.mark)
        return None if mark is None else scale.raw(mark - timedelta(seconds=self.settings.overlap_seconds))

    def _ordered(self, scale: Scale, bound: Raw) -> ColumnElement[bool]:
        """The rows that have a place in the order of time, up to a bound."""
        held = scale.holds(self.updated)
        limits = and_(self.updated >= literal(scale.raw(FLOOR)), self.updated <= literal(bound))
        return limits if held is None else and_(limits, held)

    def _pass(self, scale: Scale, bound: Raw, start: Raw | None) -> Iterator[Batch]:
        """Read in the order of time to `bound`, from `start` on, or from where the pass was cut."""
        where = and_(self._ordered(scale, bound), self.key.is_not(None))
        if start is not None:
            where = and_(where, self.updated >= literal(start))
        for page in self.pager.pages(where, (self.updated, self.key), self.position.at, scale.instant):
            mark = _later(scale, self.position.mark, page.top)
            cut = page.last is not None and not page.complete
            self.position = Position(mark, (page.last[0], page.last[1]), bound) if cut and page.last else Position(mark)
            yield self._batch(page)

    @property
    def _stream(self) -> tuple[str, ...]:
        """What a watermark belongs to."""
        settings, label = self.settings, self.scale.label if self.scale is not None else ""
        return settings.schema_name or "", settings.table, settings.updated, settings.key, label

    def _batch(self, page: Page) -> Batch:
        place = Stretch(0, f"{self.settings.table}, row", self.rows + 1)
        self.rows += page.rows
        return Batch(page.frame(), [place], self.position.text(self._stream))


def _later(scale: Scale, one: Raw | None, other: Raw | None) -> Raw | None:
    """The later of two values of the column."""
    if one is None or other is None:
        return other if one is None else one
    first, second = scale.instant(one), scale.instant(other)
    return other if first is None or (second is not None and second > first) else one


def _match(name: str, found: Mapping[str, Any]) -> str | None:
    if name in found:
        return name
    alike = [other for other in found if other.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def _named(found: Mapping[str, Any]) -> str:
    return ", ".join(found)[:600]


def _whole(value: Any) -> int | None:  # noqa: ANN401 - a number of the driver
    try:
        return int(float(value))
    except (ValueError, OverflowError):
        return None


__all__ = ["Position", "read"]
