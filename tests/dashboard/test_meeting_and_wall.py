"""The meeting stands still until it is asked for newer figures; the wall has no controls and outlives the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest

from dashboard.boards.meeting import MEETING
from dashboard.meeting import Deck, Shelf
from tests.dashboard.conftest import fill
from tests.dashboard.surveys import add_answers, add_services
from tests.dashboard.test_pages import shut, words
from warehouse.engine import advance_version

Application = Callable[..., AppTest]


def asked(test: AppTest, name: str) -> str:
    """Return a parameter of the URL: what the script wrote is a text, what the test gave a list."""
    value = test.query_params[name]
    return value if isinstance(value, str) else value[0]


def tile(test: AppTest, label: str) -> str:
    return next(str(metric.value) for metric in test.metric if metric.label == label)


@pytest.mark.parametrize("number", range(1, len(MEETING.slides) + 1))
def test_every_slide_is_drawn(application: Application, engine: Engine, now: datetime, number: int) -> None:
    fill(engine, now)
    add_services(engine)
    add_answers(engine, now)
    test = application("giao-ban", slide=str(number))
    assert not test.exception
    assert test.title[0].value
    assert f"trang {number}/{len(MEETING.slides)}" in words(test)
    assert "phiên bản dữ liệu" in words(test)


@pytest.mark.parametrize("number", ["0", "99", "x", "-1"])
def test_a_slide_that_is_not_there_is_the_first(
    application: Application, engine: Engine, now: datetime, number: str
) -> None:
    fill(engine, now)
    test = application("giao-ban", slide=number)
    assert not test.exception
    assert test.title[0].value == "Tổng hợp"


def test_figures_stand_still_until_the_newest_are_taken(
    application: Application, engine: Engine, now: datetime
) -> None:
    fill(engine, now)
    test = application("giao-ban", slide="1")
    before = tile(test, "Đang giải quyết")
    with engine.begin() as connection:
        connection.execute(text("update dossier set finished_at = null, status = 4"))
        advance_version(connection)
    test.run()
    assert tile(test, "Đang giải quyết") == before
    test.button(key="slide-next").click().run()
    assert asked(test, "slide") == "2"
    test.button(key="slide-previous").click().run()
    assert tile(test, "Đang giải quyết") == before
    test.button(key="slide-newest").click().run()
    assert tile(test, "Đang giải quyết") == "60"
    assert not test.exception


def test_a_deck_that_is_gone_is_taken_anew_and_said(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("giao-ban", slide="1", at="1-1")
    assert not test.exception
    assert "đã lấy lại" in words(test)
    assert asked(test, "at") != "1-1"


def test_the_agenda_begins_and_ends(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("giao-ban")
    test.button(key="begin").click().run()
    assert asked(test, "slide") == "1"
    test.button(key="slide-end").click().run()
    assert "slide" not in test.query_params
    assert test.button(key="begin")


def test_the_shelf_is_bounded() -> None:
    shelf = Shelf(room=2)
    decks = [Deck(str(number), number, datetime.now().astimezone(), "", ()) for number in range(3)]
    shelf.put("a", decks[0])
    shelf.put("b", decks[1])
    assert shelf.find("a") is decks[0]
    shelf.put("c", decks[2])
    assert shelf.find("b") is None
    assert shelf.find("a") is decks[0]


def test_the_wall_has_no_controls(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("trinh-chieu")
    assert not test.exception
    assert not test.error
    assert not [*test.button, *test.selectbox, *test.multiselect, *test.text_input, *test.segmented_control]


def test_the_wall_over_an_empty_warehouse_says_so(application: Application) -> None:
    test = application("trinh-chieu")
    assert not test.exception
    assert "Chưa có dữ liệu" in words(test)


def test_the_wall_with_one_dossier_and_old_data(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now - timedelta(hours=5), units=1, dossiers=1)
    test = application("trinh-chieu")
    assert not test.exception
    assert not test.error


def test_the_wall_comes_back_from_a_dead_warehouse(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("trinh-chieu")
    shut(engine)
    test.run()
    assert not test.exception
    assert "tự thử lại" in words(test)
