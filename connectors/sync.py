"""One run of a source: read, map, check, and store each batch with all its effects in one transaction.

A batch's transaction holds its rows, the old values of what they changed, the rollup cells, the refused rows, the
watermark after it, the run's counters and the new data version: after a crash at any step the next run goes on from
the last batch that is wholly there, and reading a batch again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection, Engine, select

from connectors import files, quarantine, rest
from connectors.ahead import ahead
from connectors.batch import Batch
from connectors.checks import Action, Context, actions, needs_units, run_checks
from connectors.entities import SHAPES, Shape
from connectors.mapping import SourceMapping, load_mapping
from connectors.runs import RunLog, RunReport, new_version, stream_lock
from connectors.store import store_rows
from connectors.transform import Mapped, apply_mapping
from warehouse.errors import ConfigurationError, RefusedInput, TransientError
from warehouse.schema import unit
from warehouse.settings import RestSettings, Settings, SourceSettings
from warehouse.vocabulary import Entity, RunState

Progress = Callable[[RunReport], None]
LOCK_WAIT_SECONDS = 30.0
ENTITY_ORDER = (Entity.UNIT, Entity.PROCEDURE, Entity.DOSSIER, Entity.SURVEY_ANSWER)
"""Units and procedures first: the others refer to them."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A source made ready: its mapping, shape and checks."""

    source: SourceSettings
    mapping: SourceMapping
    shape: Shape
    checks: Mapping[str, Action]
    zone: ZoneInfo

    @classmethod
    def of(cls, settings: Settings, source: SourceSettings) -> Stream:
        """Load the mapping of a source and check that it fits.

        Raises ConfigurationError.
        """
        mapping = load_mapping(source.mapping)
        if mapping.entity is not source.entity:
            raise ConfigurationError(
                f"source {source.name}: entity = {source.entity}, but the mapping {Path(source.mapping).name}"
                f" is one of {mapping.entity}; change one of them"
            )
        return cls(source, mapping, SHAPES[source.entity], actions(source.checks), settings.zone)

    def read(self, position: str | None) -> Iterator[Batch]:
        """Read everything after a position, batch by batch."""
        reader, fields = self.source.reader, self.mapping.source_fields
        if isinstance(reader, RestSettings):
            return rest.read(reader, position, fields, self.mapping.key_fields, self.source.batch_rows)
        return files.read(reader, position, fields, self.source.batch_rows)

    def mapped(self, position: str | None) -> Generator[tuple[Batch, Mapped]]:
        """Read everything after a position and apply the mapping."""
        for batch in self.read(position):
            yield batch, apply_mapping(self.mapping, batch, self.zone)


def sync_source(
    engine: Engine, settings: Settings, source: SourceSettings, *, now: datetime, progress: Progress | None = None
) -> RunReport:
    """Read one source to its end and return what was done; `now` is the clock of checks and records.

    Trouble of the source is recorded and returned as a failed run, batches before it stay. Raises ConfigurationError
    for a wrong mapping or setting, TransientError when the warehouse does not answer.
    """
    stream = Stream.of(settings, source)
    log = RunLog(source, now)
    with engine.connect() as connection, stream_lock(connection, source, LOCK_WAIT_SECONDS) as held:
        if not held:
            return replace(log.report, error="another process is reading this source; nothing was done here")
        with connection.begin():
            position = log.begin(connection)
        try:
            _require_units(connection, stream)
            for batch, mapped in ahead(stream.mapped(position)):
                _take(connection, stream, log, batch, mapped)
                if progress is not None:
                    progress(log.report)
        except (RefusedInput, TransientError) as error:
            if connection.invalidated:
                raise
            connection.rollback()
            with connection.begin():
                return log.finish(connection, str(error))
        with connection.begin():
            return log.finish(connection)


def sync_all(
    engine: Engine, settings: Settings, *, now: datetime, only: str | None = None, progress: Progress | None = None
) -> list[RunReport]:
    """Run every configured source once (or those named `only`), units first.

    Raises ConfigurationError when no source is called `only`, and what sync_source raises.
    """
    chosen = [source for source in settings.sources if only is None or source.name == only]
    if not chosen:
        names = ", ".join(sorted({source.name for source in settings.sources})) or "none"
        raise ConfigurationError(
            f"no source is called {only!r}; configured: {names}" if only else "no source is configured: add [[sources]]"
        )
    for source in chosen:
        Stream.of(settings, source)
    chosen.sort(key=lambda source: ENTITY_ORDER.index(source.entity))
    return [sync_source(engine, settings, source, now=now, progress=progress) for source in chosen]


def _require_units(connection: Connection, stream: Stream) -> None:
    """Refuse to read dossiers before any unit is known: all of them would be refused."""
    if needs_units(stream.source.entity, stream.checks) and not _unit_codes(connection):
        connection.rollback()
        raise TransientError(
            f"source {stream.source.name}: no unit is loaded yet, so no {stream.source.entity} can be placed;"
            " load the units first ([units] in the settings, or a source with entity = unit)"
        )
    connection.rollback()


def _unit_codes(connection: Connection) -> frozenset[str]:
    return frozenset(connection.execute(select(unit.c.code).distinct()).scalars())


def _take(connection: Connection, stream: Stream, log: RunLog, batch: Batch, mapped: Mapped) -> None:
    """Check and store one batch: all of it, or nothing."""
    if not len(batch.frame):
        with connection.begin():
            log.move(connection, batch.position)
        return
    with connection.begin():
        units = _unit_codes(connection) if "unit" in stream.shape.columns else frozenset[str]()
        context = Context(mapped, stream.shape, log.now, stream.zone, units)
        verdict = run_checks(context, stream.checks)
        good = mapped.frame.assign(flags=verdict.flags)[verdict.good]
        refused = quarantine.refused_rows(stream.mapping, batch, mapped, verdict.refusals, stream.shape)
        changed = _store(connection, stream, log, good, refused, len(verdict.refusals))
        log.move(connection, batch.position)
        log.add(connection, read=0, stored=0, unchanged=0, refused=0)
        if changed:
            new_version(connection, log.clock)


def _store(
    connection: Connection,
    stream: Stream,
    log: RunLog,
    good: pd.DataFrame,
    refused: list[dict[str, object]],
    count: int,
) -> bool:
    """Write good and refused rows and count them; return whether anything changed."""
    source, shape = stream.source.name, stream.shape
    stored = store_rows(connection, shape, source, good, now=log.now, zone=stream.zone)
    resolved = quarantine.resolve(connection, source, shape, good, log.now) if len(good) else 0
    kept = quarantine.keep(connection, source, shape, refused, log.now)
    log.add(connection, read=len(good) + count, stored=stored.stored, unchanged=stored.unchanged, refused=count)
    return bool(stored.stored or stored.taught or resolved or kept)


__all__ = ["Progress", "RunReport", "RunState", "sync_all", "sync_source"]
