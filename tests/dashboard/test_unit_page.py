"""The page of one unit: figures against the area and the target, the way down, the course of a dossier."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine, insert, text
from streamlit.testing.v1 import AppTest

from tests.dashboard.conftest import fill
from tests.dashboard.test_pages import words
from warehouse import schema
from warehouse.engine import advance_version

Application = Callable[..., AppTest]
CODE = "H29.27595-0000"
STORED = {"source": "mot-cua", "code": CODE, "payload_hash": ""}


def test_figures_are_the_units_own_beside_those_of_the_area(
    application: Application, engine: Engine, now: datetime
) -> None:
    fill(engine, now)
    query = "select count(*) filter (where unit = '27595'), count(*) from dossier where finished_at is null"
    with engine.connect() as connection:
        mine, area = connection.execute(text(query)).one()
    test = application("don-vi", unit="27595")
    shown = {metric.label: metric.value for metric in test.metric}
    assert shown["Đang giải quyết"] == str(mine)
    assert f"toàn địa bàn ({area})" in words(test)


def test_a_target_is_told_with_its_verdict(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    row = {"metric": "on_time_06", "applies_to": "commune", "valid_from": date(2020, 1, 1), "value": 0.95}
    with engine.begin() as connection:
        connection.execute(insert(schema.target), [row])
        advance_version(connection)
    assert "chỉ tiêu 95" in words(application("don-vi", unit="27598")).lower()


def test_the_way_down_ends_at_the_course(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    assert application("don-vi", unit="27595").dataframe[0].value["field"].tolist() == ["Hộ tịch"]
    procedures = application("don-vi", unit="27595", field="HT").dataframe[0].value
    assert set(procedures["procedure"]) == {f"Thủ tục {n}" for n in range(4)}
    dossiers = application("don-vi", unit="27595", field="HT", procedure="1.000110").dataframe[0].value
    with engine.connect() as connection:
        query = text("select code from dossier where finished_at is null and unit='27595' and procedure='1.000110'")
        assert set(dossiers["code"]) == set(connection.execute(query).scalars())


def test_the_course_of_a_dossier_as_picture_and_tables(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    step = {**STORED, "seen_at": now, "started_at": now - timedelta(3), "due_at": now - timedelta(2), "status": 4}
    asked = {**STORED, "seen_at": now, "supplement": "1", "requested_at": now - timedelta(2), "received_at": None}
    with engine.begin() as connection:
        connection.execute(insert(schema.dossier_step), [{**step, "step": "1", "department": "Địa chính <b>"}])
        connection.execute(insert(schema.dossier_supplement), [asked])
        advance_version(connection)
    test = application("don-vi", unit="27595", dossier=f"mot-cua/{CODE}")
    assert not test.exception
    said = words(test)
    assert "quá hạn" in said
    steps, events = (table.value for table in test.table)
    assert steps["Bộ phận"].tolist() == ["Địa chính <b>"]
    assert "quá hạn bước" in steps["Đánh giá"].iloc[0]
    assert set(events["Nội dung"]) >= {"Tiếp nhận", "Yêu cầu bổ sung"}
    assert len(test.get("plotly_chart")) == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"unit": "<b>"}, "Không có đơn vị"),
        ({"field": "nonsense"}, "không có trong dữ liệu"),
        ({"procedure": "nonsense"}, "không có trong dữ liệu"),
        ({"dossier": "mot-cua/none"}, "Không có hồ sơ này"),
        ({"dossier": "no slash"}, "Lĩnh vực"),
        ({"dossier": "/"}, "Không có hồ sơ này"),
    ],
)
def test_nonsense_in_the_address_is_said(
    application: Application, engine: Engine, now: datetime, asked: dict[str, str], said: str
) -> None:
    fill(engine, now)
    test = application("don-vi", **asked)
    assert not test.exception
    assert said in words(test)
