"""`ioc index766`: what can be estimated of the 766 index, part by part, with the official scores beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashboard.cli_common import ConfigOption, engine_of, errors
from dashboard.cli_measure import Row, Style, parse_instant, plain_rows, print_rows, with_names
from warehouse.engine import data_version, snapshot
from warehouse.settings import load_settings
from warehouse.vocabulary import Language

if TYPE_CHECKING:
    from metrics.method766 import Method766

COLUMNS = (
    "number", "indicator", "numerator", "denominator", "value", "points", "maximum", "rule", "official_points",
    "official_maximum", "evidence", "missing",
)  # fmt: skip
FIGURES = ("numerator", "denominator", "value", "points", "maximum", "official_points", "official_maximum")


def index766(
    config: ConfigOption = None,
    period: Annotated[str | None, typer.Option(help="2026-03, 2026Q1, report-2026Q1 ...")] = None,
    unit: Annotated[str | None, typer.Option(help="This unit and all below it; everything when left out.")] = None,
    by_unit: Annotated[bool, typer.Option("--by-unit", help="Each unit for itself, instead of the whole.")] = False,
    as_of: Annotated[str | None, typer.Option(help="Instant (ISO 8601); later events do not exist. Now.")] = None,
    style: Annotated[Style, typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Print the parts of the 766 index that our data can estimate (ước tính) beside the imported official scores.

    The estimate is never scaled to 100 and has no class; the class is that of the official total.
    """
    from metrics import Clock, Period, Scope  # noqa: PLC0415 - pandas is slow to import
    from metrics.method766 import METHOD  # noqa: PLC0415
    from metrics.score766 import estimate766  # noqa: PLC0415

    settings = load_settings(config)
    instant = parse_instant(as_of, settings.zone)
    today = instant.astimezone(settings.zone).date()
    asked = Period.parse(period or settings.display.default_period, settings.zone, today=today)
    language = settings.display.language
    with snapshot(engine_of(settings)) as connection:
        version = data_version(connection)
        scores = estimate766(
            connection, clock=Clock.of(settings), period=asked, as_of=instant, whole=not by_unit,
            scope=Scope.of({unit}) if unit else Scope.everything(),
        )  # fmt: skip
        parts = [_with_rule(row, METHOD, language) for row in plain_rows(scores.parts)]
        sums = [_with_band(row, METHOD, language) for row in plain_rows(scores.sums)]
        rows, totals = (with_names(connection, found, ("unit",), settings.display, instant) for found in (parts, sums))
    question = {"index": "766", "method": METHOD.version, "period": asked.text, "from": asked.start.isoformat(),
                "to": asked.end.isoformat(), "as_of": instant.isoformat(), "unit": unit}  # fmt: skip
    head = {"question": question, "data_version": version, "estimate": True, "totals": totals}
    columns = ["unit", "unit_name", *COLUMNS]
    print_rows(style, columns, [{name: row.get(name) for name in columns} for row in rows], head, figures=FIGURES)
    if style != "json":
        _tell(totals)


def _with_rule(row: Row, method: Method766, language: Language) -> Row:
    """A row with the words of its part: what is measured and how it was found out, or what would be needed."""
    from metrics.method766 import EVIDENCE  # noqa: PLC0415 - pandas is slow to import

    part = next(part for part in method.parts if part.number == row["part"])
    words: dict[str, Any] = {
        "number": part.number, "indicator": part.label.text(language),
        "rule": part.rule.text(language), "evidence": EVIDENCE[part.evidence].text(language),
        "missing": None if part.missing is None else part.missing.text(language),
    }  # fmt: skip
    return {**row, **words}


def _with_band(row: Row, method: Method766, language: Language) -> Row:
    band = next((band for band in method.bands if band.code == row["band"]), None)
    return {**row, "class": None if band is None else band.label.text(language),
            "colour": None if band is None else band.colour}  # fmt: skip


def _tell(totals: list[Row]) -> None:
    for row in totals:
        official = "no official score" if row["official"] is None else (
            f"official {row['official']:g}" + (f" ({row['class']})" if row["class"] else "")
        )  # fmt: skip
        errors.print(
            f"ioc: {row['unit_name'] or row['unit'] or 'all units'}: estimated {row['points'] or 0:g} of"
            f" {row['maximum'] or 0:g} points in {row['parts']} parts; {official}",
            markup=False,
        )
