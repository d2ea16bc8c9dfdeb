"""What is read once for all questions of one snapshot: in it, nothing can change in between."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from warehouse.engine import ONE_STATE

Value = TypeVar("Value")
_kept: WeakKeyDictionary[Connection, dict[Hashable, Any]] = WeakKeyDictionary()


def once(connection: Connection, key: Hashable, read: Callable[[], Value]) -> Value:
    """Return what `read` gives, read once where the connection is that of a snapshot (warehouse.engine.snapshot)."""
    if not connection.get_execution_options().get(ONE_STATE):
        return read()
    known = _kept.setdefault(connection, {})
    if key not in known:
        known[key] = read()
    found: Value = known[key]
    return found
