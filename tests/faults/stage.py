"""The stage of the fault suite: processes that can be killed, what the tables must hold in the end, and the count."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, func, insert, select, text

from tests.cells import cells
from tests.conftest import ROOT, TEMPLATE
from tests.faults.office import LATE_UNIT
from warehouse.embedded import EmbeddedServer
from warehouse.engine import migrate, open_engine
from warehouse.schema import metadata, sync_run, unit

PROVOKED: Counter[str] = Counter()
"""Faults provoked in this process, by kind."""
CLOCKS = frozenset(
    {"seen_at", "started_at", "finished_at", "first_seen_at", "updated_at", "changed_at", "missing_since", "checked_at"}
)
OWN = frozenset({"sync_run", "data_state", "dossier_log", "survey_answer_log", "cell_state", "unit_cell", "kind_cell"})
"""Tables that tell how often something was tried, or by which way; what they must say is checked by itself."""
PATIENCE_SECONDS = 60.0
Contents = dict[str, list[tuple[Any, ...]]]


def eventually(holds: Callable[[], bool], what: str, look_seconds: float = 0.02) -> None:
    """Wait until it holds; fail with `what` when it does not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"did not happen in time: {what}"
        time.sleep(look_seconds)


# --- processes ------------------------------------------------------------------------------------------------


@dataclass
class Office:
    """The intake system as a process that can be killed and comes back at the same address."""

    port: int = 0
    process: subprocess.Popen[str] | None = None

    def start(self, die_at: int = 0) -> None:
        command = [sys.executable, "-m", "tests.faults.office", str(self.port)]
        variables = {**os.environ, "FAULT_DIE_AT": str(die_at)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=variables)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()


@dataclass
class Child:
    """A worker process."""

    number: int
    folder: Path
    code: int | None = None

    @property
    def hit(self) -> bool:
        """Whether it came to the step of its fault."""
        return (self.folder / "hit").exists()

    @property
    def steps(self) -> Counter[str]:
        return Counter(json.loads((self.folder / "steps").read_text(encoding="utf-8")))

    @property
    def said(self) -> str:
        parts = [self.folder / name for name in ("error", "log", "stacks")]
        return "\n".join(part.read_text(encoding="utf-8") for part in parts if part.exists())

    def go(self) -> None:
        (self.folder / "go").touch()

    def kill(self, number: signal.Signals) -> None:
        os.kill(self.number, number)


