"""What arrives after the history: one block of dossiers for each civil day, around the clock."""

from __future__ import annotations

import numpy as np

from demo.codes import LANE, number_by_day
from demo.draw import generator
from demo.habits import Habits
from demo.office import DAY, NEVER, WORKDAY, Flags, Ints, instant, position
from demo.paths import Lives, Terms
from demo.scenario import Live, Scenario
from warehouse.vocabulary import Channel, Status


class Arrivals:
    """Draws live dossiers: units by size, mostly work of minutes, the rest by its statutory time."""

    def __init__(self, scenario: Scenario, habits: Habits, terms: Terms, live: Live) -> None:
        self.scenario, self.habits, self.terms, self.live = scenario, habits, terms, live
        kinds = {kind for block in scenario.file.blocks for kind in block.units}
        self.units = np.array([n for n, u in enumerate(scenario.units) if kinds & {u.kind, u.code}], dtype=np.int64)
        self.weight = np.array([row.weight for row in scenario.procedures])
        self.online = np.array([row.online for row in scenario.procedures])
        usual = np.array([row.level in {"commune", "district"} for row in scenario.procedures])
        self.short = np.flatnonzero(usual & (terms.working <= WORKDAY))
        self.long = np.flatnonzero(usual & (terms.working > 2 * WORKDAY))

    def day(self, day: int, opens: int) -> Lives:
        """Return what arrives on a civil day (days since 1970), from the second `opens` on."""
        rng = generator(self.scenario.file.seed, "live", day)
        first = max(opens, day * DAY)
        # one arrival in each equal slot of the day: no minute is empty, as chance alone would leave some
        count = round(self.live.arrivals_per_hour * 24)
        at = day * DAY + ((np.arange(count) + rng.random(count)) * (DAY / count)).astype(np.int64)
        weights = self.habits.size[self.units]
        unit = rng.choice(self.units, size=count, p=weights / weights.sum())
        lives = self.lives(rng, at, unit, None)
        # the day is drawn whole and then cut, so that its evening is the same whenever the first start was
        kept = lives.submitted >= first
        lives = Lives(**{name: column[kept] for name, column in vars(lives).items()})
        number_by_day(lives, day, LANE // 2 if first > day * DAY else 0)
        return lives

    def lives(self, rng: np.random.Generator, at: Ints, unit: Ints, channel: int | None) -> Lives:
        """Return the life paths of dossiers that are handed in at `at`; the channel is drawn where it is None."""
        count = len(at)
        habits, terms = self.habits, self.terms
        pace = rng.random(count)
        trouble = np.clip(habits.late[unit], 0.5, 4)
        rest = (1 - self.live.same_day - self.live.some_hours) * trouble
        long = pace > 1 - rest
        hours = ~long & (pace > 1 - rest - self.live.some_hours)
        procedure = np.where(long, self._procedures(rng, self.long, count), self._procedures(rng, self.short, count))
        drawn = self._channels(rng, unit, procedure)
        channels = drawn if channel is None else np.full(count, channel, dtype=np.int64)
        received = at if channel is not None else self._accepted(rng, at, unit, channels)
        due = terms.due(procedure, received)
        finished = received + self._minutes(rng, unit, hours)
        finished = np.where(long, self._by_the_law(rng, unit, received, due), finished)
        assigned = received + np.minimum(np.maximum((finished - received) // 4, 20), 120)
        post_out = rng.random(count) < 0.12
        returned = finished + np.where(post_out, rng.integers(DAY, 3 * DAY, count), rng.integers(120, 2400, count))
        never = np.full(count, NEVER, dtype=np.int64)
        lives = Lives(
            unit=unit, procedure=procedure, channel=channels, post_out=post_out, submitted=at, received=received,
            assigned=assigned, asked=never.copy(), answered=never.copy(), moved=never.copy(), finished=finished,
            returned=returned, refused=never.copy(), due=due, due_answered=never.copy(), due_moved=never.copy(),
            end_status=np.full(count, Status.FINISHED, dtype=np.int64),
            asked_status=np.full(count, Status.SUPPLEMENT_REQUESTED, dtype=np.int64),
            serial=np.zeros(count, dtype=np.int64),
        )  # fmt: skip
        self._ask_for_papers(rng, lives, long)
        return lives

    def _procedures(self, rng: np.random.Generator, choice: Ints, count: int) -> Ints:
        weights = self.weight[choice]
        return rng.choice(choice, size=count, p=weights / weights.sum())

    def _channels(self, rng: np.random.Generator, unit: Ints, procedure: Ints) -> Ints:
        share = np.clip(0.62 * self.habits.online[unit], 0.02, 0.97)
        online = (self.online[procedure] > 2) & (rng.random(len(unit)) < share)
        post = rng.random(len(unit)) < 0.02
        return np.where(online, Channel.ONLINE, np.where(post, Channel.POST, Channel.IN_PERSON)).astype(np.int64)

    def _accepted(self, rng: np.random.Generator, at: Ints, unit: Ints, channel: Ints) -> Ints:
        """Online dossiers are accepted within a minute or two; where acceptance is slow, after hours of open office."""
        mean = self.habits.accept_hours[unit]
        soon = at + 15 + rng.exponential(45, len(at)).astype(np.int64)
        slow = instant(position(at) + (rng.exponential(1.0, len(at)) * mean * 3600).astype(np.int64) + 600)
        slow = np.minimum(slow, at + 8 * DAY)
        return np.where(channel == Channel.ONLINE, np.where(mean > 4, np.maximum(slow, at + 60), soon), at)

    def _minutes(self, rng: np.random.Generator, unit: Ints, hours: Flags) -> Ints:
        low, high = self.live.minutes
        quick = rng.uniform(low, high, len(unit)) * 60 * np.clip(self.habits.speed[unit], 0.5, 2)
        return np.where(hours, rng.uniform(1, 7, len(unit)) * 3600, quick).astype(np.int64)

    def _by_the_law(self, rng: np.random.Generator, unit: Ints, received: Ints, due: Ints) -> Ints:
        """Work of days: mostly before the due date, in some units often after it."""
        first, last = position(received), position(due)
        part = np.clip(rng.beta(2, 2.6, len(unit)) * self.habits.speed[unit], 0.05, 0.96)
        late = rng.random(len(unit)) < np.clip(0.09 * self.habits.late[unit], 0, 0.6)
        done = first + (part * np.maximum(last - first, 900)).astype(np.int64)
        tardy = last + (rng.exponential(8 * WORKDAY, len(unit))).astype(np.int64) + 1800
        return np.maximum(instant(np.where(late, tardy, done)), received + 300)

    def _ask_for_papers(self, rng: np.random.Generator, lives: Lives, long: Flags) -> None:
        """Some of the long ones wait for the applicant; their term starts anew when the papers come."""
        asks = long & (rng.random(len(lives)) < 0.12) & (lives.finished - lives.received > 4 * 3600)
        asked = lives.assigned + (lives.finished - lives.assigned) // 6
        wait = (rng.uniform(0.5, 4, len(lives)) * DAY).astype(np.int64)
        answered = instant(position(asked + wait))
        lives.asked = np.where(asks, asked, NEVER)
        lives.answered = np.where(asks, answered, NEVER)
        lives.due_answered = np.where(asks, self.terms.due(lives.procedure, answered), NEVER)
        shift = np.where(asks, answered - lives.assigned, 0)
        lives.finished += shift
        lives.returned += shift
