"""`ioc form06`: form II.06 by field or by unit, with the identities that do not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dashboard.cli_common import ConfigOption, engine_of, errors
from dashboard.cli_measure import Row, Style, parse_filters, parse_instant, plain_rows, print_rows, with_names
from warehouse.engine import data_version, snapshot
from warehouse.settings import load_settings
from warehouse.vocabulary import LABELS, Language, ReportItem

if TYPE_CHECKING:
    from metrics.carried_over import CarriedOver
    from metrics.form06 import Form06


def form06(
    config: ConfigOption = None,
    period: Annotated[str | None, typer.Option(help="report-2026Q1 (15th to 14th), 2026-03, 2026 ...")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Only this unit and all below it; repeatable.")] = None,
    by: Annotated[Literal["field", "unit"], typer.Option(help="What a row is.")] = "field",
    as_of: Annotated[str | None, typer.Option(help="Instant (ISO 8601); later events do not exist. Now.")] = None,
    where: Annotated[list[str] | None, typer.Option("--filter", help="dimension=value[,value]; repeatable.")] = None,
    style: Annotated[Style, typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Print form II.06 with its total; what its identities leave open is told on stderr (in JSON: findings)."""
    from metrics import Clock, Period, Scope  # noqa: PLC0415 - pandas is slow to import
    from metrics.form06 import form06 as fill  # noqa: PLC0415

    settings = load_settings(config)
    instant = parse_instant(as_of, settings.zone)
    today = instant.astimezone(settings.zone).date()
    asked = Period.parse(period or settings.display.default_period, settings.zone, today=today)
    scope = Scope.of(set(unit)) if unit else Scope.everything()
    language = settings.display.language
    with snapshot(engine_of(settings)) as connection:
        version = data_version(connection)
        form = fill(
            connection, clock=Clock.of(settings), period=asked, as_of=instant, scope=scope, by=by,
            filters=parse_filters(where or ()),
        )  # fmt: skip
        rows = with_names(connection, plain_rows(form.rows), (by,), settings.display, instant)
    question = {
        "form": "II.06", "by": by, "period": asked.text, "from": asked.start.isoformat(), "to": asked.end.isoformat(),
        "as_of": instant.isoformat(), "units": sorted(unit or ()),
    }  # fmt: skip
    findings = plain_rows(form.findings)
    head = {"question": question, "data_version": version, "columns": _columns(language), "findings": findings,
            "carried_over": [_told(said) for said in form.carried_over]}  # fmt: skip
    total = {by: None, f"{by}_name": {"vi": "Tổng số", "en": "Total"}[language], **form.total}
    print_rows(style, [by, f"{by}_name", *form.total], [*rows, total], head, figures=tuple(form.total))
    if style != "json":
        _tell(form, findings)


def _columns(language: Language) -> list[Row]:
    """The number and the words of every figure; remainders have no number on the form."""
    from metrics.form06 import NUMBERS, REMAINDERS  # noqa: PLC0415 - pandas is slow to import

    columns = [
        {"item": str(item), "number": number, "label": LABELS[ReportItem, item].text(language)}
        for item, number in NUMBERS.items()
    ]
    rest = [{"item": str(item), "number": None, "label": label.text(language)} for item, label in REMAINDERS.items()]
    return columns + rest


def _told(said: CarriedOver) -> Row:
    at = None if said.recorded_at is None else said.recorded_at.isoformat()
    return {"told": str(said.told), "period": said.period, "recorded_at": at, "total": said.total,
            "units": len(said.units)}  # fmt: skip


def _tell(form: Form06, findings: list[Row]) -> None:
    for said in form.carried_over:
        gaps = sum(finding["identity"] == f"carried_over_{said.told}" for finding in findings)
        when = "" if said.recorded_at is None else f" on {said.recorded_at:%Y-%m-%d}"
        holds = f"{gaps} gaps" if gaps else "no gap"
        errors.print(f"ioc: (6) against (11) of {said.period} as {said.told}{when}: {holds}", markup=False)
    if not form.carried_over:
        errors.print("ioc: (6) could not be compared: (11) of the period before is neither recorded nor reported")
    for finding in findings:
        place = "total" if finding["row"] == "" else f"{form.by} {finding['row'] or 'unknown'}"
        errors.print(
            f"ioc: {place}: {finding['formula']}: {finding['left']} against {finding['right']}, gap {finding['gap']};"
            f" explained by dossiers without a column {finding['explained']}, unexplained {finding['difference']}",
            markup=False,
        )
