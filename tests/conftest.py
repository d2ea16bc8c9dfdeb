"""Fixtures that every test may use: one real PostgreSQL for the run, one fresh database for each test."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine, text

from warehouse.embedded import EmbeddedServer
from warehouse.engine import migrate, open_engine

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("IOC_SHARED", ROOT.parent / "shared"))
TEMPLATE = "template_warehouse"


def shared(path: str) -> Path:
    """Return a file of the shared reference data, or skip with the reason that it is not on this machine."""
    file = SHARED / "data" / path
    if not file.exists():
        pytest.skip(f"reference data {path} is not on this machine (expected in {SHARED})")
    return file


@pytest.fixture(scope="session")
def server_url() -> Iterator[URL]:
    """The address of a real PostgreSQL of this run, with a migrated template database."""
    with tempfile.TemporaryDirectory(prefix="ioc-tests-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedServer(Path(folder) / "db", options={"fsync": "off", "max_connections": "100"})
        url = server.start()
        admin = create_engine(url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"create database {TEMPLATE}"))
        migrate(url.set(database=TEMPLATE))
        admin.dispose()
        yield url
        server.stop()


@pytest.fixture
def database_url(server_url: URL) -> Iterator[URL]:
    """The address of a fresh, migrated, empty warehouse that is dropped after the test."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {name} template {TEMPLATE}"))
    yield server_url.set(database=name)
    with admin.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))
    admin.dispose()


@pytest.fixture
def engine(database_url: URL) -> Iterator[Engine]:
    """An engine on a fresh warehouse."""
    made = open_engine(database_url)
    yield made
    made.dispose()
