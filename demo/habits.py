"""How the units of a scenario differ, as columns in the order of its units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.draw import generator
from demo.office import Floats, Ints
from demo.scenario import Habit, Scenario


@dataclass(frozen=True)
class Habits:
    """Relative habits (1 is ordinary) and rates of the units; `open` is -1 where the scenario does not state it."""

    size: Floats
    speed: Floats
    late: Floats
    online: Floats
    response: Floats
    satisfied: Floats
    accept_hours: Floats
    open: Ints
    overdue: Ints
    registered: Ints


def habits_of(scenario: Scenario) -> Habits:
    """Return the stated habits, and drawn ones where a unit has none stated."""
    rng = generator(scenario.file.seed, "habits")
    count = len(scenario.units)
    population = np.array([unit.population for unit in scenario.units], dtype=np.float64)
    surveys = scenario.file.surveys
    drawn = {
        "size": population**0.8 * rng.uniform(0.8, 1.2, count),
        "speed": rng.uniform(0.75, 1.2, count),
        "late": rng.uniform(0.4, 1.6, count),
        "online": rng.uniform(0.7, 1.4, count),
        "response": rng.uniform(*surveys.response, count),
        "satisfied": np.full(count, surveys.satisfied),
    }
    stated = [scenario.file.habits.get(unit.code, Habit()) for unit in scenario.units]
    floats = {
        name: np.array([column[n] if getattr(h, name) is None else getattr(h, name) for n, h in enumerate(stated)])
        for name, column in drawn.items()
    }
    return Habits(
        **floats,
        accept_hours=np.array([habit.accept_hours for habit in stated]),
        open=np.array([-1 if habit.open is None else habit.open for habit in stated], dtype=np.int64),
        overdue=np.array([habit.overdue for habit in stated], dtype=np.int64),
        registered=np.array([habit.registered for habit in stated], dtype=np.int64),
    )
