"""First load of a history: `sync_source` from a file and from HTTP pages, against a bare COPY of the same rows."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine

from connectors.sync import sync_source
from tests.bench.stage import middle, seconds, show, warehouse
from tests.conftest import ROOT
from warehouse.settings import Settings
from warehouse.sources import FileSettings, RestSettings, SourceSettings
from warehouse.vocabulary import Entity, RunState

NOW = datetime(2023, 6, 1, tzinfo=UTC)
BUDGET = 50_000
Reader = FileSettings | RestSettings


def demo(*arguments: str) -> list[str]:
    """Return the command of the simulated intake."""
    return [sys.executable, "-m", "demo", *arguments, "--now", NOW.isoformat()]


@contextmanager
def intake(scenario: str, folder: Path) -> Iterator[str]:
    """Serve a scenario; gives its address."""
    command = demo("serve", "--scenario", scenario, "--port", "0", "--state", str(folder))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def sync(engine: Engine, reader: Reader, entity: Entity = Entity.DOSSIER, mapping: str = "dvcqg") -> int:
    """Load a source and return how many records it had."""
    source = SourceSettings(name="bench", entity=entity, mapping=mapping, reader=reader)
    report = sync_source(engine, Settings(sources=(source,)), source, now=NOW)
    assert report.state is RunState.OK, report.error
    return report.read


def first_load(url: URL, folder: Path, reader: Reader, after: Callable[[Engine], None] = lambda engine: None) -> float:
    """Return the rate of a first load into an empty warehouse that knows its units, in rows a second."""
    with warehouse(url, "bench_load") as engine:
        sync(engine, FileSettings(kind="file", path=(folder / "units.csv",)), Entity.UNIT, "dvcqg-unit")
        read: list[int] = []
        took = seconds(lambda: read.append(sync(engine, reader)))
        after(engine)
        return read[0] / took


def bare_copy(engine: Engine) -> float:
    """Return the rate of COPY of the loaded dossiers into a table of the same columns without any key."""
    connection: Any = engine.raw_connection()
    try:
        with connection.cursor() as cursor:
            rows = io.BytesIO()
            cursor.copy_expert("copy dossier to stdout", rows)
            cursor.execute("create table bare (like dossier)")
            connection.commit()
            rows.seek(0)

            def copy() -> None:
                cursor.copy_expert("copy bare from stdin", rows)
                connection.commit()

            took = seconds(copy)
            return float(cursor.rowcount / took)
    finally:
        connection.close()


def run(url: URL, folder: Path, scenario: str, runs: int) -> None:
    """Print the rates of loading a scenario."""
    subprocess.run(demo("write", "--scenario", scenario, "--out", str(folder)), cwd=ROOT, check=True, stdout=-3)
    file = FileSettings(kind="file", path=(folder / "dossiers.csv",))
    bare: list[float] = []
    with intake(scenario, folder / "state") as address:
        pages = RestSettings(kind="rest", url=f"{address}/api/dossiers", page_size=2000)
        from_file, from_pages = [], []
        for _ in range(runs):
            from_file.append(first_load(url, folder, file, lambda engine: bare.append(bare_copy(engine))))
            from_pages.append(first_load(url, folder, pages))
    rates = (("bare COPY, no keys", bare), ("sync_source, CSV", from_file), ("sync_source, HTTP pages", from_pages))
    rows = [
        (name, f"{middle(found):,.0f}", f"{middle(found) / middle(bare):.3f}", f"{max(found):,.0f}")
        for name, found in rates
    ]
    show(
        f"First load, scenario {scenario}, {runs} runs (budget from file {BUDGET:,}/s)",
        ("way", "rows/s", "of COPY", "best"),
        rows,
    )
