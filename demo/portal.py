"""The second source: what the national portal holds of the same dossiers after a vendor's push, with its known habits.

Which habit a dossier meets is drawn from its code alone, so the list of disagreements can be declared, and a test can
compare it with what a reconciliation finds. The habits are those of real push code.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np

from demo.draw import chance
from demo.intake import Intake, Page, stamp
from demo.office import Ints
from demo.records import Record, dossier_records, status_at, take
from warehouse.vocabulary import Status

_SALT = 401
PUSHED_AS_FINISHED = (Status.SUPPLEMENT_REQUESTED, Status.PAYMENT_REQUESTED, Status.STOPPED)
"""The push sends each of these as 9, of every dossier."""


class Habit(StrEnum):
    """What happens to a dossier on its way to the portal."""

    NEVER_SENT = "never_sent"
    OTHER_CODE = "other_code"  # a code without the province's number is replaced by a made-up one
    NO_DUE = "no_due"
    OTHER_END = "other_end"  # the hand-over (NgayTra) is sent as the end of handling
    OTHER_UNIT = "other_unit"  # the unit above is sent as the one that handles it
    ONE_MORE = "one_more"  # beside it the portal has one that never came down to the one-stop desk


SHARES: dict[Habit, float] = {
    Habit.NEVER_SENT: 0.004,
    Habit.OTHER_CODE: 0.0015,
    Habit.NO_DUE: 0.003,
    Habit.OTHER_END: 0.012,
    Habit.OTHER_UNIT: 0.002,
    Habit.ONE_MORE: 0.001,
}
"""Part of all dossiers that meets each habit; no dossier meets two."""


class Portal:
    """The dossiers of an intake as the portal tells them; no state of its own."""

    def __init__(self, intake: Intake) -> None:
        self.intake, self.simulation = intake, intake.simulation
        self._above = {unit.code: unit.parent for unit in intake.scenario.units}

    def page(self, cursor: str, limit: int) -> Page:
        """Return a page of the portal's dossiers; BadRequest for a cursor that is none.

        A page is empty only at the end of the list. It has one record more than `limit` only where `limit` is 1.
        """
        now = self.intake.clock()
        after = self.intake.after(cursor)
        while True:
            rows, changed = self.simulation.page(self.simulation.dossiers, after, limit, now)
            if not len(rows):
                return Page([], cursor, now)
            found, used = self._records(rows, changed, limit, now)
            cursor = f"{stamp(int(changed[used - 1]))}~{self.simulation.code(int(rows[used - 1]))}"
            if found:
                return Page(found, cursor, now)
            after = self.intake.after(cursor)

    def _records(self, rows: Ints, changed: Ints, limit: int, now: int) -> tuple[list[Record], int]:
        """The records of some dossiers, and of how many of these dossiers they are: those that fit on the page."""
        habits, found = self._habits(rows), list[Record]()
        for place, record in enumerate(dossier_records(self.simulation, rows, changed, now)):
            told = _told(record, habits[place], self._above)
            if found and len(found) + len(told) > limit:
                return found, place
            found += told
        return found, len(rows)

    def disagreements(self) -> list[dict[str, Any]]:
        """Return every dossier about which the two lists disagree now: code, kinds, time of its last change."""
        now = self.intake.clock()
        feed = self.simulation.dossiers
        rows, changed = self.simulation.page(feed, None, feed.rows, now)
        lives = take(self.simulation.lives, rows)
        habits = np.array([str(habit or "") for habit in self._habits(rows)])
        touched = np.flatnonzero((habits != "") | np.isin(status_at(lives, now), PUSHED_AS_FINISHED))
        rows, changed = rows[touched], changed[touched]
        found: list[dict[str, Any]] = []
        for record, habit in zip(dossier_records(self.simulation, rows, changed, now), self._habits(rows), strict=True):
            found += _declared(record, habit, self._above)
        return found

    def _habits(self, rows: Ints) -> list[Habit | None]:
        lives = take(self.simulation.lives, rows)
        drawn = chance(self.simulation.coder.keys(lives.unit, lives.code_instant, lives.serial), _SALT)
        place = np.searchsorted(np.cumsum(list(SHARES.values())), drawn, side="right")
        habits = list(SHARES)
        return [habits[n] if n < len(habits) else None for n in place.tolist()]


def _told(record: Record, habit: Habit | None, above: dict[str, str]) -> list[Record]:
    """What the portal holds of one dossier: nothing, one record, or two."""
    told = dict(record)
    if told["TrangThaiHoSo"] in PUSHED_AS_FINISHED:
        told["TrangThaiHoSo"] = int(Status.FINISHED)
    if habit is Habit.NEVER_SENT:
        return []
    if habit is Habit.OTHER_CODE:
        told["MaHoSo"] = _made_up(record)
    elif habit is Habit.NO_DUE:
        told["NgayHenTra"] = ""
    elif habit is Habit.OTHER_END and _has_result(record):
        told["NgayKetThucXuLy"] = record["NgayTra"]
    elif habit is Habit.OTHER_UNIT:
        told["DonViXuLy"] = above[record["DonViXuLy"]] or record["DonViXuLy"]
    elif habit is Habit.ONE_MORE:
        return [told, _never_came_down(record)]
    return [told]


def _declared(record: Record, habit: Habit | None, above: dict[str, str]) -> list[dict[str, Any]]:
    """How the two lists disagree about one dossier, said from the habit, not by comparing what is served."""
    kinds: list[str] = []
    if habit in {Habit.NEVER_SENT, Habit.OTHER_CODE}:
        kinds = ["missing_there"]
    else:
        if record["TrangThaiHoSo"] in PUSHED_AS_FINISHED:
            kinds.append("status_differs")
        if habit is Habit.NO_DUE and record["NgayHenTra"]:
            kinds.append("due_differs")
        if habit is Habit.OTHER_END and _has_result(record) and record["NgayKetThucXuLy"] != record["NgayTra"]:
            kinds.append("finished_differs")
        if habit is Habit.OTHER_UNIT and above[record["DonViXuLy"]]:
            kinds.append("unit_differs")
    found = [_entry(record["MaHoSo"], kinds, record)] if kinds else []
    if habit is Habit.OTHER_CODE:
        found.append(_entry(_made_up(record), ["missing_here"], record))
    if habit is Habit.ONE_MORE:
        found.append(_entry(_never_came_down(record)["MaHoSo"], ["missing_here"], record))
    return found


def _entry(code: str, kinds: list[str], record: Record) -> dict[str, Any]:
    return {"MaHoSo": code, "KhacBiet": kinds, "NgayCapNhat": record["NgayCapNhat"]}


def _has_result(record: Record) -> bool:
    return record["TrangThaiHoSo"] in {Status.FINISHED, Status.RETURNED}


def _made_up(record: Record) -> str:
    """A code without unit; the day and number stay, so that no two dossiers get the same."""
    unit, _, rest = record["MaHoSo"].partition("-")
    day, _, number = rest.partition("-")
    return f"000.00.00.G00-{day}-{unit.rpartition('.')[2]}{number}"


def _never_came_down(record: Record) -> Record:
    """A dossier that was handed in on the portal beside this one, and that no desk ever got."""
    unit, _, rest = record["MaHoSo"].partition("-")
    day, _, number = rest.partition("-")
    never = dict.fromkeys(("NgayTiepNhan", "NgayHenTra", "NgayTra", "NgayKetThucXuLy", "NgayTuChoi"), "")
    lists: Record = {"DanhSachHoSoBoSung": [], "DanhSachGiayToKetQua": []}
    return {
        **record, **never, **lists,
        "MaHoSo": f"{unit}-{day}-P{number}", "TrangThaiHoSo": int(Status.REGISTERED), "KenhThucHien": 2,
    }  # fmt: skip


__all__ = ["PUSHED_AS_FINISHED", "SHARES", "Habit", "Portal"]
