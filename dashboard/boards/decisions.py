"""What the meeting should conclude: every matter that has cases, how many, whether more than before, and where most."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from dashboard.boards.content import Cell, Column, Nothing, TableContent
from dashboard.boards.context import Context, known
from dashboard.boards.declaration import Answers, Ask, Lead, Span, Table
from dashboard.boards.handling import moved
from dashboard.figures import figure
from dashboard.theme import Meaning
from dashboard.words import later

ONLINE = "online_share_eligible"


@dataclass(frozen=True, slots=True)
class Matter:
    """A stock of dossiers that nobody wants, and what has to be concluded about it."""

    metric: str
    words: str
    task: str


MATTERS = (
    Matter("overdue", later("Overdue dossiers"), later("deadline to finish, apology and new date of return")),
    Matter(
        "slow_acceptance",
        later("Online dossiers not accepted after 8 working hours"),
        later("accept or refuse at once"),
    ),
    Matter("finished_not_returned", later("Finished but not handed over"), later("hand over, or close in the system")),
    Matter("stale", later("Dossiers without any step for days"), later("name who is in charge")),
    Matter("waiting", later("Waiting for the applicant"), later("check that supplements are asked for only once")),
)
STOCKS = tuple(matter.metric for matter in MATTERS)
MOST = 3


def _write(answers: Answers, context: Context) -> TableContent | Nothing:
    _ = context.say
    now, whole, before, shares = answers
    rows = [row for matter in MATTERS if (row := _matter(matter, now, whole, before, context)) is not None]
    if (row := _online(shares, context)) is not None:
        rows.append(row)
    if not rows:
        return Nothing("", _("No matter needs a conclusion"), good=True)
    columns = (
        Column(_("Matter"), width=2.2),
        Column(_("Number"), number=True, width=0.7),
        Column(_("Change"), number=True, width=0.7),
        Column(_("Most at"), width=2.6),
        Column(_("To conclude"), width=2.4),
    )
    return TableContent("", columns, tuple(rows))


def _matter(
    matter: Matter, now: pd.DataFrame, whole: pd.DataFrame, before: pd.DataFrame, context: Context
) -> tuple[Cell, ...] | None:
    _ = context.say
    count, past = figure(whole, matter.metric).value, figure(before, matter.metric).value
    if not count:
        return None
    values = now[now["metric"] == matter.metric].set_index("unit")["value"].astype(float)
    most = values[values > 0].sort_values(ascending=False).head(MOST)
    names = context.names("unit", list(most.index))
    places = ", ".join(f"{name} ({context.number(value)})" for name, value in zip(names, most, strict=True))
    change = moved(count - (past or 0) if context.view.compared else None, context)
    worse = matter.metric in {"overdue", "slow_acceptance"}
    meaning = Meaning.OVERDUE if worse else None
    return (
        Cell(_(matter.words)),
        Cell(context.number(count), meaning),
        Cell(change),
        Cell(places),
        Cell(_(matter.task)),
    )


def _online(shares: pd.DataFrame, context: Context) -> tuple[Cell, ...] | None:
    """The units under the target of online hand-in, the lowest first."""
    _ = context.say
    target = context.target(ONLINE)
    rows = shares[shares["denominator"] > 0]
    if target is None or rows.empty:
        return None
    under = rows[rows["value"] < target].sort_values("value")
    if under.empty:
        return None
    lowest = under.head(MOST)
    names = context.names("unit", list(lowest["unit"]))
    places = ", ".join(
        f"{name} ({context.percent(known(value))})" for name, value in zip(names, lowest["value"], strict=True)
    )
    words = _("Units under the target of {target} online", target=context.percent(target, 0))
    return (
        Cell(words), Cell(f"{len(under)}/{len(rows)}"), Cell("–"), Cell(places), Cell(_("plan to convert procedures")),
    )  # fmt: skip


def _lead(answers: Answers, context: Context) -> str:
    _ = context.say
    there = sum(bool(figure(answers[0], metric).value) for metric in STOCKS)
    if not there:
        return _("No matter needs a conclusion")
    return _("{count} matters to conclude on; figures as of this meeting", count=there)


MATTERS_TABLE = Table(
    "matters",
    later("Matters to conclude on"),
    (Ask(STOCKS, ("unit",)), Ask(STOCKS), Ask(STOCKS, span=Span.COMPARED), Ask((ONLINE,), ("unit",))),
    _write,
)
LEAD = Lead((Ask(STOCKS),), _lead)
