"""Reading a source that answers JSON pages over HTTP: by cursor, page number, offset or link.

Busy and broken answers are tried again, then raised as TransientError. What is no page of records (HTML, cut JSON, no
list where it should be, a list without end, another host, a reply that is too large) is RefusedInput. Pages before the
trouble are handed on first. Messages name the address without its query, and the page; never contents.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from connectors.batch import Batch, Stretch, as_text, text_array, text_column
from connectors.readers.moving import Page, Reading, Views, mark_of, read_moving
from connectors.readers.pagination import OffsetViews, PageViews, cursor_pages, linked_pages
from connectors.readers.reply import ABSENT
from connectors.readers.request import Asker, shown
from connectors.readers.since import Position, Window, our_clock
from connectors.readers.wire import Wire
from warehouse.errors import IocError, RefusedInput
from warehouse.sources import CursorPages, LinkedPages, OffsetPages, RestSettings

BATCH_SECONDS = 30.0
"""A batch is handed on when it is so old, full or not: the run's time is watched between batches."""
BATCH_BYTES = 12 * 2**20
"""A batch is handed on when it has about so much JSON, which takes five times as much memory."""


def read(
    settings: RestSettings,
    position: str | None,
    fields: Mapping[str, bool],
    keys: Sequence[str],
    batch_rows: int,
    zone: tzinfo = UTC,
) -> Iterator[Batch]:
    """Yield the records after `position` in batches of about `batch_rows`, only the named fields of each.

    `zone` is the clock of instants without offset in what we ask.

    Raises TransientError and RefusedInput as said above.
    """
    with Wire(settings.timeout_seconds, settings.max_page_bytes) as wire:
        pages = _pages(settings, wire, position, list(fields), keys, zone)
        for waiting in _gathered(pages, position, batch_rows):
            yield _batch(settings, waiting, fields, keys)


def _gathered(pages: Iterator[Page], position: str | None, batch_rows: int) -> Iterator[list[Page]]:
    """Gather pages to batches, smaller ones where records are large; trouble comes after what came before it."""
    waiting: list[Page] = []
    size = 0
    trouble: IocError | None = None
    began = time.monotonic()
    while trouble is None:
        try:
            waiting.append(next(pages))
            size += _size(waiting[-1])
        except StopIteration:
            break
        except IocError as error:
            trouble = error
        full = sum(len(item.records) for item in waiting) >= batch_rows or size >= BATCH_BYTES
        if full or time.monotonic() - began > BATCH_SECONDS:
            if waiting:
                yield waiting
            waiting, size, began = [], 0, time.monotonic()
    if any(page.records or page.position != position for page in waiting):
        yield waiting
    if trouble is not None:
        raise trouble


def _size(page: Page) -> int:
    """About how much JSON the records of a page are: one of fifty tells."""
    sample = page.records[::50]
    return sum(len(as_text(record) or "") for record in sample) * len(page.records) // max(1, len(sample))


def _pages(
    settings: RestSettings,
    wire: Wire,
    position: str | None,
    fields: Sequence[str],
    keys: Sequence[str],
    zone: tzinfo,
) -> Iterator[Page]:
    pages = settings.pages
    if isinstance(pages, CursorPages):
        return cursor_pages(Asker(settings, wire, Window(None, Position())), pages, position)
    window = Window(settings.since, Position.parse(position), zone, our_clock)
    asker = Asker(settings, wire, window)
    if isinstance(pages, LinkedPages) and not pages.again:
        return linked_pages(asker, pages, window)
    question = _question(settings, fields)
    part = window.before.part
    if part is not None and part.question == question and not isinstance(pages, LinkedPages):
        window.go_on()
        asker.keep_clock()

    def views(attempt: int) -> Views:
        mark = partial(mark_of, fields)
        if isinstance(pages, OffsetPages):
            return OffsetViews(asker, pages, mark, attempt)
        return PageViews(asker, pages, mark, attempt)

    return read_moving(Reading(views, keys or fields, window, question, resumable=not isinstance(pages, LinkedPages)))


def _question(settings: RestSettings, fields: Sequence[str]) -> str:
    """Name what is asked for: a list that was left half-read is gone on with only when the same is asked for."""
    asked = settings.model_dump_json(include={"url", "method", "parameters", "records", "pages", "since", "page_size"})
    return hashlib.blake2b(f"{asked}{sorted(fields)}".encode(), digest_size=8).hexdigest()


def _batch(settings: RestSettings, pages: Sequence[Page], fields: Mapping[str, bool], keys: Sequence[str]) -> Batch:
    records = [record for page in pages for record in page.records]
    stretches, start = [], 0
    for page in pages:
        stretches.append(Stretch(start, f"page {page.number} item", page.first))
        start += len(page.records)
    columns, absent = {}, {}
    for name, needed in fields.items():
        values = [record.get(name, ABSENT) for record in records]
        if needed and ABSENT in values:
            absent[name] = np.fromiter((value is ABSENT for value in values), bool, len(values))
        texts = [value if type(value) is str else None if value is ABSENT else as_text(value) for value in values]
        columns[name] = text_column(text_array(texts))
    _refuse_other_records(settings, records, {name for name, rows in absent.items() if rows.all()}, keys)
    return Batch(pd.DataFrame(columns), stretches, pages[-1].position, absent)


def _refuse_other_records(
    settings: RestSettings, records: Sequence[Mapping[str, Any]], lacking: set[str], keys: Sequence[str]
) -> None:
    """Refuse records of another shape: no record has the field. One record alone is a matter for quarantine."""
    if lacking and (len(records) > 1 or lacking & set(keys)):
        found = sorted({name for record in records[:100] for name in record})
        raise RefusedInput(
            f"{shown(settings.url)}: no record has the field(s) {', '.join(sorted(lacking))};"
            f" fields there: {', '.join(found)[:600]}; correct the mapping, or mark the column optional"
        )


__all__ = ["read"]
