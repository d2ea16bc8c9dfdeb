"""Preparing ahead: everything in order, errors in their place, the generator closed whatever happens."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from connectors.ahead import ahead


def numbers(log: list[str], broken_at: int = -1) -> Generator[int]:
    try:
        for number in range(5):
            if number == broken_at:
                raise ValueError(f"at {number}")
            yield number
    finally:
        log.append("closed")


def test_everything_comes_in_order() -> None:
    log: list[str] = []
    assert list(ahead(numbers(log))) == [0, 1, 2, 3, 4]
    assert log == ["closed"]


def test_an_error_comes_after_what_was_before_it() -> None:
    items = ahead(numbers([], broken_at=3))
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="at 3"):
        next(items)


def test_whoever_stops_early_closes_the_generator() -> None:
    log: list[str] = []
    items = ahead(numbers(log))
    assert next(iter(items)) == 0
    items.close()  # type: ignore[attr-defined]
    assert log == ["closed"]
