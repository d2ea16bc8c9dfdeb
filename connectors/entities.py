"""What each entity looks like in the warehouse: read off the schema, so that the two never drift apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ARRAY, Boolean, Date, DateTime, Float, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from warehouse import schema
from warehouse.vocabulary import Entity

BOOKKEEPING = frozenset({"source", "seen_at", "payload_hash", "flags"})
"""Columns that the sync itself fills."""
TAUGHT = ("procedure_name", "field_code", "field")
"""What a dossier says about its procedure; kept in `procedure` as long as the catalogue does not say it."""
UPDATED = "source_updated_at"
CHILDREN = "children"
"""Column of good rows that stands for the children of each: it is part of the row's hash, and not stored."""


class Kind(StrEnum):
    """What a value of a column is."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    INSTANT = "instant"
    DATE = "date"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Shape:
    """One entity: its table, its key inside a source, the columns that a mapping may fill and those that it must."""

    entity: Entity
    table: Table
    key: tuple[str, ...]
    required: tuple[str, ...]
    columns: Mapping[str, Kind]
    extra: tuple[str, ...] = ()

    @property
    def versioned(self) -> bool:
        """Whether the table keeps the source's version of a row (payload hash and time of update)."""
        return "payload_hash" in self.table.columns

    @property
    def stored(self) -> tuple[str, ...]:
        """Columns of the table that come from the source."""
        return tuple(name for name in self.columns if name not in self.extra)


def _kind(type_: TypeEngine[object]) -> Kind | None:
    for base, kind in (
        (Boolean, Kind.BOOLEAN),
        (DateTime, Kind.INSTANT),
        (Date, Kind.DATE),
        (Float, Kind.NUMBER),
        (Integer, Kind.INTEGER),
        (JSONB, Kind.JSON),
        (ARRAY, None),
        (Text, Kind.TEXT),
    ):
        if isinstance(type_, base):
            return kind
    raise TypeError(f"no kind for {type_!r}")


def _shape(entity: Entity, table: Table, required: tuple[str, ...], extra: Mapping[str, Kind]) -> Shape:
    kinds = {column.name: _kind(column.type) for column in table.columns if column.name not in BOOKKEEPING}
    columns = {name: kind for name, kind in kinds.items() if kind is not None} | dict(extra)
    key = tuple(column.name for column in table.primary_key.columns if column.name != "source")
    return Shape(entity, table, key, required, columns, tuple(extra))


_TAUGHT = dict.fromkeys(TAUGHT, Kind.TEXT)

SHAPES: Mapping[Entity, Shape] = {
    entity: _shape(entity, table, required, extra)
    for entity, table, required, extra in (
        (Entity.DOSSIER, schema.dossier, ("code", "unit"), _TAUGHT),
        (Entity.REFERENCE_DOSSIER, schema.reference_dossier, ("code", "unit"), _TAUGHT),
        (Entity.DOSSIER_STEP, schema.dossier_step, ("code", "step"), {}),
        (Entity.DOSSIER_SUPPLEMENT, schema.dossier_supplement, ("code", "supplement"), {}),
        (Entity.SURVEY_ANSWER, schema.survey_answer, ("id", "unit", "answered_at", "scale"), {}),
        (Entity.REPORTED_FIGURE, schema.reported_figure, ("unit", "form", "period", "field", "item", "value"), {}),
        (Entity.EXTERNAL_SCORE, schema.external_score, ("unit", "period", "item"), {}),
        (Entity.PROCEDURE, schema.procedure, ("code", "name"), {}),
        (Entity.UNIT, schema.unit, ("code", "valid_from", "name", "kind"), {}),
    )
}
