"""`ioc sweep` as an operator meets it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text
from typer.testing import CliRunner, Result

from dashboard.cli import app

CONFIG = """
[units]
file = "units.csv"

[[sources]]
name = "mot-cua"
mapping = "mapping.toml"
reader = {{ kind = "sql", url = "sqlite:///nguon.db", table = "ho_so", updated = "cap_nhat", key = "ma" }}
{sweep}
"""
MAPPING = """
entity = "dossier"
dates = ["epoch"]
[fields]
code = {{ from = "ma" }}
unit = {{ constant = "U1" }}
source_updated_at = {{ from = "cap_nhat" }}
"""


def ioc(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


@pytest.fixture
def office(tmp_path: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An office whose dossiers stand in an SQLite file beside the settings, 40 of them read."""
    (tmp_path / "units.csv").write_text(
        "code,name,kind,parent,valid_from,valid_to,lat,lon,population\nU1,X,commune,,2020-01-01,,,,\n", encoding="utf-8"
    )
    (tmp_path / "mapping.toml").write_text(MAPPING.format(), encoding="utf-8")
    (tmp_path / "ioc.toml").write_text(CONFIG.format(sweep="sweep = {}"), encoding="utf-8")
    engine = create_engine(f"sqlite:///{tmp_path / 'nguon.db'}")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with engine.begin() as connection:
        connection.execute(text("create table ho_so (ma text not null, cap_nhat integer)"))
        rows = [{"ma": f"H{number:02d}", "at": int(yesterday.timestamp()) + number} for number in range(40)]
        connection.execute(text("insert into ho_so values (:ma, :at)"), rows)
    engine.dispose()
    monkeypatch.setenv("IOC_DATABASE__URL", database_url.render_as_string(hide_password=False))
    monkeypatch.setenv("IOC_CONFIG", str(tmp_path / "ioc.toml"))
    return tmp_path


def change(office: Path, statement: str) -> None:
    engine = create_engine(f"sqlite:///{office / 'nguon.db'}")
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_sweep_shows_what_it_found(office: Path) -> None:
    assert ioc("sync").exit_code == 0
    change(office, "delete from ho_so where ma = 'H07'")
    result = ioc("sweep")
    assert result.exit_code == 0, result.stderr
    heading, row = result.stdout.splitlines()[:2]
    assert heading.split()[:4] == ["source", "entity", "state", "keys"]
    assert row.split()[:10] == ["mot-cua", "dossier", "ok", "39", "1", "1", "0", "0", "0", "0"]
    change(office, "delete from ho_so where ma > 'H20'")
    failed = ioc("sweep", "--source", "mot-cua")
    assert failed.exit_code == 1
    assert "19 of 40 stored records were not found at the source (48.7%)" in failed.stderr


def test_what_cannot_be_swept_is_told(office: Path) -> None:
    assert "no source is called 'khac'" in ioc("sweep", "--source", "khac").stderr
    (office / "ioc.toml").write_text(CONFIG.format(sweep=""), encoding="utf-8")
    result = ioc("sweep")
    assert result.exit_code == 2
    assert "name a source with --source" in result.stderr
