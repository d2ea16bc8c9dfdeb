"""Comparing the keys that a source has with what is stored, in the database, by whole tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    FromClause,
    Integer,
    Numeric,
    Subquery,
    Table,
    Text,
    and_,
    case,
    cast,
    delete,
    exists,
    extract,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from connectors.entities import UPDATED, Shape
from connectors.missing import of_stream, whole_key
from connectors.quarantine import LONGEST_VALUE
from warehouse.schema import drift, missing_record, quarantine

DRIFT_COLUMNS = ("source", "entity", "day", "theirs", "ours", "their_hash", "our_hash", "checked_at")


@dataclass(frozen=True, slots=True)
class Gone:
    """How many records are stored, how many of them the source no longer has, and how many of those are not marked."""

    stored: int
    missing: int
    unmarked: int

    @property
    def share(self) -> float:
        """Share of the records not marked so far that would be marked now."""
        known = self.stored - (self.missing - self.unmarked)
        return self.unmarked / known if known else 0.0


class Comparison:
    """One stream: `found` holds each key of the source once; `until` is the instant from which on nothing is compared.

    The keys of `found` are those of the table, so that every statement is one join by the key.
    """

    def __init__(self, connection: Connection, source: str, shape: Shape, found: Table, until: datetime | None) -> None:
        self.connection, self.source, self.shape, self.found = connection, source, shape, found
        self.stored, self.until = shape.table, until
        self._same = and_(*(self.stored.c[name] == found.c[name] for name in shape.key))
        self._ours = self.stored.c["source"] == source

    # --- missing here or there --------------------------------------------------------------------------------

    def gone(self) -> Gone:
        """Count what is stored and gone at the source."""
        # joins, for a condition outside WHERE would be asked anew for every row
        marks = of_stream(self.source, self.shape)
        joined = self.stored.outerjoin(self.found, self._same).outerjoin(
            missing_record, and_(marks, missing_record.c.code == self._code(self.stored))
        )
        absent = self.found.c[self.shape.key[0]].is_(None)
        unmarked = and_(absent, missing_record.c.code.is_(None))
        counts = (func.count(), func.count().filter(absent), func.count().filter(unmarked))
        row = self.connection.execute(select(*counts).select_from(joined).where(self._ours)).one()
        return Gone(row[0], row[1], row[2])

    def mark(self, now: datetime) -> tuple[int, int]:
        """Mark what is gone and take the marks of what came back; return how many of each."""
        marks = of_stream(self.source, self.shape)
        here = exists(select(literal(1)).where(self._code(self.found) == missing_record.c.code))
        back = self.connection.execute(delete(missing_record).where(marks, here)).rowcount
        rows = select(
            literal(self.source), literal(str(self.shape.entity)), self._code(self.stored), literal(now)
        ).where(self._ours, ~self._at_source())  # fmt: skip
        names = ["source", "entity", "code", "missing_since"]
        new = insert(missing_record).from_select(names, rows).on_conflict_do_nothing()
        return int(self.connection.execute(new).rowcount), int(back)

    def unstored(self) -> tuple[int, int]:
        """Count the records of the source that are neither stored nor in quarantine: lost ones, and later ones."""
        here = exists(select(literal(1)).where(self._same, self._ours))
        lost = self._before(self.found.c[UPDATED])
        query = select(func.count().filter(lost), func.count().filter(~lost)).select_from(self.found)
        row = self.connection.execute(query.where(~here, ~self._refused(self.found))).one()
        return int(row[0]), int(row[1])

    # --- drift ------------------------------------------------------------------------------------------------

    def drift(self, zone: ZoneInfo, now: datetime) -> list[tuple[Any, ...]]:
        """Replace the days of this stream that differ; return them as (day, theirs, ours, hash, hash).

        A day differs where count or hash of (key, second of the last change) do; the order of the rows is nothing.
        """
        days = self._days(zone)
        here = and_(drift.c.source == self.source, drift.c.entity == str(self.shape.entity))
        self.connection.execute(delete(drift).where(here))
        differ = or_(days.c.theirs != days.c.ours, days.c.their_hash.is_distinct_from(days.c.our_hash))
        rows = select(
            literal(self.source), literal(str(self.shape.entity)), *days.c, literal(now)
        ).where(differ)  # fmt: skip
        self.connection.execute(insert(drift).from_select(list(DRIFT_COLUMNS), rows))
        kept = select(drift.c.day, drift.c.theirs, drift.c.ours, drift.c.their_hash, drift.c.our_hash)
        return [tuple(row) for row in self.connection.execute(kept.where(here).order_by(drift.c.day))]

    def _days(self, zone: ZoneInfo) -> Subquery:
        """Count and hash of each civil day, at the source and here."""
        found, stored = self.found, self.stored
        pairs = (
            select(self._code(found).label("code"), found.c[UPDATED].label("theirs"), stored.c[UPDATED].label("ours"))
            .select_from(found.outerjoin(stored, and_(self._same, self._ours)))
            .where(~self._refused(found))
            .subquery()
        )
        settled = [or_(side.is_(None), self._before(side)) for side in (pairs.c.theirs, pairs.c.ours)]
        sides = union_all(
            *(
                select(literal(number, Integer).label("side"), pairs.c.code, at.label("at"))
                .where(at.is_not(None), *settled)
                for number, at in ((0, pairs.c.theirs), (1, pairs.c.ours))
            )
        ).subquery()  # fmt: skip
        second = cast(cast(extract("epoch", sides.c.at), BigInteger), Text)
        mark = cast(func.hashtextextended(sides.c.code + "|" + second, 0), Numeric)
        day = cast(func.timezone(str(zone), sides.c.at), Date).label("day")
        counts = [func.count().filter(sides.c.side == side).label(name) for side, name in ((0, "theirs"), (1, "ours"))]
        hashes = [
            cast(func.sum(case((sides.c.side == side, mark))), Text).label(name)
            for side, name in ((0, "their_hash"), (1, "our_hash"))
        ]
        return select(day, *counts, *hashes).group_by(day).subquery()

    # --- conditions -------------------------------------------------------------------------------------------

    def _code(self, table: FromClause) -> ColumnElement[str]:
        return whole_key(self.shape, table)

    def _at_source(self) -> ColumnElement[bool]:
        return exists(select(literal(1)).select_from(self.found).where(self._same).correlate(self.stored))

    def _before(self, at: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether an instant is old enough for the record to be here since a sync."""
        return func.coalesce(at < literal(self.until), literal(False)) if self.until else literal(False)

    def _refused(self, table: FromClause) -> ColumnElement[bool]:
        """Whether a version of the record waits in quarantine, which is shown there."""
        return exists().where(
            quarantine.c.source == self.source, quarantine.c.entity == str(self.shape.entity),
            quarantine.c.resolved_at.is_(None), quarantine.c.code == func.left(self._code(table), LONGEST_VALUE),
        )  # fmt: skip


__all__ = ["Comparison", "Gone"]
