"""`ioc geo` as an operator meets it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from shapely.geometry import box, mapping
from sqlalchemy import URL, Engine, insert
from typer.testing import CliRunner, Result

from dashboard.cli import app
from warehouse import schema

UNIT = {"kind": "commune", "parent": None, "valid_from": date(2025, 7, 1)}


@pytest.fixture
def warehouse(engine: Engine, database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A warehouse with two units, and a file with the boundary of one; returns the file."""
    (tmp_path / "ioc.toml").write_text("", encoding="utf-8")
    monkeypatch.setenv("IOC_CONFIG", str(tmp_path / "ioc.toml"))
    monkeypatch.setenv("IOC_DATABASE__URL", database_url.render_as_string(hide_password=False))
    with engine.begin() as connection:
        rows = [{"code": code, "name": f"Xã {code}", **UNIT} for code in ("27595", "27598")]
        connection.execute(insert(schema.unit), rows)
    file = tmp_path / "[red]xã.geojson"
    shapes = {"27595": box(106.5, 10.6, 106.6, 10.7), "1": box(107, 10.6, 107.1, 10.7)}
    features = [
        {"type": "Feature", "properties": {"ma": code}, "geometry": mapping(shape)} for code, shape in shapes.items()
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return file


def ioc(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["geo", *arguments])


def test_import_show_remove(warehouse: Path) -> None:
    assert "no boundaries; the map is a schematic" in ioc("show").output
    done = ioc("import", str(warehouse))
    assert done.exit_code == 0, done.output
    assert "boundaries of 1 units stored, 5 vertices, codes from property ma" in done.output
    assert "no unit, left out: 1 (1)" in done.output
    assert "units without a boundary: 1 (27598)" in done.output
    shown = ioc("show").output
    assert "[red]xã.geojson" in shown
    assert "27598 Xã 27598" in shown
    assert "boundaries of 0 units removed" in ioc("remove", "27598").output
    assert "boundaries of 1 units removed" in ioc("remove", "--all").output


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("import", "none.geojson"), "none.geojson: cannot be read", 1),
        (("import", "FILE", "--code-property", "code"), "no feature has a property 'code'; it has ma", 1),
        (("import", "FILE", "--on", "2020-02-30"), "2020-02-30", 2),
        (("remove",), "say which boundaries to remove", 2),
        (("remove", "27595", "--all"), "say which boundaries to remove", 2),
    ],
)
def test_what_is_wrong_is_said(warehouse: Path, arguments: tuple[str, ...], words: str, code: int) -> None:
    done = ioc(*(str(warehouse) if word == "FILE" else word for word in arguments))
    assert done.exit_code == code
    assert words in " ".join(done.output.split())
