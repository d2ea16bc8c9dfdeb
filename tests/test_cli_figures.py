"""`ioc form06`, `ioc targets`, `ioc figures`, `ioc units successors` as an operator meets them."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, insert, select
from typer.testing import CliRunner, Result

from dashboard.cli import app
from metrics import Period
from tests.metrics.world import HANOI, Dossier, store
from warehouse.schema import closed_figure, external_score, target, unit, unit_successor

NOW = datetime.now(UTC)
LAST_MONTH = (NOW.astimezone(HANOI).replace(day=1) - timedelta(40)).strftime("%Y-%m")
RECEIVED = Period.parse(LAST_MONTH, HANOI).start + timedelta(days=4)


@pytest.fixture
def world(engine: Engine, database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A warehouse with four dossiers of a month that has ended, and settings that name it."""
    for name in [name for name in os.environ if name.startswith("IOC_") and name != "IOC_SHARED"]:
        monkeypatch.delenv(name)
    (tmp_path / "ioc.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IOC_DATABASE__URL", database_url.render_as_string(hide_password=False))
    fill(engine, 4)
    return engine


def fill(engine: Engine, count: int) -> None:
    due, done = RECEIVED + timedelta(5), RECEIVED + timedelta(2)
    one = Dossier("u1", "a", 2, RECEIVED, due, done, 10, None, None, None)
    withdrawn = Dossier("u2", "c", 1, RECEIVED, due, done, 7, None, None, None)
    with engine.begin() as connection:
        store(connection, [withdrawn, *[one] * (count - 1)])


def ioc(*words: str) -> Result:
    return CliRunner().invoke(app, words, catch_exceptions=False)


def test_form_06(world: Engine) -> None:
    result = ioc("form06", "--period", LAST_MONTH, "--by", "unit", "--format", "json")
    assert result.exit_code == 0, result.stderr
    form = json.loads(result.stdout)
    *rows, total = form["rows"]
    assert {row["unit"]: row["received_total"] for row in rows if row["received_total"]} == {"u1": 3, "u2": 1}
    assert (total["unit"], total["unit_name"], total["received_total"], total["resolved_early"]) == (
        None, "Tổng số", 4, 3,
    )  # fmt: skip
    assert [column["number"] for column in form["columns"]] == [*range(3, 14), *[None] * 5]
    assert {finding["identity"] for finding in form["findings"]} == {"balance"}
    table = ioc("form06", "--period", LAST_MONTH, "--format", "csv")
    assert table.stdout.splitlines()[0].startswith("field,field_name,received_total,received_online")
    assert "total: (3) = (7) + (11): 4 against 3, gap 1; explained by dossiers without a column 1, unexplained 0" in (
        table.stderr
    )
    assert "(6) could not be compared" in table.stderr
    assert ioc("figures", "close").exit_code == 0
    after = Period.parse(LAST_MONTH, HANOI).end.strftime("%Y-%m")
    compared = ioc("form06", "--period", after, "--format", "json")
    told = json.loads(compared.stdout)["carried_over"]
    assert [(said["told"], said["period"]) for said in told] == [("recorded", LAST_MONTH)]
    said = ioc("form06", "--period", after, "--format", "csv").stderr
    assert f"(6) against (11) of {LAST_MONTH} as recorded on {NOW.astimezone(HANOI):%Y-%m-%d}: no gap" in said
    assert ioc("form06", "--period", "2022-13").exit_code == 2


