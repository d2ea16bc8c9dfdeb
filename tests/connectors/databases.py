"""Real databases that play the replica of an intake system: a second PostgreSQL, MariaDB, SQLite."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import URL, Engine, NullPool, create_engine, text

from tests.connectors.support import SourceSettings
from warehouse.embedded import EmbeddedServer
from warehouse.sources import SqlSettings
from warehouse.vocabulary import Entity

PASSWORD = "bí-mật@:/%?"
KINDS = ("postgresql", "mariadb", "sqlite")


@dataclass
class Replica:
    """A fresh database, the engine of its owner, and the address by which a reader may read it."""

    kind: str
    owner: Engine
    url: str
    password: str | None = None
    grants: tuple[str, ...] = ()
    opened: list[Engine] = field(default_factory=list)

    def run(self, *statements: str, rows: list[dict[str, Any]] | None = None) -> None:
        """Run statements as the owner, and let the reader read what there is then."""
        with self.owner.begin() as connection:
            for statement in statements:
                connection.execute(text(statement), rows or {})
            for grant in self.grants:
                connection.execute(text(grant))

    def settings(self, **options: Any) -> SqlSettings:  # noqa: ANN401
        password = None if self.password is None else SecretStr(self.password)
        defaults = {"table": "ho_so", "updated": "cap_nhat", "key": "ma", "password": password, "url": self.url}
        return SqlSettings(kind="sql", **{**defaults, **options})

    def source(self, mapping: str, **options: Any) -> SourceSettings:  # noqa: ANN401
        reader = self.settings(**options.pop("reader", {}))
        return SourceSettings(
            name=options.pop("name", "mot-cua"), entity=options.pop("entity", Entity.DOSSIER), reader=reader,
            mapping=mapping, **options,
        )  # fmt: skip


@contextmanager
def postgres_server(folder: Path) -> Iterator[EmbeddedServer]:
    """Run a PostgreSQL of its own, with a user who may read."""
    folder.chmod(0o755)
    options = {"fsync": "off", "max_connections": "20", "shared_buffers": "16MB"}
    server = EmbeddedServer(folder / "replica", options=options)
    admin = create_engine(server.start(), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create role reader login password '{PASSWORD}'"))
    admin.dispose()
    yield server
    server.stop()


def stop_immediately(server: EmbeddedServer) -> None:
    """Stop a PostgreSQL as a crash would."""
    number = int((server.pgdata / "postmaster.pid").read_text().splitlines()[0])
    os.kill(number, signal.SIGQUIT)
    eventually(lambda: not Path(f"/proc/{number}").exists() or "Z" in Path(f"/proc/{number}/stat").read_text())


@contextmanager
def mariadb_server(folder: Path) -> Iterator[URL]:
    """Run a MariaDB of its own, with a user who may read; skip where it is not installed."""
    programs = [
        shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("mariadb-install-db", "mariadbd")
    ]
    if programs[0] is None or programs[1] is None:
        pytest.skip("MariaDB is not installed on this machine (mariadb-server)")
    common = ["--no-defaults", f"--user={getpass.getuser()}", f"--datadir={folder / 'data'}"]
    install = [programs[0], *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(install, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [programs[1], *common, f"--socket={folder / 's'}", f"--port={port}", "--bind-address=127.0.0.1",
         f"--pid-file={folder / 'pid'}", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = URL.create("mariadb+pymysql", "root", host="localhost", query={"unix_socket": str(folder / "s")})
        eventually((folder / "s").exists)
        admin = create_engine(url)
        with admin.begin() as connection:
            connection.execute(text("create user reader@'127.0.0.1' identified by :word"), {"word": PASSWORD})
        admin.dispose()
        yield url.set(host="localhost", port=port)
    finally:
        server.terminate()
        server.wait()


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


@contextmanager
def postgres_replica(server: EmbeddedServer) -> Iterator[Replica]:
    """A fresh database of the second PostgreSQL."""
    name = f"nguon_{uuid.uuid4().hex[:10]}"
    admin = create_engine(server.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text(f"create database {name}"))
    owner = create_engine(server.url.set(database=name))
    yield Replica(
        "postgresql", owner, f"postgresql://reader@/{name}?host={server.sockets}", PASSWORD,
        ("grant select on all tables in schema public to reader",),
    )  # fmt: skip
    owner.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))
    admin.dispose()


@contextmanager
def mariadb_replica(url: URL) -> Iterator[Replica]:
    """A fresh database of the MariaDB."""
    name = f"nguon_{uuid.uuid4().hex[:10]}"
    admin = create_engine(url)
    with admin.begin() as connection:
        connection.execute(text(f"create database {name} character set utf8mb4"))
        connection.execute(text(f"grant select on {name}.* to reader@'127.0.0.1'"))
    owner = create_engine(url.set(database=name))
    yield Replica("mariadb", owner, f"mysql://reader@127.0.0.1:{url.port}/{name}", PASSWORD)
    owner.dispose()
    with admin.begin() as connection:
        connection.execute(text(f"drop database {name}"))
    admin.dispose()


@contextmanager
def sqlite_replica(folder: Path) -> Iterator[Replica]:
    """A fresh SQLite file, in a folder whose name must be quoted in an address."""
    place = folder / "một cửa #1?"
    place.mkdir()
    owner = create_engine(URL.create("sqlite", database=str(place / "nguồn.db")))
    yield Replica("sqlite", owner, str(owner.url))
    owner.dispose()
