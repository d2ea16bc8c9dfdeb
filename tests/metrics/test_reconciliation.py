"""Reconciliation against plain Python over generated rows, its bound in time, and the demonstration end to end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, func, insert, select

from connectors.sync import sync_source
from demo.intake import Intake
from demo.office import local_seconds, to_datetime
from demo.scenario import load
from demo.server import application, bind
from metrics import Clock, Scope, WorkingCalendar
from metrics.reconciliation import (
    COLUMNS,
    INSTANTS,
    LABELS,
    SETTLE,
    Comparison,
    Difference,
    Precision,
    differences,
    known_until,
    reconcile,
)
from tests.connectors.support import rest_source, settings_of
from tests.demo.test_parts import Clock as DemoClock
from tests.metrics.world import HANOI
from warehouse.errors import BadQuestion
from warehouse.schema import dossier, reference_dossier, sync_run, unit
from warehouse.settings import Settings
from warehouse.sources import SourceSettings
from warehouse.vocabulary import Entity

CLOCK = Clock(HANOI, WorkingCalendar(HANOI))
UNTIL = datetime(2024, 3, 1, 3, tzinfo=UTC)
UNITS = {"d1": None, "u1": "d1", "u2": "d1", "p9": None}


@dataclass(frozen=True)
class Row:
    """What one side says of one dossier."""

    unit: str
    status: int | None
    received_at: datetime | None
    due_at: datetime | None
    finished_at: datetime | None
    source_updated_at: datetime | None
    seen_at: datetime


moments = st.sampled_from(
    [
        datetime(2024, 2, 28, 16, 59, 59, tzinfo=UTC),  # the last second of a civil day, and the first of the next
        datetime(2024, 2, 28, 17, 0, 0, tzinfo=UTC),
        datetime(2024, 2, 28, 17, 0, 1, tzinfo=UTC),
        datetime(2024, 2, 29, 4, 0, 0, tzinfo=UTC),
    ]
)
changes = st.sampled_from([UNTIL - timedelta(days=1), UNTIL - timedelta(seconds=1), UNTIL, UNTIL + timedelta(hours=1)])
rows = st.builds(
    Row,
    unit=st.sampled_from(["d1", "u1", "u2", "p9"]),
    status=st.sampled_from([None, 2, 5, 9, 10]),
    received_at=st.none() | moments,
    due_at=st.none() | moments,
    finished_at=st.none() | moments,
    source_updated_at=st.none() | changes,
    seen_at=changes,
)
sides = st.dictionaries(st.sampled_from("abcdefgh"), rows, max_size=8)


def store(connection: Connection, ours: dict[str, Row], theirs: dict[str, Row]) -> None:
    for table in (dossier, reference_dossier, unit):
        connection.execute(delete(table))
    connection.execute(
        insert(unit),
        [
            {"code": code, "valid_from": date(2000, 1, 1), "name": code, "kind": "commune", "parent": parent}
            for code, parent in UNITS.items()
        ],
    )
    for table, source, side in ((dossier, "a", ours), (reference_dossier, "b", theirs), (dossier, "c", theirs)):
        if side:
            values = [{"source": source, "code": code, "payload_hash": "", **vars(row)} for code, row in side.items()]
            connection.execute(insert(table), values)


def newest(row: Row) -> datetime:
    return row.source_updated_at or row.seen_at


def changed(row: Row) -> float:
    return newest(row).timestamp()


def sides_of(code: str, *sides: dict[str, Row]) -> list[Row]:
    return [side[code] for side in sides if code in side]


def kinds_of(mine: Row | None, other: Row | None, precision: Precision) -> list[Difference]:
    """The oracle: how two rows differ."""
    if other is None:
        return [Difference.MISSING_THERE]
    if mine is None:
        return [Difference.MISSING_HERE]
    found = []
    for kind, name in COLUMNS.items():
        one, two = getattr(mine, name), getattr(other, name)
        if precision is Precision.DAY and name in INSTANTS:
            one, two = (value and value.astimezone(HANOI).date() for value in (one, two))
        if one != two:
            found.append(kind)
    return found


def expected(
    ours: dict[str, Row], theirs: dict[str, Row], codes: set[str] | None, precision: Precision
) -> tuple[dict[str, dict[str, int]], dict[str, tuple[str, list[Difference]]]]:
    counts: dict[str, dict[str, int]] = {}
    listed = {}
    for code in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(code), theirs.get(code)
        here = (mine or other).unit
        if codes is not None and here not in codes:
            continue
        row = counts.setdefault(here, dict.fromkeys(["both", *map(str, Difference), "differing", "too_new"], 0))
        if any(newest(side) >= UNTIL for side in (mine, other) if side is not None):
            row["too_new"] += 1
            continue
        kinds = kinds_of(mine, other, precision)
        row["both"] += mine is not None and other is not None
        row["differing"] += bool(kinds)
        for kind in kinds:
            row[kind] += 1
        if kinds:
            listed[code] = (here, kinds)
    return counts, listed


def known(value: Any) -> Any:  # noqa: ANN401 - a cell
    return None if pd.isna(value) else value


@given(ours=sides, theirs=sides, precision=st.sampled_from(Precision), scope=st.sampled_from([None, "d1", "u1"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_told_is_what_plain_python_finds(
    engine: Engine, ours: dict[str, Row], theirs: dict[str, Row], precision: Precision, scope: str | None
) -> None:
    asked = Comparison("a", "b", UNTIL, precision)
    inside = Scope.everything() if scope is None else Scope.of({scope})
    codes = {None: None, "d1": {"d1", "u1", "u2"}, "u1": {"u1"}}[scope]
    counts, listed = expected(ours, theirs, codes, precision)
    with engine.begin() as connection:
        store(connection, ours, theirs)
        frame = reconcile(connection, asked, clock=CLOCK, scope=inside)
        page = differences(connection, asked, clock=CLOCK, scope=inside)
        one = differences(connection, asked, clock=CLOCK, scope=inside, kind=Difference.DUE, unit="u1")
    assert {row.pop("unit"): row for row in frame.to_dict("records")} == counts
    assert {row.code: (row.unit, list(row.kinds)) for row in page.itertuples()} == listed
    order = sorted(listed, key=lambda code: (-max(map(changed, sides_of(code, ours, theirs))), code))
    assert list(page["code"]) == order
    due = [code for code in order if listed[code][0] == "u1" and Difference.DUE in listed[code][1]]
    assert list(one["code"]) == due
    for row in page.to_dict("records"):
        for prefix, side in (("our", ours), ("their", theirs)):
            told = side.get(row["code"])
            for name in COLUMNS.values():
                assert known(row[f"{prefix}_{name}"]) == (None if told is None else getattr(told, name))
        for name in INSTANTS:
            both = (row[f"our_{name}"], row[f"their_{name}"])
            gap = None if any(pd.isna(value) for value in both) else (both[1] - both[0]).total_seconds()
            assert known(row[f"{name}_seconds"]) == gap


def test_pages_of_the_list(engine: Engine) -> None:
    row = Row("u1", 2, None, None, None, None, UNTIL - timedelta(days=1))
    asked = Comparison("a", "b", UNTIL)
    with engine.begin() as connection:
        store(connection, dict.fromkeys("abcde", row), {})
        pages = [
            differences(connection, asked, clock=CLOCK, scope=Scope.everything(), limit=2, offset=offset)
            for offset in (0, 2, 4)
        ]
        assert [list(page["code"]) for page in pages] == [["a", "b"], ["c", "d"], ["e"]]
        with pytest.raises(BadQuestion, match="limit"):
            differences(connection, asked, clock=CLOCK, scope=Scope.everything(), limit=0)


def test_every_difference_has_words() -> None:
    assert set(LABELS) == set(Difference)
    assert set(COLUMNS) | {Difference.MISSING_HERE, Difference.MISSING_THERE} == set(Difference)


def run(connection: Connection, source: str, entity: str, **values: Any) -> None:  # noqa: ANN401
    made = {"started_at": UNTIL, "finished_at": UNTIL + timedelta(minutes=10), "state": "ok", "read": 5, "stored": 5}
    connection.execute(insert(sync_run).values(source=source, entity=entity, **(made | values)))


def test_until_when_both_sources_are_known(engine: Engine) -> None:
    with engine.begin() as connection:
        assert known_until(connection, "a", "b") is None
        run(connection, "a", "dossier")
        run(connection, "b", "dossier")
        assert known_until(connection, "a", "b") is None  # b was never read as what we compare with
        run(connection, "b", "reference_dossier", started_at=UNTIL - timedelta(hours=2))
        assert known_until(connection, "a", "b") == UNTIL - timedelta(hours=2) - SETTLE
        later = {"started_at": UNTIL + timedelta(hours=1), "finished_at": UNTIL + timedelta(hours=2)}
        run(connection, "b", "reference_dossier", **later, state="failed")
        run(connection, "b", "reference_dossier", **later, kind="sweep")
        run(connection, "b", "reference_dossier", **later, kind="replay")
        assert known_until(connection, "a", "b") == UNTIL - timedelta(hours=2) - SETTLE
        run(connection, "b", "reference_dossier", started_at=UNTIL, read=0, stored=0)
        # a run that found nothing knows what was there when it ended; `a` knows what was there when it began
        assert known_until(connection, "a", "b") == UNTIL - SETTLE


@contextmanager
def served(intake: Intake) -> Iterator[str]:
    """Serve an intake on a real port for the time of the block."""
    listening = bind("127.0.0.1", 0)
    config = uvicorn.Config(application(intake), log_level="critical", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


def found_by_us(engine: Engine, asked: Comparison) -> dict[str, set[str]]:
    with engine.connect() as connection:
        page = differences(connection, asked, clock=CLOCK, scope=Scope.everything(), limit=100_000)
        counts = reconcile(connection, asked, clock=CLOCK, scope=Scope.everything())
    assert counts["differing"].sum() == len(page)
    for kind in Difference:
        assert counts[str(kind)].sum() == sum(kind in kinds for kinds in page["kinds"])
    return {row.code: {str(kind) for kind in row.kinds} for row in page.itertuples()}


SMALL = """
title = "A small live office"
place = "binh-chanh"
seed = 785
history_days = 60
catalogue = { district = 183, commune = 121 }

