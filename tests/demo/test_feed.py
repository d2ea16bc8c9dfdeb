"""A reader with any page sizes, at any moments, sees every change exactly as often as it must."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from demo.feed import Feed
from demo.office import NEVER

HORIZON = 60
rows = st.lists(st.lists(st.integers(0, HORIZON), min_size=1, max_size=5), min_size=1, max_size=12)
moments = st.lists(st.integers(0, HORIZON + 2), min_size=1, max_size=6).map(sorted)
sizes = st.lists(st.integers(1, 7), min_size=1, max_size=8)


def feed_of(events: list[list[int]], seen_from: int = 0) -> Feed:
    feed = Feed()
    half = len(events) // 2
    for part, first in ((events[:half], 0), (events[half:], half)):
        table = np.full((len(part), 5), NEVER, dtype=np.int64)
        for line, row in zip(table, part, strict=True):
            line[: len(row)] = row
        feed.add(table, np.arange(first, first + len(part), dtype=np.int64) * 7, seen_from)
    return feed


def expected(events: list[list[int]], now: int) -> list[tuple[int, int]]:
    last = [(max((t for t in row if t < now), default=-1), n) for n, row in enumerate(events)]
    return sorted((t, n) for t, n in last if t >= 0)


def drain(feed: Feed, after: tuple[int, int] | None, size: int, now: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    while True:
        row, when = feed.page(after, size, now)
        assert len(row) <= size
        if not len(row):
            return found
        found += list(zip(when.tolist(), row.tolist(), strict=True))
        after = (found[-1][0], found[-1][1] * 7)


@given(rows, st.integers(0, HORIZON + 2), st.integers(1, 20))
def test_pages_together_are_the_whole_list(events: list[list[int]], now: int, size: int) -> None:
    assert drain(feed_of(events), None, size, now) == expected(events, now)


@given(rows, moments, sizes)
def test_reader_in_moving_time_misses_nothing(events: list[list[int]], nows: list[int], wanted: list[int]) -> None:
    """Time may move between any two pages; in the end the reader holds each row as of its last change."""
    feed = feed_of(events)
    held: dict[int, int] = {}
    after: tuple[int, int] | None = None
    for step, now in enumerate([*nows, nows[-1]]):
        for _ in range(len(events) * 5 + 1 if step >= len(nows) - 1 else 1):
            row, when = feed.page(after, wanted[step % len(wanted)], now)
            if not len(row):
                break
            for n, at in zip(row.tolist(), when.tolist(), strict=True):
                assert held.get(n, -1) < at, "a record came twice without a change"
                held[n] = at
            after = (int(when[-1]), int(row[-1]) * 7)
    assert sorted((at, n) for n, at in held.items()) == expected(events, nows[-1])


@given(rows, st.integers(0, HORIZON), st.integers(0, HORIZON))
def test_what_was_over_before_the_start_changes_nothing(events: list[list[int]], first: int, later: int) -> None:
    now = max(first, later)
    assert drain(feed_of(events, seen_from=first), None, 3, now) == expected(events, now)
