"""Storing the good rows of a batch: only what is new or newer is written, and every effect of it in one transaction.

Which of two versions of a row is newer: the one with the later `source_updated_at`; at the same second the one whose
status is further on, then the one with the greater hash, so that any order of arrival ends in the same table. A row
without that time counts as older than one with it; among rows that have none, the last to arrive stands. Where a source
restates (a corrected file, a whole source read again after its mapping was corrected), at the same second the last to
arrive stands as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from connectors.entities import CHILDREN, TAUGHT, UPDATED, Shape
from connectors.incoming import Incoming
from connectors.staging import copy_packed, prepare, temporary
from connectors.steps import reached
from connectors.straight import StraightWay
from warehouse import rollups
from warehouse.schema import dossier_change, procedure
from warehouse.vocabulary import Entity

Labels = NDArray[np.int64]
WATCHED = ("status", "due_at", "finished_at", "unit")
"""Columns of a dossier whose old values are kept when they change."""


COUNTED_BY = ("online_level", "has_fee", "statutory_time", "statutory_unit")
"""Columns of a procedure that decide as what its dossiers are counted."""
LASTING = {
    Entity.PROCEDURE: frozenset(
        {"field_code", "field", "level", "online_level", "statutory_time", "statutory_unit", "has_fee"}
    ),
    Entity.UNIT: frozenset({"lat", "lon", "population"}),
}
"""Columns of the catalogues, which several sources fill: one that does not know a value leaves what another told."""


@dataclass(frozen=True, slots=True)
class Stored:
    """How many rows were written, and how many were already there in this or a newer version.

    `written` are the labels of the rows that were written, where the caller asked for them; `replaced` says whether
    some of them stand in the place of an older version.
    """

    stored: int
    unchanged: int
    taught: int = 0
    written: Labels | None = None
    replaced: bool = False


def store_rows(
    connection: Connection,
    shape: Shape,
    source: str,
    rows: pd.DataFrame,
    *,
    now: datetime,
    straight: StraightWay | None = None,
    restates: bool = False,
) -> Stored:
    """Store mapped rows (with a `flags` column) of one entity, as `store` does."""
    incoming = Incoming.of(shape, source, rows, now=now, restates=restates)
    return store(connection, shape, source, incoming, straight=straight, restates=restates)


def store(
    connection: Connection,
    shape: Shape,
    source: str,
    incoming: Incoming,
    *,
    straight: StraightWay | None = None,
    restates: bool = False,
) -> Stored:
    """Store rows of one entity; the caller's transaction holds everything.

    Rows that have a column CHILDREN are told in `written` when they were. With `straight`, which is one for a run, the
    first load of a source takes a shorter way.
    """
    if not incoming.read:
        return Stored(0, 0)
    if straight is not None and straight.take(connection, shape, source, incoming):
        return _after_straight(connection, shape, incoming)
    newest = incoming.newest
    staged = temporary(shape.table)
    prepare(connection, staged)
    copy_packed(connection, staged, incoming.columns, incoming.packed)
    reached("rows staged")
    old = _old_versions(connection, shape, staged, restates)
    reached("versions compared")
    written = _written(connection, shape, staged, newest, old) if CHILDREN in newest else None
    taught = 0
    if shape.entity is Entity.DOSSIER:
        taught = teach_procedures(connection, newest)
        if old is not None:
            _keep_changes(connection, staged, old)
        reached("changes kept")
    _log_changes(connection, shape, staged, old)
    reached("changes logged")
    # the lock of the stream keeps others from its rows; a catalogue is written by several streams
    stored = _write(connection, shape, staged, new_only=old is None and shape.versioned)
    reached("rows written")
    return Stored(stored, incoming.read - stored, taught, written, replaced=old is not None)


def _after_straight(connection: Connection, shape: Shape, incoming: Incoming) -> Stored:
    """All that follows from rows that are in their table already, none of which was there before."""
    reached("rows staged")
    reached("versions compared")
    taught = 0
    if shape.entity is Entity.DOSSIER:
        taught = teach_procedures(connection, incoming.newest)
        reached("changes kept")
    if shape.table.name in rollups.LOGS:
        rollups.log_everything(connection)
    reached("changes logged")
    reached("rows written")
    labels = incoming.newest.index.to_numpy()
    return Stored(len(labels), incoming.read - len(labels), taught, labels)


def _old_versions(connection: Connection, shape: Shape, staged: Table, restates: bool) -> Table | None:
    """Leave in `staged` what is new or newer and return the stored versions that it replaces; None: there are none.

    The large table is asked once, by its key, and in a first load that is all that this costs.
    """
    old = temporary(shape.table, "replaced")
    prepare(connection, old)
    # Of a batch's keys the index pages are soon in memory; with the usual cost of a random page the planner reads the
    # whole table for every batch instead, and a load gets slower with what it has loaded.
    connection.execute(select(func.set_config("random_page_cost", "1.1", True)))
    known = select(*shape.table.columns).join_from(staged, shape.table, _same_key(shape, shape.table, staged))
    if not connection.execute(insert(old).from_select(list(shape.table.columns.keys()), known)).rowcount:
        return None
    same = _same_key(shape, old, staged)
    connection.execute(delete(staged).where(same, ~_newer(shape, staged, old, restates)))
    connection.execute(delete(old).where(~exists(select(literal(1)).select_from(staged).where(same))))
    return old


def _written(connection: Connection, shape: Shape, staged: Table, newest: pd.DataFrame, old: Table | None) -> Labels:
    """Labels of the rows that will be written: all of them where nothing was stored before."""
    if old is None:
        return newest.index.to_numpy()
    key = shape.key[0]
    codes = set(connection.execute(select(staged.c[key])).scalars())
    return newest.index[newest[key].isin(codes)].to_numpy()


def _log_changes(connection: Connection, shape: Shape, staged: Table, old: Table | None) -> None:
    """Say what the rollups must learn: new versions and those that they replace, or that the catalogue changed."""
    if shape.table.name in rollups.LOGS:
        rollups.log_versions(connection, shape.table, added=staged, removed=old)
    elif shape.entity is Entity.PROCEDURE and _counts_otherwise(connection, shape, staged):
        rollups.log_everything(connection)


def _counts_otherwise(connection: Connection, shape: Shape, staged: Table) -> bool:
    """Whether a procedure becomes known, or known as something that makes its dossiers count otherwise."""
    new, old = staged.c, shape.table.c
    differs = [_told(shape, name, new, old).is_distinct_from(old[name]) for name in COUNTED_BY]
    both = staged.outerjoin(shape.table, _same_key(shape, shape.table, staged))
    return bool(connection.execute(select(exists(select(literal(1)).select_from(both).where(or_(*differs))))).scalar())


def _same_key(shape: Shape, one: Table, other: Table) -> ColumnElement[bool]:
    return and_(*(one.c[column.name] == other.c[column.name] for column in shape.table.primary_key.columns))


def _newer(shape: Shape, staged: Table, stored: Table, restates: bool) -> ColumnElement[bool]:
    """Whether the staged version of a row replaces the stored one."""
    new, old = staged.c, stored.c
    if not shape.versioned:
        differs = or_(*(_told(shape, name, new, old).is_distinct_from(old[name]) for name in shape.stored))
        return and_(differs, func.coalesce(new[UPDATED] >= old[UPDATED], literal(True)))
    rank = ["status", "payload_hash"] if "status" in old else ["payload_hash"]
    ranks = [
        tuple_(*(func.coalesce(side[name], 0) if name == "status" else side[name] for name in rank))
        for side in (new, old)
    ]
    same = func.coalesce(new[UPDATED] == old[UPDATED], literal(False))
    later = or_(
        old[UPDATED].is_(None),
        func.coalesce(new[UPDATED] > old[UPDATED], literal(False)),
        same if restates else and_(same, ranks[0] > ranks[1]),
    )
    return and_(new.payload_hash != old.payload_hash, later)


def _told(shape: Shape, name: str, new: Any, old: Any) -> ColumnElement[Any]:  # noqa: ANN401 - columns by name
    """The new value of a column; where it is unknown and the column is a lasting one, the old value."""
    value: ColumnElement[Any] = new[name]
    return func.coalesce(value, old[name]) if name in LASTING.get(shape.entity, ()) else value


def _write(connection: Connection, shape: Shape, staged: Table, *, new_only: bool) -> int:
    """Insert or update in the order of the key, so that its index is filled page by page."""
    names = [column.name for column in shape.table.columns if column.name in (*shape.stored, *_bookkeeping(shape))]
    keys = [column.name for column in shape.table.primary_key.columns]
    rows = select(*(staged.c[name] for name in names)).order_by(*(staged.c[name] for name in keys))
    statement = insert(shape.table).from_select(names, rows)
    if not new_only:
        known = shape.table.c
        replaced = {name: _told(shape, name, statement.excluded, known) for name in names if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=replaced)
    return int(connection.execute(statement).rowcount)


def _bookkeeping(shape: Shape) -> tuple[str, ...]:
    return ("source", "seen_at", "payload_hash", "flags") if shape.versioned else ()


def _keep_changes(connection: Connection, staged: Table, replaced: Table) -> None:
    """Keep the old values of watched columns."""
    same = and_(replaced.c.source == staged.c.source, replaced.c.code == staged.c.code)
    changes = union_all(
        *(
            select(
                staged.c.source, staged.c.code, staged.c.seen_at, literal(name, Text).label("field"),
                cast(replaced.c[name], Text).label("old"), cast(staged.c[name], Text).label("new"),
            ).where(same, staged.c[name].is_distinct_from(replaced.c[name]))
            for name in WATCHED
        )
    ).subquery()  # fmt: skip
    statement = insert(dossier_change).from_select([column.name for column in dossier_change.columns], select(changes))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["source", "code", "seen_at", "field"], set_={"new": statement.excluded.new}
        )
    )


def teach_procedures(connection: Connection, rows: pd.DataFrame) -> int:
    """Learn procedures that the catalogue does not have from the dossiers that name them."""
    named = _different(rows[["procedure", *TAUGHT]])
    named = named[named["procedure"].notna()].sort_values(["procedure", *TAUGHT]).drop_duplicates("procedure")
    known = set(
        connection.execute(select(procedure.c.code).where(procedure.c.code.in_(list(named["procedure"])))).scalars()
    )
    fresh = named[~named["procedure"].isin(known)]
    if not len(fresh):
        return 0
    values = [
        {"code": code, "name": _or_none(name) or code, "field_code": _or_none(field_code), "field": _or_none(field)}
        for code, name, field_code, field in fresh.to_numpy().tolist()
    ]
    return int(connection.execute(insert(procedure).values(values).on_conflict_do_nothing()).rowcount)


def _different(rows: pd.DataFrame) -> pd.DataFrame:
    """Each row that there is once: few of many."""
    table = pa.Table.from_pandas(rows, preserve_index=False, nthreads=1)
    found: pd.DataFrame = table.group_by(list(rows.columns), use_threads=False).aggregate([]).to_pandas()
    return found


def _or_none(value: Any) -> str | None:  # noqa: ANN401 - a text or NaN
    return value if isinstance(value, str) else None


__all__ = ["WATCHED", "Labels", "Stored", "store", "store_rows", "teach_procedures"]
