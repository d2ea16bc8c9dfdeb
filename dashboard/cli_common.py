"""What every command needs: the --config option, one clear line for each error, and a connection that is ready."""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, ProgrammingError
from typer.core import TyperGroup

from warehouse.engine import current_revision, database_url, migrate, newest_revision, one_line, open_engine, ping
from warehouse.errors import BadQuestion, ConfigurationError, IocError
from warehouse.settings import Settings

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file; else IOC_CONFIG, else ./ioc.toml.", show_default=False),
]

OPERATOR_MUST_ACT = 2
TROUBLE = 1

errors = Console(stderr=True, highlight=False, soft_wrap=True)


class CommandGroup(TyperGroup):
    """The root of all commands: errors that we raise on purpose end in one line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer keeps the type of a context to itself
        """Run the command; exit 2 when the operator or the question is wrong, 1 for other trouble."""
        try:
            return super().invoke(ctx)
        except (ConfigurationError, BadQuestion) as error:
            _say(error)
            raise typer.Exit(OPERATOR_MUST_ACT) from None
        except IocError as error:
            _say(error)
            raise typer.Exit(TROUBLE) from None
        except OperationalError as error:
            _say(f"the warehouse does not answer: {one_line(error.orig)}")
            raise typer.Exit(TROUBLE) from None
        except ProgrammingError as error:
            if "UndefinedTable" not in type(error.orig).__name__:
                raise
            _say("the warehouse has no schema yet; run `ioc db upgrade`")
            raise typer.Exit(TROUBLE) from None


def _say(message: object) -> None:
    errors.print(f"ioc: {message}", markup=False)


def engine_of(settings: Settings, *, application: str = "ioc") -> Engine:
    """Return an engine on a warehouse that answers and has our schema.

    Raises TransientError when it does not answer, ConfigurationError when its schema is not ours.
    """
    engine = open_engine(database_url(settings), application=application)
    ping(engine)
    with engine.connect() as connection:
        found = current_revision(connection)
    if found != newest_revision():
        raise ConfigurationError(
            f"the warehouse has schema {found or 'none'}, this version needs {newest_revision()}; run `ioc db upgrade`"
        )
    return engine


def migrated_engine(settings: Settings, *, application: str = "ioc", pool_size: int = 5) -> Engine:
    """Return an engine on a warehouse that was brought to our schema first, where that was needed."""
    url = database_url(settings)
    engine = open_engine(url, application=application, pool_size=pool_size)
    ping(engine)
    with engine.connect() as connection:
        found = current_revision(connection)
    if found != newest_revision():
        migrate(url)
    return engine


def log_to_stderr() -> None:
    """Write log lines of a long-running process with time, level and module."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    for chatty in ("httpx", "httpcore", "alembic", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def exit_on_termination() -> None:
    """Turn SIGTERM and SIGHUP into an ordinary exit, so that what was started is stopped again."""

    def leave(number: int, frame: FrameType | None) -> None:
        del frame
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
