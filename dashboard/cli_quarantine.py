"""`ioc quarantine`: the records that were refused: list, show, export, and try them again."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from sqlalchemy import Row

from connectors import kept
from dashboard.cli_common import TROUBLE, ConfigOption, engine_of, errors, migrated_engine
from dashboard.cli_data import out
from warehouse.errors import BadQuestion, ConfigurationError
from warehouse.settings import Settings, load_settings

if TYPE_CHECKING:
    from connectors.replay import Replayed

app = typer.Typer(no_args_is_help=True, help="Records that were refused: list, show, export, and try them again.")

SourceOption = Annotated[str | None, typer.Option("--source", help="Only of this source.")]
ReasonOption = Annotated[list[str] | None, typer.Option("--reason", help="Only with this reason; repeatable.")]
SinceOption = Annotated[
    datetime | None,
    typer.Option("--since", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Only those first seen from then on."),
]
AllOption = Annotated[bool, typer.Option("--all", help="Also those of which a good version is stored by now.")]
COLUMNS = ("source", "entity", "reason", "detail", "code", "place", "first_seen_at", "resolved_at", "complete")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that begins so is computed by spreadsheet programs; they are made to show it as it is."""
SHOWN_MARK = 8


@app.command("list")
def list_rows(
    config: ConfigOption = None,
    source: SourceOption = None,
    reason: ReasonOption = None,
    since: SinceOption = None,
    resolved: AllOption = False,
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many records.")] = 50,
) -> None:
    """List refused records, the newest first, after how many there are for each reason."""
    settings = load_settings(config)
    choice = _choice(settings, source, reason, since, resolved=resolved)
    with engine_of(settings).connect() as connection:
        counts = kept.by_reason(connection, choice)
        rows = kept.newest(connection, choice, limit)
    if not counts:
        out.print("nothing was ever refused" if resolved else "nothing waits in quarantine")
        return
    _print_counts(counts)
    for row in rows:
        for text in _listed(row, settings.zone):
            out.print(text, markup=False)
    if (more := sum(count for *_, count, _whole in counts) - len(rows)) > 0:
        out.print(f"{more:,} more; --limit, --source, --reason and --since choose, export writes them all")


def _print_counts(counts: Sequence[tuple[str, str, str, int, int]]) -> None:
    table = Table("source", "entity", "reason", box=None, pad_edge=False)
    table.add_column("records", justify="right")
    table.add_column("kept whole", justify="right")
    for name, entity, why, count, whole in counts:
        table.add_row(name, entity, why, f"{count:,}", f"{whole:,}")
    out.print(table)
    out.print()


def _listed(row: Row[Any], zone: ZoneInfo) -> tuple[str, str]:
    """One record in two lines: what it is, and what is wrong with it."""
    told = (
        row.payload_hash[:SHOWN_MARK], f"{row.first_seen_at.astimezone(zone):%Y-%m-%d %H:%M}", row.source, row.entity,
        row.reason, row.code or "(no code)", "" if row.complete else "(not kept whole)",
    )  # fmt: skip
    return "  ".join(told).rstrip(), f"{'':{SHOWN_MARK}}  {row.detail}"


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="Code of a record, or the beginning of its mark in the list.")],
    config: ConfigOption = None,
    source: SourceOption = None,
) -> None:
    """Show everything that is kept of a refused record, resolved or not; exit 1 when there is none."""
    settings = load_settings(config)
    choice = _choice(settings, source, None, None, resolved=True)
    with engine_of(settings).connect() as connection:
        rows = kept.known_as(connection, choice, key)
    if not rows:
        errors.print(f"ioc: nothing is kept under {key}; ioc quarantine list shows marks and codes", markup=False)
        raise typer.Exit(TROUBLE)
    for row in rows:
        for name in ("payload_hash", *COLUMNS):
            out.print(f"{name:<14}{_text(getattr(row, name), settings.zone)}", markup=False)
        for name, text in sorted(row.payload.items()):
            out.print(f"  {name} = {json.dumps(text, ensure_ascii=False)}", markup=False)
        out.print()


