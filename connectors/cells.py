"""The rollup cells of new dossiers, summed up here before PostgreSQL sees them: a batch has many dossiers to a cell.

What a dossier contributes is said in `warehouse.rollups`, which does the same in SQL where versions are replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from connectors.batch import Mask
from warehouse.rollups import COUNTERS
from warehouse.vocabulary import CLOSED, WITH_RESULT, WITHOUT_RESULT

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Moment:
    """An instant of each dossier: its second and its civil day, and whether it is known."""

    second: Ints
    day: Ints
    known: Mask

    @classmethod
    def of(cls, instants: pd.Series, zone: ZoneInfo) -> _Moment:
        utc = pd.DatetimeIndex(instants)
        known = np.asarray(utc.notna())
        civil = utc.tz_convert(zone).tz_localize(None).as_unit("s")
        second = np.where(known, utc.as_unit("s").asi8, 0)
        return cls(second, np.where(known, civil.asi8, 0) // 86_400, known)


def new_cells(rows: pd.DataFrame, zone: ZoneInfo) -> pd.DataFrame:
    """Sum up what dossiers contribute: a row for each unit, channel and day, with every counter."""
    unit, units = pd.factorize(rows["unit"])
    channel, channels = pd.factorize(rows["channel"].fillna(0))
    place = unit * len(channels) + channel
    events = list(_events(rows, zone))
    day = np.concatenate([moment.day[happened] for moment, happened, _ in events])
    places = np.concatenate([place[happened] for _, happened, _ in events])
    first, days = (int(day.min()), int(np.ptp(day)) + 1) if len(day) else (0, 1)
    keys, cell = np.unique(places * days + (day - first), return_inverse=True)
    cells = pd.DataFrame(
        {
            "unit": pd.Series(units[keys // days // len(channels)], dtype="str"),
            "channel": pd.Series(channels[keys // days % len(channels)], dtype="Int64"),
            "day": (keys % days + first).astype("M8[D]").astype("M8[s]"),
        }
    )
    for name in COUNTERS:
        counted = [
            marks[name][happened] if name in marks else np.zeros(happened.sum()) for _, happened, marks in events
        ]
        cells[name] = np.bincount(cell, np.concatenate(counted), len(keys)).astype(np.int64)
    return cells[cells[list(COUNTERS)].any(axis=1)].sort_values(["unit", "channel", "day"])


def _events(rows: pd.DataFrame, zone: ZoneInfo) -> Iterator[tuple[_Moment, Mask, dict[str, Mask]]]:
    """The three events of a dossier: when, for which dossiers, and what each counts as."""
    received, due, finished = (_Moment.of(rows[name], zone) for name in ("received_at", "due_at", "finished_at"))
    closed, refused = (_has(rows["status"], codes) for codes in (CLOSED, WITHOUT_RESULT))
    with_result = _has(rows["status"], WITH_RESULT) | np.asarray(rows["status"].isna())
    counts = received.known & (finished.known | ~closed)
    late = due.known & finished.known & (due.second < finished.second)
    in_time = with_result & due.known & (finished.second <= due.second)
    earlier_day = finished.day < due.day
    yield received, received.known, {"received": received.known}
    yield due, counts & due.known, {"fell_due": due.known, "became_overdue": ~finished.known | late}
    yield finished, counts & finished.known, {
        "resolved_early": in_time & earlier_day,
        "resolved_on_time": in_time & ~earlier_day,
        "resolved_late": with_result & late,
        "resolved_no_due": with_result & ~due.known,
        "closed_without_result": refused,
        "left_overdue": late,
    }  # fmt: skip


def _has(status: pd.Series, codes: frozenset[int]) -> Mask:
    return np.asarray(status.isin([int(code) for code in codes]), dtype=bool)


__all__ = ["new_cells"]
