"""Every page in every state: full, empty, one row, stale, warehouse down; numbers as `measure` gives them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, create_engine, text
from streamlit.testing.v1 import AppTest

from dashboard.navigation import SCREENS
from tests.dashboard.conftest import fill

PATHS = [screen.path for screen in SCREENS]
AGED = [path for path in PATHS if path != "trinh-chieu"]
"""Pages that write the age of their data; the wall draws it in the browser (test_meeting_and_wall)."""
Application = Callable[..., AppTest]


def words(test: AppTest) -> str:
    """Return everything that stands on the page."""
    parts = [*test.markdown, *test.caption, *test.title, *test.error, *test.warning]
    return "\n".join(str(part.value) for part in parts)


@pytest.mark.parametrize("path", AGED)
def test_full(application: Application, engine: Engine, now: datetime, path: str) -> None:
    fill(engine, now)
    test = application(path)
    assert not test.exception
    assert not test.error
    assert "số liệu" in words(test)


@pytest.mark.parametrize("path", PATHS)
def test_empty_warehouse(application: Application, path: str) -> None:
    test = application(path)
    assert not test.exception
    assert "Chưa có dữ liệu" in words(test)


@pytest.mark.parametrize("path", PATHS)
def test_one_dossier_of_one_unit(application: Application, engine: Engine, now: datetime, path: str) -> None:
    fill(engine, now, units=1, dossiers=1)
    test = application(path)
    assert not test.exception
    assert not test.error


@pytest.mark.parametrize("path", AGED)
def test_stale_source(application: Application, engine: Engine, now: datetime, path: str) -> None:
    fill(engine, now - timedelta(hours=5))
    test = application(path)
    assert not test.exception
    assert ":red[:material/schedule: số liệu" in words(test)


def shut(engine: Engine) -> None:
    """Make the warehouse unreachable: its connections end and new ones are refused."""
    name = engine.url.database
    admin = create_engine(engine.url.set(database="ioc"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"alter database {name} allow_connections false"))
        connection.execute(
            text("select pg_terminate_backend(pid) from pg_stat_activity where datname = :n"), {"n": name}
        )
    admin.dispose()


@pytest.mark.parametrize("path", PATHS)
def test_warehouse_down(application: Application, engine: Engine, now: datetime, path: str) -> None:
    fill(engine, now)
    test = application(path)
    shut(engine)
    test.run()
    assert not test.exception
    assert "tự thử lại" in words(test)


def test_tiles_show_the_figures_of_the_rows(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    shown = {metric.label: metric.value for metric in application("tong-quan").metric}
    with engine.connect() as connection:
        opened, overdue, received = connection.execute(
            text(
                "select count(*) filter (where finished_at is null),"
                " count(*) filter (where finished_at is null and due_at < :now), count(*) from dossier"
            ),
            {"now": now},
        ).one()
    assert shown["Đang giải quyết"] == str(opened)
    assert shown["Quá hạn"] == str(overdue)
    assert shown["Tiếp nhận"] == str(received)


def test_english(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("tong-quan", lang="en")
    assert test.title[0].value == "Overview"


def test_a_period_that_cannot_be_read_is_said(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("tong-quan", period="30/02/2022")
    assert not test.exception
    assert "Không đọc được kỳ" in words(test)


def test_a_period_without_anything_says_so(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("tong-quan", period="1999")
    assert not test.exception
    assert "không phát sinh" in words(test)
    assert "Không phát sinh hồ sơ tiếp nhận trong kỳ" in words(test)
