"""`ioc db`, `ioc units`, `ioc sync`: the schema, the units, and one read of the sources."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import Connection, Engine, func, select

from dashboard.cli_common import TROUBLE, ConfigOption, errors, migrated_engine
from warehouse import schema
from warehouse.engine import current_revision, data_version, database_url, migrate, newest_revision, open_engine, ping
from warehouse.errors import ConfigurationError
from warehouse.settings import Settings, load_settings
from warehouse.units import load_units

if TYPE_CHECKING:
    from connectors.runs import RunReport

Catalogue = Literal["before-2025-07", "from-2025-07", "both"]

database = typer.Typer(no_args_is_help=True, help="The warehouse: its schema and what it holds.")
units = typer.Typer(no_args_is_help=True, help="The units: provinces, districts, communes, departments.")
out = Console(highlight=False, soft_wrap=True)


@database.command()
def upgrade(config: ConfigOption = None) -> None:
    """Bring the schema to the version of this product; does nothing when it is there already."""
    migrate(database_url(load_settings(config)))
    out.print(f"schema {newest_revision()}: in place")


@database.command()
def status(config: ConfigOption = None) -> None:
    """Show where the warehouse is, its schema and how much it holds; exit 1 when it does not answer."""
    url = database_url(load_settings(config))
    engine = open_engine(url)
    ping(engine)
    out.print(f"warehouse       {url.render_as_string(hide_password=True)}", markup=False)
    with engine.connect() as connection:
        found = current_revision(connection)
        newest = newest_revision()
        out.print(
            f"schema          {found or 'none'}" + ("" if found == newest else f" (needs {newest}: ioc db upgrade)")
        )
        if found is not None:
            _print_contents(connection)


def _print_contents(connection: Connection) -> None:
    out.print(f"data version    {data_version(connection)}")
    for name in ("unit", "procedure", "dossier", "survey_answer", "quarantine"):
        count = connection.execute(select(func.count()).select_from(schema.metadata.tables[name])).scalar_one()
        out.print(f"{name:<15} {count}")
    run = schema.sync_run
    latest = connection.execute(select(run).order_by(run.c.id.desc()).limit(5)).all()
    for row in latest:
        out.print(f"run {row.id:<11} {row.started_at:%Y-%m-%d %H:%M:%S} UTC {row.source} {row.entity} {row.state}")


@units.command()
def load(
    config: ConfigOption = None,
    file: Annotated[Path | None, typer.Option(help="CSV file; instead of the one in the settings.")] = None,
    catalogue: Annotated[Catalogue | None, typer.Option(help="Official list; instead of the settings'.")] = None,
    under: Annotated[list[str] | None, typer.Option(help="Only these provinces or districts; repeatable.")] = None,
) -> None:
    """Store units by (code, valid_from) from the official lists or a CSV file; nothing is deleted."""
    settings = load_settings(config)
    chosen = settings.units
    if file is not None or catalogue is not None:
        changes = {"file": file, "catalogue": catalogue or "none", "under": tuple(under or ())}
        chosen = chosen.model_copy(update=changes)
    elif under:
        chosen = chosen.model_copy(update={"under": tuple(under)})
    if chosen.file is None and chosen.catalogue == "none":
        raise ConfigurationError(
            "no units named; give --file or --catalogue, or set units.file or units.catalogue in the settings"
        )
    engine = migrated_engine(settings)
    done = load_units(engine, chosen)
    out.print(f"units: {done.added} added, {done.changed} changed, {done.unchanged} already so")
    if done.added:
        _retry(engine, settings)


def _retry(engine: Engine, settings: Settings) -> None:
    """Store what waited in quarantine for these units."""
    from connectors.replay import retry_units  # noqa: PLC0415 - pandas is slow to import

    for source in settings.sources:
        for report in retry_units(engine, settings, source, now=datetime.now(UTC)):
            out.print(
                f"{report.source} {report.entity}: {report.stored} of {report.read} stored that waited for a unit"
            )


def sync(
    config: ConfigOption = None,
    source: Annotated[str | None, typer.Option("--source", help="Only the streams of this source.")] = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Read everything again; what is stored already stays unchanged.")
    ] = False,
) -> None:
    """Read every source once, from its watermark on; exit 1 when a run failed."""
    from connectors.sync import sync_all  # noqa: PLC0415 - pandas is slow to import, and only this command needs it

    settings = load_settings(config)
    names = {entry.name for entry in settings.sources}
    if not names or (source is not None and source not in names):
        known = f"the settings name {', '.join(sorted(names))}" if names else "the settings name no sources"
        raise ConfigurationError(f"--source {source}: {known}" if source else f"nothing to read: {known}")
    engine = migrated_engine(settings)
    load_units(engine, settings.units)
    with _bar() as bar:
        task = bar.add_task("", total=None)

        def show(report: RunReport) -> None:
            bar.update(task, description=f"{report.source} {report.entity}: {report.read:,} read")

        reports = sync_all(engine, settings, now=datetime.now(UTC), only=source, progress=show, from_start=from_start)
    out.print(_table(reports))
    failed = [report for report in reports if report.error]
    for report in failed:
        errors.print(f"ioc: {report.source} ({report.entity}): {report.error}", markup=False)
    if failed:
        raise typer.Exit(TROUBLE)


def _bar() -> Progress:
    columns = (SpinnerColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    return Progress(*columns, console=errors, transient=True)


def _table(reports: list[RunReport]) -> Table:
    table = Table("source", "entity", "kind", "state", box=None, pad_edge=False)
    for heading in ("read", "stored", "unchanged", "quarantined", "seconds"):
        table.add_column(heading, justify="right")
    for report in reports:
        counts = (report.read, report.stored, report.unchanged, report.quarantined)
        cells = (*(str(count) for count in counts), f"{report.seconds:.1f}")
        table.add_row(report.source, report.entity, report.kind.value, report.state.value, *cells)
    return table
