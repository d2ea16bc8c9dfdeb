"""The points in the life of a run at which a fault may strike, named so that the fault suite can hit each of them.

In production nobody watches and `reached` does nothing.
"""

from __future__ import annotations

from collections.abc import Callable

STEPS = (
    "run begun",
    "batch mapped",
    "rows staged",
    "versions compared",
    "changes kept",
    "changes logged",
    "rows written",
    "children written",
    "refused kept",
    "records settled",
    "watermark moved",
    "counts written",
    "version advanced",
    "batch committed",
    "rows replayed",
    "run finished",
)
"""In the order of a run; "records settled" and "rows replayed" are those of a replay of quarantined records."""

_watchers: list[Callable[[str], None]] = []


def watch(watcher: Callable[[str], None]) -> None:
    """Call `watcher` with the name of each step that is reached in this process from now on."""
    _watchers.append(watcher)


def reached(step: str) -> None:
    """Say that a step was reached."""
    for watcher in _watchers:
        watcher(step)