def test_index_766(world: Engine) -> None:
    with world.begin() as connection:
        key = {"source": "portal", "unit": "u1", "period": LAST_MONTH, "seen_at": NOW, "payload_hash": ""}
        connection.execute(insert(external_score), [
            {**key, "item": "TOTAL", "score": 83.8, "max_score": 100.0},
            {**key, "item": "PROCESSING_ON_TIME", "score": 18.5, "max_score": 20.0},
        ])  # fmt: skip
    told = ioc("index766", "--period", LAST_MONTH, "--by-unit", "--format", "json")
    assert told.exit_code == 0, told.stderr
    answer = json.loads(told.stdout)
    assert answer["estimate"] is True
    [part] = [row for row in answer["rows"] if row["unit"] == "u1" and row["number"] == "2.1"]
    assert (part["numerator"], part["denominator"], part["points"], part["maximum"]) == (3, 3, 20, 20)
    [total] = [row for row in answer["totals"] if row["unit"] == "u1"]
    assert (total["official"], total["class"], total["colour"]) == (83.8, "Tốt", "#5CC488")
    assert total["maximum"] < 100, "an estimate is of the parts that can be computed"
    whole = ioc("index766", "--period", LAST_MONTH, "--format", "csv")
    assert whole.exit_code == 0, whole.stderr
    assert "estimated" in whole.stderr
    assert "no official score" in whole.stderr
    assert ioc("index766", "--period", LAST_MONTH).exit_code == 0


def test_targets(world: Engine, tmp_path: Path) -> None:
    assert "no target is stored" in ioc("targets", "list").stdout
    assert "targets: 11 stored, 0 already so" in ioc("targets", "load", "default").stdout
    assert "targets: 0 stored, 11 already so" in ioc("targets", "load", "default").stdout
    file = tmp_path / "mine.toml"
    file.write_text('[[targets]]\nmetric = "overdue_share"\napplies_to = "u7"\nvalid_from = 2026-01-01\nvalue = 0.05\n')
    refused = ioc("targets", "load", str(file))
    assert refused.exit_code == 1
    assert f"{file}, field applies_to: u7: neither a known unit nor one of" in refused.stderr
    file.write_text(file.read_text().replace("u7", "u2"))
    assert ioc("targets", "load", str(file)).exit_code == 0
    listed = ioc("targets", "list").stdout
    assert "overdue_share" in listed
    assert "NĐ 61/2018/NĐ-CP, Điều 17" in listed
    with world.connect() as connection:
        assert connection.execute(select(target.c.value).where(target.c.applies_to == "u2")).scalar_one() == 0.05


def test_figures_are_closed_once_and_corrections_told(world: Engine) -> None:
    unknown = ioc("figures", "corrections", LAST_MONTH)
    assert unknown.exit_code == 2
    assert "were not recorded" in unknown.stderr
    first = ioc("figures", "close")
    assert first.exit_code == 0, first.stderr
    assert LAST_MONTH in first.stdout
    assert ioc("figures", "close").stdout == "periods recorded: none\n"
    with world.connect() as connection:
        c = closed_figure.c
        statement = select(c.value).where(c.period == LAST_MONTH, c.unit == "u1", c.counter == "received")
        assert connection.execute(statement).scalar_one() == 3
    fill(world, 6)
    result = ioc("figures", "corrections", LAST_MONTH, "--metric", "received", "--format", "csv")
    lines = [line.rsplit(",", 1)[0] for line in result.stdout.splitlines()]
    assert lines[1:] == [",,received,4,6,2,4,,6,", "u1,u1,received,3,5,2,3,,5,"]


def test_successors(world: Engine, tmp_path: Path) -> None:
    with world.begin() as connection:
        values = {"code": "n1", "valid_from": date(2025, 7, 1), "name": "n1", "kind": "commune"}
        connection.execute(insert(unit), values)
    file = tmp_path / "successors.csv"
    file.write_text("old,new,changed_on,share\nu1,n1,2025-07-01,1\nu2,n1,2025-07-01,0.5\n")
    refused = ioc("units", "successors", str(file))
    assert refused.exit_code == 1
    assert "the shares of unit u2 on 2025-07-01 add up to 0.5, not to 1" in refused.stderr
    file.write_text("old,new,changed_on,share\nu1,n1,2025-07-01,1\nu2,n1,2025-07-01,1\n")
    assert "successors: 2 stored, 0 already so" in ioc("units", "successors", str(file)).stdout
    with world.connect() as connection:
        assert set(connection.execute(select(unit_successor.c.old)).scalars()) == {"u1", "u2"}
