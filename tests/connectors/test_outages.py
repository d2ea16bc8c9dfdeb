"""Outages: failing runs as spans, from the first failure to the next reading; short ones and strangers are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, insert

from connectors.outages import Outage, outages
from warehouse.schema import sync_run
from warehouse.settings import Settings

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
SETTINGS = Settings.model_validate(
    {
        "sources": [
            {"name": "mot-cua", "mapping": "dvcqg", "reader": {"kind": "rest", "url": "http://127.0.0.1:9/x"}},
        ]
    }
)


def run(connection: Connection, minute: int, state: str, source: str = "mot-cua") -> None:
    at = START + timedelta(minutes=minute)
    row = {"source": source, "entity": "dossier", "state": state, "started_at": at, "finished_at": at}
    connection.execute(insert(sync_run).values(**row))


def test_spans(engine: Engine) -> None:
    with engine.begin() as connection:
        for minute, state in ((0, "ok"), (10, "failed"), (20, "failed"), (50, "ok"), (60, "failed"), (62, "ok")):
            run(connection, minute, state)
        run(connection, 10, "failed", "stranger")
        run(connection, 90, "failed")
        found = outages(connection, SETTINGS, START, START + timedelta(hours=3))
    at = [START + timedelta(minutes=minute) for minute in (10, 50, 90)]
    assert found == [Outage("mot-cua", "dossier", at[0], at[1]), Outage("mot-cua", "dossier", at[2], None)]


def test_nothing_before_and_after(engine: Engine) -> None:
    with engine.begin() as connection:
        run(connection, 0, "failed")
        later = START + timedelta(days=1)
        assert not outages(connection, SETTINGS, later, later + timedelta(days=1))
