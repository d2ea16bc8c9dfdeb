"""The worklist page: counts as the rows tell, lists found and ordered by the URL, a file that is whole and safe."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import Engine, insert, text
from streamlit.testing.v1 import AppTest

from dashboard.export import csv_bytes
from tests.dashboard.conftest import fill
from tests.dashboard.test_pages import words
from warehouse import schema
from warehouse.engine import advance_version

Application = Callable[..., AppTest]


def rows(test: AppTest) -> pd.DataFrame:
    """The list itself, which is the last table of the page."""
    frame = test.dataframe[-1].value
    assert "code" in frame
    return frame


def tab(test: AppTest, kind: str) -> str:
    return next(button.label for button in test.button if button.key == f"kind-{kind}")


def test_tabs_count_what_the_rows_say(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    with engine.begin() as connection:
        connection.execute(text("update dossier set status = 5 where status = 4 and right(code, 1) = '3'"))
        overdue, waiting, opened = connection.execute(
            text("select count(*) filter (where due_at < :now), count(*) filter (where status = 5), count(*)"
                 " from dossier where finished_at is null"), {"now": now},
        ).one()  # fmt: skip
        advance_version(connection)
    test = application("can-xu-ly")
    assert tab(test, "overdue") == f"**{overdue}** Quá hạn"
    assert tab(test, "waiting") == f"**{waiting}** Chờ người nộp"
    assert tab(test, "open") == f"**{opened}** Đang giải quyết"
    assert len(rows(test)) == overdue
    assert test.dataframe[0].value["dossiers"].sum() == overdue
    assert "hạn trả đã qua" in words(test)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"q": "h29.27598"}, "none"),
        ({"q": "h29.27595-000"}, "code like 'H29.27595-000%'"),
        ({"q": unicodedata.normalize("NFD", "thủ tục 0")}, "1.000110"),
        ({"q": "THU TUC 0"}, "1.000110"),
        ({"units": "27595"}, "all"),
        ({"fields": "HT"}, "all"),
        ({"q": "%"}, "none"),
        ({"department": "~"}, "all"),
        ({"department": "Địa chính"}, "none"),
        ({"age": "30-89"}, "old"),
        ({"kind": "nonsense", "order": "; drop", "page": "-5", "age": "7", "by": "x"}, "all"),
        ({"page": "99"}, "all"),
    ],
)  # fmt: skip
def test_the_url_alone_finds(
    application: Application, engine: Engine, now: datetime, asked: dict[str, str], expected: str
) -> None:
    fill(engine, now)
    tests = {
        "1.000110": "procedure = '1.000110'", "all": "true", "none": "false",
        "old": "due_at <= :now - interval '30 days'",
    }  # fmt: skip
    query = f"select code from dossier where finished_at is null and due_at < :now and {tests.get(expected, expected)}"
    with engine.connect() as connection:
        codes = set(connection.execute(text(query), {"now": now}).scalars())
    test = application("can-xu-ly", **asked)
    assert not test.exception
    if codes:
        assert set(rows(test)["code"]) == codes
    else:
        assert "Không có hồ sơ nào khớp" in words(test)


def test_order_of_the_url_is_that_of_the_whole_list(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now, dossiers=900)
    codes = list(rows(application("can-xu-ly", order="-code"))["code"])
    assert len(codes) == 100
    with engine.connect() as connection:
        query = text(
            "select code from dossier where finished_at is null and due_at < :now order by code desc limit 100"
        )
        assert codes == list(connection.execute(query, {"now": now}).scalars())


def test_departments_are_told_and_narrow_the_list(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    step = {"source": "mot-cua", "step": "1", "started_at": now - timedelta(9), "seen_at": now, "payload_hash": ""}
    with engine.begin() as connection:
        query = text("select code from dossier where finished_at is null and due_at < :now order by code limit 2")
        held = list(connection.execute(query, {"now": now}).scalars())
        connection.execute(
            insert(schema.dossier_step), [{**step, "code": code, "department": "Địa chính"} for code in held]
        )
        advance_version(connection)
    test = application("can-xu-ly", department="Địa chính", by="department")
    assert sorted(rows(test)["code"]) == sorted(held)
    groups = test.dataframe[0].value
    assert set(groups["department"]) == {"Địa chính", "chưa rõ"}
    assert groups.loc[groups["department"] == "Địa chính", "dossiers"].sum() == 2


def test_the_file_is_text_dates_and_no_formula() -> None:
    table = pd.DataFrame(
        {"Mã": ["1.000110", "00001", "H29.1-2", "=1+1"], "Tên": ["=cmd|' /C calc'!A0", "-1", "Xã Đa Phước", None],
         "Số": [1.5, None, -3, 0]}
    )  # fmt: skip
    content = csv_bytes(table, codes=("Mã",), provenance="@nguồn · 4 dòng")
    assert content.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row[0] for row in read[1:5]] == ['="1.000110"', '="00001"', "H29.1-2", "'=1+1"]
    assert [row[1] for row in read[1:5]] == ["'=cmd|' /C calc'!A0", "'-1", "Xã Đa Phước", ""]
    assert [row[2] for row in read[1:5]] == ["1.5", "", "-3.0", "0.0"]
    assert read[5:] == [[], ["'@nguồn · 4 dòng"]]
