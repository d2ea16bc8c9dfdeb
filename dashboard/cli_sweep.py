"""`ioc sweep`: the keys of the sources against what is stored, now instead of at night."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from sqlalchemy import Engine, func, select

from dashboard.cli_common import TROUBLE, ConfigOption, errors, migrated_engine
from dashboard.cli_data import out
from warehouse.schema import metadata
from warehouse.settings import load_settings
from warehouse.sources import SourceSettings

if TYPE_CHECKING:
    from connectors.sweep import SweepReport

WHOLE_LINE = 200
"""Columns of a table that goes into a file: its lines are not wrapped."""
NUMBERS = ("keys", "missing", "new", "back", "lost", "unread", "days that differ", "seconds")


def sweep(
    config: ConfigOption = None,
    source: Annotated[str | None, typer.Option("--source", help="Only the streams of this source.")] = None,
) -> None:
    """Compare all keys of the sources with what is stored; mark what is gone there; exit 1 when a sweep failed.

    missing: stored here, gone there (new: marked now; back: no longer). lost: there, neither stored nor refused here,
    although a sync should have brought them. unread: the same, but newer than the last sync. days that differ: civil
    days of the last change on which other records, or other versions, stand here than there.
    """
    from connectors.sweep import chosen_sources, sweep_source  # noqa: PLC0415 - pandas is slow to import

    settings = load_settings(config)
    chosen = chosen_sources(settings, source)
    engine = migrated_engine(settings)
    reports: list[SweepReport] = []
    with _bar() as bar:
        for entry in chosen:
            task = bar.add_task(f"{entry.name} {entry.entity}", total=_stored(engine, entry))

            def show(report: SweepReport, task: TaskID = task) -> None:
                bar.update(task, completed=report.run.read)

            reports.append(sweep_source(engine, settings, entry, now=datetime.now(UTC), progress=show))
    if not out.is_terminal:
        out.width = WHOLE_LINE
    out.print(_table(reports))
    failed = [report for report in reports if report.error]
    for report in failed:
        errors.print(f"ioc: {report.run.source} ({report.run.entity}): {report.error}", markup=False)
    if failed:
        raise typer.Exit(TROUBLE)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=errors, transient=True)


def _stored(engine: Engine, source: SourceSettings) -> int | None:
    """How many keys are to be expected: as many as are stored."""
    table = metadata.tables[str(source.entity)]
    with engine.connect() as connection:
        query = select(func.count()).select_from(table).where(table.c["source"] == source.name)
        return connection.execute(query).scalar_one() or None


def _table(reports: list[SweepReport]) -> Table:
    table = Table("source", "entity", "state", box=None, pad_edge=False)
    for heading in NUMBERS:
        table.add_column(heading, justify="right")
    for report in reports:
        run = report.run
        counts = (run.read, report.missing, report.newly_missing, report.back, report.lost, report.unread)
        cells = (*(str(count) for count in counts), str(report.drift_days), f"{run.seconds:.1f}")
        table.add_row(run.source, run.entity, run.state.value, *cells)
    return table
