"""A small warehouse with known dossiers, and the application script run in process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import URL, Engine, insert
from streamlit.testing.v1 import AppTest

from dashboard.navigation import SCREENS
from tests.conftest import ROOT
from warehouse import schema
from warehouse.engine import advance_version

CONFIG = """
[display]
area = "Huyện Thử"
root_unit = "785"
default_period = "last-12-months"

[[sources]]
name = "mot-cua"
mapping = "dvcqg"
max_age_seconds = 60
reader = { kind = "rest", url = "http://127.0.0.1:9/api/dossiers" }
"""
COMMUNES = {"27595": "Thị trấn Một", "27598": "Xã Hai", "27601": "Xã Ba"}


def fill(engine: Engine, now: datetime, *, units: int = 3, dossiers: int = 60) -> None:
    """Put a district of communes and some dossiers into the warehouse; every third is open, every sixth overdue."""
    codes = list(COMMUNES)[:units]
    rows = []
    for number in range(dossiers):
        received = now - timedelta(days=number % 40 + 3, hours=number % 7)
        due = received + timedelta(days=2 if number % 6 == 0 else 60)
        rows.append(
            {
                "source": "mot-cua",
                "code": f"H29.{codes[number % units]}-{number:04d}",
                "procedure": f"1.00{number % 4}110",
                "unit": codes[number % units],
                "channel": number % 3 + 1,
                "received_at": received,
                "first_due_at": due,
                "due_at": due,
                "finished_at": None if number % 3 == 0 else received + timedelta(days=1),
                "status": 4 if number % 3 == 0 else 10,
                "seen_at": now,
                "payload_hash": str(number),
            }
        )
    with engine.begin() as connection:
        connection.execute(insert(schema.unit), _units(codes))
        procedures = [
            {"code": f"1.00{n}110", "name": f"Thủ tục {n}", "field_code": "HT", "field": "Hộ tịch"} for n in range(4)
        ]
        connection.execute(insert(schema.procedure), procedures)
        connection.execute(insert(schema.dossier), rows)
        run = {"source": "mot-cua", "entity": "dossier", "started_at": now, "finished_at": now, "state": "ok"}
        connection.execute(insert(schema.sync_run).values(**run, read=dossiers, stored=dossiers))
        advance_version(connection)


def _units(codes: list[str]) -> list[dict[str, object]]:
    since = {"valid_from": date(2004, 1, 1), "valid_to": None, "population": 1000}
    district = {
        "code": "785",
        "name": "Huyện Thử",
        "kind": "district",
        "parent": None,
        "lat": 10.7,
        "lon": 106.6,
        **since,
    }
    return [
        district,
        *(
            {
                "code": code,
                "name": COMMUNES[code],
                "kind": "commune",
                "parent": "785",
                "lat": 10.6 + place / 10,
                "lon": 106.5,
                **since,
            }
            for place, code in enumerate(codes)
        ),
    ]


@pytest.fixture
def now() -> datetime:
    """The present: the application itself asks the clock."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def application(database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """Run a page in process: `application("tong-quan", lang="en")`."""
    config = tmp_path / "ioc.toml"
    config.write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("IOC_CONFIG", str(config))
    monkeypatch.setenv("IOC_DATABASE__URL", database_url.render_as_string(hide_password=False))
    monkeypatch.chdir(ROOT)
    st.cache_resource.clear()
    st.cache_data.clear()

    def run(path: str = "tong-quan", **parameters: str) -> AppTest:
        screen = next(screen for screen in SCREENS if screen.path == path)
        test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)
        test.query_params.update(parameters)
        test.run()
        if screen is not SCREENS[0]:
            test.switch_page(f"../pages/{screen.file}")
            test.run()
        return test

    yield run
    from dashboard import resources  # noqa: PLC0415 - only after the environment is set

    resources.engine().dispose()
    st.cache_resource.clear()
    st.cache_data.clear()
