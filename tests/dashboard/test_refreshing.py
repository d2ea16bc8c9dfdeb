"""The thread beside the worker that keeps the cells up to date."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, func, select, text

from dashboard.refreshing import keep_refreshing
from metrics.cell_refresh import REFRESH_LOCK, Refreshed, refresh
from tests.cells import CLOCK, NOW, cells
from tests.metrics.test_cells import one
from tests.metrics.world import store
from warehouse import rollups
from warehouse.rollups import cell_state, dossier_log
from warehouse.schema import dossier


@contextmanager
def kept(engine: Engine) -> Iterator[None]:
    """Keep the cells up to date in a thread, ten times as often as the worker does."""
    stop = threading.Event()
    thread = threading.Thread(target=keep_refreshing, args=(engine, CLOCK, stop), kwargs={"every": 0.2})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def rows_of_log(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(dossier_log)).scalar_one())


def made(engine: Engine) -> bool:
    with engine.connect() as connection:
        return connection.execute(select(cell_state.c.units)).scalar_one_or_none() is not None


def test_what_writers_log_is_carried_over(engine: Engine) -> None:
    with engine.begin() as connection:
        store(connection, [one(), one()])
    with kept(engine):
        for _ in range(2):
            with engine.begin() as connection:
                rollups.log_versions(connection, dossier, added=select(dossier).limit(0).subquery())
                rollups.log_everything(connection)
            eventually(lambda: rows_of_log(engine) == 0)
    with engine.connect() as connection:
        assert connection.execute(select(cell_state.c.units)).scalar_one() == ["u1"]


def test_trouble_is_said_and_tried_again(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with engine.begin() as connection:
        store(connection, [one()])
        connection.execute(text("alter table unit_cell rename to elsewhere"))
    with kept(engine), caplog.at_level(logging.WARNING):
        eventually(lambda: "were not brought up to date" in caplog.text)
        with engine.begin() as connection:
            connection.execute(text("alter table elsewhere rename to unit_cell"))
        eventually(lambda: made(engine))
    assert any(found.get("received") == 1 for found in cells(engine).values())


def test_one_process_at_a_time(engine: Engine) -> None:
    with engine.connect() as other:
        other.execute(select(func.pg_advisory_lock(REFRESH_LOCK)))
        assert refresh(engine, clock=CLOCK, now=NOW) is Refreshed.BUSY
        other.execute(select(func.pg_advisory_unlock(REFRESH_LOCK)))
    assert refresh(engine, clock=CLOCK, now=NOW) is Refreshed.ANEW
