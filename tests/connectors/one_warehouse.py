"""One warehouse for all tests of a module, emptied before each: a new one for each of many small tests takes long."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import URL, Engine, create_engine, text

from tests.conftest import TEMPLATE
from tests.connectors.support import insert_units
from warehouse.engine import open_engine
from warehouse.schema import metadata


@pytest.fixture(scope="module")
def module_warehouse(server_url: URL) -> Iterator[Engine]:
    """A migrated warehouse of this module."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {name} template {TEMPLATE}"))
    engine = open_engine(server_url.set(database=name))
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))
    admin.dispose()


@pytest.fixture
def empty(module_warehouse: Engine) -> Engine:
    """A warehouse with nothing in it."""
    with module_warehouse.begin() as connection:
        connection.execute(text(f"truncate {', '.join(metadata.tables)}"))
    return module_warehouse


@pytest.fixture
def units(empty: Engine) -> Engine:
    """A warehouse that has units, but nothing else."""
    insert_units(empty)
    return empty
