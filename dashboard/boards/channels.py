"""Charts and tables of the channels: how dossiers come in and go out, what was done electronically."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from dashboard.boards import figures
from dashboard.boards.content import Cell, ChartContent, Column, Look, Nothing, TableContent
from dashboard.boards.context import Context, known
from dashboard.boards.declaration import Answers, Ask, Chart, Lead, Span, Table
from dashboard.boards.figures import Bar, Line
from dashboard.boards.handling import rest, time_codes
from dashboard.figures import figure
from dashboard.theme import CHANNEL_COLOURS, COLOURS, Meaning
from dashboard.words import later
from metrics import METRICS
from warehouse.vocabulary import Channel, OnlineLevel

ELIGIBLE, OF_ALL = "online_share_eligible", "online_share"
SHARES = (
    OF_ALL, ELIGIBLE, "full_online_share", "partial_online_share", "post_in_share", "post_out_share",
    "online_payment_share", "digitised_share", "reused_share", "e_result_share", "interlinked_share",
)  # fmt: skip
"""Every ratio of the channel page, in its order."""
SHORT = {
    ELIGIBLE: later("Online / procedures with online service"),
    OF_ALL: later("Online / all received"),
    "online_payment_share": later("Paid online"),
    "digitised_share": later("Digitised"),
    "reused_share": later("Data reused"),
    "e_result_share": later("Electronic result"),
    "post_out_share": later("Returned by post"),
}
"""Short names that still tell the two online shares apart."""
ORDER = (Channel.ONLINE, Channel.IN_PERSON, Channel.POST, Channel.OTHER)


def parts_text(row: pd.Series, context: Context) -> str:
    """Write a ratio with what it is made of: 57,7 % (3.905/6.764)."""
    share = context.percent(row["value"])
    return f"{share} ({context.number(row['numerator'])}/{context.number(row['denominator'])})"


def _mix(answers: Answers, context: Context) -> ChartContent | Nothing:
    _ = context.say
    rows = answers[0].set_index("channel")["value"]
    counts = {channel: known(rows.get(int(channel))) or 0.0 for channel in ORDER}
    whole = sum(counts.values())
    if not whole:
        return Nothing("", _("Nothing was received in this period"))
    names = dict(zip(ORDER, context.names("channel", [int(channel) for channel in ORDER]), strict=True))
    parts = {
        names[channel]: (
            count,
            CHANNEL_COLOURS[channel],
            f"{context.number(count)} · {context.percent(count / whole)}",
        )
        for channel, count in counts.items()
        if count
    }

    def make(look: Look) -> go.Figure:
        return figures.one_bar(look, context.language, parts)

    small = [f"{name} {text}" for name, (count, _colour, text) in parts.items() if count / whole <= figures.ROOM]
    unknown = float(rows.sum()) - whole
    note = _("{count} received", count=context.number(whole))
    if unknown > 0:
        note = _("{note}; of {count} more the channel is not known", note=note, count=context.number(unknown))
    if small:
        others = _("Other parts: {parts}", parts=", ".join(small))
        note = f"{note} · {others}"
    return ChartContent("", _("Mix of intake channels"), make, note)


def _mix_by_month(answers: Answers, context: Context) -> ChartContent | Nothing:
    _ = context.say
    frame = answers[0]
    _dimension, codes = time_codes(frame)
    table = frame.pivot_table(index="month", columns="channel", values="value", aggfunc="sum").reindex(codes)
    table = table.fillna(0).astype(float)
    whole = table.sum(axis=1)
    if not whole.sum():
        return Nothing("", _("Nothing was received in this period"))
    there = [channel for channel in ORDER if int(channel) in table.columns and table[int(channel)].sum()]
    names = context.names("channel", [int(channel) for channel in there])
    series, hover = [], []
    for channel, name in zip(there, names, strict=True):
        counts = table[int(channel)]
        shares = [float(count / all_) if all_ else None for count, all_ in zip(counts, whole, strict=True)]
        series.append(Line(name, shares, colour=CHANNEL_COLOURS[channel]))
        hover.append(
            [
                f"{context.percent(share)} ({context.number(count)}/{context.number(all_)})"
                for share, count, all_ in zip(shares, counts, whole, strict=True)
            ]
        )

    def make(look: Look) -> go.Figure:
        return figures.stacked_shares(look, context.language, codes, series, hover)

    return ChartContent("", _("Mix of intake channels by month"), make, _("share of received, known channel"))


def share_course(metrics: Sequence[str]) -> Chart:
    """Return the chart of some ratios over twelve months."""
    dashes = ("solid", "dash", "dot")
    colours = (COLOURS[Meaning.NEUTRAL], COLOURS[Meaning.UNKNOWN], CHANNEL_COLOURS[Channel.POST])

    def draw(answers: Answers, context: Context) -> ChartContent | Nothing:
        _ = context.say
        _dimension, codes = time_codes(answers[0])
        series, hover = [], []
        for metric, dash, colour in zip(metrics, dashes, colours, strict=False):
            rows = answers[0][answers[0]["metric"] == metric].set_index("month")
            if not rows["denominator"].sum():
                continue
            series.append(
                Line(context.label(metric), [known(rows["value"].get(code)) for code in codes], colour=colour,
                     dash=dash)
            )  # fmt: skip
            hover.append([parts_text(rows[rows.index == code].iloc[0], context) for code in codes])
        if not series:
            return Nothing("", _("Nothing occurred"))

        def make(look: Look) -> go.Figure:
            return figures.share_lines(look, context.language, codes, series, hover)

        return ChartContent("", _("Ratios by month"), make)

    return Chart(f"course-{metrics[0]}", later("Twelve months"), (Ask(tuple(metrics), span=Span.YEAR),), draw)


def by_dimension(metric: str, dimension: str, title: str) -> Chart:
    """Return the chart of one ratio by unit or field: ranked bars with the line of the target."""

    def draw(answers: Answers, context: Context) -> ChartContent | Nothing:
        _ = context.say
        rows = answers[0][answers[0]["denominator"] > 0].sort_values(["value", "denominator"], ascending=[True, False])
        if rows.empty:
            return Nothing("", _("Nothing occurred"))
        target = context.target(metric) if dimension == "unit" else None
        shown = rows.head(context.bars)
        bars = _share_bars(metric, shown, context.names(dimension, list(shown[dimension])), target, context)
        text = _("target {target}", target=context.percent(target)) if target is not None else ""

        def make(look: Look) -> go.Figure:
            return figures.ranked_bars(
                look, context.language, bars, target=target, target_text=text, top=max(1.0, target or 0)
            )

        note = context.definition(metric)
        if len(rows) > len(shown):
            lowest = _("the {shown} lowest of {count}", shown=len(shown), count=context.number(len(rows)))
            note = f"{lowest} · {note}"
        return ChartContent("", context.label(metric), make, note, rows=len(bars))

    return Chart(f"{metric}-by-{dimension}", title, (Ask((metric,), (dimension,)),), draw)


def _share_bars(metric: str, rows: pd.DataFrame, names: list[str], target: float | None, context: Context) -> list[Bar]:
    _ = context.say
    bars = []
    for name, (_place, row) in zip(names, rows.iterrows(), strict=True):
        value = float(row["value"])
        missed = target is not None and value < target - 1e-9
        few = int(row["denominator"]) < METRICS[metric].minimum
        text = parts_text(row, context)
        bars.append(Bar(name, value, f"{text} ✗" if missed else text, loud=missed or target is None, grey=few))
    return bars


def _payment(answers: Answers, context: Context) -> ChartContent | Nothing:
    _ = context.say
    metrics = ("online_payment_share", "digitised_share", "reused_share", "e_result_share", "post_out_share")
    bars = []
    for metric in metrics:
        found = figure(answers[0], metric)
        text = _("nothing occurred")
        if found.denominator:
            text = f"{found.text(context.language)} ({found.parts(context.language)})"
        bars.append(Bar(_(SHORT[metric]), found.value, text))
    if all(bar.value is None for bar in bars):
        return Nothing("", _("Nothing occurred"))

    def make(look: Look) -> go.Figure:
        return figures.ranked_bars(look, context.language, bars, top=1.0)

    return ChartContent("", _("What was done electronically"), make, _("each over its own dossiers"), rows=5)


def paper_procedures(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the procedures with an online service that are still handed in on paper, most paper first.

    `frame` answers `received` by procedure, online_level and channel. Columns: procedure, online_level, paper, online,
    known (received with a known channel), share (online of known).
    """
    rows = frame[(frame["metric"] == "received") & frame["channel"].notna()].copy()
    rows = rows[rows["online_level"].isin([int(OnlineLevel.PARTIAL), int(OnlineLevel.FULL)])]
    rows["value"] = rows["value"].astype(float)
    rows["online"] = rows["value"].where(rows["channel"] == int(Channel.ONLINE), 0.0)
    table = rows.groupby(["procedure", "online_level"], as_index=False)[["value", "online"]].sum()
    table = table.rename(columns={"value": "known"})
    table["paper"] = table["known"] - table["online"]
    table["share"] = table["online"] / table["known"].where(table["known"] > 0)
    table = table[table["paper"] > 0].sort_values(["paper", "known"], ascending=False)
    return table[["procedure", "online_level", "paper", "online", "known", "share"]].reset_index(drop=True)


