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
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Executable,
    Numeric,
    Row,
    column,
    event,
    func,
    inspect,
    make_url,
    select,
    table,
)
from sqlalchemy.exc import DBAPIError, NoSuchTableError, SAWarning, SQLAlchemyError
from sqlalchemy.types import NullType, TypeEngine

from connectors.readers.sql_open import open_reader
from warehouse.errors import IocError, RefusedInput, TransientError
from warehouse.sources import SqlSettings

FETCH_ROWS = 2_000
"""Rows that are turned from driver values into texts at once."""
_MYSQL_COLUMNS = table(
    "columns", column("table_schema"), column("table_name"), column("column_name"), column("data_type"),
    column("numeric_scale"), column("is_nullable"), column("ordinal_position"), schema="information_schema",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the source: its type, and whether it may be empty."""

    type: TypeEngine[Any]
    nullable: bool


class Database:
    """The database of one source, for the time of one read."""

    def __init__(self, settings: SqlSettings) -> None:
        self.settings = settings
        self._deadline = 0.0
        self.where = "url of this source"
        with self._named():
            self.engine = open_reader(settings)
            url = make_url(settings.url)
        self.where = f"{'/'.join(part for part in (url.host, url.database) if part)} {settings.table}"
        if self.dialect == "sqlite":
            event.listen(self.engine, "connect", self._interrupt_when_late)

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

    def columns(self, name: str, schema: str | None) -> dict[str, Column]:
        """Return the columns of a table or view, as far as we may read them.

        Raises RefusedInput where there is none.
        """
        with self.session() as connection, warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # of types that SQLAlchemy does not know; we read their texts
            try:
                found = self._listed(connection, name, schema)
            except NoSuchTableError:
                found = {}
        if not found:
            raise self.refuse("there is no such table or view; check table and schema_name")
        return found

    def _listed(self, connection: Connection, name: str, schema: str | None) -> dict[str, Column]:
        if self.dialect not in {"mysql", "mariadb"}:
            items = inspect(connection).get_columns(name, schema=schema)
            # a domain is what it is made of
            return {
                item["name"]: Column(getattr(item["type"], "data_type", item["type"]), bool(item.get("nullable", True)))
                for item in items
            }
        # inspection asks how a view was made, which a user who may only read it must not know
        place = _MYSQL_COLUMNS.c
        query = select(place.column_name, place.data_type, place.numeric_scale, place.is_nullable).where(
            place.table_schema == (schema or func.database()), place.table_name == name
        )
        rows = connection.execute(query.order_by(place.ordinal_position)).all()
        return {row[0]: Column(_mysql_type(self.engine, row[1], row[2]), row[3] != "NO") for row in rows}

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
        except UnicodeError:  # its text holds what could not be read
            raise self.refuse("holds text that is not in the encoding of the database") from None
        except (ImportError, RuntimeError) as error:  # of the drivers
            raise self.refuse(f"the driver gives up: {_short(error)}") from None

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


def _mysql_type(engine: Engine, name: str, scale: int | None) -> TypeEngine[Any]:
    """Make the type of a column from its name in the catalogue."""
    known: Any = engine.dialect
    type_: Any = known.ischema_names.get(str(name).lower(), NullType)
    return type_(scale=scale) if issubclass(type_, Numeric) else type_()  # type: ignore[no-any-return]


__all__ = ["FETCH_ROWS", "Database"]
