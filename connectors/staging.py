"""Bringing a frame into a temporary table of the session by COPY."""

from __future__ import annotations

import io
from functools import cache
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.csv
from psycopg2 import sql
from sqlalchemy import Column, Connection, MetaData, Table, delete
from sqlalchemy.schema import CreateTable


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


def _without_zones(content: Any) -> Any:  # noqa: ANN401 - Arrow table
    """Instants as UTC without a zone, which is written twenty times faster; our sessions speak UTC."""
    fields = [
        field.with_type(pa.timestamp(field.type.unit)) if pa.types.is_timestamp(field.type) else field
        for field in content.schema
    ]
    return content.cast(pa.schema(fields))


def copy_in(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """COPY the frame into a table; its columns must be columns of the table. Missing values become NULL."""
    if not len(frame):
        return
    text = io.BytesIO()
    content = _without_zones(pa.Table.from_pandas(frame, preserve_index=False))
    # one chunk: the writer puts NUL bytes in front of a column that begins with an empty chunk
    pyarrow.csv.write_csv(content.combine_chunks(), text, pyarrow.csv.WriteOptions(include_header=False))
    text.seek(0)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, NULL '')").format(
        sql.Identifier(table.name), sql.SQL(", ").join(sql.Identifier(name) for name in frame.columns)
    )
    driver = cast("Any", connection.connection.dbapi_connection)
    with driver.cursor() as cursor:
        cursor.copy_expert(statement, text)
