"""Preparing the next item while the present one is worked on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
LOOK_SECONDS = 0.2
"""How often `check` is asked while the next item does not come."""


def ahead(items: Generator[Item], check: Callable[[], None] = lambda: None) -> Iterator[Item]:
    """Yield the items of a generator, always making one more in a second thread; its errors come in their place.

    PostgreSQL stores a batch while the next one is read and mapped: two processors, two halves of the work. Memory
    holds one batch more. Whoever stops early waits for the item that is being made; but when `check`, asked while
    none comes, raises, that item is given up: its thread ends by itself once the item is there; nobody waits for it.
    """
    maker = _Maker(items)
    given_up = False
    try:
        while True:
            try:
                item = maker.take(check)
            except _GaveUpError as error:
                given_up = True
                raise error.reason from None
            if item is None:
                return
            yield item
    finally:
        maker.end(wait=not given_up)


class _GaveUpError(Exception):
    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


class _Maker(Generic[Item]):
    """A thread that makes one item after the other, each when it was ordered."""

    def __init__(self, items: Generator[Item]) -> None:
        self._items = items
        self._orders: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._made: queue.SimpleQueue[Item | BaseException | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
        self._thread.start()
        self._orders.put(True)

    def take(self, check: Callable[[], None]) -> Item | None:
        """Wait for the ordered item and order the next; None: there is no more."""
        while True:
            try:
                made = self._made.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                self._ask(check)
                continue
            if isinstance(made, BaseException):
                raise made
            if made is not None:
                self._orders.put(True)
            return made

    @staticmethod
    def _ask(check: Callable[[], None]) -> None:
        try:
            check()
        except Exception as error:
            raise _GaveUpError(error) from error

    def end(self, *, wait: bool) -> None:
        self._orders.put(False)
        if wait:
            self._thread.join()

    def _work(self) -> None:
        try:
            while self._orders.get():
                try:
                    self._made.put(next(self._items, None))
                except BaseException as error:  # noqa: BLE001 - it is raised where the item is taken
                    self._made.put(error)
                    return
        finally:
            self._items.close()


__all__ = ["ahead"]
