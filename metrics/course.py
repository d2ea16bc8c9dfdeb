"""The course of one dossier: what happened when, who held it how long, when the clock stood, how its due date moved.

Office time is that of the unit that handles the dossier. What was seen to change is known by the instant at which it
was read, not by that at which it happened at the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Table, select

from metrics.calendar import Clock, WorkingCalendar
from metrics.scope import Scope
from metrics.worklist import dossier_history
from warehouse.schema import dossier_step, dossier_supplement
from warehouse.vocabulary import WAITING, Label, Status

Row = Mapping[str, Any]


class Event(StrEnum):
    """What happens to a dossier."""

    SUBMITTED = "submitted"
    RECEIVED = "received"
    SUPPLEMENT_ASKED = "supplement_asked"
    SUPPLEMENT_GIVEN = "supplement_given"
    DUE_MOVED = "due_moved"
    APOLOGY = "apology"
    STATUS = "status"
    UNIT = "unit"
    DUE = "due"
    FINISHED = "finished"
    RETURNED = "returned"


EVENTS = {
    Event.SUBMITTED: Label("Nộp hồ sơ", "Handed in"),
    Event.RECEIVED: Label("Tiếp nhận", "Received"),
    Event.SUPPLEMENT_ASKED: Label("Yêu cầu bổ sung", "Supplement asked"),
    Event.SUPPLEMENT_GIVEN: Label("Nhận bổ sung", "Supplement given"),
    Event.DUE_MOVED: Label("Đổi hạn trả", "Due date moved"),
    Event.APOLOGY: Label("Gửi văn bản xin lỗi", "Apology sent"),
    Event.STATUS: Label("Đổi trạng thái", "Status changed"),
    Event.UNIT: Label("Đổi đơn vị giải quyết", "Handling unit changed"),
    Event.DUE: Label("Hạn trả", "Due"),
    Event.FINISHED: Label("Xử lý xong", "Finished"),
    Event.RETURNED: Label("Trả kết quả", "Result handed over"),
}
_INSTANTS = {
    "submitted_at": Event.SUBMITTED, "received_at": Event.RECEIVED, "apology_at": Event.APOLOGY, "due_at": Event.DUE,
    "finished_at": Event.FINISHED, "returned_at": Event.RETURNED,
}  # fmt: skip
_ORDER = tuple(Event)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event; `old` and `new` where something was replaced; `seen`: known by the reading of the source only."""

    at: datetime
    event: Event
    old: str | None = None
    new: str | None = None
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step: who, from when to when (None: it runs), by when, and its office time in seconds until the end or now.

    `over_long`: whether it ended, or still runs, past its own due date; None where it has none. A step without a start
    begins where the one before it ended, or with the receipt; None where that is unknown too.
    """

    department: str | None
    status: int | None
    started_at: datetime | None
    due_at: datetime | None
    finished_at: datetime | None
    office_seconds: int | None
    over_long: bool | None


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which the applicant had to act; `until` None: it lasts; `seen`: from when to when it was read so."""

    since: datetime
    until: datetime | None
    status: Status
    office_seconds: int
    seen: bool = False


@dataclass(frozen=True, slots=True)
class DueDate:
    """A due date and since when it held; None where nobody recorded when it was set."""

    due_at: datetime
    since: datetime | None


@dataclass(frozen=True, slots=True)
class OfficeTime:
    """Seconds of office time: from receipt to the end or now, how much of it the clock stood, and what is left.

    `left` is below 0 by how much the dossier is, or was, late; None without a due date. All None before receipt.
    """

    passed: int | None
    paused: int | None
    left: int | None


@dataclass(frozen=True)
class Course:
    """One dossier, all its columns by name, and its course; every tuple is in the order of time."""

    dossier: Row
    events: tuple[Happening, ...]
    steps: tuple[Step, ...]
    pauses: tuple[Pause, ...]
    due_dates: tuple[DueDate, ...]
    time: OfficeTime


def dossier_course(
    connection: Connection, source: str, code: str, *, clock: Clock, as_of: datetime, scope: Scope
) -> Course:
    """Return the course of a dossier up to `as_of`, instants in UTC.

    Raises BadQuestion when there is no such dossier in the scope; whether it exists elsewhere is not told.
    """
    found, changes = dossier_history(connection, source, code, scope)
    calendar = clock.calendar_of(found["unit"])
    seen = [_named(change) for change in changes.to_dict("records") if change["seen_at"] <= as_of]
    supplements = _rows(connection, dossier_supplement, source, code, "requested_at", as_of)
    steps = _rows(connection, dossier_step, source, code, "started_at", as_of)
    ended = _earlier(found["finished_at"], as_of)
    pauses = tuple(_pauses(found, supplements, seen, calendar, ended))
    return Course(
        dossier=found,
        events=tuple(sorted(_events(found, supplements, seen), key=lambda item: (item.at, _ORDER.index(item.event)))),
        steps=tuple(_steps(found, steps, calendar, ended)),
        pauses=pauses,
        due_dates=tuple(_due_dates(found, supplements, seen)),
        time=_time(found, pauses, calendar, ended),
    )


def _rows(
    connection: Connection,
    table: Table,
    source: str,
    code: str,
    since: str,
    as_of: datetime,
) -> list[Row]:
    statement = select(table).where(table.c.source == source, table.c.code == code)
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    begun = [row for row in rows if row[since] is None or row[since] <= as_of]
    return sorted(begun, key=lambda row: tuple(_moment(row.get(name)) for name in (since, "finished_at")))


