"""Rows that a record carries in a list (its supplements, its steps): stored with it, in the same transaction.

The children in the warehouse are always those of the version of the record that is stored: they are replaced when the
record is, and an older version that comes late changes neither. A list that is not there, or cannot be read, has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection, delete, select

from connectors.entities import CHILDREN, SHAPES, UPDATED, Shape
from connectors.incoming import payload_hashes
from connectors.staging import copy_in, prepare, temporary
from connectors.steps import reached
from connectors.store import Labels, Stored, store_rows
from connectors.transform import ChildRows
from warehouse.schema import dossier


def mark_children(children: Sequence[ChildRows], good: pd.DataFrame) -> pd.DataFrame:
    """Add a column CHILDREN to the good rows of a batch: a record whose children differ is another version of it."""
    if not children:
        return good
    marks = np.full(len(good), "", dtype=object)
    for child in children:
        shape = SHAPES[child.declared.entity]
        rows = _rows(child, good, good.index.to_numpy())
        parents = good.index.get_indexer(child.parent[rows.index.to_numpy()]).tolist()
        hashes = payload_hashes(rows[list(shape.stored)])
        for parent, key, mark in zip(parents, rows[shape.key[-1]].tolist(), hashes, strict=True):
            marks[parent] += f" {shape.entity}/{key}:{mark}"
    return good.assign(**{CHILDREN: pd.Series(marks, index=good.index, dtype="str")})


def store_children(
    connection: Connection,
    source: str,
    children: Sequence[ChildRows],
    good: pd.DataFrame,
    stored: Stored,
    *,
    now: datetime,
) -> None:
    """Store the children of those good rows that were written, instead of the children that these had before."""
    if not children or stored.written is None or not len(stored.written):
        return
    for child in children:
        shape = SHAPES[child.declared.entity]
        if stored.replaced:
            _forget(connection, source, shape, good["code"].loc[pd.Index(stored.written)])
        store_rows(connection, shape, source, _rows(child, good, stored.written), now=now)
    reached("children written")


def _rows(child: ChildRows, good: pd.DataFrame, chosen: Labels) -> pd.DataFrame:
    """The rows of children of the chosen records, with the code and the time of their record."""
    mine = np.isin(child.parent, chosen)
    parents = good.loc[child.parent[mine]]
    rows = child.frame[mine]
    return rows.assign(
        code=parents["code"].set_axis(rows.index), flags=child.flags[mine],
        **{UPDATED: parents[UPDATED].set_axis(rows.index)},
    )  # fmt: skip


def _forget(connection: Connection, source: str, shape: Shape, codes: pd.Series[str]) -> None:
    """Delete the children that are stored of these records: in most batches there are few."""
    table, staged = shape.table, temporary(dossier, "parents")
    prepare(connection, staged)
    copy_in(connection, staged, codes.to_frame().assign(source=source))
    same = (table.c.source == staged.c.source) & (table.c.code == staged.c.code)
    found = connection.execute(select(table.c.code).distinct().join_from(staged, table, same)).scalars().all()
    if found:
        connection.execute(delete(table).where(table.c.source == source, table.c.code.in_(found)))


__all__ = ["mark_children", "store_children"]
