"""The declaration of a mapping: which field of the source becomes which column, and how it is read.

A mapping is a TOML file; unknown keys are errors. A source names a preset of `connectors/presets/` or a file of its
own. Fields that no rule names are never read; `personal` lists those that hold personal data, so that naming one of
them in a rule is an error too. The classes below describe every key; the presets show them at work.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from connectors.dates import DateFormat, RepeatedHour
from connectors.entities import SHAPES, Kind
from warehouse.errors import ConfigurationError
from warehouse.vocabulary import Entity

PRESETS = Path(__file__).parent / "presets"
Scalar = bool | int | float | str


class Part(BaseModel):
    """A table of a mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class When(Part):
    """A condition on the row: all that is given must hold."""

    present: str | None = Field(None, description="this field of the source is not empty")
    absent: str | None = Field(None, description="this field of the source is empty")
    column: str | None = Field(None, description="a column mapped earlier ...")
    among: tuple[Scalar, ...] = Field((), alias="in", description="... has one of these values")

    @model_validator(mode="after")
    def _says_something(self) -> When:
        if (self.column is None) != (not self.among) or not (self.present or self.absent or self.column):
            raise ValueError("a condition needs present, absent, or column together with in")
        return self


class Rule(Part):
    """One way to get the value of a column."""

    source: str | None = Field(None, alias="from", description="field of the source")
    constant: Scalar | None = Field(None, description="the same value for every row")
    codes: dict[str, Scalar] | str | None = Field(None, description="word of the source to value, or a named list")
    dates: tuple[DateFormat, ...] | None = Field(None, description="formats, where not those of the mapping")
    take: Literal["count", "any", "first"] | None = Field(None, description="the field is a list: what of it is meant")
    item: str | None = Field(None, description="field of the list's elements")
    among: tuple[str, ...] = Field((), alias="in", description="for any: these values; none: any that is not empty")
    when: When | None = Field(None, description="the rule is for rows where this holds")

    def fields(self) -> Iterator[str]:
        """Name every field of the source that this rule looks at."""
        if self.source is not None:
            yield self.source
        if self.when is not None:
            yield from (name for name in (self.when.present, self.when.absent) if name is not None)


