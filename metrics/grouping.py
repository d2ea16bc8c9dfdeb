"""Which dimensions a metric can be asked by: a dimension that not every counter has belongs only to those that have it.

A dossier has no survey device, and only an overdue dossier has an age: counting others by it would give 0 or unknown
where the truth is that the question means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from metrics.counters import ANSWERS
from metrics.definitions import METRICS
from metrics.dimensions import DIMENSIONS
from warehouse.errors import BadQuestion


@dataclass(frozen=True, slots=True)
class Restriction:
    """The counters that have a dimension, in words for a message, and whether it is known at one instant only."""

    counters: frozenset[str]
    of: str
    one_instant: bool = False


RESTRICTED: Mapping[str, Restriction] = {
    "overdue_age": Restriction(frozenset({"overdue"}), "overdue dossiers", one_instant=True),
    "device": Restriction(frozenset(ANSWERS), "survey answers"),
}
"""The dimensions that not every counter has."""


def dimensions_of(metric: str) -> tuple[str, ...]:
    """Return the dimensions that a metric can be grouped and filtered by: all whose counters include its own."""
    own = METRICS[metric].counters
    return tuple(name for name in DIMENSIONS if name not in RESTRICTED or own <= RESTRICTED[name].counters)


def check_dimensions(metrics: Iterable[str], used: Iterable[str], times: Iterable[str]) -> None:
    """Refuse a question whose dimensions (`used`: groups and filters) some metric does not have; raises BadQuestion."""
    asked = tuple(metrics)
    for name in used:
        if name not in RESTRICTED:
            continue
        restriction = RESTRICTED[name]
        if others := [metric for metric in asked if name not in dimensions_of(metric)]:
            raise BadQuestion(f"{name} is a property of {restriction.of} only; leave out {', '.join(others)}")
        if restriction.one_instant:
            for time in times:
                raise BadQuestion(f"{name} is known at one instant only; ask for it without {time}")


__all__ = ["RESTRICTED", "Restriction", "check_dimensions", "dimensions_of"]