@app.command()
def export(
    file: Annotated[str, typer.Argument(help="CSV file to write; - for the standard output.")],
    config: ConfigOption = None,
    source: SourceOption = None,
    reason: ReasonOption = None,
    since: SinceOption = None,
    resolved: AllOption = False,
) -> None:
    """Write refused records as CSV (UTF-8 with BOM, for spreadsheet programs), one column for each kept field."""
    settings = load_settings(config)
    choice = _choice(settings, source, reason, since, resolved=resolved)
    with engine_of(settings).connect() as connection, _writer(file) as writer:
        fields, rows = kept.every(connection, choice)
        writer.writerow([*COLUMNS, *(f"field {name}" for name in fields)])
        count = 0
        for count, row in enumerate(rows, 1):  # noqa: B007 - told below
            writer.writerow([harmless(text) for text in _record(row, fields, settings.zone)])
    errors.print(f"{count:,} records written to {file}", markup=False)


def harmless(text: str) -> str:
    """Return a cell that no spreadsheet program takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _record(row: Row[Any], fields: Sequence[str], zone: ZoneInfo) -> list[str]:
    own = [_text(getattr(row, name), zone) for name in COLUMNS]
    values = [row.payload.get(name) for name in fields]
    return own + ["" if text is None else text if isinstance(text, str) else json.dumps(text) for text in values]


@contextmanager
def _writer(file: str) -> Iterator[Any]:
    """A CSV writer; a file that cannot be written is a ConfigurationError."""
    try:
        with ExitStack() as stack:
            target: IO[str] = sys.stdout
            if file != "-":
                target = stack.enter_context(Path(file).open("w", encoding="utf-8", newline=""))
            target.write("\ufeff")
            yield csv.writer(target)
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be written: {error.strerror}") from None


def _text(value: Any, zone: ZoneInfo) -> str:  # noqa: ANN401 - a value of a row
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.astimezone(zone).isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


@app.command()
def replay(
    config: ConfigOption = None,
    source: SourceOption = None,
    reason: ReasonOption = None,
) -> None:
    """Map and check refused records again with the present mapping and units; store those that pass."""
    from connectors.replay import replay as replay_stream  # noqa: PLC0415 - pandas is slow to import

    settings = load_settings(config)
    _choice(settings, source, reason, None, resolved=False)
    engine = migrated_engine(settings)
    table = Table("source", "entity", box=None, pad_edge=False)
    for heading in ("tried", "stored", "unchanged", "still refused", "not whole"):
        table.add_column(heading, justify="right")
    failed, left = [], set[str]()
    for entry in settings.sources:
        if source not in {None, entry.name}:
            continue
        done = replay_stream(engine, settings, entry, now=datetime.now(UTC), reasons=reason or ())
        table.add_row(entry.name, str(entry.entity), *(f"{count:,}" for count in _counts(done)))
        if done.incomplete:
            left.add(entry.name)
        if done.report is not None and done.report.error:
            failed.append(f"{entry.name} ({entry.entity}): {done.report.error}")
    out.print(table)
    for name in sorted(left):
        out.print(
            f"records that are not kept whole need the source: ioc sync --source {name} --from-start", markup=False
        )
    for text in failed:
        errors.print(f"ioc: {text}", markup=False)
    if failed:
        raise typer.Exit(TROUBLE)


def _counts(done: Replayed) -> tuple[int, int, int, int, int]:
    report = done.report
    counts = (0, 0, 0, 0) if report is None else (report.read, report.stored, report.unchanged, report.quarantined)
    return (*counts, done.incomplete)


def _choice(
    settings: Settings, source: str | None, reasons: Sequence[str] | None, since: datetime | None, *, resolved: bool
) -> kept.Choice:
    """What the options mean.

    Raises BadQuestion for a reason that no check has, ConfigurationError for a source that is not configured.
    """
    from connectors.checks import CHECKS  # noqa: PLC0415 - pandas is slow to import

    names = sorted({entry.name for entry in settings.sources})
    if source is not None and source not in names:
        raise ConfigurationError(f"--source {source}: the settings name {', '.join(names) or 'no sources'}")
    if unknown := sorted(set(reasons or ()) - set(CHECKS)):
        raise BadQuestion(f"--reason {', '.join(unknown)}: no such check; there are {', '.join(CHECKS)}")
    begins = None if since is None else since.replace(tzinfo=settings.zone)
    return kept.Choice(source, tuple(reasons or ()), begins, resolved)
