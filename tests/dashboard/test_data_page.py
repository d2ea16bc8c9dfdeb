"""The data page: every view in every state, what it tells of known rows, and its files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, insert, update
from streamlit.testing.v1 import AppTest

from dashboard.data import VIEWS
from dashboard.export import csv_bytes
from tests.conftest import shared
from tests.dashboard.conftest import CONFIG, fill
from tests.dashboard.test_pages import words
from warehouse import schema
from warehouse.engine import advance_version
from warehouse.vocabulary import REPORT_FORM, ReportItem

Application = Callable[..., AppTest]
PAGE = "du-lieu"
SECOND = """
[[sources]]
name = "dvcqg"
entity = "reference_dossier"
mapping = "dvcqg"
max_age_seconds = 600
reader = { kind = "rest", url = "http://127.0.0.1:9/portal/dossiers" }
"""


@pytest.fixture
def with_second_source(application: Application, tmp_path: Path) -> Application:
    """The application with a second source to compare with."""
    (tmp_path / "ioc.toml").write_text(CONFIG + SECOND, encoding="utf-8")
    return application


def everything(test: AppTest) -> str:
    """All words of a page, those in tables and figures too."""
    tables = [table.value.to_csv() for table in test.dataframe]
    buttons = [button.label for button in test.button]
    tiles = [f"{metric.label} {metric.value}" for metric in test.metric]
    return "\n".join([words(test), *tables, *tiles, *buttons])


def same_elsewhere(engine: Engine, now: datetime, **changes: dict[str, Any]) -> None:
    """Let the second source tell the same dossiers, but for some: code suffix to changed columns (None: left out)."""
    with engine.begin() as connection:
        rows = [dict(row) for row in connection.execute(schema.dossier.select()).mappings()]
        told = []
        for row in rows:
            changed = changes.get(row["code"][-4:], {})
            if changed is not None:
                told.append({**row, "source": "dvcqg", **changed})
        connection.execute(insert(schema.reference_dossier), told)
        early = now - timedelta(hours=1)
        connection.execute(update(schema.dossier).values(source_updated_at=early))
        connection.execute(update(schema.reference_dossier).values(source_updated_at=early))
        run = {"source": "dvcqg", "entity": "reference_dossier", "started_at": now, "finished_at": now, "state": "ok"}
        connection.execute(insert(schema.sync_run).values(**run, read=len(told), stored=len(told)))
        advance_version(connection)


@pytest.mark.parametrize("view", VIEWS)
def test_full_and_stale(with_second_source: Application, engine: Engine, now: datetime, view: str) -> None:
    fill(engine, now - timedelta(hours=5))
    same_elsewhere(engine, now - timedelta(hours=5))
    test = with_second_source(PAGE, view=view)
    assert not test.exception
    assert not test.error


@pytest.mark.parametrize("view", VIEWS)
def test_empty_warehouse(with_second_source: Application, view: str) -> None:
    test = with_second_source(PAGE, view=view)
    assert not test.exception
    assert ("Không có bản ghi nào bị cách ly" if view == "quarantine" else "Chưa có dữ liệu") in everything(test)


@pytest.mark.parametrize("view", VIEWS)
def test_english_and_nonsense(
    with_second_source: Application, engine: Engine, now: datetime, view: str, tmp_path: Path
) -> None:
    config = (CONFIG + SECOND).replace("[display]", '[display]\nlanguage = "en"')
    (tmp_path / "ioc.toml").write_text(config, encoding="utf-8")
    fill(engine, now)
    same_elsewhere(engine, now)
    nonsense = {"reason": "x", "finding": "x", "of_unit": "x", "stream": "x/y", "differs": "x", "exact": "x"}
    test = with_second_source(PAGE, view=view, **nonsense)
    assert not test.exception
    assert test.title[0].value == "Reconciliation and data"


def test_sources_tell_a_failed_a_cut_off_and_a_never_read_stream(
    with_second_source: Application, engine: Engine, now: datetime
) -> None:
    fill(engine, now)
    key = {"source": "mot-cua", "entity": "dossier"}
    with engine.begin() as connection:
        failed = {"started_at": now, "finished_at": now, "state": "failed", "error": "page 3: answered 503"}
        connection.execute(insert(schema.sync_run).values(**key, **failed))
        cut = {"state": "open", "failures": 6, "since": now, "try_at": now + timedelta(seconds=15)}
        connection.execute(insert(schema.breaker).values(**key, **cut))
        connection.execute(insert(schema.missing_record).values(**key, code="H29.27595-0001", missing_since=now))
        day = {"day": now.date(), "theirs": 7, "ours": 6, "checked_at": now}
        connection.execute(insert(schema.drift).values(**key, **day))
    test = with_second_source(PAGE)
    told = everything(test)
    assert not test.exception
    for text in ("Tạm ngắt", "page 3: answered 503", "6 lần chạy lỗi liên tiếp", "1 bản ghi không còn ở nguồn",
                 "1 ngày có chênh lệch", "Chưa có dữ liệu", "H29.27595-0001", "bình thường 0/2"):  # fmt: skip
        assert text in told, text
    other = with_second_source(PAGE, stream="dvcqg/reference_dossier")
    assert "Nguồn này chưa được đọc lần nào" in everything(other)


def test_no_source_configured(application: Application, tmp_path: Path) -> None:
    (tmp_path / "ioc.toml").write_text("[display]\narea = 'Huyện Thử'\n", encoding="utf-8")
    test = application(PAGE)
    assert not test.exception
    assert "Hãy thêm [[sources]]" in everything(test)


def refuse(engine: Engine, now: datetime, number: int, reason: str, detail: str = "NgayTiepNhan: 'hôm qua'") -> None:
    with engine.begin() as connection:
        connection.execute(
            insert(schema.quarantine).values(
                source="mot-cua", entity="dossier", payload_hash=str(number), reason=reason, code=f"=H29-{number}",
                detail=detail, place=f"page 1 item {number}", payload={"DonViXuLy": "27595"}, complete=number % 2 == 0,
                first_seen_at=now - timedelta(days=number),
            )
        )  # fmt: skip
        advance_version(connection)


def test_quarantine_by_reason_and_record(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    for number, reason in enumerate(("bad_date", "bad_date", "unknown_unit", "not_in_the_list_yet")):
        refuse(engine, now, number, reason)
    told = everything(application(PAGE, view="quarantine"))
    for text in ("Ngày giờ không đọc được", "Đơn vị không có trong danh mục", "not_in_the_list_yet", "hôm qua",
                 "trang 1 mục 2", "4 bản ghi đang chờ", "Thị trấn Một"):  # fmt: skip
        assert text in told, text
    one = everything(application(PAGE, view="quarantine", reason="unknown_unit"))
    assert "trang 1 mục 2" in one
    assert "mục 1" not in one
    assert "Xem tất cả lý do" in one


def test_findings_of_flagged_dossiers(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    with engine.begin() as connection:
        d = schema.dossier
        connection.execute(update(d).where(d.c.code.like("%-0007")).values(flags=["code_contradicts_date"]))
        connection.execute(update(d).where(d.c.code.like("%-001_")).values(flags=["due_before_received"]))
        advance_version(connection)
    told = everything(application(PAGE, view="findings"))
    assert "Hạn trả trước ngày tiếp nhận,10,3" in told
    assert "Mã hồ sơ trái ngày tiếp nhận,1,1" in told
    assert "Căn cứ: NĐ 61/2018/NĐ-CP, Điều 17" in told  # the most frequent one is opened
    one = everything(application(PAGE, view="findings", finding="code_contradicts_date"))
    assert "-0007" in one
    assert "-0011" not in one
    unit = everything(application(PAGE, view="findings", finding="due_before_received", of_unit="27595"))
    assert "3 hồ sơ" in unit  # 0012, 0015 and 0018 of ten
    assert "-0013" not in unit


def test_reconciliation_tells_exactly_what_differs(
    with_second_source: Application, engine: Engine, now: datetime
) -> None:
    fill(engine, now)
    later = now - timedelta(hours=2)
    same_elsewhere(
        engine, now, **{"0000": {"status": 9}, "0001": {"finished_at": later}, "0002": {"due_at": None}, "0003": None,
                        "0004": {"code": "made-up"}, "0005": {"unit": "785"}},
    )  # fmt: skip
    told = everything(with_second_source(PAGE, view="reconciliation"))
    for text in ("4 · Đang xử lý,9 · Đã xử lý xong", "Nguồn đối chiếu thiếu", "Nguồn đối chiếu thừa", "made-up",
                 "Khác hạn trả", "Khác ngày kết thúc", "Xã Ba,Huyện Thử", "7 hồ sơ"):  # fmt: skip
        assert text in told, text
    for kind, code in (("due_differs", "-0002"), ("missing_here", "made-up"), ("unit_differs", "-0005")):
        one = everything(with_second_source(PAGE, view="reconciliation", differs=kind))
        assert code in one
        assert "1 hồ sơ" in one
        assert "-0000," not in one


def test_reconciliation_without_second_source_and_before_it_was_read(
    application: Application, engine: Engine, now: datetime, tmp_path: Path
) -> None:
    fill(engine, now)
    assert "Chưa có nguồn để đối soát" in everything(application(PAGE, view="reconciliation"))


def test_reconciliation_before_the_second_source_was_read(
    with_second_source: Application, engine: Engine, now: datetime
) -> None:
    fill(engine, now)
    assert "Chưa đọc xong lần nào" in everything(with_second_source(PAGE, view="reconciliation"))


def test_balance_shows_the_gap_of_gia_lam_as_it_was_reported(
    application: Application, engine: Engine, now: datetime
) -> None:
    published = json.loads(shared("vn_reported_figures/reference.json").read_text(encoding="utf-8"))["figures"]
    told = published["gia_lam_2022_communes"]
    fill(engine, now)
    items = {
        ReportItem.RECEIVED_TOTAL: told["handled"], ReportItem.CARRIED_IN: told["carried_over"],
        ReportItem.RESOLVED_TOTAL: told["solved_on_time"], ReportItem.OPEN_TOTAL: told["in_progress_in_time"],
    }  # fmt: skip
    with engine.begin() as connection:
        key = {"source": "bao-cao", "unit": "785", "form": REPORT_FORM, "period": "2022-01-01/2022-12-05"}
        rows = [
            {**key, "field": "Cấp xã", "item": item, "value": value, "seen_at": now, "payload_hash": ""}
            for item, value in items.items()
        ]
        connection.execute(insert(schema.reported_figure), rows)
        advance_version(connection)
    test = application(PAGE, view="balance", period="2022-01-01/2022-12-05")
    assert not test.exception
    shown = {metric.label: metric.value for metric in test.metric}
    assert shown["Chênh lệch theo báo cáo"] == "+9"
    table = test.dataframe[0].value
    row = table[table["unit"] == "Huyện Thử · Cấp xã"].iloc[0]
    assert row["reported_received_total"] == 82_861 == 687 + 82_174
    assert (row["reported_resolved_total"], row["reported_open_total"], row["reported_balance"]) == (82_567, 285, 9)
    assert row["gap"] == 82_861  # the dossiers of this warehouse are of another year
    offered = application(PAGE, view="balance")
    assert "Các kỳ có báo cáo:" in everything(offered)


def test_balance_of_a_period_that_has_not_begun(application: Application, engine: Engine, now: datetime) -> None:
    fill(engine, now)
    test = application(PAGE, view="balance", period="2199")
    assert not test.exception
    assert "Kỳ này chưa bắt đầu" in everything(test)


def test_a_file_opens_in_a_spreadsheet_and_runs_nothing() -> None:
    table = pd.DataFrame({"Mã": ["=1+1", "+84", "-2", "@x", "\tx", 'Hồ sơ, "A"', None], "Số": [1, -2, 3, 4, 5, 6, 7]})
    data = csv_bytes(table)
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert rows[0] == ["Mã", "Số"]
    assert [row[0] for row in rows[1:]] == ["'=1+1", "'+84", "'-2", "'@x", "'\tx", 'Hồ sơ, "A"', ""]
    assert [row[1] for row in rows[1:]] == ["1", "-2", "3", "4", "5", "6", "7"]
