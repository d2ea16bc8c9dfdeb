"""The database engine: one place that says how we connect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import ArgumentError, OperationalError

from warehouse import schema
from warehouse.errors import ConfigurationError, TransientError
from warehouse.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"
SESSION = "-c timezone=UTC -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
ONE_STATE = "ioc_one_state"
"""Execution option of connections that see one state of the data as long as they live."""
KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
"""Both ends give a connection up, with its locks, when the other one is gone without a word for a minute."""


def database_url(settings: Settings) -> URL:
    """Return the URL of the warehouse: the configured one, else that of the embedded server, started if need be.

    Raises ConfigurationError when the URL is no PostgreSQL URL or the embedded server cannot be used.
    """
    if settings.database.url is None:
        from warehouse.embedded import ensure_server  # noqa: PLC0415 - only where no own server is configured

        return ensure_server(settings.database.data_dir)
    try:
        url = make_url(settings.database.url.get_secret_value())
    except ArgumentError:
        raise ConfigurationError("database.url: not a database URL; write postgresql://user@host/name") from None
    if not url.drivername.startswith("postgresql"):
        raise ConfigurationError(f"database.url: {url.drivername} is not supported; PostgreSQL 15 or newer is")
    return url.set(drivername="postgresql+psycopg2")


def open_engine(url: URL, *, application: str = "ioc", pool_size: int = 5) -> Engine:
    """Return an engine whose sessions speak UTC on the wire and survive a restart of the server.

    Its errors do not quote the values of a statement, which may be those of records.
    """
    engine = create_engine(
        url,
        pool_size=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"application_name": application, "connect_timeout": 5, "options": SESSION, **KEEPALIVE},
    )

    @event.listens_for(engine, "handle_error")
    def _name_the_trouble(context: object) -> None:
        original = getattr(context, "original_exception", None)
        if getattr(context, "is_pre_ping", False):
            return  # the pool asked whether the connection still lives, and takes another one now
        if getattr(context, "is_disconnect", False) and original is not None:
            raise TransientError(f"the warehouse does not answer: {one_line(original)}") from original

    return engine


def one_line(trouble: object) -> str:
    """Return the text of a driver's error without its line breaks."""
    return " ".join(str(trouble).split())


def alembic_config(url: URL) -> Config:
    """Return the Alembic configuration of our migrations for the warehouse at `url`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def migrate(url: URL) -> None:
    """Bring the schema to the newest version; safe when several processes call it at once.

    Raises TransientError when the warehouse does not answer.
    """
    try:
        command.upgrade(alembic_config(url), "head")
    except OperationalError as error:
        raise TransientError(f"the warehouse does not answer: {one_line(error.orig)}") from error


def newest_revision() -> str:
    """Return the schema version that this product needs."""
    return str(ScriptDirectory(str(MIGRATIONS)).get_current_head())


def current_revision(connection: Connection) -> str | None:
    """Return the schema version of the warehouse; None where it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def ping(engine: Engine) -> None:
    """Raise TransientError unless the warehouse answers."""
    try:
        with engine.connect() as connection:
            connection.execute(select(1))
    except OperationalError as error:
        raise TransientError(f"the warehouse does not answer: {one_line(error.orig)}") from error


def data_version(connection: Connection) -> int:
    """Return the number that grows whenever a figure may have changed; 0 on an empty warehouse."""
    return int(connection.execute(select(schema.data_state.c.version)).scalar_one_or_none() or 0)


def advance_version(connection: Connection) -> None:
    """Say, in the caller's transaction, that a figure or a name may have changed: open pages redraw."""
    table = schema.data_state
    grow = insert(table).values(one=True, version=1)
    grow = grow.on_conflict_do_update(
        index_elements=[table.c.one], set_={"version": table.c.version + 1, "changed_at": func.now()}
    )
    connection.execute(grow)


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Give a read-only connection in which every statement sees one state of the data."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True, ONE_STATE: True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection
