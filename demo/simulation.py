"""The simulated intake: life paths of a scenario, and the four lists that it serves, as pure functions of `now`."""

from __future__ import annotations

import threading
from datetime import date
from typing import NamedTuple

import numpy as np

from demo.codes import HAND_LANE, LANE, Coder, number_by_day
from demo.draw import chance, generator
from demo.feed import Feed
from demo.habits import habits_of
from demo.live import Arrivals
from demo.office import DAY, NEVER, Ints, day_start
from demo.paths import EVENTS, Lives, Terms, concatenate, history
from demo.plan import history_plan
from demo.scenario import Live, Scenario
from warehouse.vocabulary import Channel, Status

_ANSWER, _ANSWER_DELAY, _NO_ANSWER_ONLINE = 101, 102, 0.45


class Handmade(NamedTuple):
    """A dossier that somebody created by hand: unit code, channel, local second, number of the day."""

    unit: str
    channel: int
    at: int
    number: int


class Simulation:
    """All dossiers and survey answers of a scenario. `anchor` (local seconds) is where a live history ends."""

    def __init__(self, scenario: Scenario, anchor: int, seen_from: int = 0) -> None:
        self.scenario, self.anchor, self.seen_from = scenario, anchor, seen_from
        self.habits = habits_of(scenario)
        self.terms = Terms.of(scenario.procedures)
        self.coder = Coder.of(scenario)
        self.start, self.end = period(scenario, anchor)
        self.arrivals = Arrivals(scenario, self.habits, self.terms, scenario.file.live or Live())
        self.dossiers, self.surveys = Feed(), Feed()
        self.lock = threading.RLock()
        self._parts: list[Lives] = []
        self._all: Lives | None = None
        self._next_day = anchor // DAY
        self._add(self._history())

    def _history(self) -> Lives:
        plan = history_plan(self.scenario, self.habits)
        lives = history(plan, self.habits, self.terms, self.scenario.file.seed, self.start, self.end)
        if self.scenario.is_live:
            today = self.anchor // DAY
            number_by_day(lives, today)
            lives.serial += np.where(lives.code_instant // DAY > today, LANE * 3 // 4, 0)
        else:
            lives.freeze(self.end)
            number_by_day(lives, None)
        return lives

    def _add(self, lives: Lives) -> None:
        keys = self.coder.keys(lives.unit, lives.code_instant, lives.serial)
        self._parts.append(lives)
        self._all = None
        self.dossiers.add(np.stack([getattr(lives, name) for name in EVENTS], axis=1), keys, self.seen_from)
        self.surveys.add(self.answered(lives, keys)[:, None], keys)

    def answered(self, lives: Lives, keys: Ints) -> Ints:
        """Return when the applicants of dossiers answer the survey, NEVER for those who do not."""
        draw = chance(keys, _ANSWER)
        online = lives.channel == Channel.ONLINE
        response = self.habits.response[lives.unit] * np.where(online, _NO_ANSWER_ONLINE, 1.0)
        delay = 30 + (chance(keys, _ANSWER_DELAY) * np.where(online, 90_000, 420)).astype(np.int64)
        fit = (lives.end_status == Status.FINISHED) & (lives.returned < NEVER) & (draw < response)
        answered = np.where(fit, lives.returned + delay, NEVER)
        return answered if self.scenario.is_live else np.where(answered < self.end, answered, NEVER)

    def advance(self, now: int) -> None:
        """Let the days up to `now` arrive (live scenarios); `now` is local seconds."""
        if not self.scenario.is_live:
            return
        with self.lock:
            while self._next_day * DAY <= now:
                self._add(self.arrivals.day(self._next_day, self.anchor))
                self._next_day += 1

    def check(self, made: Handmade) -> int:
        """Return the place of the unit of a dossier to be created; ValueError for an unknown unit or channel."""
        units = {self.scenario.units[n].code: int(n) for n in self.arrivals.units}
        if made.unit not in units:
            raise ValueError(f"unit {made.unit} receives no dossiers here; these do: {', '.join(units)}")
        if made.channel not in {int(Channel.IN_PERSON), int(Channel.ONLINE), int(Channel.POST)}:
            raise ValueError(f"channel {made.channel} is none of 1, 2, 3")
        return units[made.unit]

    def create(self, made: Handmade) -> str:
        """Add a dossier that was created by hand and return its code; ValueError for an unknown unit or channel."""
        place = self.check(made)
        rng = generator(self.scenario.file.seed, "hand", made.at, made.number)
        at, unit = np.array([made.at]), np.array([place])
        lives = self.arrivals.lives(rng, at, unit, made.channel)
        lives.serial[:] = HAND_LANE * LANE + made.number
        with self.lock:
            self._add(lives)
        return self.coder.texts(lives.unit, lives.code_instant, lives.serial)[0]

    @property
    def lives(self) -> Lives:
        """All life paths that exist so far, in the order of the rows of the lists."""
        with self.lock:
            if self._all is None:
                self._all = concatenate(self._parts) if len(self._parts) > 1 else self._parts[0]
                self._parts = [self._all]
            return self._all

    def code(self, row: int) -> str:
        """Return the code of one row."""
        lives, at = self.lives, slice(row, row + 1)
        return self.coder.texts(lives.unit[at], lives.code_instant[at], lives.serial[at])[0]

    def page(self, feed: Feed, after: tuple[int, int] | None, limit: int, now: int) -> tuple[Ints, Ints]:
        """Return one page of a list: rows of `lives` and the local seconds of their last change before `now`."""
        with self.lock:
            self.advance(now)
            return feed.page(after, limit, now)


def period(scenario: Scenario, anchor: int) -> tuple[int, int]:
    """Return the bounds of the history in local seconds, the end exclusive."""
    file = scenario.file
    if isinstance(file.start, date) and isinstance(file.end, date):
        return day_start(file.start), day_start(file.end)
    return anchor - (file.history_days or 365) * DAY, anchor
