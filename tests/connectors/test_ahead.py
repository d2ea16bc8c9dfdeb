"""Preparing ahead: everything in order, errors in their place, the generator closed whatever happens."""

from __future__ import annotations

import threading
import time
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


def test_whoever_cannot_wait_leaves_an_item_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.ahead.LOOK_SECONDS", 0.02)
    log: list[str] = []
    go_on = threading.Event()

    def slow() -> Generator[int]:
        try:
            yield 1
            go_on.wait(10)
            yield 2
        finally:
            log.append("closed")

    deadline = time.monotonic() + 0.2

    def check() -> None:
        if time.monotonic() > deadline:
            raise TimeoutError("too late")

    items = ahead(slow(), check)
    assert next(iter(items)) == 1
    with pytest.raises(TimeoutError, match="too late"):
        next(iter(items))
    assert log == [], "nobody waited for the slow item"
    go_on.set()
    [thread] = [thread for thread in threading.enumerate() if thread.name == "ahead"]
    thread.join(5)
    assert log == ["closed"], "its thread ends by itself"
