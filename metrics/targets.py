"""Targets: which value of a metric a unit should reach, since when and until when, and whether it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import pandas as pd
from sqlalchemy import Connection, literal_column, or_, select
from sqlalchemy.dialects.postgresql import insert

from metrics.definitions import METRICS, Direction
from metrics.scope import UnitTree
from metrics.target_file import DEFAULT_FILE, KINDS, OPTIONAL, Target, read_targets
from warehouse import schema
from warehouse.engine import advance_version
from warehouse.errors import BadQuestion, RefusedInput
from warehouse.vocabulary import Label

COLUMNS = ("unit", "metric", "target", "applies_to", "valid_from", "deadline", "legal_basis", "note")
TOLERANCE = 1e-9
"""Targets are decimal fractions and values quotients: 7 of 10 is the target 0.7."""


class Attainment(StrEnum):
    """What a value says about its target."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_MEASURED = "not_measured"
    """Nothing occurred that could be measured."""


ATTAINMENT = {
    Attainment.MET: Label("Đạt", "Met"),
    Attainment.NOT_MET: Label("Chưa đạt", "Not met"),
    Attainment.NOT_MEASURED: Label("Không phát sinh", "Nothing to measure"),
}


@dataclass(frozen=True, slots=True)
class StoredTargets:
    """What a load did."""

    changed: int
    unchanged: int


def store_targets(connection: Connection, targets: Sequence[Target], *, place: str = "targets") -> StoredTargets:
    """Insert or update targets by (metric, applies_to, valid_from), in the caller's transaction; nothing is deleted.

    Raises RefusedInput, begun with `place`, for a unit that the unit table does not know.
    """
    named = {target.applies_to for target in targets} - KINDS
    known = set(connection.execute(select(schema.unit.c.code).where(schema.unit.c.code.in_(named))).scalars())
    if lost := sorted(named - known):
        kinds = ", ".join(sorted(KINDS))
        raise RefusedInput(f"{place}, field applies_to: {', '.join(lost)}: neither a known unit nor one of {kinds}")
    if not targets:
        return StoredTargets(0, 0)
    table = schema.target
    new = insert(table)
    keys = [column.name for column in table.primary_key.columns]
    values = {name: new.excluded[name] for name in ("value", *OPTIONAL)}
    differs = or_(*(table.c[name].is_distinct_from(value) for name, value in values.items()))
    upsert = new.on_conflict_do_update(index_elements=keys, set_=values, where=differs)
    rows = [asdict(target) for target in targets]
    changed = len(connection.execute(upsert.returning(literal_column("1")), rows).all())
    if changed:
        advance_version(connection)
    return StoredTargets(changed, len(rows) - changed)


def stored_targets(connection: Connection) -> list[Target]:
    """Return every stored target: by metric, whom it applies to, and day."""
    c = schema.target.c
    columns = (c.metric, c.applies_to, c.valid_from, c.value, c.deadline, c.legal_basis, c.note)
    rows = connection.execute(select(*columns).order_by(c.metric, c.applies_to, c.valid_from))
    return [Target(*row) for row in rows]


def targets(connection: Connection, metrics: Iterable[str], units: Iterable[str], day: date) -> pd.DataFrame:
    """Return the target that holds for each of these metrics and units on a civil day, where there is one: COLUMNS.

    A unit's own target goes before that of its kind; of several the newest valid_from not later than the day holds.
    Raises BadQuestion for an unknown metric.
    """
    asked = tuple(dict.fromkeys(metrics))
    if unknown := [name for name in asked if name not in METRICS]:
        raise BadQuestion(f"unknown metric {', '.join(unknown)}; `ioc metrics` lists them")
    newest: dict[tuple[str, str], Target] = {}
    for target in stored_targets(connection):  # in the order of valid_from
        if target.valid_from <= day:
            newest[target.metric, target.applies_to] = target
    tree = UnitTree.load(connection, day)
    rows = list(_valid(newest, asked, units, tree))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"unit": "str", "metric": "str", "target": "Float64"})


def _valid(
    newest: Mapping[tuple[str, str], Target], metrics: Sequence[str], units: Iterable[str], tree: UnitTree
) -> Iterator[tuple[Any, ...]]:
    for unit in units:
        for name in metrics:
            target = newest.get((name, unit)) or newest.get((name, tree.kind(unit) or ""))
            if target is not None:
                yield (unit, name, target.value, target.applies_to, target.valid_from, target.deadline,
                       target.legal_basis, target.note)  # fmt: skip


def attainment(metric: str, value: float | None, target: float) -> tuple[Attainment, float | None]:
    """Return whether a value meets a target by the metric's direction, and its distance: above 0 it is better.

    The distance is in the unit of the value; missing where nothing was measured.
    """
    if value is None:
        return Attainment.NOT_MEASURED, None
    better = value - target if METRICS[metric].direction is Direction.HIGHER else target - value
    return Attainment.MET if better >= -TOLERANCE else Attainment.NOT_MET, better


def attained(measured: pd.DataFrame, valid: pd.DataFrame, day: date) -> pd.DataFrame:
    """Set the answer of `measure` by unit beside the `targets` that hold on `day`: one row for each target.

    Columns: COLUMNS, value, attainment (codes of Attainment), distance (above 0: better than the target) and days_left
    until the deadline (below 0: it is past; missing where there is none).
    """
    pairs = zip(measured["unit"], measured["metric"], measured["value"], strict=True)
    values = {(unit, metric): None if pd.isna(value) else float(value) for unit, metric, value in pairs}
    judged = [
        attainment(metric, values.get((unit, metric)), target)
        for unit, metric, target in zip(valid["unit"], valid["metric"], valid["target"], strict=True)
    ]
    found = [values.get(key) for key in zip(valid["unit"], valid["metric"], strict=True)]
    left = [None if pd.isna(last) else (last - day).days for last in valid["deadline"]]
    return valid.assign(
        value=pd.Series(found, dtype="Float64"),
        attainment=pd.Series([str(word) for word, _ in judged], dtype="str"),
        distance=pd.Series([distance for _, distance in judged], dtype="Float64"),
        days_left=pd.Series(left, dtype="Int64"),
    )


__all__ = [
    "ATTAINMENT", "COLUMNS", "DEFAULT_FILE", "Attainment", "StoredTargets", "Target", "attained", "attainment",
    "read_targets", "store_targets", "stored_targets", "targets",
]  # fmt: skip
