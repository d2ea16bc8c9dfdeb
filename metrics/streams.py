"""The streams of the sources as the warehouse has recorded them: runs, breakers, what a sweep found, what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Table, and_, case, extract, func, select, union_all

from warehouse.schema import breaker, drift, missing_record, quarantine, sync_run
from warehouse.vocabulary import BreakerState

Name = tuple[str, str]
"""Source and entity."""
LONGEST_LIST = 1_000
RATED = 100
"""A run of fewer records shows how long an answer takes, not how many come in a second."""
RUN_COLUMNS = (
    "id", "kind", "state", "started_at", "finished_at", "read", "stored", "unchanged", "quarantined", "seconds",
    "rate", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What is recorded of one stream beside its last run.

    `rate` (records a second) is of the last run of RATED records or more, `missing` counts records that the last sweep
    did not find at the source, `drift_days` days that differ there, `quarantined` records that wait in quarantine.
    """

    breaker: BreakerState = BreakerState.CLOSED
    failures: int = 0
    try_at: datetime | None = None
    rate: float | None = None
    missing: int = 0
    drift_days: int = 0
    first_drift: date | None = None
    quarantined: int = 0


_c = sync_run.c
# a run that reads nothing again and again is one row: its length says nothing about speed
_SECONDS = case((_c.read > 0, extract("epoch", _c.finished_at - _c.started_at)))
_RATE = case((and_(_SECONDS > 0, _c.read >= RATED), _c.read / _SECONDS))


def stream_facts(connection: Connection, streams: Sequence[Name]) -> dict[Name, StreamFacts]:
    """Return the facts of these streams."""
    cut = {(row.source, row.entity): row for row in connection.execute(select(breaker))}
    missing = _counts(connection, missing_record)
    waiting = _counts(connection, quarantine, quarantine.c.resolved_at.is_(None))
    days = _drifts(connection)
    rates = _rates(connection, streams)
    facts = {}
    for name in streams:
        row = cut.get(name)
        number, first = days.get(name, (0, None))
        facts[name] = StreamFacts(
            BreakerState.CLOSED if row is None else BreakerState(row.state),
            0 if row is None else row.failures,
            None if row is None else row.try_at,
            rates.get(name),
            missing.get(name, 0),
            number,
            first,
            waiting.get(name, 0),
        )
    return facts


def runs(connection: Connection, source: str, entity: str, limit: int = 20) -> pd.DataFrame:
    """Return the last runs of a stream, newest first.

    Columns: RUN_COLUMNS; instants UTC, `seconds` and `rate` (records a second) missing where too few were read.
    """
    columns = [_SECONDS.label(name) if name == "seconds" else _RATE.label(name) if name == "rate" else _c[name]
               for name in RUN_COLUMNS]  # fmt: skip
    statement = select(*columns).where(_c.source == source, _c.entity == entity).order_by(_c.id.desc())
    found = connection.execute(statement.limit(min(limit, LONGEST_LIST))).all()
    frame = pd.DataFrame([tuple(row) for row in found], columns=list(RUN_COLUMNS))
    for name in ("started_at", "finished_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame.astype({"seconds": "float64", "rate": "float64"})


def drift_days(connection: Connection, source: str, entity: str, limit: int = 60) -> pd.DataFrame:
    """Return the days on which the last sweep found other records here than at the source, newest first."""
    c = drift.c
    statement = select(c.day, c.ours, c.theirs, c.checked_at).where(c.source == source, c.entity == entity)
    found = connection.execute(statement.order_by(c.day.desc()).limit(min(limit, LONGEST_LIST))).all()
    return pd.DataFrame([tuple(row) for row in found], columns=["day", "ours", "theirs", "checked_at"])


def missing_records(connection: Connection, source: str, entity: str, limit: int = 200) -> pd.DataFrame:
    """Return codes of records that are stored here and gone at their source, the latest first."""
    c = missing_record.c
    statement = select(c.code, c.missing_since).where(c.source == source, c.entity == entity)
    statement = statement.order_by(c.missing_since.desc(), c.code).limit(min(limit, LONGEST_LIST))
    return pd.DataFrame([tuple(row) for row in connection.execute(statement)], columns=["code", "missing_since"])


def _counts(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> dict[Name, int]:
    c = table.c
    statement = select(c.source, c.entity, func.count()).group_by(c.source, c.entity).where(*conditions)
    return {(source, entity): number for source, entity, number in connection.execute(statement)}


def _drifts(connection: Connection) -> dict[Name, tuple[int, date | None]]:
    c = drift.c
    statement = select(c.source, c.entity, func.count(), func.min(c.day)).group_by(c.source, c.entity)
    return {(source, entity): (number, first) for source, entity, number, first in connection.execute(statement)}


def _rates(connection: Connection, streams: Sequence[Name]) -> dict[Name, float | None]:
    """One backward step in an index for each stream, however many runs there are."""
    if not streams:
        return {}
    newest = [
        select(_c.source, _c.entity, _RATE.label("rate"))
        .where(and_(_c.source == source, _c.entity == entity, _c.read >= RATED, _c.finished_at.is_not(None)))
        .order_by(_c.id.desc())
        .limit(1)
        .subquery()
        for source, entity in streams
    ]
    rows = connection.execute(union_all(*(select(one) for one in newest)))
    return {(source, entity): None if rate is None else float(rate) for source, entity, rate in rows}


__all__ = ["RUN_COLUMNS", "StreamFacts", "drift_days", "missing_records", "runs", "stream_facts"]
