"""A mapped batch with the verdict on its rows, and the good ones ready to be stored: all that needs no database.

Which units exist is the only thing that the verdict takes from there; whoever stores the batch looks whether they are
still the same, and judges anew where they are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from connectors.checks import Context, Verdict, run_checks
from connectors.children import mark_children
from connectors.incoming import Incoming
from connectors.stream import Stream
from connectors.transform import Mapped


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on the rows of a batch as of some units, the good rows, and these as they are stored."""

    mapped: Mapped
    units: frozenset[str]
    verdict: Verdict
    good: pd.DataFrame
    incoming: Incoming


def judge(stream: Stream, mapped: Mapped, now: datetime, units: frozenset[str]) -> Judged:
    """Check the rows of a batch and make the good ones ready."""
    verdict = run_checks(Context(mapped, stream.shape, now, stream.zone, units), stream.checks)
    good = mapped.frame.assign(flags=verdict.flags)
    if not verdict.good.all():
        good = good[verdict.good]
    good = mark_children(mapped.children, good)
    incoming = Incoming.of(
        stream.shape, stream.source.name, good, now=now, restates=stream.restates
    )  # fmt: skip
    return Judged(mapped, units, verdict, good, incoming)


__all__ = ["Judged", "judge"]
