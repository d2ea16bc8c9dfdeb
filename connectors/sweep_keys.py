"""The keys that a source has, with the time of their last change, brought into a temporary table of the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Column, Connection, MetaData, Table, func, insert, select, text
from sqlalchemy.schema import CreateTable, DropTable

from connectors.ahead import ahead
from connectors.entities import UPDATED, Shape
from connectors.mapping import SourceMapping
from connectors.staging import copy_in
from connectors.stream import Stream

NAMES = ("sweep_came", "sweep_found")
Count = Callable[[int, int], None]


@contextmanager
def key_tables(connection: Connection, shape: Shape) -> Iterator[tuple[Table, Table]]:
    """Give two empty temporary tables: for the keys as they come, and for each key once; they outlive transactions.

    No transaction is open while the source is read, however long that takes.
    """
    came, found = _tables(shape)
    with connection.begin():
        _drop(connection, came, found)
        for table in (came, found):
            connection.execute(CreateTable(table))
    try:
        yield came, found
    finally:
        if not connection.invalidated:
            connection.rollback()
            with connection.begin():
                _drop(connection, came, found)


def _tables(shape: Shape) -> tuple[Table, Table]:
    columns = shape.table.columns
    made = [
        Table(name, MetaData(), *(Column(key, columns[key].type) for key in (*shape.key, UPDATED)),
              prefixes=["TEMPORARY"])
        for name in NAMES
    ]  # fmt: skip
    return made[0], made[1]


def _drop(connection: Connection, *tables: Table) -> None:
    for table in tables:
        connection.execute(DropTable(table, if_exists=True))


def read_keys(connection: Connection, stream: Stream, came: Table, count: Count, check: Callable[[], None]) -> None:
    """Read every key of the source from the beginning; each batch is a transaction of its own.

    `count` is told, inside it, how many records a batch had and how many of them had no whole key.
    """
    keys = list(stream.shape.key)
    for _, mapped in ahead(keys_only(stream).mapped(None), check):
        rows = mapped.frame[[*keys, UPDATED]]
        whole = rows[rows[keys].notna().all(axis=1)]
        with connection.begin():
            copy_in(connection, came, whole.reset_index(drop=True))
            count(len(rows), len(rows) - len(whole))
        check()


def each_once(connection: Connection, shape: Shape, came: Table, found: Table) -> None:
    """Fill `found` with each key once, with its latest change: a source may give several versions of a record."""
    keys = [came.c[name] for name in shape.key]
    rows = select(*keys, func.max(came.c[UPDATED])).group_by(*keys)
    connection.execute(insert(found).from_select([*shape.key, UPDATED], rows))
    connection.execute(text(f"analyze {found.name}"))  # a name of ours


def keys_only(stream: Stream) -> Stream:
    """The same stream with no more columns than the key and the time of the last change, and what they need."""
    return replace(stream, mapping=_reduced(stream.mapping, stream.shape))


def _reduced(mapping: SourceMapping, shape: Shape) -> SourceMapping:
    if mapping.rows:  # a record makes several rows: which ones, only the whole mapping can tell
        return mapping
    wanted = {*shape.key, UPDATED} & set(mapping.fields)
    for name in reversed(list(mapping.fields)):  # a rule asks only for columns before its own
        if name in wanted:
            conditions = (rule.when for rule in mapping.fields[name].rules if rule.when is not None)
            wanted |= {when.column for when in conditions if when.column is not None}
    fields = {name: field for name, field in mapping.fields.items() if name in wanted}
    return mapping.model_copy(update={"fields": fields, "children": ()})


__all__ = ["each_once", "key_tables", "keys_only", "read_keys"]
