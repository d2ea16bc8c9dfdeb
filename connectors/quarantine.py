"""Rows that were refused: kept with their reason, and marked resolved once a later version was stored.

What is kept of a record are the fields that the mapping names, lists left out: no personal field gets here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, DateTime, and_, cast, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from connectors.batch import Batch
from connectors.checks import Refusal
from connectors.entities import UPDATED, Shape
from connectors.mapping import SourceMapping
from connectors.transform import Mapped
from warehouse.schema import quarantine

LONGEST_VALUE = 200


def refused_rows(
    mapping: SourceMapping, batch: Batch, mapped: Mapped, refusals: Sequence[Refusal], shape: Shape
) -> list[dict[str, Any]]:
    """Make the quarantine rows of a batch; the same record refused twice is one row."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for refusal in refusals:
        payload = _payload(mapping, mapped, refusal.row)
        mark = hashlib.sha256(json.dumps(payload, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]
        code = mapped.frame[shape.key[0]].iloc[refusal.row]
        rows.setdefault(
            (mark, refusal.reason),
            {
                "payload_hash": mark, "reason": refusal.reason, "detail": refusal.detail, "payload": payload,
                "code": None if pd.isna(code) else str(code)[:LONGEST_VALUE], "place": batch.place(refusal.row),
            },
        )  # fmt: skip
    return list(rows.values())


def _payload(mapping: SourceMapping, mapped: Mapped, row: int) -> dict[str, str | None]:
    payload: dict[str, str | None] = {}
    for field in sorted(mapped.texts):
        text = mapped.texts[field][row].as_py()
        payload[field] = text if text is None or len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
    updated = mapped.frame[UPDATED].iloc[row]
    payload[UPDATED] = None if pd.isna(updated) else updated.isoformat()
    return payload


def resolve(connection: Connection, source: str, shape: Shape, rows: pd.DataFrame, now: datetime) -> int:
    """Mark refused records as resolved of which `rows`, good and just stored, are a version that is not older."""
    waiting = _open_codes(connection, source, shape)
    if not waiting:
        return 0
    key = shape.key[0]
    good = rows.loc[rows[key].isin(waiting), [key, UPDATED]]
    resolved = 0
    for code, updated in good.itertuples(index=False):
        said = cast(quarantine.c.payload[UPDATED].astext, DateTime(timezone=True))
        older = or_(said.is_(None), said <= updated.to_pydatetime()) if not pd.isna(updated) else said.is_(None)
        mark = update(quarantine).where(_stream(source, shape), quarantine.c.code == code, older)
        mark = mark.where(quarantine.c.resolved_at.is_(None)).values(resolved_at=now)
        resolved += connection.execute(mark).rowcount
    return resolved


def _open_codes(connection: Connection, source: str, shape: Shape) -> set[str]:
    found = select(quarantine.c.code).where(_stream(source, shape), quarantine.c.resolved_at.is_(None))
    return {code for code in connection.execute(found).scalars() if code is not None}


def _stream(source: str, shape: Shape) -> Any:  # noqa: ANN401 - a condition
    return and_(quarantine.c.source == source, quarantine.c.entity == str(shape.entity))


def keep(connection: Connection, source: str, shape: Shape, rows: Sequence[dict[str, Any]], now: datetime) -> int:
    """Keep refused records; one that is already kept stays as it is. Return how many are new.

    A record of which a newer version is stored already is kept as resolved.
    """
    if not rows:
        return 0
    values = [
        {**row, "source": source, "entity": str(shape.entity), "first_seen_at": now, "resolved_at": None}
        for row in rows
    ]
    new = connection.execute(
        insert(quarantine).values(values).on_conflict_do_nothing().returning(quarantine.c.code)
    ).scalars()
    codes = list(new)
    if shape.versioned and codes:
        _resolve_outdated(connection, source, shape, [code for code in codes if code is not None], now)
    return len(codes)


def _resolve_outdated(connection: Connection, source: str, shape: Shape, codes: Sequence[str], now: datetime) -> None:
    table = shape.table
    said = cast(quarantine.c.payload[UPDATED].astext, DateTime(timezone=True))
    connection.execute(
        update(quarantine)
        .where(_stream(source, shape), quarantine.c.code.in_(codes), quarantine.c.resolved_at.is_(None))
        .where(table.c.source == source, table.c[shape.key[0]] == quarantine.c.code, table.c[UPDATED] >= said)
        .values(resolved_at=now)
    )


__all__ = ["keep", "refused_rows", "resolve"]
