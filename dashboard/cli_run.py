"""`ioc worker`, `ioc web`, `ioc up`: the running services."""

from __future__ import annotations

import logging
import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from dashboard.cli_common import ConfigOption, exit_on_termination, log_to_stderr, migrated_engine
from warehouse.settings import CONFIG_VARIABLE, Settings, load_settings
from warehouse.units import load_units

GRACE_SECONDS = 2
PROJECT = Path(__file__).resolve().parent.parent


def worker(config: ConfigOption = None) -> None:
    """Read every source on its own interval until told to stop (Ctrl-C, SIGTERM); keep its figures ready."""
    from connectors.worker import MOST_RUNS, Worker  # noqa: PLC0415 - pandas is slow to import
    from dashboard.closing import start_closing  # noqa: PLC0415 - as above
    from dashboard.refreshing import start_refreshing  # noqa: PLC0415 - as above
    from metrics import Clock  # noqa: PLC0415 - as above

    log_to_stderr()
    settings = load_settings(config)
    stop = threading.Event()
    exit_on_termination()
    runs = min(MOST_RUNS, len(settings.sources))
    engine = migrated_engine(settings, application="ioc-worker", pool_size=runs + 6)
    load_units(engine, settings.units)

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, ask)
    start_closing(engine, Clock.of(settings), stop)
    start_refreshing(engine, Clock.of(settings), stop)
    Worker(engine, settings).run(stop)
    engine.dispose()


def web(config: ConfigOption = None) -> None:
    """Serve the screens on web.host and web.port until told to stop."""
    import uvicorn  # noqa: PLC0415 - the other commands need no server

    from dashboard.ports import refuse_taken_port  # noqa: PLC0415 - as above

    log_to_stderr()
    settings = load_settings(config)
    refuse_taken_port(settings.web.host, settings.web.port, "web.port (IOC_WEB__PORT)")
    exit_on_termination()
    _enter_project(config)
    try:
        uvicorn.run(
            "dashboard.asgi:app", host=settings.web.host, port=settings.web.port, log_config=None, access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS, server_header=False,
        )  # fmt: skip
    except KeyboardInterrupt:
        logging.getLogger(__name__).info("stopped")


def _enter_project(config: Path | None) -> None:
    """Go where .streamlit/config.toml is; what was relative to the old working directory stays where it was."""
    if config is not None or os.environ.get(CONFIG_VARIABLE):
        os.environ[CONFIG_VARIABLE] = str((config or Path(os.environ[CONFIG_VARIABLE])).resolve())
    else:
        os.environ[CONFIG_VARIABLE] = str(Path("ioc.toml").resolve())
    for name in ("IOC_DATABASE__DATA_DIR", "IOC_OFFICE__HOLIDAYS_FILE", "IOC_UNITS__FILE"):
        if os.environ.get(name):
            os.environ[name] = str(Path(os.environ[name]).resolve())
    os.chdir(PROJECT)


def up(
    config: ConfigOption = None,
    demo: Annotated[bool, typer.Option("--demo", help="Start the simulated intake too.")] = False,
    scenario: Annotated[str, typer.Option(help="What the simulated intake plays.")] = "live-binh-chanh",
    tied: Annotated[bool, typer.Option("--tied", help="End when the process that started this one ends.")] = False,
) -> None:
    """Start database, worker and screens (and the simulated intake), keep them running, stop them together."""
    from dashboard.cli_up import run_together  # noqa: PLC0415 - only this command needs it
    from dashboard.supervisor import die_with_parent  # noqa: PLC0415 - as above

    if tied:
        die_with_parent(os.getppid())
    settings: Settings = load_settings(config)
    file = (config or Path(os.environ.get(CONFIG_VARIABLE) or "ioc.toml")).resolve()
    run_together(settings, file, scenario if demo else None)
