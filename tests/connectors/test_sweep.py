"""Key sweeps: what is gone at the source is marked, never dropped; what differs is told; what moves is left alone."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, select, text

from connectors.runs import RunReport, stream_lock
from connectors.state import Freshness, source_states
from connectors.sweep import SweepReport, chosen_sources, sweep_all, sweep_source
from connectors.sync import sync_source
from tests.connectors.databases import Replica, sqlite_replica
from tests.connectors.intake import Intake, Reply
from tests.connectors.support import NOW, file_source, record, rest_source, settings_of, table_rows
from warehouse.errors import ConfigurationError
from warehouse.schema import data_state, dossier, drift, metadata, missing_record, quarantine, sync_run
from warehouse.sources import PushSettings, SourceSettings, SweepSettings
from warehouse.vocabulary import Entity, RunKind, RunState

NIGHT = NOW + timedelta(hours=12)
LIMIT = SweepSettings(limit=0.2)


class Source:
    """The same records as one kind of source gives them."""

    settings: SourceSettings

    def give(self, records: list[dict[str, Any]]) -> None:
        """From now on the source has these records, and no others."""
        raise NotImplementedError


class RestSource(Source):
    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.settings = rest_source(intake.url, sweep=LIMIT, reader={"page_size": 7}, batch_rows=10)

    def give(self, records: list[dict[str, Any]]) -> None:
        self.intake.records = list(records)


class FileSource(Source):
    def __init__(self, folder: Path) -> None:
        self.file = folder / "ho_so.csv"
        self.settings = file_source(self.file, sweep=LIMIT, batch_rows=10, reader={"settle_seconds": 0})

    def give(self, records: list[dict[str, Any]]) -> None:
        plain = [{key: json.dumps(value) if isinstance(value, list) else value for key, value in item.items()}
                 for item in records]  # fmt: skip
        pd.DataFrame(plain, columns=list(record())).to_csv(self.file, index=False)


class TableSource(Source):
    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        columns = ", ".join(f'"{name}" text' for name in record())
        replica.run(f"create table ho_so ({columns})")
        self.settings = replica.source(
            "dvcqg", reader={"updated": "NgayCapNhat", "key": "MaHoSo"}, sweep=LIMIT, batch_rows=10
        )

    def give(self, records: list[dict[str, Any]]) -> None:
        self.replica.run("delete from ho_so")
        names = list(record())
        values = [{key: json.dumps(value) if isinstance(value, list) else value for key, value in item.items()}
                  for item in records]  # fmt: skip
        if values:
            self.replica.run(f"insert into ho_so values ({', '.join(f':{name}' for name in names)})", rows=values)


@pytest.fixture(params=["rest", "file", "sql"])
def origin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    """A source of each kind, which has nothing yet."""
    if request.param == "rest":
        yield RestSource(request.getfixturevalue("intake"))
    elif request.param == "file":
        yield FileSource(tmp_path)
    else:
        with sqlite_replica(tmp_path) as replica:
            yield TableSource(replica)


def sync(engine: Engine, source: SourceSettings, *, now: datetime = NOW, from_start: bool = False) -> RunReport:
    report = sync_source(engine, settings_of(source), source, now=now, from_start=from_start)
    assert report.error is None
    return report


def sweep(engine: Engine, source: SourceSettings, *, now: datetime = NIGHT, **options: Any) -> SweepReport:  # noqa: ANN401
    report = sweep_source(engine, settings_of(source), source, now=now, **options)
    with engine.connect() as connection:
        rows = connection.execute(select(sync_run).where(sync_run.c.id == report.run.run_id)).all()
        left = connection.execute(text("select count(*) from pg_class where relname like 'sweep_%'")).scalar_one()
    if rows:
        assert (rows[0].kind, rows[0].state) == (RunKind.SWEEP, report.state)
        assert (rows[0].read, rows[0].unchanged, rows[0].watermark_before) == (
            report.run.read, report.run.unchanged, rows[0].watermark_after
        )  # fmt: skip
    assert left == 0, "temporary tables are gone"
    return report


def marks(engine: Engine) -> dict[str, datetime]:
    return {code: since for _, _, code, since in table_rows(engine, missing_record)}


def version(engine: Engine) -> int:
    return int(table_rows(engine, data_state)[0][1])


def code(number: int) -> str:
    return str(record(number)["MaHoSo"])


def dated(number: int, day: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    return record(number, NgayCapNhat=f"202203{day:02d}090000", **changes)


RECORDS = [dated(number, 4 + number % 5) for number in range(1, 31)]


def test_records_that_are_deleted_are_marked_and_stay(warehouse: Engine, origin: Source) -> None:
    origin.give(RECORDS)
    assert sync(warehouse, origin.settings).stored == 30
    before = version(warehouse)
    same = sweep(warehouse, origin.settings)
    assert (same.error, same.run.read, same.missing, same.lost, same.unread, same.drift_days) == (None, 30, 0, 0, 0, 0)
    assert version(warehouse) == before

    origin.give(RECORDS[:27])
    gone = sweep(warehouse, origin.settings)
    assert (gone.missing, gone.newly_missing, gone.back, gone.lost, gone.drift_days) == (3, 3, 0, 0, 0)
    assert marks(warehouse) == {code(number): NIGHT for number in (28, 29, 30)}
    assert len(table_rows(warehouse, dossier)) == 30, "never deleted"
    assert version(warehouse) == before + 1

    again = sweep(warehouse, origin.settings, now=NIGHT + timedelta(days=1))
    assert (again.missing, again.newly_missing) == (3, 0)
    assert set(marks(warehouse).values()) == {NIGHT}, "the mark keeps its time"
    assert version(warehouse) == before + 1

    origin.give(RECORDS[:28])
    back = sweep(warehouse, origin.settings, now=NIGHT + timedelta(days=2))
    assert (back.missing, back.newly_missing, back.back) == (2, 0, 1)
    assert set(marks(warehouse)) == {code(29), code(30)}
    assert version(warehouse) == before + 2


def test_a_mark_goes_when_a_sync_stores_the_record_again(warehouse: Engine, origin: Source) -> None:
    origin.give(RECORDS)
    sync(warehouse, origin.settings)
    origin.give(RECORDS[:27])
    sweep(warehouse, origin.settings)
    before = version(warehouse)
    older = dated(29, 1)
    origin.give([*RECORDS[:27], dated(28, 20), older])
    report = sync(warehouse, origin.settings, now=NIGHT + timedelta(hours=1), from_start=True)
    assert (report.stored, report.unchanged) == (1, 28)
    assert set(marks(warehouse)) == {code(30)}, "whatever version the source gave of 29, it has it"
    assert version(warehouse) > before


def test_half_a_list_marks_nothing(warehouse: Engine, origin: Source) -> None:
    origin.give(RECORDS)
    sync(warehouse, origin.settings)
    origin.give(RECORDS[:29])
    sweep(warehouse, origin.settings)
    before, contents = version(warehouse), table_rows(warehouse, missing_record)
    origin.give(RECORDS[:15])
    half = sweep(warehouse, origin.settings, now=NIGHT + timedelta(days=1))
    assert half.state is RunState.FAILED
    assert "14 of 30 stored records were not found at the source (48.3%), more than sweep.limit = 0.2" in (
        half.error or ""
    )
    assert (table_rows(warehouse, missing_record), version(warehouse)) == (contents, before)
    origin.give([])
    assert sweep(warehouse, origin.settings).state is RunState.FAILED
    assert table_rows(warehouse, missing_record) == contents


def test_a_change_that_the_sync_missed_is_drift(warehouse: Engine, origin: Source) -> None:
    origin.give(RECORDS)
    sync(warehouse, origin.settings)
    changed = [dated(number, 20) if number in {3, 4} else item for number, item in enumerate(RECORDS, 1)]
    origin.give([*changed, dated(31, 21)])
    report = sweep(warehouse, origin.settings)
    assert (report.lost, report.unread, report.missing) == (1, 0, 0)
    assert (report.drift_days, report.first_drift) == (4, date(2022, 3, 7))
    days = {row[2]: (row[3], row[4]) for row in table_rows(warehouse, drift)}
    assert days == {
        date(2022, 3, 7): (5, 6), date(2022, 3, 8): (5, 6), date(2022, 3, 20): (2, 0), date(2022, 3, 21): (1, 0),
    }  # fmt: skip
    contents = table_rows(warehouse, drift)
    grown = version(warehouse)
    sweep(warehouse, origin.settings)
    assert table_rows(warehouse, drift) == contents, "a replay gives the same table"
    assert version(warehouse) == grown
    sync(warehouse, origin.settings, now=NIGHT, from_start=True)
    mended = sweep(warehouse, origin.settings, now=NIGHT + timedelta(days=1))
    assert (mended.lost, mended.drift_days) == (0, 0)
    assert table_rows(warehouse, drift) == []


def test_any_order_and_several_versions_give_the_same_tables(warehouse: Engine, intake: Intake) -> None:
    source = rest_source(intake.url, sweep=LIMIT, reader={"page_size": 7}, batch_rows=10)
    intake.records = [*RECORDS, *(dated(number, 12) for number in range(1, 6))]
    sync(warehouse, source)
    rng = random.Random(5)
    outcomes = []
    for _ in range(3):
        rng.shuffle(intake.records)
        given = intake.records
        intake.records = [item for item in given if item["MaHoSo"] != code(20)] + [dated(7, 13)]
        sweep(warehouse, source)
        outcomes.append((table_rows(warehouse, missing_record), table_rows(warehouse, drift)))
        intake.records = given
    assert [row[2] for row in outcomes[0][0]] == [code(20)]
    assert len(outcomes[0][1]) == 2
    assert outcomes[1:] == outcomes[:1] * 2


def test_what_changes_while_the_sweep_runs_is_left_alone(warehouse: Engine, intake: Intake) -> None:
    def at(instant: datetime, number: int) -> dict[str, Any]:
        return record(number, NgayCapNhat=instant.isoformat())

    intake.records = [at(NOW - timedelta(days=number), number) for number in range(1, 31)]
    source = rest_source(intake.url, sweep=LIMIT, reader={"page_size": 10}, batch_rows=10)
    sync(warehouse, source, now=NIGHT - timedelta(minutes=1))

    def move(number: int, cursor: str | None) -> Reply | None:
        if cursor == "10":
            intake.records[14] = at(NIGHT + timedelta(seconds=3), 15)
            intake.records[24] = at(NIGHT - timedelta(seconds=30), 25)
            intake.records += [at(NIGHT, 31), record(32, NgayCapNhat="")]
        return None

    intake.answer = move
    report = sweep(warehouse, source)
    assert (report.error, report.missing, report.lost, report.unread, report.drift_days) == (None, 0, 0, 2, 0)


def test_a_record_that_the_list_skips_once_is_not_marked(warehouse: Engine, intake: Intake) -> None:
    intake.records = list(RECORDS)
    source = rest_source(intake.url, sweep=LIMIT, reader={"page_size": 10}, batch_rows=10)
    sync(warehouse, source)
    asked: list[str | None] = []

    def skip(number: int, cursor: str | None) -> Reply | None:
        asked.append(cursor)
        if asked == [None, "10"]:
            page = {"data": RECORDS[11:21], "next_cursor": "20"}
            return Reply(json.dumps(page).encode())
        return None

    intake.answer = skip
    report = sweep(warehouse, source)
    assert (report.missing, report.run.read) == (0, 30)
    assert len(asked) > 5, "it was read twice"


def test_quarantined_and_keyless_records_are_told_apart(warehouse: Engine, origin: Source) -> None:
    bad = [dated(41, 10, KenhThucHien="x"), dated(2, 11, KenhThucHien="x"), dated(42, 10, MaHoSo="")]
    origin.give([*RECORDS, *bad])
    sync(warehouse, origin.settings)
    assert len(table_rows(warehouse, quarantine)) == 3
    report = sweep(warehouse, origin.settings)
    assert (report.error, report.keyless, report.lost, report.unread) == (None, 1, 0, 0)
    assert report.drift_days == 0, "quarantine shows them"
    origin.give(bad)
    assert sweep(warehouse, origin.settings).state is RunState.FAILED


def test_trouble_of_the_source_changes_nothing(warehouse: Engine, intake: Intake) -> None:
    intake.records = list(RECORDS)
    source = rest_source(intake.url, sweep=LIMIT, reader={"page_size": 10, "retries": 0}, batch_rows=10)
    sync(warehouse, source)
    before = {table.name: table_rows(warehouse, table) for table in metadata.sorted_tables if table is not sync_run}
    intake.answer = lambda number, cursor: Reply(b"<html>") if cursor == "20" else None
    report = sweep(warehouse, source)
    assert report.state is RunState.FAILED
    assert "HTML" in (report.error or "")
    assert report.run.read == 20
    after = {table.name: table_rows(warehouse, table) for table in metadata.sorted_tables if table is not sync_run}
    assert after == before
    stop = threading.Event()
    stop.set()
    assert "told to stop" in (sweep(warehouse, source, stop=stop).error or "")


def test_a_sweep_makes_no_data_fresh_and_waits_for_its_turn(
    warehouse: Engine, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.sweep.LOCK_WAIT_SECONDS", 0.2)
    intake.records = list(RECORDS)
    source = rest_source(intake.url, sweep=LIMIT, max_age_seconds=60)
    sync(warehouse, source)
    with warehouse.connect() as other, stream_lock(other, source, 0):
        report = sweep(warehouse, source)
    assert (report.state, report.run.run_id) == (RunState.RUNNING, None)
    assert "another process" in (report.error or "")
    assert sweep(warehouse, source).state is RunState.OK
    with warehouse.connect() as connection:
        [state] = source_states(connection, settings_of(source), NIGHT)
    assert state.freshness is Freshness.OLD
    assert state.last_run is not None
    assert state.last_run.started_at == NOW


def test_records_of_several_key_parts(warehouse: Engine, intake: Intake, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        'entity = "dossier_step"\n[fields]\ncode = { from = "a" }\nstep = { from = "b" }\n'
        'status = { from = "s", when = { column = "step", in = ["x"] } }\n'
        'source_updated_at = { from = "u", when = { column = "status", in = [2] } }\n'
        'finished_at = { from = "f" }\n'
    )
    intake.records = [
        {"a": f"H{n}", "b": str(m), "s": "2", "u": "2022-03-01", "f": ""} for n in range(5) for m in range(4)
    ]
    source = rest_source(intake.url, Entity.DOSSIER_STEP, str(tmp_path / "m.toml"), sweep=SweepSettings(limit=0.5))
    sync(warehouse, source)
    del intake.records[3]
    assert sweep(warehouse, source).newly_missing == 1
    assert set(marks(warehouse)) == {"H0 / 3"}
    intake.records.append({"a": "H0", "b": "3", "s": "2", "u": "2022-03-02", "f": "2022-03-02"})
    sync(warehouse, source, from_start=True)
    assert marks(warehouse) == {}
    assert sweep(warehouse, source).drift_days == 0


def test_only_the_fields_of_keys_are_read(warehouse: Engine, tmp_path: Path) -> None:
    with sqlite_replica(tmp_path) as replica:
        origin = TableSource(replica)
        origin.give(RECORDS)
        sync(warehouse, origin.settings)
        replica.run('create table khac as select "MaHoSo", "NgayCapNhat" from ho_so')
        reader = origin.settings.reader.model_copy(update={"table": "khac"})
        report = sweep(warehouse, origin.settings.model_copy(update={"reader": reader}))
    assert (report.error, report.run.read, report.missing) == (None, 30, 0)


def test_what_cannot_be_swept_says_so(engine: Engine, intake: Intake) -> None:
    pushed: dict[str, Any] = {
        "name": "gui", "mapping": "dvcqg",
        "reader": PushSettings(kind="push", username="u", password="env:HOME", madonvi=""),
    }  # fmt: skip
    with pytest.raises(ValidationError, match="no list of them to compare with"):
        SourceSettings(**pushed, sweep=LIMIT)
    with pytest.raises(ValidationError, match="several sources may fill the catalogue of units"):
        rest_source(intake.url, Entity.UNIT, "dvcqg-unit", sweep=LIMIT)
    source = SourceSettings(**pushed)
    unit = rest_source(intake.url, Entity.UNIT, "dvcqg-unit", name="dm")
    plain = rest_source(intake.url, name="khong")
    with pytest.raises(ConfigurationError, match="source gui: its records are sent to us"):
        sweep_source(engine, settings_of(source), source, now=NOW)
    with pytest.raises(ConfigurationError, match="source gui: its records are sent to us"):
        chosen_sources(settings_of(source), "gui")
    with pytest.raises(ConfigurationError, match="several sources may fill"):
        chosen_sources(settings_of(unit), "dm")
    with pytest.raises(ConfigurationError, match="no source is called 'x'; configured: dm, gui"):
        sweep_all(engine, settings_of(source, unit), now=NOW, only="x")
    with pytest.raises(ConfigurationError, match="no source has a"):
        chosen_sources(settings_of(plain), None)
    assert list(chosen_sources(settings_of(plain, unit), "khong")) == [plain]


def test_progress_is_told_as_the_keys_come(warehouse: Engine, intake: Intake) -> None:
    intake.records = list(RECORDS)
    source = rest_source(intake.url, sweep=LIMIT, reader={"page_size": 10}, batch_rows=10)
    sync(warehouse, source)
    seen: list[int] = []
    sweep(warehouse, source, progress=lambda report: seen.append(report.run.read))
    assert seen[:3] == [10, 20, 30]
    assert set(seen[3:]) <= {30}