def _named(change: Mapping[Any, Any]) -> Row:
    return {str(name): value for name, value in change.items()}


def _moment(value: datetime | None) -> float:
    return float("inf") if value is None else value.timestamp()


def _earlier(ended: datetime | None, as_of: datetime) -> datetime:
    return as_of if ended is None else min(ended, as_of)


def _events(found: Row, supplements: Sequence[Row], changes: Sequence[Row]) -> Iterator[Happening]:
    for name, event in _INSTANTS.items():
        if found[name] is not None:
            yield Happening(found[name], event)
    for row in supplements:
        if row["requested_at"] is not None:
            yield Happening(row["requested_at"], Event.SUPPLEMENT_ASKED)
        if row["received_at"] is not None:
            yield Happening(row["received_at"], Event.SUPPLEMENT_GIVEN)
    if not supplements and found["supplement_requested_at"] is not None:
        yield Happening(found["supplement_requested_at"], Event.SUPPLEMENT_ASKED)
    named = {"status": Event.STATUS, "unit": Event.UNIT, "due_at": Event.DUE_MOVED}
    for change in changes:
        if change["field"] in named:
            yield Happening(change["seen_at"], named[change["field"]], change["old"], change["new"], seen=True)


def _steps(found: Row, rows: Sequence[Row], calendar: WorkingCalendar, ended: datetime) -> Iterator[Step]:
    before: datetime | None = found["received_at"]
    for row in rows:
        start, due, finish = row["started_at"] or before, row["due_at"], row["finished_at"]
        last = finish or ended
        over = None if due is None else last > due
        yield Step(row["department"] or None, row["status"], start, due, finish, _office(calendar, start, last), over)
        before = finish


def _office(calendar: WorkingCalendar, start: datetime | None, end: datetime | None) -> int | None:
    if start is None or end is None:
        return None
    return round(3600 * calendar.working_hours_between(start, end))


def _pauses(
    found: Row, supplements: Sequence[Row], changes: Sequence[Row], calendar: WorkingCalendar, ended: datetime
) -> Iterator[Pause]:
    """The supplements as the source dates them; else, and for payments, the times in which the status said so."""
    spans: list[tuple[datetime, datetime | None, Status, bool]] = [
        (row["requested_at"], row["received_at"], Status.SUPPLEMENT_REQUESTED, False)
        for row in supplements
        if row["requested_at"] is not None
    ]
    dated = bool(spans)
    for since, until, status in _waiting_seen(changes):
        if status is Status.PAYMENT_REQUESTED or not dated:
            spans.append((since, until, status, True))
    for since, until, status, seen in sorted(spans, key=lambda span: span[0]):
        stop = until if until is not None else found["finished_at"]
        if since < ended:
            worked = _office(calendar, since, min(stop or ended, ended)) or 0
            yield Pause(since, stop, status, worked, seen)


def _waiting_seen(changes: Iterable[Row]) -> Iterator[tuple[datetime, datetime | None, Status]]:
    told = [(change["seen_at"], change["new"]) for change in changes if change["field"] == "status"]
    for (since, status), following in pairwise([*told, (None, None)]):
        if status is not None and int(status) in WAITING:
            yield since, following[0], Status(int(status))


def _due_dates(found: Row, supplements: Sequence[Row], changes: Sequence[Row]) -> Iterator[DueDate]:
    """The due dates one after the other, as the supplements and the changes that were seen tell them."""
    moves = [(row["received_at"] or row["requested_at"], row["old_due_at"], row["new_due_at"]) for row in supplements]
    moves += [(row["seen_at"], _read(row["old"]), _read(row["new"])) for row in changes if row["field"] == "due_at"]
    known = sorted((move for move in moves if move[0] is not None), key=lambda move: move[0])
    first = found["first_due_at"] or next((old for _, old, _ in known if old is not None), found["due_at"])
    told = [(found["received_at"], first)]
    told += [(at, new) for at, _, new in known if new is not None]
    if found["due_at"] is not None and all(due != found["due_at"] for _, due in told):
        told.append((None, found["due_at"]))
    last: datetime | None = None
    for at, due in told:
        if due is not None and due != last:
            yield DueDate(due, at)
            last = due


def _read(value: str | None) -> datetime | None:
    return None if value is None else pd.Timestamp(value).to_pydatetime()


def _time(found: Row, pauses: Sequence[Pause], calendar: WorkingCalendar, ended: datetime) -> OfficeTime:
    received, due = found["received_at"], found["due_at"]
    if received is None or received > ended:
        return OfficeTime(None, None, None)
    paused = sum(_office(calendar, since, until) or 0 for since, until in _merged(pauses, received, ended))
    left = None if due is None else (_office(calendar, ended, due) or 0) - (_office(calendar, due, ended) or 0)
    return OfficeTime(_office(calendar, received, ended), paused, left)


def _merged(pauses: Sequence[Pause], first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The spans of the pauses between two instants; what overlaps counts once."""
    reached = first
    for pause in pauses:
        since, until = max(pause.since, reached), min(pause.until or last, last)
        if until > since:
            yield since, until
            reached = until


__all__ = ["EVENTS", "Course", "DueDate", "Event", "Happening", "OfficeTime", "Pause", "Step", "dossier_course"]
