"""Reading the quarantine: which records wait, how many for each reason, everything that is kept of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, true

from warehouse.schema import quarantine


@dataclass(frozen=True, slots=True)
class Choice:
    """Records of a source, with some reasons, first seen since an instant; `resolved` ones too, or those that wait."""

    source: str | None = None
    reasons: Sequence[str] = ()
    since: datetime | None = None
    resolved: bool = False

    @property
    def condition(self) -> ColumnElement[bool]:
        """The same as a condition on the table."""
        q = quarantine.c
        return and_(
            true() if self.source is None else q.source == self.source,
            q.reason.in_(self.reasons) if self.reasons else true(),
            true() if self.since is None else q.first_seen_at >= self.since,
            true() if self.resolved else q.resolved_at.is_(None),
        )


def by_reason(connection: Connection, choice: Choice) -> list[tuple[str, str, str, int, int]]:
    """Return source, entity, reason, how many records, and how many of them are kept whole."""
    names = (quarantine.c.source, quarantine.c.entity, quarantine.c.reason)
    counts = select(*names, func.count(), func.count().filter(quarantine.c.complete)).where(choice.condition)
    return [tuple(row) for row in connection.execute(counts.group_by(*names).order_by(*names))]


def newest(connection: Connection, choice: Choice, limit: int) -> Sequence[Row[Any]]:
    """Return the records that were seen last."""
    order = (quarantine.c.first_seen_at.desc(), quarantine.c.payload_hash, quarantine.c.reason)
    return connection.execute(select(quarantine).where(choice.condition).order_by(*order).limit(limit)).all()


def known_as(connection: Connection, choice: Choice, key: str) -> Sequence[Row[Any]]:
    """Return the records with a code, or whose payload hash begins so."""
    like = or_(quarantine.c.code == key, quarantine.c.payload_hash.startswith(key.lower(), autoescape=True))
    return connection.execute(_in_order(choice).where(like)).all()


def every(connection: Connection, choice: Choice) -> tuple[list[str], Iterator[Row[Any]]]:
    """Return the names of all kept fields, and record after record, however many there are."""
    names = select(func.jsonb_object_keys(quarantine.c.payload)).where(choice.condition).distinct()
    fields = sorted(str(name) for name in connection.execute(names).scalars())
    return fields, iter(connection.execution_options(yield_per=1000).execute(_in_order(choice)))


def _in_order(choice: Choice) -> Select[Any]:
    q = quarantine.c
    return select(quarantine).where(choice.condition).order_by(q.source, q.entity, q.first_seen_at, q.payload_hash)


__all__ = ["Choice", "by_reason", "every", "known_as", "newest"]
