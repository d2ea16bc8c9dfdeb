"""Real dossiers, as CSV and as Parquet, through the file connector; counts against the independent reference."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from connectors.sync import sync_all
from metrics import Clock
from tests.cells import cells
from tests.conftest import ROOT, shared
from tests.connectors.support import insert_units, table_rows
from warehouse.rollups import DAY, unit_cell
from warehouse.schema import dossier
from warehouse.settings import Settings, load_settings
from warehouse.sources import FileSettings
from warehouse.vocabulary import RunState

NOW = datetime(2012, 2, 1, tzinfo=UTC)


@pytest.fixture
def settings() -> Settings:
    shared("coselog_receipt/receipt.csv.gz")
    return load_settings(ROOT / "examples/coselog/ioc.toml")


def _only(settings: Settings, name: str) -> Settings:
    source = settings.sources[0]
    assert isinstance(source.reader, FileSettings)
    paths = tuple(path for path in source.reader.path if Path(path).name == name)
    reader = source.reader.model_copy(update={"path": paths})
    return settings.model_copy(update={"sources": (source.model_copy(update={"reader": reader}),)})


def test_csv_and_parquet_hold_the_same_dossiers(engine: Engine, settings: Settings) -> None:
    insert_units(engine, ["General", "Customer contact", "Experts"], first_day=date(2000, 1, 1), kind="department")
    [first] = sync_all(engine, _only(settings, "receipt.csv.gz"), now=NOW)
    assert (first.state, first.read, first.stored, first.unchanged, first.quarantined) == (
        RunState.OK, 8577, 1434, 7143, 0,
    ), first.error  # fmt: skip
    before = table_rows(engine, dossier), cells(engine, Clock.of(settings))
    [second] = sync_all(engine, _only(settings, "receipt.parquet"), now=NOW)
    assert (second.read, second.stored, second.unchanged, second.quarantined) == (8577, 0, 8577, 0), second.error
    assert (table_rows(engine, dossier), cells(engine, Clock.of(settings))) == before
    [third] = sync_all(engine, settings, now=NOW)
    assert (third.state, third.read) == (RunState.OK, 0)


def test_daily_figures_are_those_of_the_reference(engine: Engine, settings: Settings) -> None:
    insert_units(engine, ["General", "Customer contact", "Experts"], first_day=date(2000, 1, 1), kind="department")
    [report] = sync_all(engine, settings, now=NOW)
    assert report.stored == 1434
    reference = json.loads(shared("coselog_receipt/reference.json").read_text(encoding="utf-8"))
    cells(engine, Clock.of(settings))
    c = unit_cell.c
    with engine.connect() as connection:
        for group, units in [
            (reference["all"], None),
            *((value, [key]) for key, value in reference["by_unit"].items()),
        ]:
            for period, want in group["over"].items():
                start, end = (date.fromisoformat(text[:10]) for text in period.split("/"))
                sums = select(
                    func.coalesce(func.sum(c.received), 0),
                    func.coalesce(
                        func.sum(func.coalesce(c.resolved_early, 0) + func.coalesce(c.resolved_on_time, 0)), 0
                    ),
                    func.coalesce(func.sum(c.resolved_late), 0),
                    func.coalesce(func.sum(c.fell_due), 0),
                ).where(c.step == DAY, c.start >= start, c.start < end)
                if units:
                    sums = sums.where(c.unit.in_(units))
                got = tuple(connection.execute(sums).one())
                assert got == (want["received"], want["closed_on_time"], want["closed_late"], want["fell_due"])
