"""Bringing a frame into a temporary table of the session by COPY."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import pandas as pd
from psycopg2 import sql
from sqlalchemy import Column, Connection, Engine, MetaData, Table, delete, event
from sqlalchemy.schema import CreateTable

from connectors.rowbytes import row_bytes

PIECE_BYTES = 2**24
"""Each piece waits for the interpreter, which the thread that maps the next batch may hold: better one than many."""
COPIED = "ioc_copied"
"""Execution option that holds what a COPY reads."""


@cache
def temporary(table: Table, prefix: str = "stage") -> Table:
    """Return a temporary table with the columns of `table`, without keys; it is emptied at the end of a transaction."""
    return Table(
        f"{prefix}_{table.name}",
        MetaData(),
        *(Column(column.name, column.type) for column in table.columns),
        prefixes=["TEMPORARY"],
        postgresql_on_commit="DELETE ROWS",
    )


def prepare(connection: Connection, *tables: Table) -> None:
    """Make temporary tables where this session has none yet, and empty them."""
    for table in tables:
        connection.execute(CreateTable(table, if_not_exists=True))
        connection.execute(delete(table))


def copy_in(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """COPY the frame into a table; its columns must be columns of the table. Missing values become NULL."""
    if len(frame):
        copy_packed(connection, table, tuple(frame.columns), row_bytes(table, frame))


def copy_packed(connection: Connection, table: Table, columns: Sequence[str], packed: bytes) -> None:
    """COPY rows that are packed already (`row_bytes`) into some columns of a table.

    Raises what `execute` raises, with a lost connection found out alike.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(table.name), sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    )
    text = statement.as_string(cast("Any", connection.connection.dbapi_connection))
    connection.exec_driver_sql(text, execution_options={COPIED: io.BytesIO(packed)})


@event.listens_for(Engine, "do_execute")
def _copy(cursor: Any, statement: str, parameters: object, context: Any) -> bool:  # noqa: ANN401 - of the driver
    """Run a COPY where SQLAlchemy runs statements, so that its errors are treated like those of others."""
    del parameters
    content = context.execution_options.get(COPIED) if context is not None else None
    if content is not None:
        cursor.copy_expert(statement, content, PIECE_BYTES)
    return content is not None
