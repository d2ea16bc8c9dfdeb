"""The ranking page: a unit pinned from settings or URL, its peers, what would move it up, nonsense in the URL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest

from dashboard.ranking import MINE
from metrics import Clock, Period, Scope, WorkingCalendar, rank_units
from metrics.ranking_gain import gains
from tests.dashboard.conftest import fill
from tests.dashboard.test_pages import words
from tests.metrics.world import HANOI
from warehouse.engine import advance_version

Application = Callable[..., AppTest]


@pytest.fixture
def ranked(engine: Engine, now: datetime) -> None:
    """Three units, the first with overdue dossiers, the second with late ones, the third with none."""
    fill(engine, now, dossiers=120)
    with engine.begin() as connection:
        late = (
            "update dossier set finished_at = due_at + interval '1 second', due_at = received_at where unit = '27598'"
        )
        connection.execute(text(f"{late} and finished_at is not null and right(code, 1) in ('1', '4')"))
        advance_version(connection)


@pytest.mark.usefixtures("ranked")
def test_the_unit_of_the_url_is_pinned_with_what_would_move_it_up(
    application: Application, engine: Engine, now: datetime
) -> None:
    test = application("xep-hang", unit="27595")
    assert not test.exception
    table = test.dataframe[0].value
    assert [name for name in table["unit"] if name.startswith(MINE)] == [f"{MINE} Thị trấn Một"]
    zone, clock = HANOI, Clock(HANOI, WorkingCalendar(HANOI))
    period = Period.parse("last-12-months", zone, today=now.astimezone(zone).date())
    with engine.connect() as connection:
        ranking = rank_units(
            connection, clock=clock, period=period, as_of=now + timedelta(minutes=1), scope=Scope.of({"785"})
        )
    assert list(table["rank"].dropna()) == list(ranking["rank"].dropna())
    said = words(test)
    assert "hạng" in said
    for row in gains(ranking, "27595").dropna(subset=["needed"]).itertuples():
        assert f"sẽ lên hạng {row.rank}" in said
    assert len(test.get("plotly_chart")) >= 2


@pytest.mark.usefixtures("ranked")
def test_without_a_unit_of_ones_own_the_places_are_there(application: Application) -> None:
    test = application("xep-hang")
    assert not any(name.startswith(MINE) for name in test.dataframe[0].value["unit"])
    assert "Chọn đơn vị" in words(test)


@pytest.mark.usefixtures("ranked")
def test_the_own_unit_of_the_settings_is_pinned(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_DISPLAY__OWN_UNIT", "27601")
    assert f"{MINE} Xã Ba" in set(application("xep-hang").dataframe[0].value["unit"])


@pytest.mark.usefixtures("ranked")
def test_peers_alone_are_listed_with_the_places_of_all(application: Application, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("update unit set population = 5000 where code = '27601'"))
        advance_version(connection)
    test = application("xep-hang", unit="27595", among="population")
    assert set(test.dataframe[0].value["unit"]) == {f"{MINE} Thị trấn Một", "Xã Hai"}
    assert "trong nhóm" in words(test)


@pytest.mark.usefixtures("ranked")
@pytest.mark.parametrize("asked", [{"unit": "<x>"}, {"among": "y"}, {"kind": "z"}, {"unit": "785"}, {"fields": "HT"}])
def test_nonsense_and_filters_in_the_address(application: Application, asked: dict[str, str]) -> None:
    test = application("xep-hang", **asked)
    assert not test.exception
    assert len(test.dataframe[0].value) == 3


def test_a_unit_under_the_minimum_is_listed_not_ranked(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now, dossiers=30)
    test = application("xep-hang", unit="27595")
    assert test.dataframe[0].value["rank"].isna().all()
    assert "Chưa xếp hạng" in words(test)
