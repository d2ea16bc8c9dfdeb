"""Charts and tables of satisfaction: a share never stands without n and its interval; scales are never mixed."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dashboard.boards import figures
from dashboard.boards.content import ChartContent, Look, Nothing
from dashboard.boards.context import Context
from dashboard.boards.declaration import Answers, Ask, Chart, Lead, Span
from dashboard.boards.figures import Estimate
from dashboard.boards.handling import time_codes
from dashboard.figures import Figure, figure
from dashboard.words import later
from metrics import METRICS
from metrics.interval import Interval, interval, uncertain
from warehouse.vocabulary import SurveyScale


@dataclass(frozen=True, slots=True)
class Scale:
    """One answer form and the metrics of its own; the 0–2 form has no satisfied share."""

    code: SurveyScale
    share: str | None
    mean: str
    worst: int
    best: int


SCALES = (
    Scale(SurveyScale.THREE_LEVEL, "satisfied_share", "mean_score_three", 1, 3),
    Scale(SurveyScale.FIVE_LEVEL, "satisfied_share_five", "mean_score_five", 1, 5),
    Scale(SurveyScale.FORM_012, None, "mean_form_score", 0, 2),
)


def ends(item: Figure) -> Interval | None:
    """Return the Wilson interval of a figure; None where it is no share or nobody answered."""
    if item.numerator is None or item.denominator is None:
        return None
    return interval(METRICS[item.metric], int(item.numerator), int(item.denominator))


def interval_text(found: Interval | None, context: Context) -> str:
    """Write an interval: 97,1–98,4 %."""
    if found is None:
        return ""
    low = context.percent(found.low).removesuffix("%").rstrip()
    return f"{low}–{context.percent(found.high)}"


def estimates(metric: str, rows: pd.DataFrame, names: list[str], context: Context) -> list[Estimate]:
    """Return the estimates of a share for rows that have answers; few answers make it grey."""
    _ = context.say
    made = []
    for name, (_place, row) in zip(names, rows.iterrows(), strict=True):
        found = interval(METRICS[metric], int(row["numerator"]), int(row["denominator"]))
        if found is None:
            continue
        grey = uncertain(METRICS[metric], int(row["denominator"]))
        count, share = context.number(row["denominator"]), context.percent(row["value"])
        text = f"{share} · n = {count}"
        hover = _("{name}: {share}, 95 % interval {interval}, n = {count}", name=name, share=share,
                  interval=interval_text(found, context), count=count)  # fmt: skip
        made.append(Estimate(name, float(row["value"]), found.low, found.high, text, hover, grey))
    return made


def by_dimension(metric: str, dimension: str, title: str) -> Chart:
    """Return the chart of a satisfied share by unit or device: points with their intervals, highest on top."""

    def draw(answers: Answers, context: Context) -> ChartContent | Nothing:
        _ = context.say
        rows = answers[0][answers[0]["denominator"] > 0]
        if rows.empty:
            return Nothing("", _("Nobody has answered in this period"))
        rows = rows.sort_values(["value", "denominator"], ascending=[False, False])
        shown = rows if len(rows) <= context.rows else rows.tail(context.rows)
        made = estimates(metric, shown, context.names(dimension, list(shown[dimension])), context)
        numerator, denominator = int(rows["numerator"].sum()), int(rows["denominator"].sum())
        whole = numerator / denominator
        text = _("together {share}", share=context.percent(whole))

        def make(look: Look) -> go.Figure:
            return figures.intervals(look, context.language, made, whole, text)

        note = _("95 % interval; hollow and grey: fewer than {minimum} answers", minimum=METRICS[metric].minimum)
        if len(rows) > len(shown):
            note = _("the {shown} lowest of {count}", shown=len(shown), count=len(rows)) + f" · {note}"
        return ChartContent("", context.label(metric), make, note)

    return Chart(f"{metric}-by-{dimension}", title, (Ask((metric,), (dimension,)),), draw)


def course(metric: str) -> Chart:
    """Return the chart of a satisfied share over twelve months with the band of its interval."""

    def draw(answers: Answers, context: Context) -> ChartContent | Nothing:
        _ = context.say
        _dimension, codes = time_codes(answers[0])
        rows = answers[0].set_index("month")
        if not rows["denominator"].sum():
            return Nothing("", _("Nobody has answered in this period"))
        points = [figure(answers[0], metric, month=code) for code in codes]
        bands = [ends(point) for point in points]
        hover = [
            f"{point.text(context.language)} [{interval_text(found, context)}] · n = "
            f"{context.number(point.denominator)}"
            for point, found in zip(points, bands, strict=True)
        ]
        pairs = [None if found is None else (found.low, found.high) for found in bands]
        names = (context.label(metric), _("95 % interval"))

        def make(look: Look) -> go.Figure:
            values = [point.value for point in points]
            return figures.band(look, context.language, codes, values, pairs, names=names, hover=hover)

        return ChartContent("", context.label(metric), make, _("twelve months"))

    return Chart(f"{metric}-course", later("Twelve months"), (Ask((metric,), span=Span.YEAR),), draw)


def _lead(answers: Answers, context: Context) -> str:
    _ = context.say
    share, rate = figure(answers[0], "satisfied_share"), figure(answers[0], "response_rate")
    if not share.denominator:
        return _("Nobody has answered in this period")
    answered = _("response rate {rate}", rate=rate.text(context.language)) if rate.value is not None else ""
    words = _(
        "{share} satisfied (95 % interval {interval}), n = {count}",
        share=share.text(context.language),
        interval=interval_text(ends(share), context),
        count=context.number(share.denominator),
    )
    return f"{words}; {answered}" if answered else words


BY_UNIT = by_dimension("satisfied_share", "unit", later("Satisfied by unit"))
COURSE = course("satisfied_share")
LEAD = Lead((Ask(("satisfied_share", "response_rate")),), _lead)
