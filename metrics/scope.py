"""Which units a question may see, and the tree of units that it is resolved with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from metrics.memory import once
from warehouse.errors import BadQuestion
from warehouse.schema import dossier, unit


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything, or the units of some codes with all units below them; hashable, so that it can be part of a key."""

    roots: frozenset[str] | None

    def __post_init__(self) -> None:
        if self.roots is not None and not self.roots:
            raise BadQuestion("the scope names no unit; ask for Scope.everything() or name at least one unit code")

    @classmethod
    def everything(cls) -> Scope:
        """All units, also those that only the dossiers know."""
        return cls(None)

    @classmethod
    def of(cls, codes: Iterable[str]) -> Scope:
        """The units of these codes and all below them; raises BadQuestion when there are none."""
        return cls(frozenset(codes))


@dataclass(frozen=True, slots=True)
class UnitRow:
    """What the unit table says about one code at one day."""

    code: str
    name: str
    kind: str
    parent: str | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class UnitTree:
    """One row for each code, as of a day: the row valid then, else the last before, else the first after."""

    rows: Mapping[str, UnitRow]

    @cached_property
    def children(self) -> Mapping[str | None, list[str]]:
        """The codes directly below each code."""
        found = defaultdict(list)
        for row in self.rows.values():
            found[row.parent].append(row.code)
        return found

    @classmethod
    def load(cls, connection: Connection, day: date) -> UnitTree:
        """Read the tree as of a civil day."""
        return once(connection, ("units", day), lambda: cls._read(connection, day))

    @classmethod
    def _read(cls, connection: Connection, day: date) -> UnitTree:
        statement = (
            select(unit.c.code, unit.c.name, unit.c.kind, unit.c.parent, unit.c.valid_from, unit.c.valid_to)
            .ext(distinct_on(unit.c.code))
            .order_by(unit.c.code, (unit.c.valid_from <= day).desc(), func.abs(unit.c.valid_from - day))
        )
        return cls({row.code: UnitRow(*row) for row in connection.execute(statement)})

    def under(self, roots: Iterable[str]) -> set[str]:
        """Return these codes and all codes below them."""
        found: set[str] = set()
        waiting = list(roots)
        while waiting:
            code = waiting.pop()
            if code not in found:
                found.add(code)
                waiting += self.children.get(code, ())
        return found

    def leaves(self, first: date, stop: date) -> set[str]:
        """Return the codes with nothing below them that existed on some day from `first` to before `stop`."""
        alive = {
            row.code: row.parent
            for row in self.rows.values()
            if row.valid_from < max(stop, first + timedelta(1)) and (row.valid_to is None or row.valid_to > first)
        }
        return alive.keys() - {parent for parent in alive.values() if parent is not None}

    def kind(self, code: str) -> str | None:
        """Return the kind of a unit, None where the table does not know it."""
        return self.rows[code].kind if code in self.rows else None


def resolve(connection: Connection, scope: Scope, tree: UnitTree) -> frozenset[str] | None:
    """Return the unit codes of a scope, None for everything; BadQuestion names the codes that nothing knows."""
    if scope.roots is None:
        return None
    unknown = sorted(code for code in scope.roots - tree.rows.keys() if not _has_dossiers(connection, code))
    if unknown:
        raise BadQuestion(f"no such unit: {', '.join(unknown)}; neither the unit table nor any dossier knows it")
    return frozenset(tree.under(scope.roots))


def _has_dossiers(connection: Connection, code: str) -> bool:
    return connection.execute(select(dossier.c.code).where(dossier.c.unit == code).limit(1)).first() is not None
