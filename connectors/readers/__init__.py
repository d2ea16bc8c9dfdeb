"""Readers: how the records of a source come in, one module for each kind of source.

A reader yields batches of texts (connectors.batch) after a position that only it understands. It raises TransientError
for what may be better later, and RefusedInput for what is no source as configured; batches before the trouble come
first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, tzinfo

from connectors.batch import Batch
from connectors.readers import files, rest, sql
from warehouse.sources import FileSettings, PushSettings, RestSettings, SqlSettings

Reader = RestSettings | SqlSettings | FileSettings | PushSettings


def read_source(
    reader: Reader, position: str | None, fields: Mapping[str, bool], keys: Sequence[str], batch_rows: int,
    zone: tzinfo = UTC,
) -> Iterator[Batch]:  # fmt: skip
    """Read everything after `position` in batches of about `batch_rows`.

    `fields` are the fields to read, and whether each record must have them; `keys` those of the natural key; `zone` is
    the clock of times without offset.
    """
    match reader:
        case RestSettings():
            return rest.read(reader, position, fields, keys, batch_rows, zone)
        case FileSettings():
            return files.read(reader, position, fields, batch_rows)
        case SqlSettings():
            return sql.read(reader, position, fields, batch_rows, zone)
        case PushSettings():
            return iter(())  # its records come when the other side sends them
