"""When things happen to a dossier: its whole life path, as columns of local seconds."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from demo.catalogue import Procedure
from demo.draw import generator
from demo.habits import Habits
from demo.office import DAY, NEVER, WORKDAY, Flags, Floats, Ints, civil_day, instant, position
from demo.plan import Fate, Plan
from warehouse.vocabulary import Channel, Status

EVENTS = ("submitted", "received", "assigned", "asked", "answered", "moved", "finished", "returned", "refused")
"""The columns of `Lives` that are events, in the order in which they happen."""


@dataclass
class Lives:
    """Life paths: instants in local seconds (NEVER where it does not happen), due dates, and what identifies them."""

    unit: Ints
    procedure: Ints
    channel: Ints
    post_out: Flags
    submitted: Ints
    received: Ints
    assigned: Ints
    asked: Ints
    answered: Ints
    moved: Ints
    finished: Ints
    returned: Ints
    refused: Ints
    due: Ints
    due_answered: Ints
    due_moved: Ints
    end_status: Ints
    asked_status: Ints
    serial: Ints

    def __len__(self) -> int:
        return len(self.unit)

    @property
    def code_instant(self) -> Ints:
        """The instant whose day is written in the code: receipt, or refusal where there is none."""
        return np.where(self.received < NEVER, self.received, self.refused)

    def freeze(self, end: int) -> None:
        """Let nothing happen at or after `end`."""
        for name in EVENTS:
            column = getattr(self, name)
            column[column >= end] = NEVER


def concatenate(parts: list[Lives]) -> Lives:
    """Return the rows of all parts, in their order."""
    return Lives(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Lives)))


@dataclass(frozen=True)
class Terms:
    """Statutory times of the procedures: working seconds (about, for calendar days) and calendar seconds (or 0)."""

    working: Ints
    calendar: Ints

    @classmethod
    def of(cls, procedures: tuple[Procedure, ...]) -> Terms:
        """Return the terms in the order of `procedures`."""
        return cls(
            np.array([row.working_seconds for row in procedures], dtype=np.int64),
            np.array([row.calendar_seconds for row in procedures], dtype=np.int64),
        )

    def due(self, procedure: Ints, start: Ints) -> Ints:
        """Return the due instants of dossiers whose term starts at `start` (local seconds)."""
        calendar = self.calendar[procedure]
        return np.where(calendar > 0, start + calendar, instant(position(start) + self.working[procedure]))


def history(plan: Plan, habits: Habits, terms: Terms, seed: int, start: int, end: int) -> Lives:
    """Give times to a plan so that each fate holds over [start, end); what is open goes on after `end`."""
    return _History(plan, habits, terms, generator(seed, "paths"), start, end).lives()


class _History:
    """The steps of `history`; positions are working time, see demo.office."""

    def __init__(
        self, plan: Plan, habits: Habits, terms: Terms, rng: np.random.Generator, start: int, end: int
    ) -> None:
        self.plan, self.habits, self.terms, self.rng = plan, habits, terms, rng
        self.begin, self.stop = (int(position(np.array([edge]))[0]) for edge in (start, end))
        self.end = end
        self.count = len(plan)
        self.statutory = terms.working[plan.procedure]

    def lives(self) -> Lives:
        plan, rng, count = self.plan, self.rng, self.count
        part = np.clip(rng.beta(2, 2.6, count) * self.habits.speed[plan.unit], 0.02, 0.96)
        lateness = np.where(plan.late, 1800 + rng.exponential(1.6 * WORKDAY, count), 0).astype(np.int64)
        lateness = np.minimum(lateness, 20 * WORKDAY)
        before = np.where(plan.supplement, rng.uniform(0.1, 0.5, count) * part * self.statutory, 0).astype(np.int64)
        wait = np.where(plan.supplement, rng.uniform(0.3, 5, count) * WORKDAY, 0).astype(np.int64)
        margin = np.where(self.terms.calendar[plan.procedure] > 0, 4 * WORKDAY, WORKDAY // 8)
        longest = before + wait + np.where(plan.late, self.statutory, part * self.statutory) + lateness + margin
        received = instant(self._received(longest.astype(np.int64)))
        received = self._still_open(received)
        due = self.terms.due(plan.procedure, received)
        asked, answered, due_answered = self._supplements(received, due, before, wait)
        begun = np.where(answered < NEVER, answered, received)
        deadline = np.where(answered < NEVER, due_answered, due)
        finished = self._finished(begun, deadline, part, lateness)
        asked = np.where(asked < finished, asked, NEVER)
        return self._complete(received, due, asked, answered, due_answered, finished, deadline)

    def _received(self, longest: Ints) -> Ints:
        """Draw positions of receipt so that each calm dossier is done before the end, and each other one is not."""
        plan, rng, stop = self.plan, self.rng, self.stop
        calm = _busy_days(rng, self.begin, np.maximum(stop - longest, self.begin + 1))
        in_time = stop - 1 - (rng.uniform(0.02, 0.85, self.count) * self.statutory).astype(np.int64)
        tardy = np.minimum(rng.exponential(9 * WORKDAY, self.count) + 0.2 * WORKDAY, 110 * WORKDAY)
        overdue = stop - 1 - self.statutory - tardy.astype(np.int64)
        carried = self.begin - 1 - (rng.uniform(0.05, 0.8, self.count) * self.statutory).astype(np.int64)
        soon = stop + (rng.uniform(0.02, 1, self.count) * WORKDAY).astype(np.int64)
        fate = plan.fate
        chosen = np.select(
            [fate == Fate.OPEN, fate == Fate.OVERDUE, fate == Fate.CARRIED, fate == Fate.REGISTERED],
            [in_time, overdue, carried, soon],
            calm,
        )
        return np.where(fate == Fate.CARRIED, chosen, np.maximum(chosen, self.begin))

    def _still_open(self, received: Ints) -> Ints:
        """Mend the few open dossiers whose calendar-day term falls on the wrong side of the end."""
        plan = self.plan
        due = self.terms.due(plan.procedure, received)
        early = (plan.fate == Fate.OPEN) & (due <= self.end)
        fresh = instant(self.stop - 1 - self.statutory // 5)
        slow = (plan.fate == Fate.OVERDUE) & (due >= self.end - 3600)
        old = instant(np.maximum(self.stop - 1 - self.statutory - 8 * WORKDAY, self.begin))
        return np.where(early, fresh, np.where(slow, old, received))

    def _supplements(self, received: Ints, due: Ints, before: Ints, wait: Ints) -> tuple[Ints, Ints, Ints]:
        """Return when papers were asked for, when they came, and the due date that then starts anew."""
        plan = self.plan
        asks = plan.supplement & np.isin(plan.fate, (Fate.RESOLVED, Fate.OPEN, Fate.WITHDRAWN))
        at = position(received)
        asked_at = np.maximum(at + np.maximum(before, 1200), at + 60)
        asked_at = np.where(plan.fate == Fate.OPEN, np.minimum(asked_at, (at + self.stop) // 2), asked_at)
        asks &= (asked_at > at) & (instant(asked_at) < due)
        asked = np.where(asks, instant(asked_at), NEVER)
        waits = plan.fate == Fate.OPEN
        answered_at = np.where(waits, np.maximum(asked_at + wait, self.stop + wait // 2), asked_at + wait)
        answers = asks & (plan.fate != Fate.WITHDRAWN)
        answered = np.where(answers, instant(answered_at), NEVER)
        restarted = self.terms.due(plan.procedure, np.where(answers, answered, received))
        return asked, answered, np.where(answers, restarted, NEVER)

    def _finished(self, begun: Ints, deadline: Ints, part: Floats, lateness: Ints) -> Ints:
        plan, rng = self.plan, self.rng
        first, last = position(begun), position(deadline)
        in_time = np.minimum(first + np.maximum((part * (last - first)).astype(np.int64), 240), last - 30)
        late = np.maximum(last, first) + lateness
        carried = self.begin + np.maximum((part * (last - self.begin)).astype(np.int64), 60)
        opened = np.maximum(first, self.stop)
        afterwards = opened + (rng.uniform(0.05, 1.02, self.count) * np.maximum(last - opened, 900)).astype(np.int64)
        chased = self.stop + (rng.exponential(9 * WORKDAY, self.count)).astype(np.int64) + 1800
        fate = plan.fate
        chosen = np.select(
            [fate == Fate.OPEN, fate == Fate.OVERDUE, fate == Fate.CARRIED, plan.late],
            [afterwards, chased, np.minimum(carried, last - 30), late],
            in_time,
        )
        return instant(chosen)

    def _complete(
        self, received: Ints, due: Ints, asked: Ints, answered: Ints, due_answered: Ints, finished: Ints, deadline: Ints
    ) -> Lives:
        plan, rng, count = self.plan, self.rng, self.count
        submitted = self._submitted(received)
        refused = np.where(plan.fate == Fate.REFUSED, received, NEVER)
        work = np.maximum(position(np.minimum(finished, asked)) - position(received), 2)
        step = np.minimum((rng.uniform(0.05, 0.5, count) * WORKDAY).astype(np.int64), work // 3)
        assigned = np.where(step > 0, instant(position(received) + np.maximum(step, 1)), NEVER)
        moved, due_moved = self._reappointed(received, deadline, finished, answered)
        collected = rng.exponential(0.7 * WORKDAY, count) + 300
        carried_home = np.where(plan.post_out, rng.uniform(1, 3, count) * WORKDAY, collected)
        quick = self.statutory <= WORKDAY
        returned = instant(position(finished) + np.where(quick, collected / 8, carried_home).astype(np.int64))
        returned = np.where(rng.random(count) < 0.03, NEVER, returned)
        lives = Lives(
            unit=plan.unit, procedure=plan.procedure, channel=plan.channel, post_out=plan.post_out,
            submitted=submitted, received=received, assigned=assigned, asked=asked, answered=answered, moved=moved,
            finished=finished, returned=returned, refused=refused, due=due, due_answered=due_answered,
            due_moved=due_moved, end_status=np.full(count, Status.FINISHED, dtype=np.int64),
            asked_status=np.where(rng.random(count) < 0.2, Status.PAYMENT_REQUESTED, Status.SUPPLEMENT_REQUESTED),
            serial=np.zeros(count, dtype=np.int64),
        )  # fmt: skip
        self._special_ends(lives)
        return lives

    def _special_ends(self, lives: Lives) -> None:
        """Write the ends of the dossiers that do not end with a result in the ordinary way."""
        fate, rng = self.plan.fate, self.rng
        gap = fate == Fate.GAP
        lives.returned[gap] = lives.finished[gap]
        lives.finished[gap] = NEVER
        gone = fate == Fate.WITHDRAWN
        lives.returned[gone] = NEVER
        stopped = rng.random(self.count) < 0.3
        lives.end_status[gone] = np.where(stopped, Status.STOPPED, Status.WITHDRAWN)[gone]
        never = fate == Fate.REFUSED
        for name in ("received", "assigned", "asked", "answered", "moved", "finished", "returned"):
            getattr(lives, name)[never] = NEVER
        lives.due[never] = NEVER
        lives.due_answered[never] = NEVER

    def _submitted(self, received: Ints) -> Ints:
        """Online dossiers are handed in before they are accepted, half of them while the office is closed."""
        plan, rng, count = self.plan, self.rng, self.count
        delay = rng.exponential(1.0, count) * self.habits.accept_hours[plan.unit] * 3600 + 60
        at = position(received) - delay.astype(np.int64)
        opening = civil_day(at)
        closed = np.clip((opening - civil_day(at - WORKDAY)) * DAY - 40_000, 1, 3 * DAY)
        night = opening * DAY + 27_000 - 600 - (rng.random(count) * closed).astype(np.int64)
        early = np.where(rng.random(count) < 0.45, night, instant(at))
        waiting = np.minimum(early, self.end - 900 - (rng.random(count) * 50_000).astype(np.int64))
        early = np.where(plan.fate == Fate.REGISTERED, waiting, early)
        return np.where(plan.channel == Channel.ONLINE, np.minimum(early, received - 1), received)

    def _reappointed(self, received: Ints, deadline: Ints, finished: Ints, answered: Ints) -> tuple[Ints, Ints]:
        """Some late dossiers get one new date, at most once, written down about a day before the old one."""
        never = np.full(self.count, NEVER, dtype=np.int64)
        late = (self.plan.fate == Fate.OVERDUE) & (self.rng.random(self.count) < 0.25)
        at = instant(position(deadline) - WORKDAY)
        begun = np.where(answered < NEVER, answered, received)
        late &= (at > begun) & (at < finished)
        new = instant(np.minimum(position(deadline) + 5 * WORKDAY, self.stop - WORKDAY))
        late &= new > deadline
        return np.where(late, at, never), np.where(late, new, never)


def _busy_days(rng: np.random.Generator, begin: int, stops: Ints) -> Ints:
    """Draw positions in [begin, stop) of each row: busier Mondays, quieter Fridays, and months that differ."""
    first, last = begin // WORKDAY, int(stops.max()) // WORKDAY
    number = np.arange(first, last + 1)
    day = civil_day(number * WORKDAY).astype("datetime64[D]")
    weekday = (day.astype(np.int64) + 3) % 7
    month = day.astype("datetime64[M]").astype(np.int64) % 12
    weight = np.array([1.25, 1.08, 1.0, 0.97, 0.85, 0.6, 0.6])[weekday]
    weight = weight * np.array([0.85, 0.75, 1.1, 1.05, 1.05, 1.1, 1.05, 1.1, 1.0, 1.05, 1.05, 0.95])[month]
    edges = np.concatenate([[0.0], np.cumsum(weight)])
    whole = stops // WORKDAY - first
    start = edges[0] + weight[0] * (begin % WORKDAY) / WORKDAY
    limit = edges[whole] + weight[whole] * (stops % WORKDAY) / WORKDAY
    drawn = start + rng.random(len(stops)) * (limit - start)
    index = np.clip(np.searchsorted(edges, drawn, side="right") - 1, 0, len(weight) - 1)
    inside = (drawn - edges[index]) / weight[index]
    at: Ints = np.minimum(((index + first + inside) * WORKDAY).astype(np.int64), stops - 1)
    return at
