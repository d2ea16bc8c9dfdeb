"""Charts and tables of satisfaction: a share never stands without n and its interval; scales are never mixed."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dashboard.boards import figures
from dashboard.boards.content import ChartContent, Look, Nothing
from dashboard.boards.context import Context, interval_text
from dashboard.boards.declaration import Answers, Ask, Chart, Lead, Opinions, Span
from dashboard.boards.figures import Bar, Estimate
from dashboard.boards.handling import time_codes
from dashboard.figures import Figure, figure
from dashboard.words import later
from metrics import METRICS
from metrics.aspects import GOOD, MINIMUM, Good, question_name
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


LEVELS: dict[SurveyScale, dict[int, str]] = {
    SurveyScale.THREE_LEVEL: {
        1: later("1 – not satisfied"), 2: later("2 – satisfied"), 3: later("3 – very satisfied"),
    },
    SurveyScale.FIVE_LEVEL: {
        1: later("1 – very dissatisfied"), 2: later("2 – dissatisfied"), 3: later("3 – neither"),
        4: later("4 – satisfied"), 5: later("5 – very satisfied"),
    },
}  # fmt: skip
"""What a score means to people; a score of the 0–2 form is a sum of points."""


def ends(item: Figure) -> Interval | None:
    """Return the Wilson interval of a figure; None where it is no share or nobody answered."""
    if item.numerator is None or item.denominator is None:
        return None
    return interval(METRICS[item.metric], int(item.numerator), int(item.denominator))


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
    """Return the chart of a satisfied share by unit or device: points with their intervals, lowest on top."""

    def draw(answers: Answers, context: Context) -> ChartContent | Nothing:
        _ = context.say
        rows = answers[0][answers[0]["denominator"] > 0]
        if rows.empty:
            return Nothing("", _("Nobody has answered in this period"))
        rows = rows.sort_values(["value", "denominator"], ascending=[True, False])
        shown = rows.head(context.bars)
        made = estimates(metric, shown, context.names(dimension, list(shown[dimension])), context)
        numerator, denominator = int(rows["numerator"].sum()), int(rows["denominator"].sum())
        whole = numerator / denominator
        text = _("together {share}", share=context.percent(whole))

        def make(look: Look) -> go.Figure:
            return figures.intervals(look, context.language, made, whole, text)

        note = _("95 % interval; hollow and grey: fewer than {minimum} answers", minimum=METRICS[metric].minimum)
        if len(rows) > len(shown):
            note = _("the {shown} lowest of {count}", shown=len(shown), count=len(rows)) + f" · {note}"
        return ChartContent("", context.label(metric), make, note, rows=len(made) + 1)

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

        return ChartContent("", context.label(metric), make, _("by month of the answer"))

    return Chart(f"{metric}-course", later("Satisfied share, twelve months"), (Ask((metric,), span=Span.YEAR),), draw)


def by_question(scale: SurveyScale) -> Chart:
    """Return the chart of the answers to each question of a form: points with intervals, lowest on top."""

    def draw(answers: Answers, context: Context) -> ChartContent | Nothing:
        _ = context.say
        rows = answers[0][(answers[0]["scale"] == str(scale)) & (answers[0]["denominator"] > 0)]
        if rows.empty:
            return Nothing("", _("The answers of this form are not told by question"))
        rows = rows.sort_values(["value", "denominator"], ascending=[True, False])
        names = [question_name(str(key), context.language) for key in rows["question"]]
        made = [_of_question(name, row, context) for name, (_place, row) in zip(names, rows.iterrows(), strict=True)]

        def make(look: Look) -> go.Figure:
            return figures.intervals(look, context.language, made, None, "")

        counts = GOOD[Good(str(rows["counts"].iloc[0]))].text(context.language)
        return ChartContent(
            "", _("Answers by question"), make, _("{counts}, 95 % interval", counts=counts), rows=len(made) + 1
        )

    return Chart(f"questions-{scale}", later("By question"), (Opinions("questions"),), draw)


def _of_question(name: str, row: pd.Series, context: Context) -> Estimate:
    share, count = context.percent(row["value"]), context.number(row["denominator"])
    mean = context.number(row["mean"], 2)
    text = f"{share} · n = {count}"
    return Estimate(
        name, float(row["value"]), float(row["low"]), float(row["high"]), text, f"{name}: {text} · x̄ = {mean}",
        int(row["denominator"]) < MINIMUM,
    )  # fmt: skip


def scores(scale: SurveyScale) -> Chart:
    """Return the chart of how many answers gave each score of a form, the best score on top."""

    def draw(answers: Answers, context: Context) -> ChartContent | Nothing:
        _ = context.say
        rows = answers[0][(answers[0]["scale"] == str(scale)) & answers[0]["score"].notna()]
        if rows.empty or not rows["answers"].sum():
            return Nothing("", _("Nobody has answered in this period"))
        words = LEVELS.get(scale, {})
        bars = [
            Bar(
                _(words[int(row["score"])]) if int(row["score"]) in words else context.number(row["score"]),
                float(row["share"]),
                f"{context.percent(row['share'])} · {context.number(row['answers'])}",
            )
            for _place, row in rows.sort_values("score", ascending=False).iterrows()
        ]

        def make(look: Look) -> go.Figure:
            return figures.ranked_bars(look, context.language, bars, top=1.0)

        return ChartContent(
            "", _("How the scores are spread"), make, _("share of the answers with a score"), rows=len(bars)
        )

    return Chart(f"scores-{scale}", later("How the scores are spread"), (Opinions("scores"),), draw)


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
