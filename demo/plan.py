"""What the dossiers of a scenario are: unit, procedure, channel and fate, in the exact counts of its blocks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np

from demo.draw import generator, pick, split
from demo.habits import Habits
from demo.office import WORKDAY, Flags, Floats, Ints
from demo.scenario import Block, Scenario
from warehouse.vocabulary import Channel


class Fate(IntEnum):
    """What becomes of a dossier by the end of the history."""

    RESOLVED = 0
    CARRIED = 1  # received before the period, resolved in it
    OPEN = 2
    OVERDUE = 3
    GAP = 4  # result returned, but the end of handling was never written down
    WITHDRAWN = 5
    REFUSED = 6  # never accepted
    REGISTERED = 7  # not accepted yet


@dataclass(frozen=True)
class Plan:
    """Columns of equal length, one row a dossier; `unit` and `procedure` are places in the scenario's lists."""

    unit: Ints
    procedure: Ints
    channel: Ints
    post_out: Flags
    fate: Ints
    late: Flags
    supplement: Flags

    def __len__(self) -> int:
        return len(self.unit)


def history_plan(scenario: Scenario, habits: Habits) -> Plan:
    """Return the plan of all blocks, then of the dossiers that wait for acceptance."""
    parts = [_block_plan(scenario, habits, block) for block in scenario.file.blocks]
    parts.append(_registered(scenario, habits))
    plan = Plan(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Plan)))
    _fates_by_unit(scenario, habits, plan)
    return plan


def _block_plan(scenario: Scenario, habits: Habits, block: Block) -> Plan:
    rng = generator(scenario.file.seed, "plan", block.name)
    units = _units_of(scenario, block)
    total = block.received + block.carried_in + block.refused
    jitter = 0.9 + 0.2 * rng.random(len(units))
    unit = np.repeat(units, split(total, habits.size[units] * jitter))
    rng.shuffle(unit)
    choice = _procedures_of(scenario, block)
    weights = np.array([scenario.procedures[index].weight for index in choice])
    procedure = rng.choice(choice, size=total, p=weights / weights.sum())
    procedure[: min(total, len(choice))] = choice[:total]  # each procedure of the block is asked for at least once
    fate = _fates(scenario, block, procedure, rng)
    channel = _channels(habits, block, unit, fate, rng)
    done = (fate == Fate.RESOLVED) | (fate == Fate.CARRIED)
    post_out = pick(rng, block.post_out, (done & (fate != Fate.CARRIED)).astype(np.float64))
    late = (fate == Fate.RESOLVED) & (rng.random(total) < block.late * habits.late[unit])
    slow = _working_days(scenario)[procedure] >= 2
    supplement = slow & (rng.random(total) < block.supplement * np.clip(habits.late[unit], 0.5, 3))
    return Plan(unit, procedure, channel, post_out, fate, late, supplement)


def _units_of(scenario: Scenario, block: Block) -> Ints:
    found = [n for n, unit in enumerate(scenario.units) if unit.code in block.units or unit.kind in block.units]
    if not found:
        raise ValueError(f"block {block.name}: no unit is one of {', '.join(block.units)}")
    return np.array(found, dtype=np.int64)


def _procedures_of(scenario: Scenario, block: Block) -> Ints:
    found = [
        index
        for index, procedure in enumerate(scenario.procedures)
        if (not block.fields or procedure.field in block.fields)
        and procedure.field not in block.except_fields
        and procedure.level in block.levels
        and procedure.online in block.online_levels
        and (not block.procedures or procedure.name in block.procedures)
    ]
    if not found:
        raise ValueError(f"block {block.name}: no procedure of the catalogue fits it")
    return np.array(found, dtype=np.int64)


def _working_days(scenario: Scenario) -> Floats:
    return np.array([procedure.working_seconds / WORKDAY for procedure in scenario.procedures])


def _fates(scenario: Scenario, block: Block, procedure: Ints, rng: np.random.Generator) -> Ints:
    """Give exact numbers of each fate; only work of several days is carried over or left open."""
    fate = np.full(len(procedure), Fate.RESOLVED, dtype=np.int64)
    days = _working_days(scenario)[procedure]
    for wanted, which, least in (
        (block.open - block.overdue, Fate.OPEN, 3),
        (block.overdue, Fate.OVERDUE, 3),
        (block.carried_in, Fate.CARRIED, 2),
        (block.gap, Fate.GAP, 0),
        (block.withdrawn, Fate.WITHDRAWN, 2),
        (block.refused, Fate.REFUSED, 0),
    ):
        free = (fate == Fate.RESOLVED) & (days >= least)
        fate[pick(rng, wanted, free * np.maximum(days, 0.1))] = which
    return fate


def _channels(habits: Habits, block: Block, unit: Ints, fate: Ints, rng: np.random.Generator) -> Ints:
    """Give exact numbers of the received dossiers to each channel; the refused ones came online."""
    channel = np.full(len(unit), Channel.IN_PERSON, dtype=np.int64)
    received = (fate != Fate.CARRIED) & (fate != Fate.REFUSED)
    channel[fate == Fate.REFUSED] = Channel.ONLINE
    channel[pick(rng, block.online, received * habits.online[unit])] = Channel.ONLINE
    free = received & (channel == Channel.IN_PERSON)
    channel[pick(rng, block.post_in, free.astype(np.float64))] = Channel.POST
    return channel


def _registered(scenario: Scenario, habits: Habits) -> Plan:
    """Return the online dossiers that stand unaccepted at the end of the history."""
    rng = generator(scenario.file.seed, "registered")
    unit = np.repeat(np.arange(len(scenario.units)), habits.registered)
    count = len(unit)
    online = [n for n, row in enumerate(scenario.procedures) if row.online > 2 and row.level in {"commune", "district"}]
    weights = np.array([scenario.procedures[n].weight for n in online])
    procedure = rng.choice(np.array(online, dtype=np.int64), size=count, p=weights / weights.sum())
    none = np.zeros(count, dtype=np.bool_)
    channel = np.full(count, Channel.ONLINE, dtype=np.int64)
    fate = np.full(count, Fate.REGISTERED, dtype=np.int64)
    return Plan(unit, procedure, channel, none, fate, none, none)


def _fates_by_unit(scenario: Scenario, habits: Habits, plan: Plan) -> None:
    """Where the habits say how many dossiers a unit has open and overdue, choose exactly these."""
    rng = generator(scenario.file.seed, "open")
    days = _working_days(scenario)[plan.procedure]
    for unit in np.flatnonzero(habits.open >= 0):
        for wanted, which in (
            (habits.overdue[unit], Fate.OVERDUE),
            (habits.open[unit] - habits.overdue[unit], Fate.OPEN),
        ):
            free = (plan.fate == Fate.RESOLVED) & (plan.unit == unit) & (days >= 2)
            chosen = pick(rng, int(wanted), free * np.minimum(days, 20.0))
            plan.fate[chosen] = which
            plan.late[chosen] = False
