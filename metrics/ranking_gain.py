"""What would move a unit up in the ranking: for each part of its score, how many events lift it over the next unit.

One event is something an office can do, with all that it changes in the score: an overdue dossier that is finished
leaves the overdue and the open ones, but it was resolved late. Everything else stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metrics.definitions import METRICS
from metrics.metric import Sum
from metrics.ranking import DEFAULT, Method, Part
from warehouse.errors import BadQuestion

MOST = 20_000
"""So many events are tried; a part that would need more does not lift the unit."""
ACTS: Mapping[str, Mapping[str, int]] = {
    "on_time_06": {"resolved_on_time": 1},
    "overdue_share": {"overdue": -1, "open": -1, "resolved_late": 1},
    "online_share_eligible": {"eligible": 1, "eligible_online": 1},
    "satisfied_share": {"satisfied_three": 1, "answered_three": 1},
}
"""By part what one event changes in the counters; for other parts it is one more case that is as it should be."""
COLUMNS = ("part", "numerator", "denominator", "value", "weight", "points", "missing", "needed", "rank", "score")


@dataclass(frozen=True, slots=True)
class Next:
    """The units right above: their score, their place, and their codes, several where they share it."""

    units: tuple[str, ...]
    score: float
    rank: int


def next_above(ranking: pd.DataFrame, unit: str) -> Next | None:
    """Return who stands right above a unit among its kind; None where it leads or is not ranked.

    Raises BadQuestion when the ranking (of `rank_units`) does not have the unit.
    """
    own = _row(ranking, unit)
    if pd.isna(own["rank"]):
        return None
    above = _others(ranking, unit)
    above = above[above["rank"] == int(own["rank"]) - 1]
    if above.empty:
        return None
    return Next(tuple(map(str, above["unit"])), float(above["score"].iloc[0]), int(own["rank"]) - 1)


def gains(ranking: pd.DataFrame, unit: str, method: Method = DEFAULT) -> pd.DataFrame:
    """Return one row for each part of the score of a unit, the part with the most points to gain first: COLUMNS.

    `missing` are the points between it and the best value; `needed` the fewest events of ACTS with which the score is
    above that of the next unit, `rank` and `score` those it then has; missing where no number of them is enough, the
    unit leads or is not ranked. Raises BadQuestion as `next_above`.
    """
    own, above = _row(ranking, unit), next_above(ranking, unit)
    scores = _others(ranking, unit).loc[lambda rows: rows["rank"].notna(), "score"].astype(float)
    rows = []
    for part in method.parts:
        cells = {name: own[f"{part.metric}_{name}"] for name in COLUMNS[1:6]}
        known = not pd.isna(cells["points"])
        missing = float(cells["weight"]) - float(cells["points"]) if known else None
        found = None if above is None else _fewest(own, part, above.score, method)
        rank = None if found is None else 1 + scores[scores > found[1]].nunique()
        rows.append((part.metric, *cells.values(), missing, *((found[0], rank, found[1]) if found else (None,) * 3)))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    whole = dict.fromkeys(("numerator", "denominator", "needed", "rank"), "Int64")
    parts = dict.fromkeys(("value", "weight", "points", "missing", "score"), "Float64")
    frame = frame.astype({"part": "str", **whole, **parts})
    return frame.sort_values("missing", ascending=False, na_position="last", ignore_index=True)


def _row(ranking: pd.DataFrame, unit: str) -> pd.Series:
    rows = ranking[ranking["unit"] == unit]
    if rows.empty:
        raise BadQuestion(f"the ranking does not have the unit {unit!r}")
    return rows.iloc[0]


def _others(ranking: pd.DataFrame, unit: str) -> pd.DataFrame:
    """The units of the same kind; units of an unknown kind are ranked among themselves."""
    kind = _row(ranking, unit)["unit_kind"]
    same = ranking["unit_kind"].isna() if pd.isna(kind) else ranking["unit_kind"] == kind
    return ranking[same & (ranking["unit"] != unit)]


def _fewest(own: pd.Series, part: Part, score: float, method: Method) -> tuple[int, float] | None:
    """The smallest number of events of a part with which the score is higher than another, and the score then."""
    act, most = ACTS.get(part.metric), MOST
    if act is not None and any(change < 0 for change in act.values()):
        most = int(own[f"{part.metric}_numerator"])  # nobody can finish more overdue dossiers than there are
    events = np.arange(most + 1)
    reached = _scores(own, part, events, method)
    enough = np.flatnonzero(reached[1:] > score)
    return None if not enough.size else (int(enough[0]) + 1, float(reached[enough[0] + 1]))


def _scores(own: pd.Series, moved: Part, events: np.ndarray, method: Method) -> np.ndarray:
    """The scores after so many events each, as metrics/ranking.py computes and rounds them."""
    good, known = [], []
    for part in method.parts:
        top, bottom = _changes(moved, part)
        numerator = float(own[f"{part.metric}_numerator"]) + top * events
        denominator = float(own[f"{part.metric}_denominator"]) + bottom * events
        measured = denominator > 0
        value = np.divide(numerator, denominator, out=np.zeros(len(events)), where=measured)
        good.append(np.where(measured, 1 - value if part.lower_is_better else value, 0))
        known.append(measured * part.weight)
    available = np.sum(known, axis=0)
    points = np.array([100 * weight * share for weight, share in zip(known, good, strict=True)]).sum(axis=0)
    shares = np.divide(points, available, out=np.zeros(len(events)), where=available > 0)
    rounded: np.ndarray = np.round(shares, method.decimals)
    return rounded


def _changes(moved: Part, part: Part) -> tuple[int, int]:
    """What one event of a part adds to numerator and denominator of a part, itself or another."""
    act = ACTS.get(moved.metric)
    metric = METRICS[part.metric]
    if act is not None:
        return _sum(metric.numerator, act), _sum(metric.denominator, act)
    return (0 if part.lower_is_better else 1, 1) if moved == part else (0, 0)


def _sum(terms: Sum, act: Mapping[str, int]) -> int:
    return sum(sign * act.get(name, 0) for sign, name in terms)


__all__ = ["ACTS", "COLUMNS", "Next", "gains", "next_above"]
