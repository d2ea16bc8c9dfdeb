"""The gallery draws every component in each state where the setting says so, and is nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from dashboard.gallery import PARTS
from dashboard.navigation import GALLERY_PATH, SCREENS
from dashboard.words import translate
from tests.dashboard.conftest import fill
from tests.dashboard.test_pages import words

Application = Callable[..., AppTest]


def test_every_component_is_drawn(
    application: Application, engine: Engine, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(engine, now)
    monkeypatch.setenv("IOC_DISPLAY__GALLERY", "true")
    test = application("tong-quan")
    test.switch_page("../pages/gallery.py").run()
    assert not test.exception
    assert [str(head.value) for head in test.subheader] == [translate(part, "vi") for part in PARTS]
    said = words(test)
    for state in ("chưa đạt", "đến 31/12/2026, đạt", "ít số liệu, n = 5", "không phát sinh", "đã điều chỉnh, trước là"):
        assert state in said


def test_it_is_in_no_menu() -> None:
    assert GALLERY_PATH not in {screen.path for screen in SCREENS}
