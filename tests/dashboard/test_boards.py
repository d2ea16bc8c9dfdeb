"""Boards: declared once, built without a screen, and every figure equal to plain SQL over the rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pandas as pd
import plotly.graph_objects as go
import pytest
from sqlalchemy import Connection, Engine, text

import metrics
from dashboard.boards import channels, decisions, handling, satisfaction, spans
from dashboard.boards.build import answer, build, built_block
from dashboard.boards.content import BuiltSlide, ChartContent, Look, Nothing, TableContent, TilesContent
from dashboard.boards.context import BoardView, Context
from dashboard.boards.declaration import Board, Chart, Table, Tiles
from dashboard.boards.meeting import MEETING
from dashboard.boards.screen import SLIDE, Stage
from dashboard.boards.screen import WALL as WALL_STAGE
from dashboard.boards.wall import WALL
from dashboard.wall import place_at
from metrics import Clock, Period, Scope
from metrics.aspects import satisfaction_by_question, score_distribution
from metrics.interval import wilson
from metrics.question import Filters
from metrics.targets import targets
from metrics.units import units
from tests.dashboard.conftest import COMMUNES, fill
from tests.dashboard.surveys import add_answers, add_services
from warehouse.engine import data_version, snapshot
from warehouse.settings import SceneName, Settings
from warehouse.vocabulary import Channel, Language, SurveyScale

BOARDS = (MEETING, WALL)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SLIDES = [(board, slide.name) for board in BOARDS for slide in board.slides]


class PlainReader:
    """Answers a board's questions without Streamlit, as an exporter does."""

    def __init__(self, connection: Connection, now: datetime, language: Language = "vi") -> None:
        self.connection, self.as_of, self.language = connection, now, language
        self.settings = Settings()
        self.version = data_version(connection)
        self.today = now.astimezone(ZONE).date()
        self._asked = SimpleNamespace(clock=Clock.of(self.settings), as_of=now, scope=Scope.of({"785"}))

    def ask(
        self, names: Sequence[str], period: Period, by: Sequence[str] = (), filters: Filters | None = None
    ) -> pd.DataFrame:
        return metrics.measure(
            self.connection, list(names), period=period, by=by, filters=filters or {}, **vars(self._asked)
        )

    def opinions(self, what: str, period: Period, filters: Filters | None = None) -> pd.DataFrame:
        function = {"questions": satisfaction_by_question, "scores": score_distribution}[what]
        return function(self.connection, period=period, filters=filters or {}, **vars(self._asked))

    def ranking(self, period: Period) -> pd.DataFrame:
        return metrics.rank_units(self.connection, period=period, **vars(self._asked))

    def names(self, dimension: str, codes: Sequence[Any]) -> dict[Any, str]:
        return metrics.names(self.connection, dimension, list(codes), self.language, self.today)

    def units(self) -> pd.DataFrame:
        return units(self.connection, self._asked.scope, self.today)

    def targets(self, names: Sequence[str], units: Sequence[str]) -> pd.DataFrame:
        return targets(self.connection, names, units, self.today)


Open = Callable[..., Context]


@pytest.fixture
def context(engine: Engine, now: datetime) -> Iterator[Open]:
    """Make contexts over one snapshot: `context(period, language=…, filters=…)`."""
    with snapshot(engine) as connection:

        def make(period: str = "last-12-months", language: Language = "vi", **filters: tuple[str, ...]) -> Context:
            reader = PlainReader(connection, now, language)
            found = Period.parse(period, ZONE, today=reader.today)
            return Context(reader, BoardView(found, metrics.previous(found), period, filters))

        yield make


@pytest.fixture
def full(engine: Engine, now: datetime) -> None:
    """A district with dossiers, online services and answers."""
    fill(engine, now, dossiers=120)
    add_services(engine)
    add_answers(engine, now)


def contents(built: BuiltSlide) -> list[Any]:
    return [content for row in built.rows for content in row.contents]


def blocks(board: Board, name: str) -> list[Tiles | Chart | Table]:
    return list(board.slide(name).blocks)


