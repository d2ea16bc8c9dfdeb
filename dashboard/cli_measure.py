"""`ioc measure` and `ioc metrics`: the same figures as on the screens, for scripts and checks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from dashboard.cli_common import ConfigOption, engine_of
from warehouse.engine import data_version, snapshot
from warehouse.errors import BadQuestion
from warehouse.settings import DisplaySettings, load_settings

if TYPE_CHECKING:
    import pandas as pd

NAMED = ("unit", "procedure", "field", "online_level", "device")
"""Dimensions whose codes are printed with their words."""

PIPED_WIDTH = 240
"""A table that goes to a file or a pipe is not cut at 80 signs."""

FIGURES = frozenset({"numerator", "denominator", "value"})
Row = dict[str, Any]
Style = Literal["table", "csv", "json"]


def measure(
    metrics: Annotated[list[str], typer.Argument(help="Names of metrics; `ioc metrics` lists them.")],
    config: ConfigOption = None,
    by: Annotated[list[str] | None, typer.Option(help="Dimension: unit, field, procedure, channel, day ...")] = None,
    period: Annotated[str | None, typer.Option(help="2022, 2022Q1, 2022-03, 2022-01-01/2022-12-05 ...")] = None,
    as_of: Annotated[str | None, typer.Option(help="Instant (ISO 8601); later events do not exist. Now.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Only this unit and all below it; repeatable.")] = None,
    where: Annotated[list[str] | None, typer.Option("--filter", help="dimension=value[,value]; repeatable.")] = None,
    style: Annotated[Style, typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Print metrics with numerator, denominator and value; an unknown value stays empty (null in JSON)."""
    from metrics import Clock, Period, Scope  # noqa: PLC0415 - pandas is slow to import
    from metrics import measure as answer  # noqa: PLC0415

    settings = load_settings(config)
    instant = parse_instant(as_of, settings.zone)
    asked = Period.parse(
        period or settings.display.default_period, settings.zone, today=instant.astimezone(settings.zone).date()
    )
    dimensions = tuple(part for text in by or () for part in text.split(","))
    filters = parse_filters(where or ())
    scope = Scope.of(set(unit)) if unit else Scope.everything()
    with snapshot(engine_of(settings)) as connection:
        version = data_version(connection)
        frame = answer(
            connection, metrics, clock=Clock.of(settings), period=asked, as_of=instant, scope=scope,
            by=dimensions, filters=filters,
        )  # fmt: skip
        rows = with_names(connection, plain_rows(frame), dimensions, settings.display, instant)
    question = {
        "metrics": metrics, "by": dimensions, "period": asked.text, "from": asked.start.isoformat(),
        "to": asked.end.isoformat(), "as_of": instant.isoformat(), "units": sorted(unit or ()), "filters": filters,
    }  # fmt: skip
    print_rows(style, columns_of(dimensions), rows, {"question": question, "data_version": version})


