"""A list of changing rows in the order of their last change, read page by page from a cursor.

Every event of a row is kept with the instant of the row's next event. At an instant `now` (exclusive) a row stands in
the list at its event e with e < now <= next(e): exactly one. The list is therefore a pure function of `now`, and what a
reader has not seen always stands after its cursor, because nothing is ever added at a second that is over.
"""

from __future__ import annotations

import numpy as np

from demo.office import NEVER, Ints

_CHUNK = 20_000


class Feed:
    """Events of rows 0, 1, 2 …; each row has a key, and ties of the same second stand in the order of the keys."""

    def __init__(self) -> None:
        none = np.zeros(0, dtype=np.int64)
        self._when, self._key, self._row, self._next = none, none, none, none
        self.rows = 0

    def add(self, events: Ints, keys: Ints, seen_from: int = 0) -> None:
        """Add rows: `events` has one line a row, NEVER for none; what was over by `seen_from` is not kept."""
        times = np.sort(events, axis=1)
        following = np.concatenate([times[:, 1:], np.full((len(times), 1), NEVER, dtype=np.int64)], axis=1)
        wanted = (times < NEVER) & (following > times) & (following >= seen_from)
        row, _ = np.nonzero(wanted)
        self._append(times[wanted], keys[row], row + self.rows, following[wanted])
        self.rows += len(times)

    def _append(self, when: Ints, key: Ints, row: Ints, following: Ints) -> None:
        when, key = np.concatenate([self._when, when]), np.concatenate([self._key, key])
        order = np.lexsort((key, when))
        self._when, self._key = when[order], key[order]
        self._row = np.concatenate([self._row, row])[order]
        self._next = np.concatenate([self._next, following])[order]

    def page(self, after: tuple[int, int] | None, limit: int, now: int) -> tuple[Ints, Ints]:
        """Return the rows (and the instants of their last change) that follow (instant, key) `after`, as of `now`."""
        start = 0 if after is None else self._position(*after)
        stop = int(np.searchsorted(self._when, now, side="left"))
        found: list[Ints] = []
        left = limit
        while start < stop and left > 0:
            upper = min(start + max(_CHUNK, left), stop)
            current = np.flatnonzero(self._next[start:upper] >= now)[:left] + start
            found.append(current)
            left -= len(current)
            start = upper
        place = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
        return self._row[place], self._when[place]

    def _position(self, when: int, key: int) -> int:
        low = int(np.searchsorted(self._when, when, side="left"))
        high = int(np.searchsorted(self._when, when, side="right"))
        return low + int(np.searchsorted(self._key[low:high], key, side="right"))
