"""Charts and tables of the handling itself: flow, backlog, overdue, ranking, units to urge."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard import numbers
from dashboard.boards import figures
from dashboard.boards.content import Cell, ChartContent, Column, Look, Nothing, TableContent
from dashboard.boards.context import Context, known
from dashboard.boards.declaration import Answers, Ask, Chart, Lead, Ranked, Span, Table
from dashboard.boards.figures import Bar, Line
from dashboard.figures import figure, wide
from dashboard.theme import Meaning
from dashboard.words import later
from metrics.dimensions import OVERDUE_AGES
from metrics.ranking import DEFAULT as METHOD

LONG_LATE = ("30-89", "90+")


def time_codes(frame: pd.DataFrame) -> tuple[str, list[str]]:
    """Return the time dimension of an answer and its codes in order."""
    dimension = "month" if "month" in frame.columns else "day"
    return dimension, sorted(set(frame[dimension]))


def along(frame: pd.DataFrame, metric: str) -> list[float | None]:
    """Return the values of a metric along the time of an answer, None where nothing is known."""
    dimension, codes = time_codes(frame)
    rows = frame[frame["metric"] == metric].set_index(dimension)["value"]
    return [known(rows.get(code)) for code in codes]


def _flow(answers: Answers, context: Context) -> ChartContent | Nothing:
    _ = context.say
    frame = answers[0]
    _dimension, codes = time_codes(frame)
    received, resolved = along(frame, "received"), along(frame, "resolved")
    title = _("Received and resolved")
    if not any((value or 0) > 0 for value in [*received, *resolved]):
        return Nothing(title, _("Nothing was received or resolved in this period"))

    def make(look: Look) -> go.Figure:
        series = [
            Line(_("Received"), received, Meaning.UNKNOWN),
            Line(_("Resolved"), resolved, Meaning.NEUTRAL),
        ]
        return figures.columns(look, context.language, codes, series)

    return ChartContent(title, _("Dossiers received and resolved along time"), make, _("dossiers"))


def _backlog(answers: Answers, context: Context) -> ChartContent | Nothing:
    _ = context.say
    frame = answers[0]
    _dimension, codes = time_codes(frame)
    opened, overdue = along(frame, "open"), along(frame, "overdue")

    def make(look: Look) -> go.Figure:
        series = [
            Line(_("Open"), opened, Meaning.NEUTRAL, fill=True),
            Line(_("Overdue"), overdue, Meaning.OVERDUE, fill=True),
        ]
        return figures.lines(look, context.language, codes, series)

    return ChartContent(
        _("Backlog and overdue"), _("Open and overdue dossiers along time"), make, _("dossiers at the end of the day")
    )


def _overdue_by_unit(answers: Answers, context: Context) -> ChartContent | Nothing:
    _ = context.say
    table = wide(answers[0], "unit", ("overdue", "open", "overdue_share"))
    table = table[table["overdue"] > 0].sort_values(["overdue", "open"], ascending=False)
    if table.empty:
        return Nothing("", _("No unit has overdue dossiers"), good=True)
    shown = table.head(context.bars)
    names = context.names("unit", list(shown.index))
    bars = [
        Bar(
            name,
            float(row["overdue"]),
            context.number(row["overdue"]),
            _("{name}: {overdue} overdue of {open} open", name=name, overdue=context.number(row["overdue"]),
              open=context.number(row["open"])),
        )
        for name, (_code, row) in zip(names, shown.iterrows(), strict=True)
    ]  # fmt: skip

    def make(look: Look) -> go.Figure:
        return figures.ranked_bars(look, context.language, bars, meaning=Meaning.OVERDUE)

    return ChartContent("", _("Overdue dossiers by unit"), make, rest(len(table), len(shown), context), rows=len(bars))


def rest(count: int, shown: int, context: Context) -> str:
    """Say how many units there are beyond those that are shown; empty where all are."""
    _ = context.say
    if count <= shown:
        return ""
    return _("the {shown} most of {count} units", shown=shown, count=context.number(count))


def _ages(answers: Answers, context: Context) -> ChartContent | Nothing:
    _ = context.say
    rows = answers[0][answers[0]["metric"] == "overdue"].set_index("overdue_age")["value"]
    counts = {age: known(rows.get(age)) or 0.0 for age in OVERDUE_AGES}
    whole = sum(counts.values())
    if not whole:
        return Nothing("", _("There are no overdue dossiers"), good=True)
    words = dict(zip(counts, context.names("overdue_age", list(counts)), strict=True))
    bars = [
        Bar(words[age], count, f"{context.number(count)} · {context.percent(count / whole)}", loud=age in LONG_LATE)
        for age, count in counts.items()
    ]

    def make(look: Look) -> go.Figure:
        return figures.ranked_bars(look, context.language, bars, meaning=Meaning.OVERDUE)

    return ChartContent("", _("Overdue dossiers by how late they are"), make, _("days past the due date"), rows=4)


def movement(row: Any) -> str:  # noqa: ANN401 - a row of the ranking
    """Return the places won or lost as a sign and a number."""
    if pd.isna(row["rank"]) or pd.isna(row["previous_rank"]):
        return numbers.NONE
    steps = int(row["previous_rank"] - row["rank"])
    return "=" if steps == 0 else f"▲ {steps}" if steps > 0 else f"▼ {-steps}"


def _ranking(answers: Answers, context: Context) -> TableContent | Nothing:
    _ = context.say
    ranking = answers[0]
    placed = ranking[ranking["rank"].notna()]
    if placed.empty:
        return Nothing("", _("No unit has enough dossiers in this period"))
    shown = _both_ends(placed, context.rows)
    names = dict(zip(shown["unit"], context.names("unit", [str(code) for code in shown["unit"]]), strict=True))
    parts = [part.metric for part in METHOD.parts]
    rows = [
        (
            Cell(context.number(row["rank"])),
            Cell(movement(row)),
            Cell(names[row["unit"]]),
            Cell(context.number(row["score"], 1)),
            *(Cell(context.percent(row[f"{metric}_value"])) for metric in parts),
            Cell(context.number(row["volume"])),
        )
        for _place, row in shown.iterrows()
    ]
    columns = (
        Column(_("Place"), number=True, width=0.5),
        Column(_("Moved"), number=True, width=0.6),
        Column(_("Unit"), width=1.8),
        Column(_("Score"), number=True, width=0.6),
        *(Column(context.head(metric), number=True) for metric in parts),
        Column(_("Received"), number=True, width=0.8),
    )
    note = _("method {version}", version=METHOD.version)
    if len(placed) > len(shown):
        ends = _("first and last places of {count}", count=context.number(len(placed)))
        note = f"{ends} · {note}"
    return TableContent("", columns, tuple(rows), note)


def _both_ends(placed: pd.DataFrame, room: int) -> pd.DataFrame:
    """The best and the last places where there is no room for all."""
    if len(placed) <= room:
        return placed
    first = room - room // 3
    return pd.concat([placed.head(first), placed.tail(room - first)])


URGE = ("overdue", "due_soon_24h", "slow_acceptance", "open")


def _to_urge(answers: Answers, context: Context) -> TableContent | Nothing:
    _ = context.say
    now, ages, before = answers
    table = wide(now, "unit", URGE).fillna(0)
    past = wide(before, "unit", ("overdue",))["overdue"]
    long_late = ages[ages["overdue_age"].isin(LONG_LATE)].groupby("unit")["value"].sum()
    table = table[(table["overdue"] > 0) | (table["slow_acceptance"] > 0)]
    table = table.sort_values(["overdue", "slow_acceptance", "open"], ascending=False)
    if table.empty:
        return Nothing("", _("No unit has overdue dossiers"), good=True)
    shown = table.head(context.rows)
    names = context.names("unit", list(shown.index))
    rows = []
    for name, (code, row) in zip(names, shown.iterrows(), strict=True):
        late = known(long_late.get(code)) or 0
        change = row["overdue"] - (known(past.get(code)) or 0) if context.view.compared else None
        rows.append(
            (
                Cell(name),
                Cell(context.number(row["overdue"]), Meaning.OVERDUE if row["overdue"] else None),
                Cell(moved(change, context), _worse(change)),
                Cell(context.number(late), Meaning.OVERDUE if late else None),
                Cell(context.number(row["due_soon_24h"]), Meaning.DUE_SOON if row["due_soon_24h"] else None),
                Cell(context.number(row["slow_acceptance"]), Meaning.OVERDUE if row["slow_acceptance"] else None),
                Cell(context.number(row["open"])),
            )
        )
    return TableContent("", _urge_columns(context), tuple(rows), rest(len(table), len(shown), context))


def moved(change: float | None, context: Context) -> str:
    """Write a change of a count as a sign and an amount; a dash where there is nothing to compare with."""
    if change is None:
        return numbers.NONE
    if not change:
        return "="
    return f"{'▲' if change > 0 else '▼'} {context.number(abs(change))}"


def _worse(change: float | None) -> Meaning | None:
    return None if not change else Meaning.OVERDUE if change > 0 else Meaning.ON_TIME


def _urge_columns(context: Context) -> tuple[Column, ...]:
    _ = context.say
    return (
        Column(_("Unit"), width=1.8),
        Column(_("Overdue"), number=True),
        Column(_("Change"), number=True),
        Column(_("Over 30 days late"), number=True),
        Column(_("Due soon"), number=True),
        Column(_("Slow acceptance"), number=True),
        Column(_("Open"), number=True),
    )


def _summary_lead(answers: Answers, context: Context) -> str:
    _ = context.say
    received, resolved = figure(answers[0], "received"), figure(answers[0], "resolved")
    rate, opened = figure(answers[0], "on_time_06"), figure(answers[0], "open")
    if not received.value and not resolved.value:
        return _("Nothing was received or resolved in this period")
    return _(
        "{received} received, {resolved} resolved, {rate} of them early or on time; {open} still open",
        received=context.number(received.value),
        resolved=context.number(resolved.value),
        rate=rate.text(context.language),
        open=context.number(opened.value),
    )


def _overdue_lead(answers: Answers, context: Context) -> str:
    _ = context.say
    table = wide(answers[0], "unit", ("overdue",))["overdue"]
    late = table[table > 0].sort_values(ascending=False)
    if late.empty:
        return _("There are no overdue dossiers")
    name = context.names("unit", [late.index[0]])[0]
    return _(
        "{count} overdue dossiers at {units} of {all} units; most at {name}: {most}",
        count=context.number(late.sum()),
        units=len(late),
        all=len(table),
        name=name,
        most=context.number(late.iloc[0]),
    )


def _ranking_lead(answers: Answers, context: Context) -> str:
    _ = context.say
    placed = answers[0][answers[0]["rank"].notna()].sort_values("rank")
    if len(placed) < 2:
        return ""
    ends = placed.iloc[[0, -1]]
    first, last = context.names("unit", [str(code) for code in ends["unit"]])
    best, least = (context.number(score, 1) for score in ends["score"])
    return _("First {first} ({best} points), last {last} ({least})", first=first, best=best, last=last, least=least)


FLOW = Chart("flow", later("Received and resolved"), (Ask(("received", "resolved"), span=Span.COURSE),), _flow)
BACKLOG = Chart("backlog", later("Backlog and overdue"), (Ask(("open", "overdue"), span=Span.COURSE),), _backlog)
OVERDUE_BY_UNIT = Chart(
    "overdue-by-unit", later("Overdue by unit"), (Ask(("overdue", "open", "overdue_share"), ("unit",)),),
    _overdue_by_unit,
)  # fmt: skip
AGES = Chart("overdue-ages", later("How late they are"), (Ask(("overdue",), ("overdue_age",)),), _ages)
RANKING = Table("ranking", later("Places"), (Ranked(),), _ranking)
TO_URGE = Table(
    "to-urge",
    later("Units to urge"),
    (Ask(URGE, ("unit",)), Ask(("overdue",), ("unit", "overdue_age")), Ask(("overdue",), ("unit",), Span.COMPARED)),
    _to_urge,
)
SUMMARY_LEAD = Lead((Ask(("received", "resolved", "on_time_06", "open")),), _summary_lead)
RANKING_LEAD = Lead((Ranked(),), _ranking_lead)
OVERDUE_LEAD = Lead((Ask(("overdue",), ("unit",)),), _overdue_lead)
