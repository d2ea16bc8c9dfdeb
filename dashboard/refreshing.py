"""Beside the worker: keeps the cells that questions are answered from up to date with the rows."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from metrics import Clock
from metrics.cell_refresh import Refreshed, refresh
from warehouse.errors import IocError

EVERY_SECONDS = 2.0
SHARE_OF_TIME = 0.2
"""The most of the time that goes into refreshing: while a long history is loaded, all is made anew each time."""

logger = logging.getLogger(__name__)


def keep_refreshing(engine: Engine, clock: Clock, stop: threading.Event, *, every: float = EVERY_SECONDS) -> None:
    """Call `refresh` again and again until told to stop; trouble is logged and tried again the next time."""
    pause = every
    while not stop.wait(pause):
        began = time.monotonic()
        refresh_once(engine, clock)
        took = time.monotonic() - began
        pause = max(every, took / SHARE_OF_TIME - took)


def refresh_once(engine: Engine, clock: Clock) -> None:
    """Bring the cells up to date, and say so where that was long work."""
    began = time.monotonic()
    try:
        done = refresh(engine, clock=clock, now=datetime.now(UTC))
    except (SQLAlchemyError, IocError) as error:
        logger.warning("the cells of the figures were not brought up to date: %s", error)
        return
    if done is Refreshed.ANEW:
        logger.info("cells of the figures made anew in %.1f s", time.monotonic() - began)


def start_refreshing(engine: Engine, clock: Clock, stop: threading.Event) -> threading.Thread:
    """Start a thread that keeps refreshing until `stop` is set; it never keeps its process alive."""
    thread = threading.Thread(target=keep_refreshing, args=(engine, clock, stop), name="refreshing", daemon=True)
    thread.start()
    return thread
