"""`ioc figures` and `ioc units successors`: figures of ended periods, and which unit followed which."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dashboard.cli_common import ConfigOption, engine_of
from dashboard.cli_data import out
from dashboard.cli_measure import Style, parse_instant, plain_rows, print_rows, with_names
from warehouse.engine import data_version, snapshot
from warehouse.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Figures of ended periods: record them, and see what changed since.")


@app.command()
def close(config: ConfigOption = None) -> None:
    """Record the figures of every period that has ended and is not recorded yet; the worker does it every hour."""
    from metrics import Clock  # noqa: PLC0415 - pandas is slow to import
    from metrics.closing import record_closed  # noqa: PLC0415

    settings = load_settings(config)
    done = record_closed(engine_of(settings), clock=Clock.of(settings), as_of=datetime.now(UTC))
    out.print(f"periods recorded: {', '.join(done.recorded) or 'none'}")
    if done.waiting:
        streams = ", ".join(done.streams)
        out.print(f"not yet: {', '.join(done.waiting)}; since their end nothing was read of {streams}", markup=False)


@app.command()
def corrections(
    period: Annotated[str, typer.Argument(help="A period that has ended: 2026-09, 2026Q3, report-2026Q3, 2025 ...")],
    config: ConfigOption = None,
    metric: Annotated[list[str] | None, typer.Option(help="Only these metrics; repeatable. All recorded ones.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Only this unit and all below it; repeatable.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Instant (ISO 8601); later events do not exist. Now.")] = None,
    style: Annotated[Style, typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Print what back-dated changes made of a period's figures: recorded, now, difference; the total has no unit."""
    from metrics import Clock, Period, Scope  # noqa: PLC0415 - pandas is slow to import
    from metrics.corrections import COLUMNS, corrections  # noqa: PLC0415

    settings = load_settings(config)
    instant = parse_instant(as_of, settings.zone)
    asked = Period.parse(period, settings.zone, today=instant.astimezone(settings.zone).date())
    scope = Scope.of(set(unit)) if unit else Scope.everything()
    with snapshot(engine_of(settings)) as connection:
        version = data_version(connection)
        frame = corrections(
            connection, clock=Clock.of(settings), period=asked, as_of=instant, scope=scope, metrics=metric
        )
        rows = with_names(connection, plain_rows(frame), ("unit",), settings.display, instant)
    question = {"period": asked.text, "as_of": instant.isoformat(), "units": sorted(unit or ())}
    columns = ["unit", "unit_name", *COLUMNS[1:]]
    print_rows(style, columns, rows, {"question": question, "data_version": version}, figures=COLUMNS[2:-1])


def successors(
    file: Annotated[Path, typer.Argument(help="CSV file: old,new,changed_on,share.")], config: ConfigOption = None
) -> None:
    """Store which unit followed which (old,new,changed_on,share); the shares of an old unit add up to 1."""
    from metrics.successors import read_successors, store_successors  # noqa: PLC0415 - pandas is slow to import

    found = read_successors(file)
    with engine_of(load_settings(config)).begin() as connection:
        done = store_successors(connection, found, place=str(file))
    out.print(f"successors: {done.changed} stored, {done.unchanged} already so")
