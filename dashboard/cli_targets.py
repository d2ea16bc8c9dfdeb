"""`ioc targets`: load targets from a file or the starting ones, and list what is stored."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from dashboard.cli_common import ConfigOption, engine_of
from dashboard.cli_data import out
from dashboard.cli_measure import Style, print_rows
from warehouse.settings import load_settings

COLUMNS = ("metric", "applies_to", "valid_from", "value", "deadline", "legal_basis", "note")

app = typer.Typer(no_args_is_help=True, help="Targets: values that units should reach.")


@app.command()
def load(
    file: Annotated[str, typer.Argument(help="TOML file of [[targets]], or the word default for the starting ones.")],
    config: ConfigOption = None,
) -> None:
    """Store the targets of a file; those of the same metric, unit and day are replaced, nothing is deleted."""
    from metrics.targets import DEFAULT_FILE, read_targets, store_targets  # noqa: PLC0415 - pandas is slow to import

    chosen = DEFAULT_FILE if file == "default" else Path(file)
    found = read_targets(chosen)
    with engine_of(load_settings(config)).begin() as connection:
        done = store_targets(connection, found, place=str(chosen))
    out.print(f"targets: {done.changed} stored, {done.unchanged} already so")


@app.command("list")
def list_targets(
    config: ConfigOption = None,
    style: Annotated[Style, typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """List every stored target and what its value rests on."""
    from metrics.targets import stored_targets  # noqa: PLC0415 - pandas is slow to import

    with engine_of(load_settings(config)).connect() as connection:
        found = stored_targets(connection)
    if not found and style == "table":
        out.print("no target is stored: `ioc targets load default` stores the starting ones")
        return
    rows = [{name: _plain(getattr(target, name)) for name in COLUMNS} for target in found]
    print_rows(style, list(COLUMNS), rows, {})


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
