"""The command line `ioc`: `dashboard/cli_*.py` hold the commands, this module puts them together."""

from __future__ import annotations

import typer

from dashboard import (
    cli_config,
    cli_data,
    cli_figures,
    cli_form06,
    cli_geo,
    cli_index766,
    cli_measure,
    cli_quarantine,
    cli_run,
    cli_source,
    cli_sweep,
    cli_targets,
)
from dashboard.cli_common import CommandGroup

app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Operations centre for administrative-procedure dossiers: settings, data, figures, and the running services.",
)
app.add_typer(cli_config.app, name="config")
app.add_typer(cli_data.database, name="db")
app.add_typer(cli_data.units, name="units")
app.add_typer(cli_geo.app, name="geo")
app.add_typer(cli_quarantine.app, name="quarantine")
app.add_typer(cli_source.app, name="source")
app.add_typer(cli_figures.app, name="figures")
app.add_typer(cli_targets.app, name="targets")
cli_data.units.command("successors")(cli_figures.successors)
app.command("sync")(cli_data.sync)
app.command("sweep")(cli_sweep.sweep)
app.command("measure")(cli_measure.measure)
app.command("metrics")(cli_measure.metrics)
app.command("form06")(cli_form06.form06)
app.command("index766")(cli_index766.index766)
app.command("worker")(cli_run.worker)
app.command("web")(cli_run.web)
app.command("up")(cli_run.up)


if __name__ == "__main__":
    app()
