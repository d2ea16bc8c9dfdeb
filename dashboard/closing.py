"""Beside the worker: records the figures of periods that have ended, within the hour that they can be."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from metrics import Clock
from metrics.closing import record_closed
from warehouse.errors import IocError

EVERY_SECONDS = 3600.0
FIRST_AFTER_SECONDS = 60.0

logger = logging.getLogger(__name__)


def keep_closing(engine: Engine, clock: Clock, stop: threading.Event, *, first: float = FIRST_AFTER_SECONDS) -> None:
    """Call `record_closed` again and again until told to stop; trouble is logged and tried again the next time."""
    pause = first
    while not stop.wait(pause):
        pause = EVERY_SECONDS
        close_once(engine, clock)


def close_once(engine: Engine, clock: Clock) -> None:
    """Record what has ended, and say so."""
    try:
        done = record_closed(engine, clock=clock, as_of=datetime.now(UTC))
    except (SQLAlchemyError, IocError) as error:
        logger.warning("figures of ended periods were not recorded: %s", error)
        return
    if done.recorded:
        logger.info("figures recorded of %s", ", ".join(done.recorded))
    if done.waiting:
        logger.info("figures of %s wait for %s to be read", ", ".join(done.waiting), ", ".join(done.streams))


def start_closing(engine: Engine, clock: Clock, stop: threading.Event) -> threading.Thread:
    """Start a thread that keeps closing until `stop` is set; it never keeps its process alive."""
    thread = threading.Thread(target=keep_closing, args=(engine, clock, stop), name="closing", daemon=True)
    thread.start()
    return thread