class Workers:
    """Makes worker processes and learns how they end."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._count = folder, 0
        self.children: dict[int, Child] = {}
        self._started: queue.Queue[int] = queue.Queue()
        self._ended: dict[int, int] = {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.workers"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told = json.loads(line)
            if "started" in told:
                self._started.put(told["started"])
            else:
                self._ended[told["ended"]] = told["code"]

    def start(self, mode: str, database: URL, office: str, **order: Any) -> Child:  # noqa: ANN401 - parts of an order
        self._count += 1
        folder = self.folder / f"worker-{self._count}"
        folder.mkdir()
        order |= {"mode": mode, "source": office, "folder": str(folder)}
        order["database"] = database.render_as_string(hide_password=False)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        child = Child(self._started.get(timeout=PATIENCE_SECONDS), folder)
        self.children[child.number] = child
        return child

    def wait(self, child: Child) -> int:
        """Wait for the end of a worker and return its exit code; a signal is a negative one."""
        try:
            eventually(lambda: child.number in self._ended, "end of the worker")
        except AssertionError as error:
            child.kill(signal.SIGUSR1)  # it writes down where its threads are
            time.sleep(0.5)
            raise AssertionError(f"{error}\n{child.said}") from None
        child.code = self._ended[child.number]
        return child.code

    def running(self, child: Child) -> bool:
        return child.number not in self._ended

    def end(self) -> None:
        for child in self.children.values():
            if self.running(child):
                with contextlib.suppress(ProcessLookupError):
                    child.kill(signal.SIGKILL)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self._listener.join()
        self.process.stdout.close()


class Cable:
    """A TCP connection that can be cut: forwards to a port or a Unix socket while it is whole."""

    def __init__(self, target: int | str) -> None:
        self.target, self.whole = target, True
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if not self.whole:
                    _reset(near)
                    continue
                try:
                    far = self._far()
                except OSError:
                    _reset(near)
                    continue
                self._pairs.append((near, far))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_forward, args=(one, other), daemon=True).start()

    def _far(self) -> socket.socket:
        if isinstance(self.target, int):
            return socket.create_connection(("127.0.0.1", self.target))
        far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        far.connect(self.target)
        return far

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self.whole = False
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                _reset(end)

    def mend(self) -> None:
        self.whole = True

    def end(self) -> None:
        self._listener.close()
        self.cut()


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _forward(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


# --- tables ---------------------------------------------------------------------------------------------------


def contents(engine: Engine) -> Contents:
    """Every row of every table but those of runs, without clocks and places; of `resolved_at` whether it is set.

    Of the cells what they tell when the log is carried over.
    """
    held = {}
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            if table.name in OWN:
                continue
            columns = [
                column.is_not(None) if column.name == "resolved_at" else column
                for column in table.columns
                if column.name not in {*CLOCKS, "place"}
            ]
            held[table.name] = sorted((tuple(row) for row in connection.execute(select(*columns))), key=repr)
    return held | {"cells": sorted(cells(engine).items(), key=repr)}


def counted(engine: Engine) -> dict[tuple[str, str], tuple[int, ...]]:
    """What all runs of a stream and kind together read, stored, left unchanged and refused."""
    sums = (func.sum(sync_run.c[name]) for name in ("read", "stored", "unchanged", "quarantined"))
    with engine.connect() as connection:
        rows = connection.execute(
            select(sync_run.c.entity, sync_run.c.kind, *sums).group_by(sync_run.c.entity, sync_run.c.kind)
        )
        return {(row[0], row[1]): tuple(int(count) for count in row[2:]) for row in rows if row[2]}


def differences(one: Contents, other: Contents) -> str:
    """Say where two states of the tables differ first; empty when they do not."""
    for name, rows in one.items():
        if rows != other[name]:
            lost = [row for row in rows if row not in other[name]][:3]
            more = [row for row in other[name] if row not in rows][:3]
            return f"{name}: {len(other[name])} rows instead of {len(rows)}; not there: {lost}; too much: {more}"
    return ""


@dataclass
class Stage:
    """A server with databases, the office, and workers; `reference` is what an undisturbed run leaves behind, `halfway`
    the same before the last unit is known."""

    server: URL
    office: Office
    workers: Workers
    halfway: Contents = field(default_factory=dict)
    reference: Contents = field(default_factory=dict)
    sums: dict[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    _databases: int = 0

    @contextmanager
    def database(self) -> Iterator[URL]:
        """A fresh warehouse."""
        self._databases += 1
        name = f"fault_{os.getpid()}_{self._databases}"
        with administration(self.server) as connection:
            connection.execute(text(f"create database {name} template {TEMPLATE}"))
            try:
                yield self.server.set(database=name)
            finally:
                connection.execute(text(f"drop database {name} with (force)"))

    def start(self, mode: str, database: URL, **order: Any) -> Child:  # noqa: ANN401 - parts of an order
        return self.workers.start(mode, database, order.pop("office", self.office.address), **order)

    def to_the_end(self, mode: str, database: URL, **order: Any) -> Child:  # noqa: ANN401 - as above
        """Run a worker until it ends by itself, which must go well."""
        child = self.start(mode, database, **order)
        assert self.workers.wait(child) == 0, child.said
        return child

    def learn(self) -> None:
        """Take the undisturbed run as the reference, and how often it comes to each step."""
        with self.database() as url:
            engine = open_engine(url)
            self.counts["sync"] = self.to_the_end("sync", url).steps
            self.halfway = contents(engine)
            add_late_unit(url)
            self.counts["replay"] = self.to_the_end("replay", url).steps
            self.reference, self.sums = contents(engine), counted(engine)
            engine.dispose()

    def wait_for(self, url: URL, wanted: Contents, child: Child) -> None:
        """Wait until the tables are those of the undisturbed run."""
        engine = open_engine(url)
        try:
            eventually(lambda: contents(engine) == wanted, "the same tables", look_seconds=0.15)
        except AssertionError:
            told = f"{differences(wanted, contents(engine))}\n{sessions(engine)}\n{child.said}"
            raise AssertionError(told) from None
        finally:
            engine.dispose()

    def check(self, url: URL) -> None:
        """Nothing lost, nothing twice, no lock left, no run left open, no source left alone."""
        engine = open_engine(url)
        try:
            assert not (found := differences(self.reference, contents(engine))), found
            assert counted(engine) == self.sums, "each record was taken by exactly one run"
            with engine.connect() as connection:
                states = set(connection.execute(select(sync_run.c.state)).scalars())
                locks = text("select count(*) from pg_locks where locktype = 'advisory' and database ="
                             " (select oid from pg_database where datname = current_database())")  # fmt: skip
                assert states <= {"ok", "failed"}, "runs of dead workers are closed"
                assert connection.execute(locks).scalar_one() == 0
        finally:
            engine.dispose()


def sessions(engine: Engine) -> str:
    """What each session does, and which of them hold the lock of a stream."""
    asked = text(
        "select pid, state, wait_event, now() - state_change, left(query, 60), pid in (select pid from pg_locks where"
        " locktype = 'advisory') from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    )
    with engine.connect() as connection:
        return "\n".join(str(tuple(row)) for row in connection.execute(asked))


def add_late_unit(url: URL) -> None:
    """Load the unit that the office does not tell."""
    engine = open_engine(url)
    with engine.begin() as connection:
        values = {"code": LATE_UNIT, "valid_from": date(2000, 1, 1), "name": LATE_UNIT, "kind": "commune"}
        connection.execute(insert(unit).values(**values))
    engine.dispose()


@contextmanager
def stage(server: URL) -> Iterator[Stage]:
    """Set the stage and learn the reference."""
    with tempfile.TemporaryDirectory(prefix="ioc-faults-") as folder:
        office, workers = Office(), Workers(Path(folder))
        office.start()
        made = Stage(server, office, workers)
        try:
            made.learn()
            yield made
        finally:
            workers.end()
            office.end()


@contextmanager
def administration(server: URL) -> Iterator[Connection]:
    """A connection that creates and drops databases."""
    engine = open_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@contextmanager
def passable_folder() -> Iterator[Path]:
    """A folder to which the system user of PostgreSQL can get: it would keep its data elsewhere otherwise."""
    with tempfile.TemporaryDirectory(prefix="ioc-faults-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def own_server(folder: Path, **options: str) -> Iterator[EmbeddedServer]:
    """A PostgreSQL of our own in the folder, to be stopped and killed, with a migrated template of a warehouse."""
    small = {"shared_buffers": "32MB", "max_wal_size": "64MB", "min_wal_size": "32MB"}
    server = EmbeddedServer(folder / "db", options={**small, **options})
    url = server.start()
    assert server.pgdata.is_relative_to(folder)
    with administration(url) as connection:
        connection.execute(text(f"create database {TEMPLATE}"))
    migrate(url.set(database=TEMPLATE))
    try:
        yield server
    finally:
        server.stop()
