"""The short way of a first load: while a source has nothing in a table, its rows are copied straight into it.

That a key is not there yet is then left to the index of the key itself, which looks for it anyway: the first key that
comes twice undoes the copy of its batch, and from there on the run takes the usual way. Both end in the same tables.
"""

from __future__ import annotations

from psycopg2.errors import UniqueViolation
from sqlalchemy import Connection, exists, select
from sqlalchemy.exc import IntegrityError

from connectors.entities import Shape
from connectors.incoming import Incoming
from connectors.staging import copy_packed


class StraightWay:
    """Whether a run may still go the short way; the lock of its stream keeps other writers of its rows away."""

    def __init__(self) -> None:
        self._open: bool | None = None

    def take(self, connection: Connection, shape: Shape, source: str, incoming: Incoming) -> bool:
        """Copy rows into their table; False: nothing was done."""
        if self._open is None:
            self._open = shape.versioned and _nothing_there(connection, shape, source)
        if self._open:
            self._open = _copied(connection, shape, incoming)
        return self._open


def _nothing_there(connection: Connection, shape: Shape, source: str) -> bool:
    return not connection.execute(select(exists().where(shape.table.c.source == source))).scalar_one()


def _copied(connection: Connection, shape: Shape, incoming: Incoming) -> bool:
    attempt = connection.begin_nested()
    try:
        copy_packed(connection, shape.table, incoming.columns, incoming.packed)
    except IntegrityError as error:
        attempt.rollback()
        if not isinstance(error.orig, UniqueViolation):
            raise
        return False
    attempt.commit()
    return True


__all__ = ["StraightWay"]
