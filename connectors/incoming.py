"""Good rows of a batch made ready for the warehouse, as far as that needs no database.

It is done while PostgreSQL stores the batch before.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from connectors.entities import CHILDREN, UPDATED, Shape
from connectors.rowbytes import row_bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """Rows of one entity: how many were `read`, the `newest` of each key with its hash, the `columns` that are stored
    and their values as the bytes of a COPY.
    """

    read: int
    newest: pd.DataFrame
    columns: tuple[str, ...]
    packed: bytes

    @classmethod
    def of(cls, shape: Shape, source: str, rows: pd.DataFrame, *, now: datetime, restates: bool = False) -> Incoming:
        """Make mapped rows (with a `flags` column) ready; where a source `restates`, the last of a second is newest."""
        if not len(rows):
            return cls(0, rows, (), b"")
        newest = _newest(shape, rows, restates)
        whole = _as_stored(shape, source, newest, now)
        return cls(len(rows), newest, tuple(whole.columns), row_bytes(shape.table, whole))


def payload_hashes(frame: pd.DataFrame) -> list[str]:
    """Hash each row over the texts of its values, the same on every machine."""
    mark = pa.scalar("\0", pa.large_string())
    texts = [
        pc.fill_null(pc.cast(_plain(pa.array(frame[name])), pa.large_string()), mark)
        for name in sorted(map(str, frame.columns))
    ]
    joined = pc.binary_join_element_wise(*texts, pa.scalar("\x1f", pa.large_string()))
    return [hashlib.blake2b(row, digest_size=16).hexdigest() for row in joined.cast(pa.large_binary()).to_pylist()]


def _plain(array: Any) -> Any:  # noqa: ANN401 - Arrow array
    """Instants as their seconds, which are rendered much faster."""
    return array.cast(pa.int64()) if pa.types.is_timestamp(array.type) else array


def _newest(shape: Shape, rows: pd.DataFrame, restates: bool) -> pd.DataFrame:
    """Of several versions of a row in one batch, keep the newest; its hash is added."""
    hashed = [*shape.stored, *(name for name in (CHILDREN,) if name in rows)]
    rows = rows.assign(payload_hash=pd.Series(payload_hashes(rows[hashed]), index=rows.index, dtype="str"))
    keys = list(shape.key)
    if not rows.duplicated(keys).any():
        return rows
    order = [UPDATED] if restates else [name for name in (UPDATED, "status", "payload_hash") if name in rows]
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


__all__ = ["Incoming", "payload_hashes"]
