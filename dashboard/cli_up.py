"""What `ioc up` starts, from which settings, and how it takes over from one that was killed."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

import httpx
from rich.console import Console
from rich.panel import Panel

from dashboard.cli_common import exit_on_termination, migrated_engine
from dashboard.ports import refuse_taken_port
from dashboard.supervisor import Program, Supervisor, end_leftovers
from warehouse.embedded import keep_servers_alive
from warehouse.errors import ConfigurationError, TransientError
from warehouse.settings import CONFIG_VARIABLE, Settings
from warehouse.sources import RestSettings
from warehouse.units import load_units

LOCAL = {"127.0.0.1", "localhost", "::1"}
PORT_PATIENCE = 6.0
ENDING_PATIENCE = 20.0
ENDING = "ending"
LOCK = "up.lock"

console = Console(highlight=False, soft_wrap=True)


def run_together(settings: Settings, file: Path, scenario: str | None) -> None:
    """Run worker and screens, with the simulated intake when `scenario` names one, until SIGINT or SIGTERM.

    Raises ConfigurationError (already running, port taken, folder not writable) before anything was started, GaveUp
    when a programme cannot be kept alive. State is kept beside database.data_dir: `log/`, `run/`, `intake/`.
    """
    began = time.monotonic()
    state = settings.database.data_dir.resolve().parent
    exit_on_termination()
    with _only_one(state, settings):
        taken_over = end_leftovers(state / "run")
        if taken_over:
            _say(f"ended what an earlier start had left: {', '.join(taken_over)}")
        patience = PORT_PATIENCE if taken_over else 0.0
        refuse_taken_port(settings.web.host, settings.web.port, "web.port (IOC_WEB__PORT)", patience=patience)
        intake = intake_port(settings, file) if scenario else None
        if intake is not None:
            refuse_taken_port("127.0.0.1", intake, f"the port in the url of the sources in {file}", patience=patience)
        _say("starting the database")
        engine = migrated_engine(settings)
        load_units(engine, settings.units)
        engine.dispose()
        programs = list(programs_of(settings, file, state, scenario, intake))
        supervisor = Supervisor(programs, state, _say, _look_after_database)
        _stop_on_signals(supervisor, state / LOCK)
        _say(f"starting {', '.join(program.name for program in programs)}; logs are in {state / 'log'}")
        supervisor.run(lambda: _print_address(settings, time.monotonic() - began))
        _say("đã dừng / stopped")


def programs_of(
    settings: Settings, file: Path, state: Path, scenario: str | None, intake: int | None
) -> Iterator[Program]:
    """Yield the programmes in the order in which they start."""
    python = (sys.executable, "-P", "-m")
    environment = {CONFIG_VARIABLE: str(file)}
    if scenario and intake is not None:
        serve = ("demo", "serve", "--scenario", scenario, "--port", str(intake), "--state", str(state / "intake"))
        yield Program("intake", (*python, *serve), f"http://127.0.0.1:{intake}/healthz")
    yield Program("worker", (*python, "dashboard.cli", "worker"), environment=environment)
    yield Program("web", (*python, "dashboard.cli", "web"), f"{address(settings)}/healthz", environment)


def intake_port(settings: Settings, file: Path) -> int:
    """Return the port that the settings' sources expect the simulated intake on."""
    urls = [httpx.URL(source.reader.url) for source in settings.sources if isinstance(source.reader, RestSettings)]
    ports = {url.port or 80 for url in urls if url.host in LOCAL}
    if len(ports) != 1:
        raise ConfigurationError(
            f"{file}: --demo needs sources on one port of this machine, and found {sorted(ports) or 'none'};"
            ' write url = "http://127.0.0.1:8701/api/dossiers" and the like'
        )
    return ports.pop()


def address(settings: Settings) -> str:
    """Return the address at which this machine reaches the screens."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.web.host, settings.web.host)  # noqa: S104 - compared
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.web.port}"


@contextmanager
def _only_one(state: Path, settings: Settings) -> Iterator[None]:
    """Hold the lock of the state folder; the kernel lets it go when this process ends, however it ends."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = (state / LOCK).open("a+")
    except OSError as error:
        raise ConfigurationError(
            f"database.data_dir: cannot write to {state}: {error.strerror};"
            " give this user the right to write there or name another folder"
        ) from None
    with lock:
        deadline = time.monotonic() + ENDING_PATIENCE
        while (holder := _holder(lock)) is not None:
            if holder == ENDING and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            raise ConfigurationError(
                f"already running as process {holder or 'unknown'}, see {address(settings)};"
                " stop it with Ctrl-C in its window, or set another database.data_dir and web.port for a second one"
            )
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _holder(lock: IO[str]) -> str | None:
    """Take the lock and return None, or return what its holder wrote into it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        return lock.read().strip()
    return None


def _look_after_database() -> None:
    try:
        if keep_servers_alive():
            _say("the database had died and was started again")
    except TransientError as error:
        _say(f"the database had died: {error}")


def _stop_on_signals(supervisor: Supervisor, lock: Path) -> None:
    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        lock.write_text(ENDING, encoding="utf-8")  # a next start waits for us instead of giving up
        supervisor.stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask)


def _print_address(settings: Settings, seconds: float) -> None:
    text = (
        f"Mở trình duyệt tại / Open in a browser:  {address(settings)}\n"
        f"Ctrl-C: dừng / stop                      ({seconds:.0f} s)"
    )
    console.print(Panel.fit(text, title=settings.display.title, padding=(1, 2)))


def _say(text: str) -> None:
    try:
        console.print(text, markup=False)
    except (BrokenPipeError, OSError):  # the window is gone; the log files are not
        return
