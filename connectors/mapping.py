"""The declaration of a mapping: which field of the source becomes which column, and how it is read.

A mapping is a TOML file; unknown keys are errors. A source names a preset of `connectors/presets/` or a file of its
own, which may extend a preset. Fields that no rule names are never read; `personal` lists those that hold personal
data, so that naming one of them in a rule is an error too. docs/mapping.md describes the language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator

from connectors.dates import DateFormat, RepeatedHour
from connectors.entities import SHAPES, UPDATED
from connectors.extension import extended
from connectors.rules import PLACE, Children, FieldMapping, Part, RowSet, Rule, Scalar, When, fits
from warehouse.errors import ConfigurationError
from warehouse.vocabulary import Entity

PRESETS = Path(__file__).parent / "presets"
CHILD_ENTITIES = frozenset({Entity.DOSSIER_SUPPLEMENT, Entity.DOSSIER_STEP})


class SourceMapping(Part):
    """The mapping of one stream of one entity."""

    entity: Entity
    timezone: str | None = Field(None, description="clock of dates without offset; none: that of the settings")
    repeated_hour: RepeatedHour = Field("first", description="which of an hour that the clock shows twice is meant")
    dates: tuple[DateFormat, ...] = Field(("iso",), min_length=1, description="formats of dates, tried in this order")
    empty: tuple[str, ...] = Field((), description="texts that mean no value, beside the empty text")
    decimal: Literal[",", "."] | None = Field(
        None, description="sign before the fraction of numbers; none: 28.856 and 1,234 can be two numbers, so neither"
    )
    personal: tuple[str, ...] = Field((), description="fields of the source that hold personal data: never read")
    codes: dict[str, dict[str, Scalar]] = Field(default_factory=dict, description="named code lists")
    where: When | None = Field(None, description="records for which this does not hold are no records of ours")
    fields: dict[str, FieldMapping] = Field(description="column of the warehouse to rule")
    rows: tuple[RowSet, ...] = Field((), description="a record is not one row, but several")
    children: tuple[Children, ...] = Field((), description="lists of a record that are rows of another entity")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        try:
            ZoneInfo(value or "UTC")
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is not an IANA time zone") from error
        return value

    @model_validator(mode="after")
    def _fits_the_entity(self) -> SourceMapping:
        if self.where is not None and self.where.column is not None:
            raise ValueError("where looks at fields of the source, not at columns")
        for rows in self.rows or (None,):
            self._check_columns(self.entity, dict(self.fields) if rows is None else rows.flat(self.fields))
        if self.children and (self.entity is not Entity.DOSSIER or self.rows):
            raise ValueError("only the records of dossiers have children")
        for child in self.children:
            self._check_child(child)
        if leaks := sorted((set(self.source_fields) | self._items()) & set(self.personal)):
            raise ValueError(f"personal fields must not be mapped: {', '.join(leaks)}")
        return self

    def _check_child(self, child: Children) -> None:
        if child.entity not in CHILD_ENTITIES:
            raise ValueError(f"children are {' or '.join(sorted(CHILD_ENTITIES))}, not {child.entity}")
        own = {"code", UPDATED} & set(child.fields)
        if own:
            raise ValueError(f"children: {', '.join(sorted(own))} are those of the record and cannot be mapped")
        given = child.rows.flat({name: self.fields[name] for name in ("code", UPDATED) if name in self.fields})
        self._check_columns(child.entity, given, made=SHAPES[child.entity].key)

    def _check_columns(self, entity: Entity, fields: Mapping[str, FieldMapping], made: tuple[str, ...] = ()) -> None:
        shape, earlier = SHAPES[entity], set[str]()
        unknown = sorted(set(fields) - set(shape.columns))
        missing = sorted(set(shape.required) - set(fields) - set(made))
        if unknown or missing:
            raise ValueError(
                f"columns of {entity}: unknown {unknown}, missing {missing}; there are {sorted(shape.columns)}"
            )
        for column, mapping in fields.items():
            for rule in mapping.rules:
                if isinstance(rule.codes, str) and rule.codes not in self.codes:
                    raise ValueError(f"{column}: no code list is called {rule.codes!r}")
                if rule.when is not None and rule.when.column and rule.when.column not in earlier:
                    raise ValueError(f"{column}: when.column = {rule.when.column!r} must be mapped before it")
                if rule.item is not None and rule.source is None:
                    raise ValueError(f"{column}: item needs from, except in the fields of rows and children")
                if not fits(shape.columns[column], rule, self.code_list(rule)):
                    raise ValueError(f"{column} holds {shape.columns[column]}, the rule gives something else")
            earlier.add(column)

    def code_list(self, rule: Rule) -> Mapping[str, Scalar] | None:
        """Return the code list of a rule."""
        return self.codes[rule.codes] if isinstance(rule.codes, str) else rule.codes

    @property
    def row_sets(self) -> tuple[RowSet, ...]:
        """Every way in which records become further rows: of this entity or of children."""
        return (*self.rows, *(child.rows for child in self.children))

    def _mappings(self) -> Iterator[FieldMapping]:
        yield from self.fields.values()
        for rows in self.row_sets:
            yield from rows.flat({}).values()

    @property
    def source_fields(self) -> dict[str, bool]:
        """Every field of the source that is read, and whether each record must have it."""
        wanted: dict[str, bool] = {}
        named = [(name, not mapping.optional) for mapping in self._mappings() for name in _looked_at(mapping)]
        named += [(name, not rows.optional) for rows in self.row_sets for name in rows.sources]
        named += [(name, True) for name in (self.where.fields if self.where is not None else ())]
        for name, needed in named:
            if name != PLACE and "[]." not in name:
                wanted[name] = wanted.get(name, False) or needed
        return wanted

    @property
    def needs_place(self) -> bool:
        """Whether a rule looks at where records came from."""
        return any(name == PLACE for mapping in self._mappings() for name in _looked_at(mapping))

    @property
    def nested_fields(self) -> dict[str, frozenset[str]]:
        """Fields that hold lists or objects, and the items of them that rules look at: no others are ever kept."""
        items: dict[str, set[str]] = {}
        for mapping in self._mappings():
            for rule in mapping.rules:
                if rule.source is not None and (rule.take is not None or rule.item is not None):
                    items.setdefault(rule.source, set()).update([rule.item] if rule.item else [])
        for rows in self.row_sets:
            common = self.fields if rows in self.rows else {}
            for name in () if rows.wide else rows.sources:
                items.setdefault(name, set()).update(rows.items({**common, **rows.fields}))
        return {name: frozenset(found) for name, found in items.items()}

    @property
    def list_fields(self) -> frozenset[str]:
        """Fields that hold lists or objects: what they hold is looked at, never kept whole."""
        return frozenset(self.nested_fields)

    def _items(self) -> set[str]:
        return {item for items in self.nested_fields.values() for item in items}

    @property
    def key_fields(self) -> tuple[str, ...]:
        """Fields of the source that make the natural key."""
        named = (self.fields[name] for name in SHAPES[self.entity].key if name in self.fields)
        return tuple(name for mapping in named for rule in mapping.rules for name in rule.fields() if name != PLACE)


def _looked_at(mapping: FieldMapping) -> Iterator[str]:
    for rule in mapping.rules:
        yield from rule.fields()


def load_mapping(name: str) -> SourceMapping:
    """Load a preset by its name, or a mapping file by its path.

    Raises ConfigurationError that names the file and every wrong entry.
    """
    file = find_mapping(name)
    try:
        return SourceMapping(**extended(_tables(file, name), lambda base: _base_tables(base, file)))
    except ValidationError as error:
        raise ConfigurationError(_explain(file, error)) from None


def find_mapping(name: str) -> Path:
    """Return the file of a preset's name, or the path that a mapping file has."""
    return Path(name) if name.endswith(".toml") else PRESETS / f"{name}.toml"


def _base_tables(name: str, file: Path) -> dict[str, Any]:
    base = file.parent / name if name.endswith(".toml") else find_mapping(name)
    return _tables(base, name)


def _tables(file: Path, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        presets = ", ".join(sorted(path.stem for path in PRESETS.glob("*.toml")))
        raise ConfigurationError(f"mapping {name}: no such file or preset; presets are {presets}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file}: cannot be read as TOML: {error}") from None


def _explain(file: Path, error: ValidationError) -> str:
    lines = [f"{file}: {error.error_count()} entry(ies) of the mapping wrong"]
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        where = ".".join(str(part) for part in item["loc"]) or "(whole file)"
        lines.append(f"  {where}: {'no such key' if item['type'] == 'extra_forbidden' else item['msg']}")
    return "\n".join(lines)


__all__ = ["PRESETS", "FieldMapping", "Rule", "SourceMapping", "When", "find_mapping", "load_mapping"]
