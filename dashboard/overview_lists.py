"""The two lists of the overview: which units need action, and which do better than their targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import navigation, numbers
from dashboard.cards import card, good
from dashboard.draw import Draw
from dashboard.figures import amount, wide
from dashboard.shell import age_note
from dashboard.texts import _, plain
from dashboard.tiles import difference, title
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


def judged(draw: Draw, period: Period, filters: Filters) -> list[Judged]:
    """Return every share of every unit that has a target and enough cases, the farthest below its target first."""
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
    frame = draw.ask(COUNTS, period, by=("unit",), filters=filters)
    table = wide(frame, "unit", COUNTS).fillna(0)
    table = table[table["overdue"] > 0].sort_values(["overdue", "open"], ascending=False)
    late = draw.worklist("overdue", filters, limit=5000, at=period)[0]
    oldest = late.groupby("unit")["days_late"].max() if len(late) else pd.Series(dtype=float)
    names = draw.names("unit", [str(code) for code in table.index])
    missed = {one.unit: one for one in reversed(verdicts) if not one.met}
    with card("calls", _("Needs action"), age_note(draw)):
        if table.empty:
            good(_("No unit has overdue dossiers"))
        for code, row in table.head(CALL_ROWS).iterrows():
            _call(draw, str(code), names.get(code, str(code)), row, oldest.get(code), missed.get(str(code)))
        if len(table) > CALL_ROWS:
            navigation.link(navigation.WORKLIST, _("All {count} units with overdue dossiers", count=len(table)))


def _call(draw: Draw, code: str, name: str, row: pd.Series, oldest: float | None, missed: Judged | None) -> None:
    overdue = _("{count} overdue", count=numbers.number(row["overdue"], draw.language))
    bits = [_("{count} open", count=numbers.number(row["open"], draw.language))]
    if row["due_soon_24h"]:
        bits.append(_("{count} due soon", count=numbers.number(row["due_soon_24h"], draw.language)))
    if oldest is not None and oldest == oldest:  # noqa: PLR0124 - NaN is not itself
        bits.append(_("latest by {days} days", days=numbers.number(oldest, draw.language)))
    notes = [" · ".join(bits), *([_against(draw, missed)] if missed is not None else [])]
    with st.container(key=f"call-{code}", gap=None):
        navigation.link(
            navigation.UNIT, f"{plain(name)} :red-badge[:material/warning: {overdue}]", unit=code, icon=False
        )
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
