"""The filter bar: what the URL says, what the page asks, what is carried along, and what nonsense gets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest

from dashboard.filters import CARRIED as OF_THE_BAR
from dashboard.filters import _distinct
from dashboard.frame_words import HIDDEN, PATTERNS, WORDS, script, searchable
from dashboard.navigation import CARRIED, UNIT
from dashboard.period_words import reporting_periods, understood
from dashboard.period_words import title as period_title
from dashboard.words import translate
from tests.dashboard.conftest import COMMUNES, fill
from tests.dashboard.test_pages import words

Application = Callable[..., AppTest]
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TODAY = date(2026, 11, 26)


def received(test: AppTest) -> str:
    return str(next(metric.value for metric in test.metric if metric.label == "Tiếp nhận"))


def chips(test: AppTest) -> list[str]:
    return [button.label for button in test.button if str(button.key).startswith("chip-")]


def asked(test: AppTest, name: str) -> str:
    value = test.query_params[name]
    return value if isinstance(value, str) else value[0]


def test_units_of_the_url_narrow_the_page(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("tong-quan", units="27595,27598")
    assert not test.exception
    with engine.connect() as connection:
        count = connection.execute(text("select count(*) from dossier where unit in ('27595', '27598')")).scalar_one()
    assert received(test) == str(count)
    assert chips(test) == ["Thị trấn Một :material/close:", "Xã Hai :material/close:"]


def test_a_chip_removes_its_filter_from_the_page_and_the_url(
    application: Application, engine: Engine, now: datetime
) -> None:
    fill(engine, now)
    test = application("tong-quan", units="27595,27598", channels="2")
    next(button for button in test.button if button.key == "chip-unit-27595").click().run()
    assert asked(test, "units") == "27598"
    assert asked(test, "channels") == "2"
    assert len(chips(test)) == 2
    next(button for button in test.button if button.key == "chips-none").click().run()
    assert not {"units", "channels"} & set(test.query_params)
    assert not chips(test)


def test_every_dimension_asks_the_same_as_the_rows(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    for parameters, condition in (
        ({"channels": "1"}, "channel = 1"),
        ({"fields": "HT"}, "procedure in (select code from procedure where field_code = 'HT')"),
        ({"units": "785"}, "true"),
    ):
        with engine.connect() as connection:
            count = connection.execute(text(f"select count(*) from dossier where {condition}")).scalar_one()
        shown = application("tong-quan", **parameters)
        assert received(shown) == str(count), parameters


def test_nonsense_is_said_and_left_out(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    usual = received(application("tong-quan"))
    test = application("tong-quan", units="nowhere,27595", fields="<script>", channels="77", compare="yesterday")
    assert not test.exception
    said = words(test)
    assert "nowhere" in said
    assert "77" in said
    assert chips(test) == ["Thị trấn Một :material/close:"]
    assert received(test) != usual
    assert received(application("tong-quan", units="nowhere")) == usual


def test_comparison(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    month = "this-week"
    assert "so với kỳ trước" in words(application("tong-quan", period=month))
    year = words(application("tong-quan", period=month, compare="last-year"))
    assert "so với cùng kỳ năm trước" in year
    assert "so với kỳ trước" not in year
    none = words(application("tong-quan", period=month, compare="none"))
    assert "so với" not in none


def test_selections_go_along_with_the_navigation(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application("tong-quan", units="27595", period="2026")
    test.query_params.clear()  # as a link of the navigation does
    test.switch_page(f"../pages/{UNIT.file}").run()
    assert asked(test, "units") == "27595"
    assert asked(test, "period") == "2026"


def test_the_bar_is_carried_along_whole() -> None:
    assert set(OF_THE_BAR) <= set(CARRIED)


def test_words_of_periods(application: Application, engine: Engine) -> None:
    application("tong-quan")
    assert period_title("report-2026-11", ZONE, TODAY) == "Kỳ báo cáo tháng 11/2026 (15/10–14/11/2026)"
    assert period_title("2022-W48", ZONE, TODAY) == "Tuần 48/2022 (28/11–04/12/2022)"
    assert period_title("2022-03", ZONE, TODAY) == "Tháng 3/2022"
    assert period_title("2022Q1", ZONE, TODAY) == "Quý I/2022"
    assert period_title("nonsense", ZONE, TODAY) == "nonsense"


def test_reporting_periods_are_those_around_today() -> None:
    assert reporting_periods(TODAY)[:3] == ("report-2026-12", "report-2026-11", "report-2026-10")
    assert reporting_periods(date(2026, 11, 14))[0] == "report-2026-11"
    assert "report-2026Q3" in reporting_periods(TODAY)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("11/2026", "2026-11"),
        ("Tháng 3/2022", "2022-03"),
        ("tuần 48/2022", "2022-W48"),
        ("quý IV/2022", "2022Q4"),
        ("26/11/2026", "2026-11-26"),
        ("01/11/2026 - 15/11/2026", "2026-11-01/2026-11-15"),
        ("2022-W48", "2022-W48"),
        ("report-2026-11", "report-2026-11"),
        ("gì đó", "gì đó"),
    ],
)
def test_periods_are_understood_as_people_type_them(typed: str, code: str) -> None:
    assert understood(typed) == code


def test_units_of_one_name_are_told_apart() -> None:
    names = {"1": "Xã Tân Thành", "2": "Xã Tân Thành", "3": "Xã Khác", "4": "Xã Tân Thành"}
    found = _distinct(names, {"1": "Huyện A", "2": "Huyện B", "4": "Huyện B"})
    assert len(set(found.values())) == len(names)
    assert found["1"] == "Xã Tân Thành (Huyện A)"
    assert found["3"] == "Xã Khác"


def test_names_are_found_without_marks() -> None:
    assert searchable("Xã Vĩnh Lộc A") == f"Xã Vĩnh Lộc A{HIDDEN} Xa Vinh Loc A"
    assert searchable("Phường Đa Kao").endswith("Phuong Da Kao")
    assert searchable("Hanoi") == "Hanoi"
    assert all(searchable(name).startswith(name) for name in COMMUNES.values())


def test_words_of_streamlit_are_all_translated() -> None:
    assert all(translate(text_, "vi") != text_ for text_ in (*WORDS, *PATTERNS))
    assert all("{x}" in translate(text_, "vi") for text_ in PATTERNS)
    assert "Không tìm thấy" in script("vi")
