"""Taking one batch: its rows, the old values of what they changed, the rollup cells, the refused rows, the watermark
after it, the run's counters and the new data version, in one transaction: all of it, or nothing.
"""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, select

from connectors import quarantine
from connectors.batch import Batch
from connectors.checks import Context, Refusal, Verdict, run_checks
from connectors.runs import RunLog, new_version
from connectors.steps import reached
from connectors.store import store_rows
from connectors.stream import Stream
from connectors.transform import Mapped
from warehouse.errors import RefusedInput
from warehouse.schema import unit

JUDGED_ROWS = 20
"""Before so many records of a run were read, the share of refused ones says nothing."""


def take_batch(
    connection: Connection, stream: Stream, log: RunLog, batch: Batch, mapped: Mapped
) -> tuple[Refusal, ...]:
    """Check and store one batch in a transaction of its own; return what was put in quarantine and why.

    Raises RefusedInput, with nothing stored, when too large a share of the run is refused.
    """
    reached("batch mapped")
    refusals: tuple[Refusal, ...] = ()
    with connection.begin():
        if len(batch.frame):
            refusals = _take_rows(connection, stream, log, batch, mapped)
        else:
            log.move(connection, batch.position)
    reached("batch committed")
    return refusals


def _take_rows(
    connection: Connection, stream: Stream, log: RunLog, batch: Batch, mapped: Mapped
) -> tuple[Refusal, ...]:
    source, shape = stream.source.name, stream.shape
    verdict = _judge(connection, stream, log, mapped)
    good = mapped.frame.assign(flags=verdict.flags)[verdict.good]
    refused = quarantine.refused_rows(stream.mapping, batch, mapped, verdict.refusals, shape)
    stored = store_rows(connection, shape, source, good, now=log.now, zone=stream.zone)
    resolved = quarantine.resolve(connection, source, shape, good, log.now) if len(good) else 0
    kept = quarantine.keep(connection, source, shape, refused, log.now)
    reached("refused kept")
    log.move(connection, batch.position)
    reached("watermark moved")
    count = len(verdict.refusals)
    log.add(connection, read=len(good) + count, stored=stored.stored, unchanged=stored.unchanged, refused=count)
    reached("counts written")
    if stored.stored or stored.taught or resolved or kept:
        new_version(connection, log.clock)
    reached("version advanced")
    return verdict.refusals


def _judge(connection: Connection, stream: Stream, log: RunLog, mapped: Mapped) -> Verdict:
    units = unit_codes(connection) if "unit" in stream.shape.columns else frozenset[str]()
    verdict = run_checks(Context(mapped, stream.shape, log.now, stream.zone, units), stream.checks)
    read = log.report.read + len(mapped.frame)
    refused = log.report.quarantined + len(verdict.refusals)
    limit = stream.source.refuse_above
    if verdict.refusals and read >= JUDGED_ROWS and refused > limit * read:
        reasons = Counter(refusal.reason for refusal in verdict.refusals).most_common(3)
        told = ", ".join(f"{name} {count}" for name, count in reasons)
        raise RefusedInput(
            f"{refused} of {read} records would be quarantined ({told}), more than refuse_above = {limit}; this batch"
            " was not stored and the watermark stays: correct the mapping or the source, see ioc source check"
        )
    return verdict


def unit_codes(connection: Connection) -> frozenset[str]:
    """Return the codes of every unit of any time."""
    return frozenset(connection.execute(select(unit.c.code).distinct()).scalars())


__all__ = ["take_batch", "unit_codes"]
