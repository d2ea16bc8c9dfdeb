"""Bringing a frame into a temporary table of the session by COPY."""

from __future__ import annotations

import io
from functools import cache
from typing import Any, cast

import pandas as pd
from psycopg2 import sql
from sqlalchemy import Column, Connection, Engine, MetaData, Table, delete, event
from sqlalchemy.schema import CreateTable

from connectors.rowbytes import row_bytes

PIECE_BYTES = 2**18
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
    """COPY the frame into a table; its columns must be columns of the table. Missing values become NULL.

    Raises what `execute` raises, with a lost connection found out alike.
    """
    if not len(frame):
        return
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(table.name), sql.SQL(", ").join(sql.Identifier(name) for name in frame.columns)
    )
    text = statement.as_string(cast("Any", connection.connection.dbapi_connection))
    connection.exec_driver_sql(text, execution_options={COPIED: io.BytesIO(row_bytes(table, frame))})


@event.listens_for(Engine, "do_execute")
def _copy(cursor: Any, statement: str, parameters: object, context: Any) -> bool:  # noqa: ANN401 - of the driver
    """Run a COPY where SQLAlchemy runs statements, so that its errors are treated like those of others."""
    del parameters
    content = context.execution_options.get(COPIED) if context is not None else None
    if content is not None:
        cursor.copy_expert(statement, content, PIECE_BYTES)
    return content is not None
