"""What is corrected at the same second as before: a file, and a whole source read again by a corrected mapping."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Engine, select

from connectors.sync import sync_source
from tests.connectors.intake import Intake
from tests.connectors.support import NOW, file_source, record, rest_source, settings_of
from warehouse.schema import dossier, sync_run


def test_a_corrected_file_restates_what_it_said_in_the_same_second(warehouse: Engine, tmp_path: Path) -> None:
    """Half of the corrections would lose by the order of their hashes."""
    source = file_source(tmp_path)
    for channel in ("1", "2", "3", "1"):
        rows = [_flat(record(number, KenhThucHien=channel)) for number in range(1, 11)]
        pd.DataFrame(rows).to_csv(tmp_path / "dossiers.csv", index=False)
        report = sync_source(warehouse, settings_of(source), source, now=NOW)
        assert (report.read, report.stored) == (10, 10)
        assert {row[0] for row in _columns(warehouse, "channel")} == {int(channel)}


def test_a_corrected_mapping_restates_the_whole_source(warehouse: Engine, intake: Intake, tmp_path: Path) -> None:
    intake.records = [record(number) for number in range(1, 11)]
    source = rest_source(intake.url)
    sync_source(warehouse, settings_of(source), source, now=NOW)
    mapping = tmp_path / "own.toml"
    for channel in (3, 1):
        mapping.write_text(f'extends = "dvcqg"\n\n[codes.channel]\n2 = {channel}\n', encoding="utf-8")
        corrected = rest_source(intake.url, mapping=str(mapping))
        report = sync_source(warehouse, settings_of(corrected), corrected, now=NOW, from_start=True)
        assert (report.read, report.stored, report.unchanged) == (10, 10, 0)
        assert {row[0] for row in _columns(warehouse, "channel")} == {channel}
        again = sync_source(warehouse, settings_of(corrected), corrected, now=NOW, from_start=True)
        assert (again.stored, again.unchanged) == (0, 10)


def _flat(item: dict[str, Any]) -> dict[str, Any]:
    return {name: json.dumps(value) if isinstance(value, list) else value for name, value in item.items()}


def _columns(engine: Engine, *names: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*(dossier.c[name] for name in names)))]


def test_runs_that_only_read_again_what_is_stored_are_one_row(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(number) for number in range(1, 4)]
    source = rest_source(intake.url)

    def from_start() -> int:
        return sync_source(warehouse, settings_of(source), source, now=NOW, from_start=True).unchanged

    def rows() -> list[tuple[int, int, int]]:
        with warehouse.connect() as connection:
            found = connection.execute(select(sync_run).order_by(sync_run.c.id)).all()
        return [(row.read, row.stored, row.unchanged) for row in found]

    assert [from_start() for _ in range(4)] == [0, 3, 3, 3]
    assert rows() == [(3, 3, 0), (9, 0, 9)]
    intake.records.append(record(4))
    assert [from_start() for _ in range(3)] == [3, 4, 4]
    assert rows() == [(3, 3, 0), (9, 0, 9), (4, 1, 3), (8, 0, 8)]
