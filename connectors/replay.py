"""Replay: what is kept of quarantined records is mapped and checked again, with the present mapping and units.

Records that pass are stored, in the same transaction as their rows are marked resolved; the others stay, with the
reason that they have now. A replay is a run of its own kind, counted like every run. What is not wholly kept (masked,
cut, or a field that the mapping of then did not name) can only be read from the source again: `sync --from-start`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, Row, and_, exists, func, literal, select, tuple_

from connectors.batch import Batch, Mask, Stretch, text_array, text_column
from connectors.checks import needs_units
from connectors.quarantine import ABSENT, Again
from connectors.runs import RunLog, RunReport, stream_lock
from connectors.steps import reached
from connectors.stream import Stream
from connectors.take import take_again, unit_codes
from connectors.transform import Mapped
from connectors.trouble import ended_badly
from warehouse.errors import TransientError
from warehouse.schema import quarantine, unit
from warehouse.settings import Settings
from warehouse.sources import SourceSettings
from warehouse.vocabulary import RunKind

UNKNOWN_UNIT = "unknown_unit"
LOCK_WAIT_SECONDS = 30.0
Choice = Callable[[Connection, Mapped], Mask]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay of one stream did, and how many rows wait that only the source can mend; None: nothing to do."""

    report: RunReport | None
    incomplete: int


@dataclass(frozen=True, slots=True)
class KeptBatch(Batch):
    """Records of quarantine, each with the place that it came from."""

    places: Sequence[str] = field(default_factory=tuple)

    def place(self, row: int) -> str:
        """Say where the record came from when it was read."""
        return self.places[row]


def replay(
    engine: Engine, settings: Settings, source: SourceSettings, *, now: datetime, reasons: Sequence[str] = ()
) -> Replayed:
    """Try the quarantined records of one stream again, all or those of some reasons.

    Raises ConfigurationError for a wrong mapping, TransientError when the warehouse does not answer or another process
    works on the stream.
    """
    return _Replay(engine, Stream.of(settings, source), now, reasons).run()


def retry_units(engine: Engine, settings: Settings, source: SourceSettings, *, now: datetime) -> list[RunReport]:
    """Try again what was refused for an unknown unit that is known now; the report of that, if there was anything.

    Raises what replay raises.
    """
    stream = Stream.of(settings, source)
    if not needs_units(source.entity, stream.checks) and "unit" not in stream.shape.columns:
        return []

    def placed(connection: Connection, mapped: Mapped) -> Mask:
        return np.asarray(mapped.frame["unit"].isin(unit_codes(connection)), dtype=bool)

    done = _Replay(engine, stream, now, (UNKNOWN_UNIT,), placed).run()
    return [] if done.report is None else [done.report]


def units_known(engine: Engine) -> int:
    """Return how many unit codes there are."""
    with engine.connect() as connection:
        return int(connection.execute(select(func.count(func.distinct(unit.c.code)))).scalar_one())


class _Replay:
    """One replay of one stream."""

    def __init__(
        self, engine: Engine, stream: Stream, now: datetime, reasons: Sequence[str], choice: Choice | None = None
    ) -> None:
        self.engine, self.stream, self.choice = engine, stream, choice
        self.log = RunLog(stream.source, now, RunKind.REPLAY)
        self.waiting = and_(
            quarantine.c.source == stream.source.name,
            quarantine.c.entity == str(stream.source.entity),
            quarantine.c.resolved_at.is_(None),
            *([quarantine.c.reason.in_(reasons)] if reasons else []),
        )
        self.incomplete = 0

    def run(self) -> Replayed:
        with self.engine.connect() as connection:
            if not connection.execute(select(exists().where(self.waiting))).scalar_one():
                return Replayed(None, 0)
            connection.rollback()
            with stream_lock(connection, self.stream.source, LOCK_WAIT_SECONDS) as held:
                if not held:
                    name = self.stream.source.name
                    raise TransientError(f"source {name}: another process works on it; nothing was tried again")
                with connection.begin():
                    self.log.begin(connection)
                try:
                    report = self._all(connection)
                except Exception as error:  # noqa: BLE001 - whatever it is, the run is recorded as failed
                    report = ended_badly(connection, self.log, error)
                return Replayed(report, self.incomplete)

    def _all(self, connection: Connection) -> RunReport | None:
        for rows in self._pages(connection):
            chosen = self._chosen(connection, rows)
            if not chosen:
                continue
            kept = [Again(row.payload_hash, row.reason) for row in chosen]
            take_again(connection, self.stream, self.log, kept, self.stream.map(self._batch(chosen)))
        if not self.log.report.read:
            return None
        with connection.begin():
            return self.log.finish(connection)

    def _pages(self, connection: Connection) -> Iterator[Sequence[Row[Any]]]:
        """The waiting rows, oldest first: of versions without a time the last to arrive stands."""
        order = (quarantine.c.first_seen_at, quarantine.c.payload_hash, quarantine.c.reason)
        page = select(quarantine).where(self.waiting).order_by(*order).limit(self.stream.source.batch_rows)
        seen: set[str] = set()  # a row whose reason changed may come once more
        after = None
        while True:
            with connection.begin():
                rows = connection.execute(page if after is None else page.where(tuple_(*order) > after)).all()
            if not rows:
                return
            after = tuple_(*(literal(getattr(rows[-1], column.name), column.type) for column in order))
            yield [row for row in rows if row.payload_hash not in seen]
            seen = {row.payload_hash for row in rows if row.first_seen_at == rows[-1].first_seen_at}
            reached("rows replayed")

    def _chosen(self, connection: Connection, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        fields = set(self.stream.mapping.source_fields)
        whole = [row for row in rows if row.complete and fields <= {*row.payload, *row.payload.get(ABSENT, ())}]
        self.incomplete += len(rows) - len(whole)
        if self.choice is None or not whole:
            return whole
        mapped = self.stream.map(self._batch(whole))
        with connection.begin():
            return [row for row, wanted in zip(whole, self.choice(connection, mapped), strict=True) if wanted]

    def _batch(self, rows: Sequence[Row[Any]]) -> Batch:
        fields = self.stream.mapping.source_fields
        columns = {name: text_column(text_array([row.payload.get(name) for row in rows])) for name in fields}
        absent = {
            name: np.array([name in row.payload.get(ABSENT, ()) for row in rows])
            for name, needed in fields.items()
            if needed
        }
        absent = {name: lacking for name, lacking in absent.items() if lacking.any()}
        places = [row.place or "" for row in rows]
        return KeptBatch(pd.DataFrame(columns), [Stretch(0, "quarantine row", 1)], None, absent, places)


__all__ = ["Replayed", "replay", "retry_units", "units_known"]
