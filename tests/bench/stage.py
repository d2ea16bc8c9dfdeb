"""A PostgreSQL of the bench's own with the product's options, and how times are taken and shown."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import URL, Engine, create_engine, text

from warehouse.embedded import EmbeddedServer
from warehouse.engine import migrate, open_engine

console = Console(width=120)
TEMPLATE = "bench_template"


@contextmanager
def server() -> Iterator[URL]:
    """Run a server, fsync and all, with a migrated template database."""
    with tempfile.TemporaryDirectory(prefix="ioc-bench-") as folder:
        Path(folder).chmod(0o755)
        embedded = EmbeddedServer(Path(folder) / "db")
        url = embedded.start()
        administer(url, f"create database {TEMPLATE}")
        migrate(url.set(database=TEMPLATE))
        try:
            yield url
        finally:
            embedded.stop()


def administer(url: URL, statement: str) -> None:
    """Run a statement about databases."""
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(statement))
    admin.dispose()


@contextmanager
def warehouse(url: URL, name: str) -> Iterator[Engine]:
    """Give an empty warehouse and drop it afterwards."""
    administer(url, f"create database {name} template {TEMPLATE}")
    engine = open_engine(url.set(database=name))
    try:
        yield engine
    finally:
        engine.dispose()
        administer(url, f"drop database {name} with (force)")


def seconds(work: Callable[[], object]) -> float:
    """Return how long some work took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def processor_seconds(engine: Engine) -> float | None:
    """Return the seconds of processor that the server of an engine took, ended sessions too; None without /proc."""
    with engine.connect() as connection:
        session = connection.execute(text("select pg_backend_pid()")).scalar_one()
    try:
        server = _stat(session)[1]
        parts = [_stat(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit()]
    except OSError:
        return None
    ticks = sum(sum(part[11:13]) for part in parts if part[1] == server)
    return (ticks + sum(_stat(server)[11:15])) / os.sysconf("SC_CLK_TCK")


def _stat(process: int) -> list[int]:
    """The numbers of /proc/N/stat from the state (as 0) and the parent on; none of a process that is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return [0] * 15
    return [0, *(int(field) for field in fields[1:15])]


def p95(times: Sequence[float]) -> float:
    """Return the time that 95 of 100 stay within."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]


def middle(times: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(times)


def show(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; all but its first column are numbers."""
    console.print(f"\n{title}")
    table = Table()
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place == 0 else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)