def _to_convert(answers: Answers, context: Context) -> TableContent | Nothing:
    _ = context.say
    table = paper_procedures(answers[0])
    if table.empty:
        return Nothing("", _("No dossier of a procedure with online service was handed in on paper"), good=True)
    shown = table.head(context.rows)
    names = context.names("procedure", list(shown["procedure"]))
    levels = context.names("online_level", [int(level) for level in shown["online_level"]])
    rows = tuple(
        (
            Cell(name),
            Cell(level),
            Cell(context.number(row["paper"])),
            Cell(context.number(row["known"])),
            Cell(context.percent(row["share"])),
        )
        for name, level, (_place, row) in zip(names, levels, shown.iterrows(), strict=True)
    )
    columns = (
        Column(_("Procedure"), width=4),
        Column(_("Online service"), width=1.4),
        Column(_("Handed in on paper"), number=True),
        Column(_("Received"), number=True),
        Column(_("Online"), number=True),
    )
    return TableContent("", columns, rows, rest(len(table), len(shown), context))


def _lead(answers: Answers, context: Context) -> str:
    _ = context.say
    all_, offered = figure(answers[0], OF_ALL), figure(answers[0], ELIGIBLE)
    if not all_.denominator:
        return _("Nothing was received in this period")
    return _(
        "Online: {all} of all received ({parts}); {offered} where online is offered ({offered_parts})",
        all=all_.text(context.language),
        parts=all_.parts(context.language),
        offered=offered.text(context.language),
        offered_parts=offered.parts(context.language) if offered.denominator else _("nothing occurred"),
    )


MIX = Chart("channel-mix", later("How dossiers come in"), (Ask(("received",), ("channel",)),), _mix)
MIX_BY_MONTH = Chart(
    "channel-months", later("Channels by month"), (Ask(("received",), ("channel",), Span.YEAR),), _mix_by_month
)
ONLINE_BY_UNIT = by_dimension(ELIGIBLE, "unit", later("Online by unit"))
ELECTRONIC = Chart(
    "electronic", later("Payment, digitisation, return"),
    (Ask(("online_payment_share", "digitised_share", "reused_share", "e_result_share", "post_out_share")),), _payment,
)  # fmt: skip
TO_CONVERT_ASK = Ask(("received",), ("procedure", "online_level", "channel"))
TO_CONVERT = Table("to-convert", later("Still handed in on paper"), (TO_CONVERT_ASK,), _to_convert)
LEAD = Lead((Ask((OF_ALL, ELIGIBLE)),), _lead)
