"""Fixtures of the connectors' tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine

from tests.connectors.databases import (
    KINDS,
    Replica,
    mariadb_replica,
    mariadb_server,
    postgres_replica,
    postgres_server,
    sqlite_replica,
)
from tests.connectors.intake import Intake, serve
from tests.connectors.support import insert_units
from warehouse.embedded import EmbeddedServer


@pytest.fixture
def intake() -> Iterator[Intake]:
    """A running intake system."""
    with serve(Intake()) as running:
        yield running


@pytest.fixture
def warehouse(engine: Engine) -> Engine:
    """An engine on a warehouse that has units, but nothing else."""
    insert_units(engine)
    return engine


@pytest.fixture(scope="session")
def second_postgres() -> Iterator[EmbeddedServer]:
    """A second PostgreSQL server, which is not that of the warehouse."""
    with tempfile.TemporaryDirectory(prefix="ioc-replica-") as folder, postgres_server(Path(folder)) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[URL]:
    """A MariaDB server."""
    with tempfile.TemporaryDirectory(prefix="ioc-maria-") as folder, mariadb_server(Path(folder)) as url:
        yield url


@pytest.fixture(params=KINDS)
def replica(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Replica]:
    """A fresh database of each kind that can be read."""
    if request.param == "sqlite":
        with sqlite_replica(tmp_path) as made:
            yield made
    elif request.param == "mariadb":
        with mariadb_replica(request.getfixturevalue("mariadb")) as made:
            yield made
    else:
        with postgres_replica(request.getfixturevalue("second_postgres")) as made:
            yield made


@pytest.fixture
def replica_of_postgres(second_postgres: EmbeddedServer) -> Iterator[Replica]:
    """A fresh database of the second PostgreSQL."""
    with postgres_replica(second_postgres) as made:
        yield made
