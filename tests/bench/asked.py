"""What the screens ask: every question of every page, taken down while the pages are drawn, with the time it took.

A question is a call of a cached function that has no answer in the cache: what lies behind a tile, a chart or a table.
"""

from __future__ import annotations

import inspect
import os
import re
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import streamlit as st
from sqlalchemy import URL

from tests.bench.stage import seconds
from tests.conftest import ROOT

INSTANTS = re.compile(r"\|\d{9,}|\|?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00|^\d+")
QUIET = {"_draw", "version", "as_of", "scope", "language", "clock", "today"}
Times = dict[str, list[float]]


class Notes:
    """Stands in the place of `st.cache_data`: caches as it does, and notes what is not answered from the cache."""

    def __init__(self, original: Any) -> None:  # noqa: ANN401 - the decorator of Streamlit
        self.original = original
        self.times: Times = defaultdict(list)

    def __call__(self, func: Callable[..., Any] | None = None, **options: Any) -> Any:  # noqa: ANN401 - as above
        if func is None:
            return lambda real: self(real, **options)

        @wraps(func)
        def noted(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function
            answer: list[Any] = []
            took = seconds(lambda: answer.append(func(*args, **kwargs)))
            self.times[_words(func, args, kwargs)].append(1000 * took)
            return answer[0]

        return self.original(noted, **options)

    def clear(self) -> None:
        """Forget every answer."""
        self.original.clear()


def _words(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The question in words: the function and what it was asked."""
    bound = inspect.signature(func).bind(*args, **kwargs).arguments
    parts = [_short(value) for name, value in bound.items() if name not in QUIET]
    return " ".join(part for part in (func.__name__.strip("_"), *parts) if part)


def _short(value: Any) -> str:  # noqa: ANN401 - any argument
    if callable(value):
        return ""
    if isinstance(value, str) and "|" in value:  # the key of an answer: version, instant, scope and language go
        return INSTANTS.sub("", value.rpartition("|vi|")[0].partition("|")[0] + " " + value.partition("|vi|")[2])
    if hasattr(value, "text") and hasattr(value, "start"):
        return str(value.text)
    if isinstance(value, tuple):
        words = [_short(item) for item in value]
        return ", ".join(words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "")
    return "" if value is None else str(value)


def _notes() -> Notes:
    """Put the notes in place, once: the pages are read once in a process."""
    if not isinstance(st.cache_data, Notes):
        st.cache_data = Notes(st.cache_data)  # type: ignore[assignment]
    found: Any = st.cache_data
    assert isinstance(found, Notes)
    return found


def questions_of_screens(url: URL, config: Path, runs: int) -> tuple[Times, Times, Times]:
    """Draw every page `runs` times without and with answers in the cache.

    Returns the milliseconds of every question, and of every page's script, cold and warm.
    """
    notes = _notes()
    os.environ |= {"IOC_CONFIG": str(config), "IOC_DATABASE__URL": url.render_as_string(hide_password=False)}
    os.chdir(ROOT)
    from streamlit.testing.v1 import AppTest  # noqa: PLC0415 - after the decorator was put in place

    from dashboard.navigation import SCREENS  # noqa: PLC0415 - as above

    st.cache_resource.clear()
    notes.times = defaultdict(list)
    cold: Times = {}
    warm: Times = {}
    for screen in SCREENS:
        test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=300)
        test.run()
        if screen is not SCREENS[0]:
            test.switch_page(f"../pages/{screen.file}")
            test.run()
        notes.clear()
        test.run()  # the pages of the database's files are read: a page that nobody looked at for days is no case
        for _ in range(runs):
            notes.clear()
            cold.setdefault(screen.path, []).append(1000 * seconds(test.run))
            warm.setdefault(screen.path, []).append(1000 * seconds(test.run))
        if test.exception:
            raise RuntimeError(f"{screen.path}: {test.exception[0].message}")
    return notes.times, cold, warm
