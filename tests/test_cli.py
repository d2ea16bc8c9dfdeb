"""The command line as an operator meets it: real processes, exit codes, one clear line for each trouble."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine
from typer.testing import CliRunner, Result

from dashboard.cli import app
from metrics import METRICS
from tests.conftest import shared
from warehouse import schema

ROOT = Path(__file__).resolve().parents[1]
COSELOG = ROOT / "examples" / "coselog" / "ioc.toml"

UNITS = """code,name,kind,parent,valid_from,valid_to,lat,lon,population
D1,Huyện Bình Chánh,district,,2020-01-01,,,,
U1,Xã Tân Nhựt,commune,D1,2020-01-01,,,,
U2,Xã Bình Lợi,commune,D1,2020-01-01,,,,
"""
DOSSIERS = """id,unit,channel,received,due,done
H1,U1,1,2022-03-01 08:00:00,2022-03-05 17:00:00,2022-03-04 09:00:00
H2,U1,2,2022-03-02 08:00:00,2022-03-05 17:00:00,2022-03-06 09:00:00
H3,U2,2,2022-03-03 08:00:00,2022-03-05 17:00:00,
H4,U2,2,not a day,2022-03-05 17:00:00,
"""
MAPPING = """
entity = "dossier"
timezone = "Asia/Ho_Chi_Minh"
dates = ["iso"]

[fields]
code = { from = "id" }
unit = { from = "unit" }
channel = { from = "channel" }
received_at = { from = "received" }
due_at = { from = "due" }
finished_at = { from = "done" }
"""
CONFIG = """
[units]
file = "units.csv"

[[sources]]
name = "mot-cua"
mapping = "mapping.toml"
reader = { kind = "file", path = "dossiers.csv" }
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings with one file source, and no settings of this machine."""
    for name in list(os.environ):
        if name.startswith("IOC_") and name != "IOC_SHARED":
            monkeypatch.delenv(name)
    for name, text in {
        "units.csv": UNITS,
        "dossiers.csv": DOSSIERS,
        "mapping.toml": MAPPING,
        "ioc.toml": CONFIG,
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "ioc.toml"


@pytest.fixture
def warehouse(config: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same settings with a fresh, migrated warehouse."""
    monkeypatch.setenv("IOC_DATABASE__URL", database_url.render_as_string(hide_password=False))
    return config


def ioc(*words: str) -> Result:
    return CliRunner().invoke(app, words, catch_exceptions=False)


def as_json(*words: str) -> list[dict[str, object]]:
    result = ioc("measure", *words, "--format", "json")
    assert result.exit_code == 0, result.stderr
    rows: list[dict[str, object]] = json.loads(result.stdout)["rows"]
    return rows


def test_config_check_says_what_would_be_used(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_DATABASE__URL", "postgresql://ioc:geheim@db/ioc")
    monkeypatch.setenv("IOC_WEB_PORT", "1")
    result = ioc("config", "check")
    assert result.exit_code == 0
    assert "web.port = 8501" in result.stdout
    assert "1 sources" in result.stdout
    assert "IOC_WEB_PORT is set but is no setting" in result.stderr
    assert "geheim" not in result.output + ioc("config", "show").output


def test_config_check_names_each_bad_field(config: Path) -> None:
    config.write_text("[web]\nport = 0\nprot = 1\n", encoding="utf-8")
    result = ioc("config", "check", "--config", str(config))
    assert result.exit_code == 2
    assert "web.port" in result.stderr
    assert "web.prot: no such setting" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", ["config check", "config show", "db status", "sync", "worker", "web", "up"])
def test_without_settings_every_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IOC_CONFIG", raising=False)
    result = ioc(*command.split())
    assert result.exit_code == 2
    assert "no such settings file; name one with --config or IOC_CONFIG" in result.stderr


def test_the_document_is_printed() -> None:
    result = ioc("config", "document")
    assert result.stdout == (ROOT / "docs/settings.md").read_text(encoding="utf-8")


def test_sync_reads_and_a_second_time_finds_nothing_new(warehouse: Path) -> None:
    first = ioc("sync")
    assert first.exit_code == 0, first.stderr
    assert first.stdout.split()[-6:] == ["ok", "4", "3", "0", "1", first.stdout.split()[-1]]
    (warehouse.parent / "dossiers.csv").touch()
    assert ioc("sync", "--source", "mot-cua").exit_code == 0
    status = ioc("db", "status").stdout
    assert "dossier         3" in status
    assert "quarantine      1" in status
    assert "password" not in status or "***" in status


def test_a_failed_run_gives_exit_one_and_its_message(warehouse: Path) -> None:
    (warehouse.parent / "dossiers.csv").unlink()
    result = ioc("sync")
    assert result.exit_code == 1
    assert "mot-cua (dossier)" in result.stderr
    assert "dossiers.csv" in result.stderr


def test_sync_of_an_unknown_source_or_of_none(warehouse: Path) -> None:
    result = ioc("sync", "--source", "other")
    assert result.exit_code == 2
    assert "the settings name mot-cua" in result.stderr
    warehouse.write_text("", encoding="utf-8")
    assert "the settings name no sources" in ioc("sync").stderr


def test_measure_in_three_formats(warehouse: Path) -> None:
    ioc("sync")
    question = ("received", "on_time_06", "--by", "unit", "--period", "2022-03", "--as-of", "2022-04-01T00:00:00+07:00")
    rows = as_json(*question)
    found = {(row["unit"], row["metric"]): (row["numerator"], row["denominator"], row["value"]) for row in rows}
    assert found["U1", "received"] == (2, None, 2)
    assert found["U1", "on_time_06"] == (1, 2, 0.5)
    assert found["U2", "on_time_06"] == (0, 0, None)
    assert {row["unit_name"] for row in rows} == {"Xã Tân Nhựt", "Xã Bình Lợi"}
    text = ioc("measure", *question, "--format", "csv").stdout_bytes.decode("utf-8")
    table = list(csv.DictReader(io.StringIO(text)))
    assert list(table[0]) == ["unit", "unit_name", "metric", "numerator", "denominator", "value"]
    assert [row["value"] for row in table if row["unit"] == "U2" and row["metric"] == "on_time_06"] == [""]
    assert "Xã Tân Nhựt" in ioc("measure", *question).stdout


def test_measure_says_what_was_asked(warehouse: Path) -> None:
    ioc("sync")
    result = ioc(
        "measure", "open", "--period", "2022", "--as-of", "2022-03-05T12:00:00", "--unit", "D1", "--format", "json"
    )
    answer = json.loads(result.stdout)
    assert answer["question"]["as_of"] == "2022-03-05T12:00:00+07:00"
    assert answer["question"]["units"] == ["D1"]
    assert answer["data_version"] > 0
    assert [row["value"] for row in answer["rows"]] == [2]


def test_measure_with_filters(warehouse: Path) -> None:
    ioc("sync")
    frame = ("--period", "2022", "--as-of", "2023-01-01T00:00:00+07:00")
    assert as_json("received", *frame, "--filter", "channel=2")[0]["value"] == 2
    assert as_json("received", *frame, "--filter", "channel=1,2")[0]["value"] == 3
    rows = as_json("received", *frame, "--by", "channel", "--by", "unit")
    assert {(row["channel"], row["unit"]): row["value"] for row in rows}[2, "U2"] == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nonsense"], "unknown metric 'nonsense'"),
        (["received", "--by", "colour"], "colour"),
        (["received", "--period", "soon"], "soon"),
        (["received", "--as-of", "2999-01-01T00:00:00+07:00"], "lies in the future"),
        (["received", "--as-of", "soon"], "2022-12-31T23:59:59+07:00"),
        (["received", "--unit", "nowhere"], "nowhere"),
        (["received", "--filter", "channel"], "dimension=value"),
        (["received", "--filter", "colour=1"], "colour"),
        (["received", "--filter", "channel="], "dimension=value"),
    ],
)
def test_a_question_without_an_answer(warehouse: Path, words: list[str], expected: str) -> None:
    result = ioc("measure", *words)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert result.stdout == ""


