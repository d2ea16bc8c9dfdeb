"""`ioc source`: the configured sources, a starting mapping for a new one, and what a source would bring."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from dashboard.cli_common import OPERATOR_MUST_ACT, TROUBLE, ConfigOption, engine_of, errors
from dashboard.cli_data import out
from warehouse.errors import ConfigurationError, IocError
from warehouse.settings import Settings, load_settings
from warehouse.sources import SourceSettings
from warehouse.vocabulary import Entity, label

if TYPE_CHECKING:
    from connectors.preview import Column, Preview, Trouble
    from connectors.state import SourceState

app = typer.Typer(no_args_is_help=True, help="Sources: list them, start the mapping of a new one, try one out.")

EntityOption = Annotated[Entity | None, typer.Option("--entity", help="What its records are; else the likeliest.")]


@app.command("list")
def list_sources(config: ConfigOption = None) -> None:
    """List the configured streams: kind, mapping, and how fresh each is."""
    settings = load_settings(config)
    if not settings.sources:
        out.print("no source is configured: add [[sources]], see `ioc source new` and docs/settings.md")
        return
    states, trouble = _states(settings)
    table = Table("source", "entity", "kind", "mapping", "state", "last read", "max age", box=None, pad_edge=False)
    for index, source in enumerate(settings.sources):
        state = states[index] if states else None
        table.add_row(
            source.name, str(source.entity), source.reader.kind, Path(source.mapping).name, *_state_cells(state),
            f"{source.max_age_seconds:g} s",
        )  # fmt: skip
    out.print(table)
    if trouble:
        errors.print(f"ioc: the state is not known: {trouble}", markup=False)


def _states(settings: Settings) -> tuple[list[SourceState], str]:
    from connectors.state import source_states  # noqa: PLC0415 - pandas is slow to import

    try:
        with engine_of(settings).connect() as connection:
            return source_states(connection, settings, datetime.now(UTC)), ""
    except IocError as error:
        return [], str(error)


def _state_cells(state: SourceState | None) -> tuple[str, str]:
    if state is None:
        return "?", "?"
    words = [state.freshness.value]
    if state.failures:
        words.append(f"failed {state.failures} times")
    if state.breaker.value != "closed":
        words.append(label(state.breaker, "en").lower())
    read = "never" if state.last_ok_at is None else f"{state.last_ok_at:%Y-%m-%d %H:%M:%S} UTC"
    return ", ".join(words), read


@app.command("new")
def new_source(
    sample: Annotated[str, typer.Option("--from", help="CSV, Excel, JSON or Parquet file, or an http address.")],
    entity: EntityOption = None,
    name: Annotated[str | None, typer.Option("--name", help="Short name of the source; else that of the file.")] = None,
    folder: Annotated[
        Path, typer.Option("--out", help="Folder for the mapping; nothing there is overwritten.")
    ] = Path(),
) -> None:
    """Write a commented starting mapping and the block of its source from a sample of its records.

    Exit 2 when columns that must be there have to be filled in first; the files are written all the same.
    """
    from connectors.draft import draft  # noqa: PLC0415 - pandas is slow to import
    from connectors.mapping import load_mapping  # noqa: PLC0415
    from connectors.recognise import is_known, likely_entity  # noqa: PLC0415
    from connectors.sample import read_sample  # noqa: PLC0415

    read = read_sample(sample, is_known)
    chosen = entity or likely_entity(read)
    short = name or _short_name(read.place)
    file, block = folder / f"{short}.toml", folder / f"{short}.source.toml"
    written = draft(read, chosen, short, str(file.resolve()))
    if existing := [path for path in (file, block) if path.exists()]:
        raise ConfigurationError(f"{existing[0]}: is there already; give another --name or --out")
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(written.mapping, encoding="utf-8")
    block.write_text(written.source, encoding="utf-8")
    out.print(f"read {read.size} records of {read.place}; taken as {chosen}", markup=False)
    out.print(f"mapping {file}\nsource  {block}: paste it into the settings", markup=False)
    for doubt in written.unsure:
        out.print(f"TODO    {doubt}", markup=False)
    if written.missing:
        errors.print(f"ioc: {file}: no field was recognised for {', '.join(written.missing)}; fill in the lines TODO",
                     markup=False)  # fmt: skip
        raise typer.Exit(OPERATOR_MUST_ACT)
    load_mapping(str(file))
    out.print(f"then    ioc source check {short}", markup=False)


def _short_name(place: str) -> str:
    stem = Path(place.rstrip("/")).name.split(".")[0].lower()
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:40].rstrip("-") or "nguon"


@app.command("check")
def check_source(
    name: Annotated[str, typer.Argument(help="Name of the source.")],
    config: ConfigOption = None,
    entity: EntityOption = None,
    records: Annotated[int, typer.Option(min=1, max=20_000, help="Look at so many records.")] = 100,
) -> None:
    """Connect, read and map a few records and show what would be stored, refused and why; nothing is stored.

    Exit 1 when the source cannot be read, or when a run of these records would fail.
    """
    settings = load_settings(config)
    chosen = [source for source in settings.sources if source.name == name and entity in {None, source.entity}]
    if not chosen:
        known = ", ".join(f"{source.name} ({source.entity})" for source in settings.sources) or "none"
        raise ConfigurationError(f"no source is called {name!r}; configured: {known}")
    results = [_check(settings, source, records) for source in chosen]
    if not all(results):
        raise typer.Exit(TROUBLE)


def _check(settings: Settings, source: SourceSettings, records: int) -> bool:
    from connectors.preview import preview  # noqa: PLC0415 - pandas is slow to import

    units, trouble = _units(settings)
    out.print(f"source {source.name} ({source.entity}, {source.reader.kind}, mapping {Path(source.mapping).name})",
              markup=False)  # fmt: skip
    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    try:
        with Progress(*columns, console=errors, transient=True) as bar:
            bar.add_task(f"reading {records} records", total=None)
            found = preview(settings, source, records, units=units, now=datetime.now(UTC))
    except ConfigurationError:
        raise
    except IocError as error:
        errors.print(f"ioc: {source.name} ({source.entity}): {error}", markup=False)
        return False
    _show(found, source)
    if trouble and any(column.name == "unit" for column in found.columns):
        out.print(f"units were not checked: {trouble}", markup=False)
    if found.fails:
        errors.print(f"ioc: {source.name} ({source.entity}): {found.fails}", markup=False)
    return found.fails is None


def _units(settings: Settings) -> tuple[frozenset[str] | None, str]:
    from connectors.take import unit_codes  # noqa: PLC0415 - pandas is slow to import

    try:
        with engine_of(settings).connect() as connection:
            known = unit_codes(connection)
    except IocError as error:
        return None, str(error)
    return (known, "") if known else (None, "no unit is loaded yet")


def _show(found: Preview, source: SourceSettings) -> None:
    as_rows = "" if found.rows == found.records else f", {found.rows} rows"
    told = f"{found.records} records{as_rows} in {found.seconds:.1f} s: {found.good} would be stored"
    out.print(f"{told}, {found.rows - found.good} refused", markup=False)
    for entity, count in found.children:
        out.print(f"with them {count} {entity}", markup=False)
    if found.columns:
        out.print(_column_table(found.columns))
    for trouble in found.refused:
        out.print(f"refused {trouble.rows}: {trouble.check}", markup=False)
        out.print(f"  e.g. {trouble.place}: {trouble.detail}", markup=False)
    for trouble in found.flagged:
        out.print(f"flagged {trouble.rows}: {_flag(trouble, source)}", markup=False)


def _flag(trouble: Trouble, source: SourceSettings) -> str:
    own = source.checks.get(trouble.check)
    return f"{trouble.check} (stored{', by the settings of this source' if own else ''})"


def _column_table(columns: tuple[Column, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("column", no_wrap=True)
    table.add_column("filled", justify="right")
    table.add_column("different", justify="right")
    for heading in ("from", "to", "codes"):
        table.add_column(heading, overflow="fold")
    for column in columns:
        codes = ", ".join(f"{code}: {count}" for code, count in column.codes)
        table.add_row(
            column.name, f"{column.filled:.0%}", str(column.different), column.least, column.greatest, codes
        )  # fmt: skip
    return table
