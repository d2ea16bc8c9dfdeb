"""Preparing the next item while the present one is worked on."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Generator[Item]) -> Iterator[Item]:
    """Yield the items of a generator, always making one more in a second thread; its errors come in their place.

    PostgreSQL stores a batch while the next one is read and mapped: two processors, two halves of the work. Memory
    holds one batch more. Whoever stops early waits for the item that is being made.
    """
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
            coming = pool.submit(next, items, None)
            while (item := coming.result()) is not None:
                coming = pool.submit(next, items, None)
                yield item
    finally:
        items.close()
