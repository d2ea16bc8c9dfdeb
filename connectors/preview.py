"""What a run of a source would do with its first records: connected, read, mapped and checked, nothing stored."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd

from connectors.batch import Batch
from connectors.checks import Context, run_checks
from connectors.entities import Kind
from connectors.mapping import SourceMapping
from connectors.masking import mask_within
from connectors.stream import Stream
from connectors.take import JUDGED_ROWS
from warehouse.errors import ConfigurationError
from warehouse.settings import Settings
from warehouse.sources import PushSettings, RestSettings, SourceSettings

FEW = 24
"""So many different values of a column are shown; of texts only how many there are."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of what would be stored: the share that is filled, the span of dates and numbers, codes and counts."""

    name: str
    filled: float
    least: str
    greatest: str
    different: int
    codes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Rows that fail a check: how many, and where and why one of them does."""

    check: str
    rows: int
    place: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the first records of a stream would become; `fails` says why a run of them would fail, if it would."""

    records: int
    rows: int
    good: int
    columns: tuple[Column, ...]
    refused: tuple[Trouble, ...]
    flagged: tuple[Trouble, ...]
    children: tuple[tuple[str, int], ...]
    units_checked: bool
    seconds: float
    fails: str | None = None


def preview(
    settings: Settings, source: SourceSettings, records: int, *, units: frozenset[str] | None, now: datetime
) -> Preview:
    """Read up to `records` records of a source and say what would become of them; `units` None: not known here.

    Raises ConfigurationError for a wrong mapping or a source that cannot be asked, TransientError and RefusedInput
    when it cannot be read.
    """
    if isinstance(source.reader, PushSettings):
        raise ConfigurationError(
            f"source {source.name}: kind = push is sent to us, there is nothing to ask; check a file of saved records"
        )
    started = time.monotonic()
    stream = Stream.of(settings, _small(source, records))
    batches = list(_first(stream, records))
    checks = dict(stream.checks)
    if units is None:
        checks["unknown_unit"] = "off"
    seen = _Seen(stream, Counter(), {}, Counter(), Counter())
    frames = [seen.take(batch, checks, units or frozenset(), now) for batch in batches]
    good = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    found = Preview(
        records=sum(len(batch.frame) for batch in batches), rows=len(good) + seen.refused.total(), good=len(good),
        columns=tuple(_columns(stream.mapping, stream, good)), refused=seen.troubles(),
        flagged=tuple(Trouble(name, count) for name, count in seen.flagged.most_common()),
        children=tuple(seen.children.items()), units_checked=units is not None, seconds=time.monotonic() - started,
    )  # fmt: skip
    return replace(found, fails=_would_fail(source, found))


def _small(source: SourceSettings, records: int) -> SourceSettings:
    """The same source, asked for no more than is looked at."""
    changes: dict[str, Any] = {"batch_rows": records}
    if isinstance(source.reader, RestSettings):
        size = min(source.reader.page_size, records)
        changes["reader"] = source.reader.model_copy(update={"page_size": size})
    return source.model_copy(update=changes)


def _first(stream: Stream, records: int) -> Iterator[Batch]:
    for batch in stream.read(None):
        size = min(records, len(batch.frame))
        if size:
            absent = {name: rows[:size] for name, rows in batch.absent.items()}
            yield replace(batch, frame=batch.frame.iloc[:size], absent=absent)
        records -= size
        if records <= 0:
            return


@dataclass
class _Seen:
    """What was found so far."""

    stream: Stream
    refused: Counter[str]
    examples: dict[str, tuple[str, str]]
    flagged: Counter[str]
    children: Counter[str]

    def take(self, batch: Batch, checks: Any, units: frozenset[str], now: datetime) -> pd.DataFrame:  # noqa: ANN401
        """Map and check one batch and return its good rows."""
        mapped = self.stream.map(batch)
        verdict = run_checks(Context(mapped, self.stream.shape, now, self.stream.zone, units), checks)
        for refusal in verdict.refusals:
            self.refused[refusal.reason] += 1
            place = mask_within(mapped.place(refusal.row))
            self.examples.setdefault(refusal.reason, (place, mask_within(refusal.detail)))
        for flags in verdict.flags[verdict.good]:
            self.flagged.update(name for name in flags.strip("{}").split(",") if name)
        for child in mapped.children:
            mine = verdict.good[child.parent]
            self.children[str(child.declared.entity)] += int(mine.sum())
        return mapped.frame[verdict.good]

    def troubles(self) -> tuple[Trouble, ...]:
        """Every reason for which rows would be refused, the most frequent first."""
        return tuple(Trouble(name, count, *self.examples[name]) for name, count in self.refused.most_common())


def _columns(mapping: SourceMapping, stream: Stream, good: pd.DataFrame) -> Iterator[Column]:
    filled = {name for rows in mapping.rows for name in rows.fields} | set(mapping.fields)
    for name, kind in stream.shape.columns.items():
        if name not in filled or name not in good:
            continue
        values = good[name].dropna()
        coded = kind is not Kind.JSON and name in coded_columns(mapping)
        ordered = kind in {Kind.INSTANT, Kind.DATE, Kind.INTEGER, Kind.NUMBER} and len(values) > 0 and not coded
        counts = values.astype(str).value_counts() if coded or kind is Kind.BOOLEAN else pd.Series(dtype=int)
        yield Column(
            name, len(values) / len(good) if len(good) else 0.0,
            _shown(values.min(), stream) if ordered else "", _shown(values.max(), stream) if ordered else "",
            int(values.nunique()), tuple((str(code), int(count)) for code, count in counts.head(FEW).items()),
        )  # fmt: skip


def coded_columns(mapping: SourceMapping) -> frozenset[str]:
    """Columns whose values are codes of ours, so that each of them may be shown."""
    given = [*mapping.fields.items(), *(item for rows in mapping.rows for item in rows.fields.items())]
    return frozenset(
        column
        for column, field in given
        if all(rule.constant is not None or (rule.codes is not None and rule.other != "keep") for rule in field.rules)
    )


def _shown(value: Any, stream: Stream) -> str:  # noqa: ANN401
    if isinstance(value, pd.Timestamp):
        local = value.tz_convert(stream.zone) if value.tzinfo is not None else value
        return local.strftime("%Y-%m-%d %H:%M" if value.tzinfo is not None else "%Y-%m-%d")
    return str(value)


def _would_fail(source: SourceSettings, found: Preview) -> str | None:
    refused = found.rows - found.good
    if not found.records:
        return "the source has no record; nothing can be said of its mapping"
    if refused == found.rows:
        return "every record would be refused"
    if found.rows >= JUDGED_ROWS and refused > source.refuse_above * found.rows:
        return f"{refused} of {found.rows} records would be refused, more than refuse_above = {source.refuse_above}"
    return None
