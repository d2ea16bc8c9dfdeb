"""A database that we may only read: short read-only sessions with a time limit, values as they stand in the database,
and errors that name the trouble but never a value, a statement or a password.

| database | read-only | time limit of a statement |
|---|---|---|
| PostgreSQL | BEGIN READ ONLY | statement_timeout |
| MariaDB, MySQL | SET SESSION TRANSACTION READ ONLY | max_statement_time, max_execution_time |
| SQLite | mode=ro, query_only | a progress handler that interrupts |

Every session speaks UTC. Instants, numbers with a fraction and JSON come as the texts that the database writes, so that
a year 20022 is a bad date of one record and not the end of the read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, Executable, Row, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from warehouse.errors import IocError, RefusedInput, TransientError
from warehouse.sources import SqlSettings

DRIVERS = {
    "postgresql": "postgresql+psycopg2", "mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite+pysqlite",
}  # fmt: skip
CONNECT_SECONDS = 10
FETCH_ROWS = 2_000
"""Rows that are turned from driver values into texts at once."""
_POSTGRES_TEXTS = (114, 3802, 1082, 1114, 1184, 1700)  # json, jsonb, date, timestamp, timestamptz, numeric


class Database:
    """The database of one source, for the time of one read."""

    def __init__(self, settings: SqlSettings) -> None:
        self.settings = settings
        self._deadline = 0.0
        url = _url(settings)
        self.where = f"{url.host or url.database or ''}{f'/{url.database}' if url.host else ''} {settings.table}"
        self.engine = self._open(url)

    @property
    def dialect(self) -> str:
        """Name of the SQL dialect: postgresql, mysql, mariadb or sqlite."""
        return self.engine.dialect.name

    def close(self) -> None:
        """Close the connection."""
        self.engine.dispose()

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """Give a connection inside a short read-only transaction.

        Raises TransientError for what may be better later, RefusedInput for what the operator must change.
        """
        with self._named(connecting=True):
            connection = self.engine.connect().execution_options(**self._options())
        with connection, self._named():
            self._begin(connection)
            yield connection

    def stream(self, connection: Connection, statement: Executable) -> Iterator[Sequence[Row[Any]]]:
        """Yield the rows of a statement in parts, from a cursor of the server: never more than a part is here."""
        self._deadline = time.monotonic() + self.settings.statement_timeout_seconds
        result = connection.execution_options(stream_results=True, max_row_buffer=FETCH_ROWS).execute(statement)
        for part in result.partitions(FETCH_ROWS):
            yield part
            self._deadline = time.monotonic() + self.settings.statement_timeout_seconds

    def refuse(self, what: str) -> RefusedInput:
        """Make the error for a source that is not as configured."""
        return RefusedInput(f"{self.where}: {what}")

    # --- how each kind of database is opened ------------------------------------------------------------------

    def _open(self, url: URL) -> Engine:
        opener = {"postgresql": _open_postgres, "sqlite": _open_sqlite}.get(url.get_backend_name(), _open_mysql)
        with self._named():
            engine = opener(url, self.settings.statement_timeout_seconds)
            if url.get_backend_name() == "sqlite":
                event.listen(engine, "connect", self._interrupt_when_late)
            return engine

    def _interrupt_when_late(self, driver: Any, record: object) -> None:  # noqa: ANN401 - sqlite3
        del record
        driver.set_progress_handler(lambda: time.monotonic() > self._deadline, 10_000)

    def _options(self) -> dict[str, Any]:
        return {"postgresql_readonly": True} if self.dialect == "postgresql" else {}

    def _begin(self, connection: Connection) -> None:
        self._deadline = time.monotonic() + self.settings.statement_timeout_seconds
        if self.dialect == "postgresql":
            # for this transaction only, so that it also holds behind a pooler that shares sessions
            milliseconds = str(max(1, round(self.settings.statement_timeout_seconds * 1000)))
            wanted = {"statement_timeout": milliseconds, "timezone": "UTC", "datestyle": "ISO, YMD"}
            connection.execute(select(*(func.set_config(name, value, True) for name, value in wanted.items())))

    # --- what went wrong --------------------------------------------------------------------------------------

    @contextmanager
    def _named(self, *, connecting: bool = False) -> Iterator[None]:
        try:
            yield
        except IocError:
            raise
        except DBAPIError as error:
            raise self._explain(error, connecting=connecting) from None
        except SQLAlchemyError as error:
            raise self.refuse(f"cannot be read: {type(error).__name__}; check the settings of this source") from None
        except (UnicodeError, ImportError, RuntimeError) as error:  # of the drivers; they name no value of a record
            raise self.refuse(f"the driver gives up: {type(error).__name__}: {_short(error)}") from None

    def _explain(self, error: DBAPIError, *, connecting: bool) -> IocError:
        code = _code(error)
        kind, words = next(
            ((kind, words) for codes, kind, words in _TROUBLES if code.startswith(codes)), (RefusedInput, "")
        )
        limit = f"{self.settings.statement_timeout_seconds:g}"
        if words:
            return kind(f"{self.where}: {words.format(limit=limit)} ({code})")
        if connecting or error.connection_invalidated:
            return self._not_connected(error)
        return self.refuse(f"the database refuses to be read: {type(error.orig).__name__} {code}")

    def _not_connected(self, error: DBAPIError) -> IocError:
        text = _short(error.orig)
        if self.settings.password is not None:
            text = text.replace(self.settings.password.get_secret_value(), "***")
        if not error.connection_invalidated and any(sign in text for sign in _TURNED_AWAY):
            return self.refuse(f"does not let us in: {text}")
        return TransientError(f"{self.where}: no connection: {text}")


_TURNED_AWAY = (
    "authentication failed",
    "no password supplied",
    "does not exist",
    "no pg_hba.conf entry",
    "fe_sendauth",
)
_TROUBLES: tuple[tuple[tuple[str, ...], type[IocError], str], ...] = (
    (("28", "1045", "1698"), RefusedInput, "does not let us in; check user name and password"),
    (("3D000", "1049", "1044"), RefusedInput, "no such database, or no right to it"),
    (("42P01", "1146"), RefusedInput, "there is no such table or view"),
    (("42501", "1142", "1143"), RefusedInput, "this user may not read it; GRANT SELECT"),
    (("57014", "1969", "3024", "SQLITE_INTERRUPT"), TransientError,
     "a statement took longer than statement_timeout_seconds = {limit}; is there an index on (updated, key)?"),
    (("53300", "1040", "1203"), TransientError, "has no free connection"),
    (("40001", "40P01"), TransientError, "the replica gave our statement up for its own work; it will be read again"),
    (("SQLITE_BUSY", "SQLITE_LOCKED"), TransientError, "is locked by another program"),
    (("SQLITE_CANTOPEN",), TransientError, "no such file, or no right to read it"),
    (("SQLITE_NOTADB", "SQLITE_CORRUPT"), RefusedInput, "is no whole SQLite file"),
    (("08", "57P", "53", "1053", "1317", "1927", "2006", "2013"), TransientError, "the connection was cut"),
)  # fmt: skip
"""SQLSTATE, number or name of an error (its beginning), what it means for the caller, and the words for it."""


def _code(error: DBAPIError) -> str:
    """Return what identifies an error: SQLSTATE, MariaDB's number, or SQLite's name of it."""
    original: Any = error.orig
    for name in ("pgcode", "sqlite_errorname"):
        if found := getattr(original, name, None):
            return str(found)
    first = original.args[0] if original is not None and original.args else ""
    return str(first) if isinstance(first, int) and first else ""


def _short(error: object) -> str:
    return " ".join(str(error).split())[:300]


def _url(settings: SqlSettings) -> URL:
    try:
        url = make_url(settings.url)
    except ArgumentError:
        raise RefusedInput("url of this source is no database URL; write postgresql://reader@host/name") from None
    driver = DRIVERS.get(url.get_backend_name())
    if driver is None or url.drivername not in {driver, url.get_backend_name()}:
        raise RefusedInput(
            f"url of this source: {url.drivername} cannot be read; {', '.join(DRIVERS)} can, without naming a driver"
        )
    if settings.password is not None:
        url = url.set(password=settings.password.get_secret_value())
    return url.set(drivername=driver)


def _open_postgres(url: URL, seconds: float) -> Engine:
    del seconds  # set in each transaction
    options = {
        "application_name": "ioc", "connect_timeout": CONNECT_SECONDS, "client_encoding": "utf8",
        "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    }  # fmt: skip
    engine = create_engine(url, pool_size=1, pool_pre_ping=True, connect_args=options)

    @event.listens_for(engine, "connect")
    def _plain_texts(driver: Any, record: object) -> None:  # noqa: ANN401 - psycopg2
        from psycopg2.extensions import new_type, register_type  # noqa: PLC0415 - only where PostgreSQL is read

        del record
        register_type(new_type(_POSTGRES_TEXTS, "IOC_TEXT", lambda value, cursor: value), driver)

    return engine


def _open_mysql(url: URL, seconds: float) -> Engine:
    from pymysql.constants import FIELD_TYPE  # type: ignore[import-untyped]  # noqa: PLC0415 - only where MariaDB is
    from pymysql.converters import conversions  # type: ignore[import-untyped]  # noqa: PLC0415

    texts = {
        FIELD_TYPE.DATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.TIME,
        FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL,
    }  # fmt: skip
    options = {
        "conv": {key: value for key, value in conversions.items() if key not in texts},
        "connect_timeout": CONNECT_SECONDS, "read_timeout": seconds + CONNECT_SECONDS, "charset": "utf8mb4",
    }  # fmt: skip
    engine = create_engine(url, pool_size=1, pool_pre_ping=True, connect_args=options)

    @event.listens_for(engine, "connect")
    def _read_only(driver: Any, record: object) -> None:  # noqa: ANN401 - pymysql
        del record
        maria = "MariaDB" in driver.get_server_info()
        limit = f"max_statement_time = {seconds:.3f}" if maria else f"max_execution_time = {round(seconds * 1000)}"
        with driver.cursor() as cursor:
            for words in ("TRANSACTION READ ONLY", "time_zone = '+00:00'", limit):
                cursor.execute(f"SET SESSION {words}")

    return engine


def _open_sqlite(url: URL, seconds: float) -> Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise RefusedInput("url of this source: write sqlite:///PATH with the path of a file")
    place = url.set(database=f"file:{quote(url.database)}", query={"mode": "ro", "uri": "true"})
    engine = create_engine(place, pool_size=1, connect_args={"timeout": min(seconds, CONNECT_SECONDS)})

    @event.listens_for(engine, "connect")
    def _read_only(driver: Any, record: object) -> None:  # noqa: ANN401 - sqlite3
        del record
        driver.text_factory = lambda raw: raw.decode("utf-8", "replace")
        driver.execute("PRAGMA query_only = ON")

    return engine


__all__ = ["DRIVERS", "FETCH_ROWS", "Database"]
