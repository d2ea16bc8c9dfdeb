"""The two lists of the overview: which units need action, and which do better than their targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import navigation, numbers
from dashboard.cards import card, good
from dashboard.draw import Draw, chosen, span
from dashboard.figures import amount, wide
from dashboard.shell import age_note
from dashboard.texts import _, plain
from dashboard.tiles import difference, title
from dashboard.worklist_ask import asked, groups
from metrics import METRICS, Period
from metrics.targets import Attainment, attained

COUNTS = ("overdue", "due_soon_24h", "open")
TARGETED = (
    "on_time_06", "online_share_eligible", "full_online_share", "satisfied_share", "digitised_share", "reused_share",
    "online_payment_share", "slow_acceptance_share",
)  # fmt: skip
"""The shares that are held against targets where there are some."""
CALL_ROWS, BEST_ROWS = 6, 6

Filters = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Judged:
    """One share of one unit against its target; `distance` above 0 is better."""

    unit: str
    metric: str
    value: float
    target: float
    distance: float
    met: bool


def judged(draw: Draw, period: Period, filters: Filters) -> Sequence[Judged]:
    """Return every share of every unit that has a target and enough cases, the farthest below its target first."""
    return draw.kept("judged", span(period), chosen(filters), make=lambda: _judge(draw, period, filters))


def _judge(draw: Draw, period: Period, filters: Filters) -> Sequence[Judged]:
    units = draw.units()
    leaves = [str(code) for code in units.loc[~units["code"].isin(units["parent"]), "code"]]
    valid = draw.targets(TARGETED, leaves)
    if valid.empty:
        return []
    names = tuple(name for name in TARGETED if name in set(valid["metric"]))
    measured = draw.ask(names, period, by=("unit",), filters=filters)
    least = measured["metric"].map(lambda name: max(1, METRICS[str(name)].minimum))
    enough = measured[measured["denominator"].fillna(0) >= least]
    rows = attained(enough, valid[valid["unit"].isin(enough["unit"])].reset_index(drop=True), draw.today)
    rows = rows[rows["attainment"] != Attainment.NOT_MEASURED].sort_values(["distance", "unit"])
    return [_judged(row) for row in rows.to_dict("records")]


def _judged(row: Mapping[Any, Any]) -> Judged:
    value, target, distance = (float(row[name]) for name in ("value", "target", "distance"))
    return Judged(row["unit"], row["metric"], value, target, distance, row["attainment"] == Attainment.MET)


def call_list(draw: Draw, period: Period, verdicts: Sequence[Judged], filters: Filters | None = None) -> None:
    """List the units that need action: most overdue first, with the oldest case, what is next, a missed target."""
    rows = draw.kept("calls", span(period), chosen(filters), make=lambda: _calls(draw, period, filters or {}))
    missed = {one.unit: one for one in reversed(verdicts) if not one.met}
    with card("calls", _("Needs action"), age_note(draw)):
        if not rows:
            good(_("No unit has overdue dossiers"))
        for row in rows[:CALL_ROWS]:
            _call(draw, row, missed.get(row.unit))
        if len(rows) > CALL_ROWS:
            navigation.link(navigation.WORKLIST, _("All {count} units with overdue dossiers", count=len(rows)))


@dataclass(frozen=True, slots=True)
class Call:
    """What a unit has to do; `oldest` are the days that its oldest overdue dossier is late."""

    unit: str
    name: str
    overdue: float
    due_soon: float
    open: float
    oldest: float | None


def _calls(draw: Draw, period: Period, filters: Filters) -> Sequence[Call]:
    """Return the units with overdue dossiers, the most first."""
    table = wide(draw.ask(COUNTS, period, by=("unit",), filters=filters), "unit", COUNTS).fillna(0)
    table = table[table["overdue"] > 0].sort_values(["overdue", "open"], ascending=False)
    at = min(draw.as_of, period.end)
    late = groups(draw, "overdue", asked(dict(chosen(filters))), ("unit",), at).set_index("unit")
    oldest = {unit: (at - first) // timedelta(days=1) for unit, first in late["first"].items()}
    names = draw.names("unit", [str(code) for code in table.index])
    counts = table[list(COUNTS)].to_dict("index")
    return [
        Call(
            str(code),
            str(names.get(code, code)),
            row["overdue"],
            row["due_soon_24h"],
            row["open"],
            None if pd.isna(days := oldest.get(code)) else float(days),
        )
        for code, row in counts.items()
    ]


def _call(draw: Draw, row: Call, missed: Judged | None) -> None:
    overdue = _("{count} overdue", count=numbers.number(row.overdue, draw.language))
    bits = [_("{count} open", count=numbers.number(row.open, draw.language))]
    if row.due_soon:
        bits.append(_("{count} due soon", count=numbers.number(row.due_soon, draw.language)))
    if row.oldest is not None:
        bits.append(_("latest by {days} days", days=numbers.number(row.oldest, draw.language)))
    notes = [" · ".join(bits), *([_against(draw, missed)] if missed is not None else [])]
    label = f"{plain(row.name)} :red-badge[:material/warning: {overdue}]"
    with st.container(key=f"call-{row.unit}", gap=None):
        navigation.link(navigation.UNIT, label, unit=row.unit, icon=False)
        st.caption("  \n".join(notes))


def _against(draw: Draw, one: Judged) -> str:
    value, target = (amount(one.metric, number, draw.language) for number in (one.value, one.target))
    words = _("{metric} {value}, target {target}", metric=title(draw, one.metric), value=value, target=target)
    return words if one.met else f":red[{words}]"


def best_list(draw: Draw, verdicts: Sequence[Judged]) -> None:
    """List the units that are farthest above a target, each with its best share and how many targets it meets."""
    best: dict[str, Judged] = {}
    for one in reversed(verdicts):
        if one.met and one.distance > 0:
            best.setdefault(one.unit, one)
    names = draw.names("unit", list(best))
    with card("best", _("Above target"), age_note(draw)):
        if not verdicts:
            st.caption(_("No targets are stored. An operator loads them: ioc targets load default."))
        elif not best:
            st.caption(_("No unit is above a target in this period"))
        for code, one in list(best.items())[:BEST_ROWS]:
            own = [other.met for other in verdicts if other.unit == code]
            above = difference(one.metric, abs(one.distance), draw) or ""
            with st.container(key=f"call-best-{code}", gap=None):
                navigation.link(
                    navigation.UNIT,
                    f"{plain(names.get(code, code))} :green-badge[:material/check_circle: {above}]",
                    unit=code,
                    icon=False,
                )
                met = _("{met} of {all} targets met", met=sum(own), all=len(own))
                st.caption(f"{_against(draw, one)} · {met}")