[live]
arrivals_per_hour = 300
same_day = 0.6

[[blocks]]
name = "all"
online_levels = [2, 3, 4]
received = 4500
open = 300
withdrawn = 90
online = 900
supplement = 0.15
"""


def test_the_demonstration_disagrees_exactly_as_it_says(engine: Engine, tmp_path: Path) -> None:
    """A live intake and its portal over HTTP, read one after the other while time goes on: all that is settled."""
    clock = DemoClock(local_seconds(datetime(2026, 11, 20, 10, 30, tzinfo=HANOI)))
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")
    with served(Intake(load(str(tmp_path / "small.toml")), clock, None)) as url:
        mine = [
            rest_source(f"{url}/api/units", Entity.UNIT, "dvcqg-unit", reader={"page_size": 5000}),
            rest_source(f"{url}/api/dossiers", reader={"page_size": 5000, "timeout_seconds": 20.0}),
        ]
        portal = rest_source(
            f"{url}/portal/dossiers", Entity.REFERENCE_DOSSIER, name="dvcqg",
            reader={"page_size": 5000, "timeout_seconds": 20.0},
        )  # fmt: skip
        both = settings_of(*mine, portal)
        for source in (*mine, portal):
            read(engine, both, source, clock)
        for later in (1_500, 5_000):  # the portal is read, ours is read later: it knows more
            clock.now += later
            read(engine, both, portal, clock)
            clock.now += 900
            read(engine, both, mine[1], clock)
            with engine.connect() as connection:
                until = known_until(connection, "mot-cua", "dvcqg")
            assert until == to_datetime(clock.now - 900) - SETTLE
            found = found_by_us(engine, Comparison("mot-cua", "dvcqg", until))
            told = httpx.get(f"{url}/demo/disagreements", timeout=20).json()["data"]
            edge = (until + timedelta(hours=7)).strftime("%Y%m%d%H%M%S")
            declared = {row["MaHoSo"]: set(row["KhacBiet"]) for row in told if row["NgayCapNhat"] < edge}
            assert found == declared
            assert len(declared) > 120
            assert set().union(*declared.values()) == {str(kind) for kind in Difference} - {Difference.RECEIVED}
        with engine.connect() as connection:
            new = reconcile(connection, Comparison("mot-cua", "dvcqg", until), clock=CLOCK, scope=Scope.everything())
            assert new["too_new"].sum() > 10
            total = connection.execute(select(func.count()).select_from(dossier)).scalar_one()
            assert new["both"].sum() + new["missing_there"].sum() <= total


def read(engine: Engine, settings: Settings, source: SourceSettings, clock: DemoClock) -> None:
    report = sync_source(engine, settings, source, now=to_datetime(clock.now))
    assert (report.error, report.quarantined) == (None, 0)