class FieldMapping(Rule):
    """How one column is filled: a rule, or the first of several that gives a value."""

    optional: bool = Field(False, description="records may lack the source's fields altogether")
    first_of: tuple[Rule, ...] = Field((), description="rules in the order in which they are tried")

    @model_validator(mode="after")
    def _one_way(self) -> FieldMapping:
        for rule in self.rules:
            if (rule.source is None) == (rule.constant is None):
                raise ValueError("a rule needs either from or constant")
            if (rule.take in {"any", "first"}) != (rule.item is not None):
                raise ValueError("take = any or first needs item, and only they do")
        if self.first_of and (self.source is not None or self.constant is not None):
            raise ValueError("first_of stands alone: put the rule itself first in it")
        return self

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in the order in which they are tried."""
        return self.first_of or (self,)


class SourceMapping(Part):
    """The mapping of one stream of one entity."""

    entity: Entity
    timezone: str | None = Field(None, description="clock of dates without offset; none: that of the settings")
    repeated_hour: RepeatedHour = Field("first", description="which of an hour that the clock shows twice is meant")
    dates: tuple[DateFormat, ...] = Field(("iso",), min_length=1, description="formats of dates, tried in this order")
    empty: tuple[str, ...] = Field((), description="texts that mean no value, beside the empty text")
    personal: tuple[str, ...] = Field((), description="fields of the source that hold personal data: never read")
    codes: dict[str, dict[str, Scalar]] = Field(default_factory=dict, description="named code lists")
    fields: dict[str, FieldMapping] = Field(description="column of the warehouse to rule")

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
        shape = SHAPES[self.entity]
        unknown = sorted(set(self.fields) - set(shape.columns))
        missing = sorted(set(shape.required) - set(self.fields))
        if unknown or missing:
            raise ValueError(
                f"columns of {self.entity}: unknown {unknown}, missing {missing}; there are {sorted(shape.columns)}"
            )
        if leaks := sorted(set(self.source_fields) & set(self.personal)):
            raise ValueError(f"personal fields must not be mapped: {', '.join(leaks)}")
        self._check_rules()
        return self

    def _check_rules(self) -> None:
        shape, earlier = SHAPES[self.entity], set[str]()
        for column, mapping in self.fields.items():
            for rule in mapping.rules:
                if isinstance(rule.codes, str) and rule.codes not in self.codes:
                    raise ValueError(f"{column}: no code list is called {rule.codes!r}")
                if rule.when is not None and rule.when.column and rule.when.column not in earlier:
                    raise ValueError(f"{column}: when.column = {rule.when.column!r} must be mapped before it")
                if not _fits(shape.columns[column], rule, self.code_list(rule)):
                    raise ValueError(f"{column} holds {shape.columns[column]}, the rule gives something else")
            earlier.add(column)

    def code_list(self, rule: Rule) -> Mapping[str, Scalar] | None:
        """Return the code list of a rule."""
        return self.codes[rule.codes] if isinstance(rule.codes, str) else rule.codes

    @property
    def source_fields(self) -> dict[str, bool]:
        """Every field of the source that is read, and whether each record must have it."""
        wanted: dict[str, bool] = {}
        for mapping in self.fields.values():
            for rule in mapping.rules:
                for name in rule.fields():
                    wanted[name] = wanted.get(name, False) or not mapping.optional
        return wanted

    @property
    def list_fields(self) -> frozenset[str]:
        """Fields that are lists: what they hold is looked at, never kept."""
        rules = (rule for mapping in self.fields.values() for rule in mapping.rules)
        return frozenset(rule.source for rule in rules if rule.take and rule.source)

    @property
    def key_fields(self) -> tuple[str, ...]:
        """Fields of the source that make the natural key."""
        rules = (rule for name in SHAPES[self.entity].key for rule in self.fields[name].rules)
        return tuple(rule.source for rule in rules if rule.source)


_PYTHON: Mapping[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.INTEGER: (int,),
    Kind.NUMBER: (int, float),
    Kind.BOOLEAN: (bool,),
    Kind.INSTANT: (str,),
    Kind.DATE: (str,),
}


def _fits(kind: Kind, rule: Rule, codes: Mapping[str, Scalar] | None) -> bool:
    values = list((codes or {}).values()) + ([] if rule.constant is None else [rule.constant])
    right = all(
        isinstance(value, _PYTHON[kind]) and isinstance(value, bool) <= (kind is Kind.BOOLEAN) for value in values
    )
    wanted = {"count": Kind.INTEGER, "any": Kind.BOOLEAN}.get(rule.take or "", kind)
    return right and wanted is kind


def load_mapping(name: str) -> SourceMapping:
    """Load a preset by its name, or a mapping file by its path.

    Raises ConfigurationError that names the file and every wrong entry.
    """
    file = Path(name) if name.endswith(".toml") else PRESETS / f"{name}.toml"
    try:
        tables: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        return SourceMapping(**tables)
    except FileNotFoundError:
        presets = ", ".join(sorted(path.stem for path in PRESETS.glob("*.toml")))
        raise ConfigurationError(f"mapping {name}: no such file or preset; presets are {presets}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file}: cannot be read as TOML: {error}") from None
    except ValidationError as error:
        raise ConfigurationError(_explain(file, error)) from None


def _explain(file: Path, error: ValidationError) -> str:
    lines = [f"{file}: {error.error_count()} entry(ies) of the mapping wrong"]
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        where = ".".join(str(part) for part in item["loc"]) or "(whole file)"
        lines.append(f"  {where}: {'no such key' if item['type'] == 'extra_forbidden' else item['msg']}")
    return "\n".join(lines)
