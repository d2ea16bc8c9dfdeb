"""Storing the good rows of a batch: only what is new or newer is written, and every effect of it in one transaction.

Which of two versions of a row is newer: the one with the later `source_updated_at`; at the same second the one whose
status is further on, then the one with the greater hash, so that any order of arrival ends in the same table. A row
without that time counts as older than one with it; among rows that have none, the last to arrive stands.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
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

from connectors.entities import TAUGHT, UPDATED, Shape
from connectors.staging import copy_in, prepare, temporary
from warehouse import rollups
from warehouse.schema import dossier, dossier_change, procedure
from warehouse.vocabulary import Entity

WATCHED = ("status", "due_at", "finished_at", "unit")
"""Columns of a dossier whose old values are kept when they change."""


@dataclass(frozen=True, slots=True)
class Stored:
    """How many rows were written, and how many were already there in this or a newer version."""

    stored: int
    unchanged: int
    taught: int = 0


def store_rows(
    connection: Connection, shape: Shape, source: str, rows: pd.DataFrame, *, now: datetime, zone: ZoneInfo
) -> Stored:
    """Store mapped rows (with a `flags` column) of one entity; the caller's transaction holds everything."""
    if not len(rows):
        return Stored(0, 0)
    staged = temporary(shape.table)
    prepare(connection, staged)
    newest = _newest(shape, rows)
    copy_in(connection, staged, _as_stored(shape, source, newest, now))
    connection.execute(delete(staged).where(_same_key(shape, staged), ~_newer(shape, staged)))
    taught = 0
    if shape.entity is Entity.DOSSIER:
        taught = teach_procedures(connection, newest)
        _follow_dossiers(connection, staged, zone)
    stored = _upsert(connection, shape, staged)
    return Stored(stored, len(rows) - stored, taught)


def payload_hashes(frame: pd.DataFrame) -> list[str]:
    """Hash each row over the texts of its values, the same on every machine."""
    mark = pa.scalar("\0", pa.large_string())
    texts = [
        pc.fill_null(pc.cast(_plain(pa.array(frame[name])), pa.large_string()), mark)
        for name in sorted(map(str, frame.columns))
    ]
    joined = pc.binary_join_element_wise(*texts, pa.scalar("\x1f", pa.large_string()))
    return [hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text in joined.to_pylist()]


def _plain(array: Any) -> Any:  # noqa: ANN401 - Arrow array
    """Instants as their seconds, which are rendered much faster."""
    return array.cast(pa.int64()) if pa.types.is_timestamp(array.type) else array


def _newest(shape: Shape, rows: pd.DataFrame) -> pd.DataFrame:
    """Of several versions of a row in one batch, keep the newest; its hash is added."""
    rows = rows.assign(payload_hash=pd.Series(payload_hashes(rows[list(shape.stored)]), index=rows.index, dtype="str"))
    keys = list(shape.key)
    if not rows.duplicated(keys).any():
        return rows
    order = [name for name in (UPDATED, "status", "payload_hash") if name in rows]
    dated = rows[UPDATED].notna()
    undated = rows[~dated].drop_duplicates(keys, keep="last")
    ranked = rows[dated].sort_values(order, kind="stable", na_position="first").drop_duplicates(keys, keep="last")
    return pd.concat([undated, ranked]).drop_duplicates(keys, keep="last").sort_index()


def _as_stored(shape: Shape, source: str, rows: pd.DataFrame, now: datetime) -> pd.DataFrame:
    columns = rows[list(shape.stored)]
    if not shape.versioned:
        return columns
    return columns.assign(
        source=source, seen_at=pd.Timestamp(now).tz_convert("UTC").as_unit("s"),
        payload_hash=rows["payload_hash"], flags=rows["flags"],
    )  # fmt: skip


def _same_key(shape: Shape, staged: Table) -> ColumnElement[bool]:
    return and_(*(column == staged.c[column.name] for column in shape.table.primary_key.columns))


def _newer(shape: Shape, staged: Any) -> ColumnElement[bool]:  # noqa: ANN401 - staged or excluded
    """Whether the staged version of a row replaces the stored one."""
    new, old = staged.c, shape.table.c
    if not shape.versioned:
        return or_(*(new[name].is_distinct_from(old[name]) for name in shape.stored))
    rank = ["status", "payload_hash"] if "status" in old else ["payload_hash"]
    ranks = [
        tuple_(*(func.coalesce(side[name], 0) if name == "status" else side[name] for name in rank))
        for side in (new, old)
    ]
    later = or_(
        old[UPDATED].is_(None),
        func.coalesce(new[UPDATED] > old[UPDATED], literal(False)),
        and_(func.coalesce(new[UPDATED] == old[UPDATED], literal(False)), ranks[0] > ranks[1]),
    )
    return and_(new.payload_hash != old.payload_hash, later)


def _upsert(connection: Connection, shape: Shape, staged: Table) -> int:
    names = [column.name for column in shape.table.columns if column.name in (*shape.stored, *_bookkeeping(shape))]
    statement = insert(shape.table).from_select(names, select(*(staged.c[name] for name in names)))
    keys = [column.name for column in shape.table.primary_key.columns]
    written = statement.on_conflict_do_update(
        index_elements=keys,
        set_={name: statement.excluded[name] for name in names if name not in keys},
    )
    return int(connection.execute(written).rowcount)


def _bookkeeping(shape: Shape) -> tuple[str, ...]:
    return ("source", "seen_at", "payload_hash", "flags") if shape.versioned else ()


def _follow_dossiers(connection: Connection, staged: Table, zone: ZoneInfo) -> None:
    """Keep the old values of watched columns, and move the rollup cells from the old versions to the new ones."""
    replaced = temporary(dossier, "replaced")
    prepare(connection, replaced)
    same = and_(dossier.c.source == staged.c.source, dossier.c.code == staged.c.code)
    before = select(*dossier.columns).where(exists(select(literal(1)).select_from(staged).where(same)))
    found = connection.execute(
        replaced.insert().from_select([column.name for column in dossier.columns], before)
    ).rowcount
    if found:
        _keep_changes(connection, staged, replaced)
    rollups.refresh(connection, zone, added=staged, removed=replaced if found else None)


def _keep_changes(connection: Connection, staged: Table, replaced: Table) -> None:
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
    named = rows.loc[rows["procedure"].notna(), ["procedure", *TAUGHT]]
    named = named.sort_values(["procedure", *TAUGHT]).drop_duplicates("procedure")
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


def _or_none(value: Any) -> str | None:  # noqa: ANN401 - a text or NaN
    return value if isinstance(value, str) else None


__all__ = ["WATCHED", "Stored", "payload_hashes", "store_rows", "teach_procedures"]
