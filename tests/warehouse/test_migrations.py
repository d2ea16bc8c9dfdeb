"""Migrations: fresh, repeated, at once, and nothing forgotten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Engine, create_engine, inspect, text
from sqlalchemy.exc import InternalError

from warehouse import schema
from warehouse.engine import (
    MIGRATIONS,
    advance_version,
    alembic_config,
    current_revision,
    data_version,
    migrate,
    newest_revision,
    open_engine,
    ping,
    snapshot,
)
from warehouse.errors import TransientError


@pytest.fixture
def bare_url(server_url: URL, database_url: URL) -> URL:
    """The address of a database without any table."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
    engine.dispose()
    return database_url


def test_the_migrations_make_the_schema_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.metadata) == []
        assert current_revision(connection) == newest_revision()


def test_check_constraints_are_in_the_migrations(engine: Engine) -> None:
    found = inspect(engine)
    for table in schema.metadata.tables.values():
        wanted = {str(item.name) for item in table.constraints if "ck_" in str(item.name)}
        assert {str(item["name"]) for item in found.get_check_constraints(table.name)} == wanted


def test_several_at_once(bare_url: URL) -> None:
    code = "import sys, sqlalchemy, warehouse.engine as e; e.migrate(sqlalchemy.make_url(sys.argv[1]))"
    command_line = [sys.executable, "-c", code, bare_url.render_as_string(hide_password=False)]
    processes = [subprocess.Popen(command_line, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[1] for process in processes] == [""] * 3
    engine = open_engine(bare_url)
    assert set(schema.metadata.tables) <= set(inspect(engine).get_table_names())
    engine.dispose()


def test_a_second_migration_changes_nothing(engine: Engine, database_url: URL) -> None:
    with engine.begin() as connection:
        connection.execute(
            schema.watermark.insert().values(source="a", entity="b", value="c", updated_at=text("now()"))
        )
    migrate(database_url)
    with engine.connect() as connection:
        assert connection.execute(schema.watermark.select()).one().value == "c"


def test_down_and_up_again(engine: Engine, database_url: URL) -> None:
    command.downgrade(alembic_config(database_url), "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    migrate(database_url)
    with engine.connect() as connection:
        assert current_revision(connection) == newest_revision()


def test_every_migration_says_what_it_does() -> None:
    for file in (MIGRATIONS / "versions").glob("*.py"):
        assert file.read_text(encoding="utf-8").startswith('"""'), file


def test_a_database_that_does_not_answer_is_a_transient_error(tmp_path: Path) -> None:
    url = URL.create("postgresql+psycopg2", username="ioc", database="ioc", query={"host": str(tmp_path)})
    with pytest.raises(TransientError, match="does not answer"):
        migrate(url)
    engine = open_engine(url)
    with pytest.raises(TransientError, match="does not answer"):
        ping(engine)
    engine.dispose()


def test_the_data_version_grows_and_a_snapshot_does_not_see_it(engine: Engine) -> None:
    with engine.begin() as connection:
        assert data_version(connection) == 0
        advance_version(connection)
        advance_version(connection)
    with snapshot(engine) as frozen:
        before = data_version(frozen)
        with engine.begin() as connection:
            advance_version(connection)
        assert data_version(frozen) == before == 2
    with engine.connect() as connection:
        assert data_version(connection) == 3


def test_a_snapshot_cannot_write(engine: Engine) -> None:
    with pytest.raises(InternalError, match="read-only"), snapshot(engine) as connection:
        advance_version(connection)


def test_sessions_survive_a_lost_connection(engine: Engine) -> None:
    with engine.connect() as connection:
        number = connection.execute(text("select pg_backend_pid()")).scalar_one()
    other = open_engine(engine.url)
    with other.connect() as connection:
        connection.execute(text("select pg_terminate_backend(:number)"), {"number": number})
    other.dispose()
    ping(engine)
    with engine.connect() as connection:
        assert connection.execute(text("show timezone")).scalar_one() == "UTC"