def test_builders_need_no_screen() -> None:
    code = (
        "import dashboard.boards.build, dashboard.boards.meeting, dashboard.boards.wall, sys;"
        " sys.exit('streamlit' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(("board", "name"), SLIDES)
def test_a_built_slide_is_complete(context: Open, board: Board, name: str, language: Language) -> None:
    built = build(board.slide(name), context(language=language))
    assert [content.name for content in contents(built)] == [block.name for block in blocks(board, name)]
    assert built.lead
    for content in contents(built):
        assert not isinstance(content, Nothing), content
        if isinstance(content, ChartContent):
            assert content.title
            assert content.alt
            light, dark = content.make(Look()), content.make(Look(dark=True, height=500, type_size=25))
            assert isinstance(light, go.Figure)
            assert len(light.data) == len(dark.data) > 0
        elif isinstance(content, TableContent):
            assert all(len(row) == len(content.columns) for row in content.rows)


@pytest.mark.parametrize(("board", "name"), SLIDES)
def test_a_slide_of_nothing_says_so(engine: Engine, now: datetime, context: Open, board: Board, name: str) -> None:
    fill(engine, now, units=1, dossiers=1)
    built = build(board.slide(name), context("1999"))
    for content in contents(built):
        if isinstance(content, TilesContent):
            assert all(tile.value in {"0", "–"} for tile in content.tiles)
        elif isinstance(content, Nothing):
            assert content.words
            assert content.title


@pytest.mark.usefixtures("full")
def test_overdue_by_unit_is_that_of_the_rows(engine: Engine, now: datetime, context: Open) -> None:
    chart = built_block(handling.OVERDUE_BY_UNIT, context())
    assert isinstance(chart, ChartContent)
    bars = chart.make(Look()).data[0]
    with engine.connect() as connection:
        rows = connection.execute(
            text("select unit, count(*) from dossier where finished_at is null and due_at < :now group by unit"),
            {"now": now},
        )
        assert dict(zip(bars.y, bars.x, strict=True)) == {COMMUNES[unit]: count for unit, count in rows}


@pytest.mark.usefixtures("full")
def test_units_to_urge_count_what_is_late_for_thirty_days(engine: Engine, now: datetime, context: Open) -> None:
    table = built_block(handling.TO_URGE, context())
    assert isinstance(table, TableContent)
    with engine.connect() as connection:
        late = connection.execute(
            text("select count(*) from dossier where finished_at is null and due_at < :day"),
            {"day": now - timedelta(days=30)},
        ).scalar_one()
    assert sum(int(row[3].text) for row in table.rows) == late


@pytest.mark.usefixtures("full")
def test_paper_of_online_services_is_that_of_the_rows(engine: Engine, context: Open) -> None:
    found = channels.paper_procedures(answer(channels.TO_CONVERT_ASK, context()))
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select procedure, count(*) filter (where channel <> :online), count(*) from dossier"
                " join procedure p on p.code = procedure where p.online_level in (3, 4) group by procedure"
            ),
            {"online": int(Channel.ONLINE)},
        ).all()
    expected = {code: (paper, known) for code, paper, known in rows if paper}
    assert {row.procedure: (row.paper, row.known) for row in found.itertuples()} == expected
    assert list(found["paper"]) == sorted(found["paper"], reverse=True)


@pytest.mark.usefixtures("full")
def test_intervals_by_unit_are_those_of_the_answers(engine: Engine, context: Open) -> None:
    chart = built_block(satisfaction.BY_UNIT, context())
    assert isinstance(chart, ChartContent)
    figure = chart.make(Look())
    shown = {name: value for trace in figure.data for name, value in zip(trace.y, trace.x, strict=True)}
    high = {
        name: value + error
        for trace in figure.data
        for name, value, error in zip(trace.y, trace.x, trace.error_x.array or (), strict=True)
    }
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select unit, count(*) filter (where satisfied), count(*) from survey_answer"
                " where scale = 'three_level' group by unit"
            )
        ).all()
    assert shown == pytest.approx({COMMUNES[unit]: good / n for unit, good, n in rows})
    assert high == pytest.approx({COMMUNES[unit]: wilson(good, n).high for unit, good, n in rows})  # type: ignore[union-attr]


