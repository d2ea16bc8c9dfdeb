"""Opening a database so that it can only be read: drivers, sessions, and values as they stand in the database."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from warehouse.errors import RefusedInput
from warehouse.sources import SQL_DRIVERS, SqlSettings

CONNECT_SECONDS = 10
_POSTGRES_TEXTS = (114, 3802, 1082, 1114, 1184, 1700)  # json, jsonb, date, timestamp, timestamptz, numeric


def open_reader(settings: SqlSettings) -> Engine:
    """Return an engine on the database of a source.

    Raises RefusedInput for an address that is none.
    """
    url, seconds = _url(settings), settings.statement_timeout_seconds
    backend = url.get_backend_name()
    return {"postgresql": _open_postgres, "sqlite": _open_sqlite}.get(backend, _open_mysql)(url, seconds)


def _url(settings: SqlSettings) -> URL:
    try:
        url = make_url(settings.url)
    except ArgumentError:
        raise RefusedInput("url of this source is no database URL; write postgresql://reader@host/name") from None
    if settings.password is not None:
        url = url.set(password=settings.password.get_secret_value())
    return url.set(drivername=SQL_DRIVERS[url.get_backend_name()])


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
        "password": (url.password or "").encode(),  # a text it would take for latin-1
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


__all__ = ["CONNECT_SECONDS", "open_reader"]
