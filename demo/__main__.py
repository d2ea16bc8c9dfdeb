"""Command line: `python -m demo serve|write`."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from demo.intake import Intake
from demo.office import ZONE
from demo.scenario import ScenarioError, load, names
from demo.server import bind, clock_from, serve
from demo.state import State, StateError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it went well, 2 and one line on standard error when not."""
    options = _parser().parse_args(arguments)
    try:
        return _serve(options) if options.command == "serve" else _write(options)
    except (ScenarioError, StateError) as error:
        sys.stderr.write(f"demo: {error}\n")
    except OSError as error:
        sys.stderr.write(f"demo: {error.filename or options.out}: cannot be written ({error.strerror})\n")
    return 2


def _serve(options: argparse.Namespace) -> int:
    clock = clock_from(options.now)
    scenario = load(options.scenario)
    try:
        listening = bind(options.host, options.port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        sys.stderr.write(f"demo: port {options.port} cannot be used ({reason}); stop what uses it or choose another\n")
        return 2
    state = State(options.state, scenario.name, scenario.file.seed, clock())
    try:
        serve(Intake(scenario, clock, state), listening)
    finally:
        state.close()
        listening.close()
    return 0


def _write(options: argparse.Namespace) -> int:
    from demo.files import write  # noqa: PLC0415 - the server starts faster without pyarrow

    clock = clock_from(options.now)
    for file, count in write(Intake(load(options.scenario), clock, None), options.out, options.format):
        sys.stdout.write(f"{file}: {count} records\n")
    return 0


def _instant(text: str) -> datetime:
    given = datetime.fromisoformat(text)
    return given if given.tzinfo else given.replace(tzinfo=ZONE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description="A simulated one-stop system.")
    commands = parser.add_subparsers(dest="command", required=True)
    server = commands.add_parser("serve", help="serve a scenario over HTTP")
    server.add_argument("--host", default="127.0.0.1")
    server.add_argument("--port", type=int, default=8701, help="0 lets the system choose")
    server.add_argument("--state", type=Path, required=True, help="folder that remembers the first start")
    files = commands.add_parser("write", help="write a scenario as files")
    files.add_argument("--out", type=Path, required=True, help="folder for the files")
    files.add_argument("--format", choices=("csv", "parquet"), default="csv")
    for command in (server, files):
        command.add_argument("--scenario", required=True, help=f"{', '.join(names())} or a .toml file")
        command.add_argument("--now", type=_instant, help="ISO 8601 instant at which the clock starts; now if left out")
    return parser


if __name__ == "__main__":
    sys.exit(main())
