"""Targets as an operator writes them: a TOML file of [[targets]], checked as a whole before anything is stored."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from metrics.definitions import METRICS, Direction, Metric, Unit
from warehouse.errors import RefusedInput
from warehouse.vocabulary import UnitKind

DEFAULT_FILE = Path(__file__).with_name("targets.toml")
REQUIRED, OPTIONAL = ("metric", "applies_to", "valid_from", "value"), ("deadline", "legal_basis", "note")
KINDS = frozenset(str(kind) for kind in UnitKind)


@dataclass(frozen=True, slots=True)
class Target:
    """A value to reach by `deadline` (from the first day on where there is none), valid from a day until the next."""

    metric: str
    applies_to: str
    valid_from: date
    value: float
    deadline: date | None = None
    legal_basis: str | None = None
    note: str | None = None


def read_targets(file: Path) -> list[Target]:
    """Read a TOML file of [[targets]]; raises RefusedInput that names file, entry and field."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise RefusedInput(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RefusedInput(f"{file}: not a TOML file: {error}") from None
    entries = tables.pop("targets", None)
    if tables or not isinstance(entries, list) or not entries:
        found = ", ".join(tables) or "none"
        raise RefusedInput(f"{file}: expected a list of [[targets]] and nothing else; found {found}")
    seen: dict[tuple[str, str, date], int] = {}
    targets = []
    for number, entry in enumerate(entries, start=1):
        target = _Entry(file, number, entry).target()
        key = (target.metric, target.applies_to, target.valid_from)
        if key in seen:
            raise RefusedInput(f"{file}, target {number}: the same metric, unit and day as target {seen[key]}")
        seen[key] = number
        targets.append(target)
    return targets


class _Entry:
    """One entry of a file and where it stands, for messages."""

    def __init__(self, file: Path, number: int, values: object) -> None:
        self.place = f"{file}, target {number}"
        if not isinstance(values, dict):
            raise RefusedInput(f"{self.place}: expected a table with {', '.join(REQUIRED)}")
        self.values: dict[str, Any] = values

    def target(self) -> Target:
        unknown = sorted(self.values.keys() - {*REQUIRED, *OPTIONAL})
        missing = [name for name in REQUIRED if name not in self.values]
        if unknown or missing:
            raise RefusedInput(
                f"{self.place}: fields missing: {', '.join(missing) or 'none'};"
                f" unknown: {', '.join(unknown) or 'none'}; known: {', '.join((*REQUIRED, *OPTIONAL))}"
            )
        metric = self._metric()
        texts = {name: self._text(name) for name in ("legal_basis", "note")}
        target = Target(
            metric.name, self._text("applies_to") or "", self._day("valid_from"), self._value(metric),
            self._day("deadline") if "deadline" in self.values else None, **texts,
        )  # fmt: skip
        if not target.applies_to:
            raise self._refuse("applies_to", f"a unit code or one of {', '.join(sorted(KINDS))}")
        if target.deadline is not None and target.deadline < target.valid_from:
            raise self._refuse("deadline", f"a day not before valid_from {target.valid_from}")
        return target

    def _refuse(self, field: str, expected: str) -> RefusedInput:
        return RefusedInput(f"{self.place}, field {field}: {self.values.get(field)!r} is not {expected}")

    def _metric(self) -> Metric:
        found = METRICS.get(str(self.values["metric"]))
        if found is None:
            raise self._refuse("metric", "a known metric; `ioc metrics` lists them")
        if found.direction is Direction.NONE:
            raise self._refuse("metric", "a metric with a good direction: more of it is neither better nor worse")
        return found

    def _value(self, metric: Metric) -> float:
        value = self.values["value"]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise self._refuse("value", "a number of 0 or more")
        if metric.unit is Unit.SHARE and value > 1:
            raise self._refuse("value", "a share from 0 to 1; write 0.9 for 90 %")
        return float(value)

    def _day(self, field: str) -> date:
        value = self.values[field]
        if isinstance(value, str):
            try:
                return date.fromisoformat(value)
            except ValueError:
                raise self._refuse(field, "a day such as 2026-01-01") from None
        if isinstance(value, datetime) or not isinstance(value, date):
            raise self._refuse(field, "a day such as 2026-01-01")
        return value

    def _text(self, field: str) -> str | None:
        value = self.values.get(field)
        if value is not None and not isinstance(value, str):
            raise self._refuse(field, "a text")
        return value.strip() or None if value else None
