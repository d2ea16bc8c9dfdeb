"""`ioc config`: look at the settings before anything uses them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from dashboard.cli_common import ConfigOption, errors
from warehouse.document import settings_page
from warehouse.settings import CONFIG_VARIABLE, load_settings, unknown_variables

app = typer.Typer(no_args_is_help=True, help="Settings: check them, show them, describe them.")
out = Console(highlight=False, soft_wrap=True)


@app.command()
def check(config: ConfigOption = None) -> None:
    """Say whether the settings can be used, and which ones would be; exit 2 and name each bad field otherwise."""
    settings = load_settings(config)
    for line in _flat(settings.model_dump(mode="json")):
        out.print(line, markup=False)
    _warn_of_unknown_variables()
    file = config or Path(os.environ.get(CONFIG_VARIABLE) or "ioc.toml")
    out.print(f"{file}: in order ({len(settings.sources)} sources)", markup=False)


@app.command()
def show(config: ConfigOption = None) -> None:
    """Print the settings in use as JSON; secrets are masked."""
    settings = load_settings(config)
    typer.echo(json.dumps(settings.model_dump(mode="json"), ensure_ascii=False, indent=2))


@app.command()
def document() -> None:
    """Print docs/settings.md: every setting with its type, default and meaning."""
    typer.echo(settings_page(), nl=False)


def _warn_of_unknown_variables() -> None:
    for name in unknown_variables(os.environ):
        errors.print(
            f"ioc: {name} is set but is no setting; nested names are joined by two underscores, as in IOC_WEB__PORT",
            markup=False,
        )


def _flat(value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """Write nested settings as `web.port = 8501` lines."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, item in enumerate(value):
            yield from _flat(item, f"{path}[{number}]")
    else:
        yield f"{path} = {json.dumps(value, ensure_ascii=False)}"