def metrics(
    style: Annotated[Style, typer.Option("--format", help="How to print; table is text to read.")] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """List the metrics that `ioc measure` knows: names, definition, legal basis, direction, smallest denominator."""
    from metrics.document import declarations  # noqa: PLC0415 - pandas is slow to import

    rows = declarations()
    if as_json or style == "json":
        text = json.dumps({"metrics": rows}, ensure_ascii=False, indent=1) + "\n"
    elif style == "csv":
        text = _csv(list(rows[0]), [{**row, "dimensions": " ".join(row["dimensions"])} for row in rows])
    else:
        text = "".join(map(_declared, rows))
    typer.echo(text.encode("utf-8"), nl=False)


def _declared(row: Row) -> str:
    facts = [f"{row['kind']}, {row['unit']}, {row['direction']}"]
    if row["minimum"]:
        facts.append(f"uncertain under a denominator of {row['minimum']}")
    if row["legal_basis"]:
        facts.append(row["legal_basis"])
    name = f"{row['name']:<24} {row['label_vi']} / {row['label_en']}"
    return f"{name}\n    {row['definition_vi']}\n    {row['definition_en']}\n    {'; '.join(facts)}\n"


def parse_instant(text: str | None, zone: ZoneInfo) -> datetime:
    """Read an ISO 8601 instant; without offset it is a time of the civil clock `zone`. None is now.

    Raises BadQuestion for an instant that has not come yet.
    """
    from metrics.question import refuse_future  # noqa: PLC0415 - pandas is slow to import

    now = datetime.now(UTC).astimezone(zone)
    if text is None:
        return now.replace(microsecond=0)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise BadQuestion(f"--as-of {text}: not an instant; write for example 2022-12-31T23:59:59+07:00") from None
    instant = instant if instant.tzinfo is not None else instant.replace(tzinfo=zone)
    refuse_future(instant, now)
    return instant


def parse_filters(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read `dimension=value[,value]` texts; the same dimension twice adds values."""
    filters: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, sign, values = text.partition("=")
        chosen = tuple(value.strip() for value in values.split(",") if value.strip())
        if not (name.strip() and sign and chosen):
            raise BadQuestion(f"--filter {text}: write dimension=value, for example online_level=3,4")
        filters[name.strip()] = filters.get(name.strip(), ()) + chosen
    return filters


def plain_rows(frame: pd.DataFrame) -> list[Row]:
    """Turn a frame into rows of JSON values: unknown is None, a count is a whole number."""
    return [{str(key): _plain(value) for key, value in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell
    import pandas as pd  # noqa: PLC0415 - slow to import

    if value is None or pd.isna(value):
        return None
    if isinstance(value, date):
        return value.isoformat()
    number = value.item() if hasattr(value, "item") else value
    return int(number) if isinstance(number, float) and number.is_integer() else number


def with_names(
    connection: Connection, rows: list[Row], dimensions: tuple[str, ...], display: DisplaySettings, at: datetime
) -> list[Row]:
    """Add `<dimension>_name` beside every code that has a name."""
    from metrics import names  # noqa: PLC0415 - pandas is slow to import

    for dimension in dimensions:
        if dimension in NAMED:
            codes = {row[dimension] for row in rows if row[dimension] is not None}
            terms = display.online_terms
            found = names(connection, dimension, codes, display.language, at, online_terms=terms)
            for row in rows:
                row[f"{dimension}_name"] = found.get(row[dimension])
    return rows


def columns_of(dimensions: tuple[str, ...]) -> list[str]:
    """Return the columns in the order of printing: each dimension with its name, then the figures."""
    coded = [name for dimension in dimensions for name in (dimension, f"{dimension}_name")]
    shown = [name for name in coded if not name.endswith("_name") or name.removesuffix("_name") in NAMED]
    return [*shown, "metric", "numerator", "denominator", "value"]


def print_rows(
    style: Style, columns: list[str], rows: list[Row], head: Row, figures: Collection[str] = FIGURES
) -> None:
    """Print rows as a table, as CSV, or as JSON with what `head` says; the columns of `figures` stand to the right."""
    if style == "table":
        table = Table(box=None, pad_edge=False)
        for name in columns:
            table.add_column(name, justify="right" if name in figures else "left")
        for row in rows:
            table.add_row(*(_shown(row[name]) for name in columns))
        terminal = Console(highlight=False, markup=False)
        if not terminal.is_terminal:
            terminal.width = PIPED_WIDTH
        terminal.print(table)
        return
    text = _csv(columns, rows)
    if style == "json":
        ordered = [{name: row[name] for name in columns} for row in rows]
        text = json.dumps({**head, "rows": ordered}, ensure_ascii=False, indent=1) + "\n"
    typer.echo(text.encode("utf-8"), nl=False)


def _csv(columns: list[str], rows: list[Row]) -> str:
    target = io.StringIO()
    writer = csv.DictWriter(target, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


def _shown(value: Any) -> str:  # noqa: ANN401 - a cell
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)