@pytest.mark.usefixtures("full")
def test_scales_are_never_mixed(context: Open) -> None:
    counts = {}
    for scale in (SurveyScale.THREE_LEVEL, SurveyScale.FIVE_LEVEL):
        chart = built_block(satisfaction.scores(scale), context())
        assert isinstance(chart, ChartContent)
        counts[scale] = len(chart.make(Look()).data[0].y)
    assert counts == {SurveyScale.THREE_LEVEL: 3, SurveyScale.FIVE_LEVEL: 5}
    questions = built_block(satisfaction.by_question(SurveyScale.FIVE_LEVEL), context())
    assert isinstance(questions, ChartContent)
    assert isinstance(built_block(satisfaction.by_question(SurveyScale.THREE_LEVEL), context()), Nothing)


@pytest.mark.usefixtures("full")
def test_units_of_the_presenter_narrow_every_figure(context: Open) -> None:
    chart = built_block(satisfaction.BY_UNIT, context(unit=("27598",)))
    assert isinstance(chart, ChartContent)
    assert {name for trace in chart.make(Look()).data for name in trace.y} == {COMMUNES["27598"]}


@pytest.mark.usefixtures("full")
def test_without_comparison_nothing_is_compared(context: Open) -> None:
    alone = context()
    alone = replace(alone, view=replace(alone.view, compared=None))
    for slide in (MEETING.slide("summary"), MEETING.slide("to-urge"), MEETING.slide("decisions")):
        for content in contents(build(slide, alone)):
            if isinstance(content, TilesContent):
                assert not any(tile.change for tile in content.tiles)
    table = built_block(handling.TO_URGE, alone)
    assert isinstance(table, TableContent)
    assert {row[2].text for row in table.rows} == {"–"}


@pytest.mark.usefixtures("full")
def test_matters_name_the_units_with_most(context: Open) -> None:
    table = built_block(decisions.MATTERS_TABLE, context())
    assert isinstance(table, TableContent)
    assert table.rows[0][0].text == "Hồ sơ quá hạn"
    assert any(name in table.rows[0][3].text for name in COMMUNES.values())


def test_settings_name_every_scene() -> None:
    assert get_args(SceneName) == tuple(slide.name for slide in WALL.slides)


def test_scenes_follow_the_clock() -> None:
    start = datetime(2026, 11, 26, 10, 0, 0, tzinfo=UTC)
    places = [place_at(start + timedelta(seconds=20 * step), 20.0, 6) for step in range(7)]
    assert places[0] == places[6]
    assert sorted(places[:6]) == list(range(6))


@pytest.mark.parametrize("stage", [SLIDE, WALL_STAGE])
@pytest.mark.parametrize(("board", "name"), SLIDES)
def test_rows_share_the_stage(board: Board, name: str, stage: Stage) -> None:
    slide = board.slide(name)
    assert sum(stage.height(slide, row) for row in slide.rows) == pytest.approx(stage.space, abs=2)
    assert stage.rows(slide) >= 3
    assert stage.bars(slide) >= 5


def test_course_and_year_end_with_what_is_known() -> None:
    now = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
    today = now.astimezone(ZONE).date()
    month = Period.parse("2026-11", ZONE, today=today)
    span, step = spans.course(month, now, ZONE)
    assert (span.text, step) == ("2026-11-01/2026-11-26", "day")
    day = Period.parse("today", ZONE, today=today)
    assert spans.course(day, now, ZONE)[0].text == "2026-10-28/2026-11-26"
    whole = Period.parse("2025", ZONE, today=today)
    assert spans.course(whole, now, ZONE)[1] == "month"
    assert spans.year(month, now, ZONE).text == "2025-12-01/2026-11-26"
    assert spans.year(whole, now, ZONE).text == "2025-01-01/2025-12-31"