def test_an_empty_warehouse_is_said(config: Path, server_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = server_url.set(database="postgres").render_as_string(hide_password=False)
    monkeypatch.setenv("IOC_DATABASE__URL", bare)
    result = ioc("measure", "received")
    assert result.exit_code == 2
    assert "run `ioc db upgrade`" in result.stderr
    assert "needs" in ioc("db", "status").stdout


@pytest.mark.parametrize("command", ["db status", "db upgrade", "units load", "sync", "measure received", "worker"])
def test_a_database_that_is_down(config: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("IOC_DATABASE__URL", "postgresql://ioc:geheim@127.0.0.1:1/ioc")
    words = [sys.executable, "-m", "dashboard.cli", *command.split()]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "the warehouse does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    assert "geheim" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_wrong_database_url(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("what", "mysql://a/b"):
        monkeypatch.setenv("IOC_DATABASE__URL", url)
        result = ioc("db", "status")
        assert result.exit_code == 2
        assert "database.url" in result.stderr


def test_units_load(warehouse: Path, engine: Engine) -> None:
    assert "17 added" in ioc("units", "load", "--catalogue", "before-2025-07", "--under", "785").stdout
    assert "3 added, 0 changed, 0 already so" in ioc("units", "load").stdout
    assert "3 already so" in ioc("units", "load", "--file", str(warehouse.parent / "units.csv")).stdout
    with engine.connect() as connection:
        assert len(connection.execute(schema.unit.select()).all()) == 20


def test_units_load_refuses(warehouse: Path) -> None:
    (warehouse.parent / "units.csv").write_text(UNITS.replace("commune", "village", 1), encoding="utf-8")
    result = ioc("units", "load")
    assert result.exit_code == 1
    assert "units.csv, row 3, field kind: 'village'" in result.stderr
    assert ioc("units", "load", "--catalogue", "both", "--under", "1").exit_code == 2
    warehouse.write_text("", encoding="utf-8")
    assert "no units named" in ioc("units", "load").stderr


def test_metrics_are_listed() -> None:
    result = ioc("metrics")
    assert result.exit_code == 0
    listed = json.loads(ioc("metrics", "--json").stdout)["metrics"]
    assert [row["name"] for row in listed] == list(METRICS)
    for row in listed:
        words = (row["label_vi"], row["label_en"], row["definition_vi"], row["definition_en"], row["direction"])
        assert all(text in result.stdout for text in words), row["name"]
        assert row["legal_basis"] == METRICS[row["name"]].legal_basis
        assert row["minimum"] == METRICS[row["name"]].minimum
    assert ioc("metrics", "--format", "csv").stdout.count("\n") == len(METRICS) + 1


def test_up_needs_one_intake_port_for_the_demonstration(config: Path) -> None:
    result = ioc("up", "--demo")
    assert result.exit_code == 2
    assert "--demo needs sources on one port of this machine" in result.stderr


def test_the_real_log_through_the_commands(database_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSELOG_DATA", str(shared("coselog_receipt/receipt.parquet").parent))
    monkeypatch.setenv("IOC_DATABASE__URL", database_url.render_as_string(hide_password=False))
    assert ioc("sync", "--config", str(COSELOG)).exit_code == 0
    rows = as_json("received", "--config", str(COSELOG), "--period", "2010-01-01/2012-12-31")
    assert rows == [{"metric": "received", "numerator": 1434, "denominator": None, "value": 1434}]
