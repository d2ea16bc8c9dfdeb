"""First load of a history and changes of it, by worker processes; against a bare COPY of the same rows."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine

from tests.bench.history import write_changed, write_history, write_pages
from tests.bench.stage import console, processor_seconds, seconds, show, warehouse
from tests.conftest import ROOT
from warehouse.sources import FileSettings, RestSettings, SourceSettings
from warehouse.vocabulary import Entity

BUDGET_RATE, BUDGET_MEMORY, BUDGET_SECONDS = 50_000, 512, 2.0
CHANGED = 1_000
Reader = FileSettings | RestSettings


@dataclass(frozen=True, slots=True)
class Load:
    """What one load cost; `served` are the seconds of processor that PostgreSQL took, None where nobody knows."""

    read: int
    stored: int
    seconds: float
    processor: float
    peak: float
    served: float | None

    def row(self, name: str, bare: float) -> tuple[str, ...]:
        """The line of a table."""
        rate = self.read / self.seconds
        served = "" if self.served is None else f"{1e6 * self.served / self.read:.1f}"
        own = f"{1e6 * self.processor / self.read:.1f}"
        return name, f"{self.read:,}", f"{rate:,.0f}", f"{rate / bare:.3f}", own, served, f"{self.peak:.0f}"


def load(engine: Engine, reader: Reader, entity: Entity = Entity.DOSSIER, mapping: str = "dvcqg") -> Load:
    """Load a source in a process of its own."""
    source = SourceSettings(name="bench", entity=entity, mapping=mapping, reader=reader)
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.bench.worker", url, source.model_dump_json()]
    before = processor_seconds(engine)
    told: Mapping[str, Any] = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=-1).stdout)
    after = processor_seconds(engine)
    return Load(**told, served=None if before is None or after is None else after - before)


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


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve pages; gives their address."""
    command = [sys.executable, "-m", "tests.bench.serve", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def file_reader(path: Path) -> FileSettings:
    """A file that nobody writes any more."""
    return FileSettings(kind="file", path=(path,), settle_seconds=0)


@contextmanager
def with_units(url: URL, folder: Path) -> Iterator[Engine]:
    """Give an empty warehouse that knows its units."""
    with warehouse(url, "bench_load") as engine:
        load(engine, file_reader(folder / "units.csv"), Entity.UNIT, "dvcqg-unit")
        yield engine


def run(url: URL, folder: Path, dossiers: int, runs: int) -> None:
    """Print what loading a history costs, and what changes of it do."""
    write_history(folder, dossiers)
    for name, day in (("changed", "20230530"), ("changed-again", "20230531")):
        write_changed(folder, name, day, CHANGED, dossiers // CHANGED)
    write_pages(folder / "changed-again.csv", folder / "changed")
    write_pages(folder / "dossiers.csv", folder / "pages", max(1, dossiers // 5))
    console.print(f"{dossiers:,} dossiers in {(folder / 'dossiers.csv').stat().st_size / 2**20:,.0f} MiB of CSV")
    found: list[tuple[str, Load, float]] = []
    for _ in range(runs):
        with with_units(url, folder) as engine, served(folder / "changed") as address:
            first = load(engine, file_reader(folder / "dossiers.csv"))
            bare = bare_copy(engine)
            found.append(("first load, CSV", first, bare))
            found.append(("the same again", load(engine, file_reader(folder / "dossiers.csv")), bare))
            found.append((f"{CHANGED:,} changed, CSV", load(engine, file_reader(folder / "changed.csv")), bare))
            found.append((f"{CHANGED:,} changed, HTTP", load(engine, RestSettings(kind="rest", url=address)), bare))
        with with_units(url, folder) as engine, served(folder / "pages") as address:
            pages = RestSettings(kind="rest", url=address, page_size=2000)
            found.append(("first load, HTTP pages", load(engine, pages), bare))
    rows = [one.row(name, bare) for name, one, bare in found]
    rows += [("bare COPY, no keys", "", f"{max(bare for *_, bare in found):,.0f}", "", "", "", "")]
    heads = ("way", "read", "rows/s", "of COPY", "us/row, ours", "us/row, server", "MiB, peak")
    limits = f"budget from CSV {BUDGET_RATE:,}/s, {BUDGET_MEMORY} MiB"
    show(f"Loading in {os.cpu_count()} processors ({limits}; us/row is time of processors)", heads, rows)
    changes = [(name, f"{one.seconds:.2f}", str(one.stored)) for name, one, _ in found if one.read == CHANGED]
    show(
        f"{CHANGED:,} of {dossiers:,} dossiers, from the start of a run to its last commit (budget {BUDGET_SECONDS} s)",
        ("way", "seconds", "stored"), changes,
    )  # fmt: skip
