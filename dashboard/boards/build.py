"""Builds a declared slide: asks its questions and writes tiles, charts and tables from the answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd

from dashboard import numbers
from dashboard.boards import spans
from dashboard.boards.content import BuiltRow, BuiltSlide, Content, TileContent, TilesContent
from dashboard.boards.context import Context, interval_text
from dashboard.boards.declaration import Asked, Block, Opinions, Ranked, Slide, Span, Table, Tile, Tiles
from dashboard.figures import Figure, figure
from dashboard.metric_words import explained
from metrics import METRICS, Direction, Kind, Period
from metrics.interval import interval, uncertain
from warehouse.errors import BadQuestion

SHARES_OF_ANSWERS = ("satisfied_share", "satisfied_share_five")


def build(slide: Slide, context: Context) -> BuiltSlide:
    """Return a slide with its figures; every declared block is in it, with `Nothing` where there is nothing to show."""
    rows = [
        BuiltRow(tuple(built_block(block, context) for block in row.blocks), row.widths, row.weight)
        for row in slide.rows
    ]
    return BuiltSlide(slide.name, context.say(slide.title), finding(slide, context), tuple(rows))


def finding(slide: Slide, context: Context) -> str:
    """Return the finding of a slide in one sentence; empty where none is declared."""
    return slide.lead.say(_answers(slide.lead.asks, context), context) if slide.lead else ""


def built_block(block: Block, context: Context) -> Content:
    """Return one block with its figures."""
    answers = _answers(block.asks, context)
    if isinstance(block, Tiles):
        return TilesContent(block.name, tuple(tile(item, answers[0], answers[1], context) for item in block.items))
    content = block.write(answers, context) if isinstance(block, Table) else block.draw(answers, context)
    return replace(content, name=block.name, title=content.title or context.say(block.title))


def _answers(asks: tuple[Asked, ...], context: Context) -> list[pd.DataFrame]:
    return [answer(asked, context) for asked in asks]


def answer(asked: Asked, context: Context) -> pd.DataFrame:
    """Return what the reader answers to one question of a declaration."""
    view, reader = context.view, context.reader
    if isinstance(asked, Ranked):
        return _ranking(context)
    if isinstance(asked, Opinions):
        return reader.opinions(asked.what, view.period, view.filters)
    if asked.span is Span.COMPARED and view.compared is None:
        return pd.DataFrame(columns=[*asked.by, "metric", "numerator", "denominator", "value"])
    period, time = span(asked.span, context)
    return reader.ask(asked.metrics, period, (*asked.by, *time), view.filters)


def _ranking(context: Context) -> pd.DataFrame:
    """The ranking; without places where the period is before every unit."""
    try:
        return context.reader.ranking(context.view.period)
    except BadQuestion:
        return pd.DataFrame(columns=["unit", "rank", "previous_rank", "score", "volume"])


def span(asked: Span, context: Context) -> tuple[Period, tuple[str, ...]]:
    """Return the period of a span and its time dimension, none for a period as a whole."""
    view, as_of, zone = context.view, context.reader.as_of, context.reader.settings.zone
    if asked is Span.COURSE:
        period, step = spans.course(view.period, as_of, zone)
        return period, (step,)
    if asked is Span.YEAR:
        return spans.year(view.period, as_of, zone), ("month",)
    return (view.compared if asked is Span.COMPARED and view.compared else view.period), ()


def tile(item: Tile, now: pd.DataFrame, before: pd.DataFrame, context: Context) -> TileContent:
    """Write the texts of one tile from the figures of the period and of the compared one."""
    value, past = figure(now, item.metric), figure(before, item.metric)
    change, better = _change(value, past, context)
    return TileContent(
        item.metric,
        context.say(item.title) if item.title else context.title(item.metric),
        figure_text(value, context),
        _parts(value, context),
        change,
        better,
        item.meaning,
        explained(item.metric, context.language, context.terms),
        _target(item.metric, value, context),
        _certainty(value, context),
    )


def figure_text(value: Figure, context: Context) -> str:
    """Write the value of a figure: a count, a percentage, points."""
    if value.value is None:
        return numbers.NONE
    metric = METRICS[value.metric]
    if metric.kind is Kind.RATIO and metric.unit.value == "points":
        return context.number(value.value, 2)
    return value.text(context.language)


def _parts(value: Figure, context: Context) -> str:
    if value.is_ratio and not value.denominator:
        return context.say("nothing occurred")
    return value.parts(context.language)


def _change(value: Figure, past: Figure, context: Context) -> tuple[str, bool | None]:
    _ = context.say
    if value.value is None or past.value is None or context.view.compared is None:
        return "", None
    metric = METRICS[value.metric]
    if metric.kind is Kind.STOCK:
        day = context.civil(context.view.compared.end - timedelta(seconds=1))
        compared = _("against {day}", day=f"{day:%d/%m/%Y}")
    else:
        compared = context.view.compared_words or _("against the period before")
    share = value.is_ratio and metric.unit.value != "points"
    change = round((value.value - past.value) * (100 if share else 1), 1 if value.is_ratio else 0)
    if change == 0:
        return _("unchanged {compared}", compared=compared), None
    amount = numbers.signed(change, context.language, 1 if value.is_ratio else 0)
    if share:
        amount = _("{difference} points", difference=amount)
    better = {Direction.HIGHER: change > 0, Direction.LOWER: change < 0}.get(metric.direction)
    return f"{'▲' if change > 0 else '▼'} {amount} {compared}", better


def _certainty(value: Figure, context: Context) -> str:
    """How sure a share of survey answers is; other shares count everything and need no interval."""
    if value.metric not in SHARES_OF_ANSWERS or value.numerator is None or not value.denominator:
        return ""
    _ = context.say
    metric = METRICS[value.metric]
    around = interval(metric, int(value.numerator), int(value.denominator))
    words = [_("95 % interval {interval}", interval=interval_text(around, context))] if around else []
    if uncertain(metric, int(value.denominator)):
        words.append(_("few answers: read with care"))
    return "; ".join(words)


def _target(metric: str, value: Figure, context: Context) -> str:
    wanted = context.target(metric)
    if wanted is None:
        return ""
    _ = context.say
    text = Figure(metric, wanted, None, None).text(context.language)
    if value.value is None:
        return _("target {target}", target=text)
    met = value.value >= wanted if METRICS[metric].direction is Direction.HIGHER else value.value <= wanted
    return _("✓ target {target} met", target=text) if met else _("✗ target {target} not met", target=text)


__all__ = ["answer", "build", "built_block", "figure_text", "finding", "span", "tile"]
