"""Taking one batch: its rows, the old values of what they changed, the rollup cells, the refused rows, the watermark
after it, the run's counters and the new data version, in one transaction: all of it, or nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, select

from connectors import missing, quarantine
from connectors.batch import Batch
from connectors.checks import Refusal, Verdict
from connectors.children import store_children
from connectors.judged import Judged, judge
from connectors.runs import RunLog, new_version
from connectors.steps import reached
from connectors.store import Stored, store
from connectors.stream import Stream
from connectors.transform import Mapped
from connectors.trouble import TooManyRefusedError
from warehouse.schema import unit
from warehouse.vocabulary import RunKind

JUDGED_ROWS = 20
"""Before so many records of a run were read, the share of refused ones says nothing."""


def take_batch(
    connection: Connection, stream: Stream, log: RunLog, batch: Batch, mapped: Mapped, ready: Judged | None = None
) -> tuple[Refusal, ...]:
    """Check and store one batch in a transaction of its own; return what was put in quarantine and why.

    What was judged before is taken as it is when the units are the same now. Raises TooManyRefusedError, with nothing
    stored, when too large a share of the run is refused.
    """
    reached("batch mapped")
    refusals: tuple[Refusal, ...] = ()
    with connection.begin():
        if len(batch.frame):
            judged = _judge(connection, stream, log, mapped, ready)
            refusals = _take_rows(connection, stream, log, batch, judged)
        else:
            log.move(connection, batch.position)
    reached("batch committed")
    return refusals


def _take_rows(
    connection: Connection, stream: Stream, log: RunLog, batch: Batch, judged: Judged
) -> tuple[Refusal, ...]:
    source, shape = stream.source.name, stream.shape
    mapped, verdict = judged.mapped, judged.verdict
    _refuse_too_many(stream, log, mapped, verdict)
    refused = quarantine.refused_rows(stream.mapping, mapped, verdict.refusals, shape)
    stored, resolved = _store_good(connection, stream, log, judged)
    kept = quarantine.keep(connection, source, shape, refused, log.now, judged.good)
    reached("refused kept")
    log.move(connection, batch.position)
    reached("watermark moved")
    _count(connection, log, stored, verdict, changed=bool(resolved or kept))
    return verdict.refusals


def take_again(
    connection: Connection, stream: Stream, log: RunLog, kept: Sequence[quarantine.Again], mapped: Mapped
) -> None:
    """Check and store records of quarantine again, `kept` in the order of their batch, in a transaction of its own.

    The rows of those that pass are marked resolved, the others get the reason that they have now.
    """
    source, shape = stream.source.name, stream.shape
    reached("batch mapped")
    with connection.begin():
        judged = _judge(connection, stream, log, mapped)
        verdict = judged.verdict
        stored, resolved = _store_good(connection, stream, log, judged)
        came_from = mapped.records.rows
        if mapped.origin is not None:
            came_from = came_from[[element.record for element in mapped.origin]]
        refused = {int(came_from[refusal.row]): refusal for refusal in reversed(verdict.refusals)}
        passed = [row for index, row in enumerate(kept) if index not in refused]
        quarantine.settle(connection, source, shape, passed, log.now)
        quarantine.restate(connection, source, shape, [(kept[index], refusal) for index, refusal in refused.items()])
        reached("records settled")
        _count(connection, log, stored, verdict, changed=bool(resolved or passed))
    reached("batch committed")


def _store_good(connection: Connection, stream: Stream, log: RunLog, judged: Judged) -> tuple[Stored, int]:
    """Store the good rows and mark what they resolve; return what was stored, and how many were resolved.

    A mark that the source had lost them counts as resolved too.
    """
    source, shape, good = stream.source.name, stream.shape, judged.good
    stored = store(
        connection, shape, source, judged.incoming, straight=log.straight, restates=stream.restates,
    )  # fmt: skip
    store_children(connection, source, judged.mapped.children, good, stored, now=log.now)
    resolved = quarantine.resolve(connection, source, shape, good, log.now)
    if log.kind is not RunKind.REPLAY:  # what was kept here says nothing of what the source has
        resolved += missing.found_again(connection, source, shape, good)
    return stored, resolved


def _count(connection: Connection, log: RunLog, stored: Stored, verdict: Verdict, *, changed: bool) -> None:
    count = len(verdict.refusals)
    log.add(connection, read=len(verdict.good), stored=stored.stored, unchanged=stored.unchanged, refused=count)
    reached("counts written")
    if stored.stored or stored.taught or changed:
        new_version(connection, log.clock)
    reached("version advanced")


def _judge(connection: Connection, stream: Stream, log: RunLog, mapped: Mapped, ready: Judged | None = None) -> Judged:
    units = units_for(connection, stream)
    return ready if ready is not None and ready.units == units else judge(stream, mapped, log.now, units)


def units_for(connection: Connection, stream: Stream) -> frozenset[str]:
    """Return the codes of the units that rows of a stream may name; none where they name none."""
    return unit_codes(connection) if "unit" in stream.shape.columns else frozenset()


def _refuse_too_many(stream: Stream, log: RunLog, mapped: Mapped, verdict: Verdict) -> None:
    read = log.report.read + len(mapped.frame)
    refused = log.report.quarantined + len(verdict.refusals)
    limit = stream.source.refuse_above
    if verdict.refusals and read >= JUDGED_ROWS and refused > limit * read:
        reasons = Counter(refusal.reason for refusal in verdict.refusals).most_common(3)
        told = ", ".join(f"{name} {count}" for name, count in reasons)
        raise TooManyRefusedError(
            f"{refused} of {read} records would be quarantined ({told}), more than refuse_above = {limit}; this batch"
            " was not stored and the watermark stays: correct the mapping or the source, see ioc source check"
        )


def unit_codes(connection: Connection) -> frozenset[str]:
    """Return the codes of every unit of any time."""
    return frozenset(connection.execute(select(unit.c.code).distinct()).scalars())


__all__ = ["take_again", "take_batch", "unit_codes", "units_for"]
