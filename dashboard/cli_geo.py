"""`ioc geo`: the boundaries of the units for the map."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dashboard.cli_common import ConfigOption, errors, migrated_engine
from warehouse.errors import BadQuestion
from warehouse.geometry_store import (
    SIMPLIFY,
    import_boundaries,
    remove_boundaries,
    stored_sources,
    units_without,
)
from warehouse.settings import Settings, load_settings

app = typer.Typer(no_args_is_help=True, help="The boundaries of the units for the map; without them it is a schematic.")
out = Console(highlight=False, soft_wrap=True)
LISTED = 12

OnOption = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        help="Day on which the codes of the file named these units; today, if not given.",
        show_default=False,
    ),
]


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="GeoJSON, plain or .gz: polygons in WGS84 with a unit code each.")],
    config: ConfigOption = None,
    code_property: Annotated[
        str | None, typer.Option(help="Property that holds the unit code; guessed, if not given.", show_default=False)
    ] = None,
    simplify: Annotated[
        float, typer.Option(min=0, max=10_000, help="Cut corners smaller than a square of so many metres; 0 keeps all.")
    ] = SIMPLIFY,
    on: OnOption = None,
) -> None:
    """Store the boundaries of a GeoJSON file; those of its units that were there are replaced, others stay."""
    settings = load_settings(config)
    now = datetime.now(UTC)
    engine = migrated_engine(settings)
    with errors.status(f"reading {file.name}"), engine.begin() as connection:
        done = import_boundaries(
            connection, file, day=_day(settings, on), now=now, code_property=code_property, metres=simplify
        )
    out.print(
        f"boundaries of {done.stored} units stored, {done.vertices} vertices, codes from property {done.property}"
    )
    _tell("rings mended", done.mended)
    _tell("codes of the file that are no unit, left out", done.unknown)
    _tell("units without a boundary", done.missing)
    _tell("lie under others, so that borders were kept as they are", done.overlapping)
    _tell("lie elsewhere than the unit's centre, please look", done.far)


def _tell(words: str, codes: Collection[str]) -> None:
    if codes:
        listed = ", ".join(list(codes)[:LISTED]) + (", …" if len(codes) > LISTED else "")
        out.print(f"{words}: {len(codes)} ({listed})", markup=False)


def _day(settings: Settings, on: datetime | None) -> date:
    return on.date() if on is not None else datetime.now(settings.zone).date()


@app.command()
def show(config: ConfigOption = None, on: OnOption = None) -> None:
    """Show which files the boundaries came from, and the units that have none."""
    settings = load_settings(config)
    with migrated_engine(settings).connect() as connection:
        sources = stored_sources(connection)
        without = units_without(connection, _day(settings, on))
    if not sources:
        out.print("no boundaries; the map is a schematic. Import some: ioc geo import FILE")
        return
    table = Table("file", "imported", box=None, pad_edge=False)
    for heading in ("units", "vertices", "KiB"):
        table.add_column(heading, justify="right")
    for item in sources:
        moment = item.imported_at.astimezone(settings.zone).strftime("%Y-%m-%d %H:%M")
        table.add_row(escape(item.source), moment, str(item.units), str(item.vertices), str(item.size // 1024))
    out.print(table)
    _tell("units without a boundary", [f"{item.code} {item.name}" for item in without])


@app.command()
def remove(
    codes: Annotated[list[str] | None, typer.Argument(help="Unit codes.", show_default=False)] = None,
    config: ConfigOption = None,
    source: Annotated[str | None, typer.Option(help="All of this file, as `ioc geo show` names it.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All boundaries.")] = False,
) -> None:
    """Remove boundaries of some units, of one file, or all; the units stay."""
    if sum((bool(codes), source is not None, everything)) != 1:
        raise BadQuestion("say which boundaries to remove: unit codes, --source FILE, or --all")
    engine = migrated_engine(load_settings(config))
    with engine.begin() as connection:
        removed = remove_boundaries(connection, codes=codes or (), source=source)
    out.print(f"boundaries of {removed} units removed")
