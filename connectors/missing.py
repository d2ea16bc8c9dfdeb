"""Marks of records that are stored here and gone at their source; a marked record stays in every figure.

A key sweep (connectors.sweep) sets them. They go when a later sweep finds the record, or when it is stored again.
"""

from __future__ import annotations

import pandas as pd
from sqlalchemy import ARRAY, ColumnElement, Connection, FromClause, Text, and_, cast, delete, exists, func, select

from connectors.entities import Shape
from connectors.quarantine import BETWEEN, key_texts
from warehouse.schema import missing_record


def of_stream(source: str, shape: Shape) -> ColumnElement[bool]:
    """The marks of one stream."""
    return and_(missing_record.c.source == source, missing_record.c.entity == str(shape.entity))


def whole_key(shape: Shape, table: FromClause) -> ColumnElement[str]:
    """The natural key of a row as the one text under which it is marked: the same as in quarantine."""
    parts = [cast(table.c[name], Text) for name in shape.key]
    return parts[0] if len(parts) == 1 else func.concat_ws(BETWEEN, *parts)


def found_again(connection: Connection, source: str, shape: Shape, rows: pd.DataFrame) -> int:
    """Take the marks of rows that the source gave just now, in the caller's transaction; return how many there were."""
    marks = of_stream(source, shape)
    if not len(rows) or not connection.execute(select(exists().where(marks))).scalar_one():
        return 0
    keys = cast(key_texts(shape, rows).dropna().tolist(), ARRAY(Text))
    return int(
        connection.execute(delete(missing_record).where(marks, missing_record.c.code == func.any(keys))).rowcount
    )


__all__ = ["found_again", "of_stream", "whole_key"]
