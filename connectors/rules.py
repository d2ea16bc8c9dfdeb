"""The rules of a mapping: how the value of one column is got from the fields of a record.

docs/mapping.md shows each of them at work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from connectors.dates import DateFormat
from connectors.entities import Kind
from warehouse.vocabulary import Entity

Scalar = bool | int | float | str
PLACE = "$file"
"""Name of a field that every record has: the file (and sheet), or the page, that it came from."""
NUMBER = "#"
"""Name of an item that every element has: its number in its list, from 1."""
_BLANK = re.compile(r"\{([^{}]*?)(\?)?(?::0(\d{1,2}))?\}")


class Part(BaseModel):
    """A table of a mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class When(Part):
    """A condition on the record: all that is given must hold."""

    present: str | None = Field(None, description="this field of the source is not empty")
    absent: str | None = Field(None, description="this field of the source is empty")
    field: str | None = Field(None, description="a field of the source ...")
    column: str | None = Field(None, description="a column mapped earlier ...")
    among: tuple[Scalar, ...] = Field((), alias="in", description="... has one of these values")

    @model_validator(mode="after")
    def _says_something(self) -> When:
        if self.field is not None and self.column is not None:
            raise ValueError("a condition looks at a field or at a column, not at both")
        asks = self.field is not None or self.column is not None
        if asks != bool(self.among) or not (self.present or self.absent or asks):
            raise ValueError("a condition needs present, absent, or field or column together with in")
        return self

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of the source that it looks at."""
        return tuple(name for name in (self.present, self.absent, self.field) if name is not None)


class Blank(Part):
    """A place of a template that a field fills: `{name}`, `{name?}` where it may be empty, `{name:02}` with zeros."""

    name: str
    may_be_empty: bool
    width: int


def template(text: str) -> tuple[tuple[str, ...], tuple[Blank, ...]]:
    """Split a template into the texts around its places, and the places."""
    parts = _BLANK.split(text)
    names = zip(parts[1::4], parts[2::4], parts[3::4], strict=True)
    blanks = tuple(Blank(name=name, may_be_empty=bool(may), width=int(width or 0)) for name, may, width in names)
    return tuple(parts[::4]), blanks


class Rule(Part):
    """One way to get the value of a column."""

    source: str | None = Field(None, alias="from", description="field of the source")
    constant: Scalar | None = Field(None, description="the same value for every row")
    text: str | None = Field(None, description="template of several fields, or of the groups of pattern")
    object: dict[str, str] | None = Field(None, description="name in a JSON column to field of the source (a number)")
    pattern: str | None = Field(None, description="expression with named groups; its one group, or text, is the value")
    codes: dict[str, Scalar] | str | None = Field(None, description="word of the source to value, or a named list")
    other: Literal["refuse", "keep", "empty"] = Field(
        "refuse", description="a word that is not in codes is refused, kept as it is, or counts as no value"
    )
    dates: tuple[DateFormat, ...] | None = Field(None, description="formats, where not those of the mapping")
    take: Literal["count", "any", "first"] | None = Field(None, description="the field is a list: what of it is meant")
    item: str | None = Field(None, description="field of the list's elements, or of the object that the field holds")
    among: tuple[str, ...] = Field((), alias="in", description="for any: these values; none: any that is not empty")
    when: When | None = Field(None, description="the rule is for rows where this holds")

    @field_validator("pattern")
    @classmethod
    def _can_be_searched(cls, value: str | None) -> str | None:
        if value is not None and not _groups(value):
            raise ValueError("a pattern needs a named group, such as (?P<year>[0-9]{4})")
        return value

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups of its pattern."""
        return _groups(self.pattern) if self.pattern is not None else ()

    @property
    def blanks(self) -> tuple[Blank, ...]:
        """Places of its template."""
        return template(self.text)[1] if self.text is not None else ()

    def check(self) -> None:
        """Raise ValueError for keys that do not go together."""
        ways = [self.source or self.item, self.text if self.pattern is None else None, self.object]
        if sum(way is not None for way in (*ways, self.constant)) != 1:
            raise ValueError("a rule needs either from or constant (or item, text, object)")
        if self.take in {"any", "first"} and self.item is None:
            raise ValueError("take = any or first needs item")
        if self.take is not None and self.source is None:
            raise ValueError("take needs from, the field that holds the list")
        if self.pattern is not None and (self.source or self.item) is None:
            raise ValueError("pattern needs from")
        self._check_template()

    def _check_template(self) -> None:
        if self.text is not None and not self.blanks:
            raise ValueError("text has no {field}; for the same text in every row use constant")
        if self.pattern is None:
            return
        if self.text is None and len(self.groups) > 1:
            raise ValueError("pattern has several groups: say in text what becomes of them")
        if unknown := sorted({blank.name for blank in self.blanks} - set(self.groups)):
            raise ValueError(f"text names {', '.join(unknown)}, which pattern has no group for")

    def fields(self) -> Iterator[str]:
        """Name every field of the source that this rule looks at."""
        if self.source is not None:
            yield self.source
        if self.pattern is None:
            yield from (blank.name for blank in self.blanks)
        yield from (self.object or {}).values()
        yield from self.when.fields if self.when is not None else ()

    def inside(self, label: str) -> Rule:
        """The same rule for a row that is made of one element of the list `label`: items become fields."""
        changes: dict[str, Any] = {}
        if self.item is not None and self.source is None:
            changes |= {"source": item_field(label, self.item), "item": None}
        if self.text is not None and self.pattern is None:
            changes["text"] = self.text.replace("{[].", "{" + label + "[].")
        return self.model_copy(update=changes) if changes else self


def _groups(pattern: str) -> tuple[str, ...]:
    """Names of the groups of a pattern, in the language of RE2 that columns are searched with."""
    try:
        found = pc.extract_regex(pa.array([], pa.large_string()), pattern)
    except pa.ArrowException as error:
        raise ValueError(f"pattern is no expression that can be searched for: {error}") from None
    return tuple(found.type.field(number).name for number in range(found.type.num_fields))


def item_field(label: str, item: str) -> str:
    """Name of the field that holds one item of the elements of a list, once every element is a row."""
    return f"{label}[].{item}"


class FieldMapping(Rule):
    """How one column is filled: a rule, or the first of several that gives a value."""

    optional: bool = Field(False, description="records may lack the source's fields altogether")
    first_of: tuple[Rule, ...] = Field((), description="rules in the order in which they are tried")

    @model_validator(mode="after")
    def _one_way(self) -> FieldMapping:
        if self.first_of and any(way is not None for way in (self.source, self.constant, self.text, self.object)):
            raise ValueError("first_of stands alone: put the rule itself first in it")
        for rule in self.rules:
            rule.check()
        return self

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in the order in which they are tried."""
        return self.first_of or (self,)

    def inside(self, label: str) -> FieldMapping:
        """The same for a row that is made of one element of the list `label`."""
        if self.first_of:
            return self.model_copy(update={"first_of": tuple(rule.inside(label) for rule in self.first_of)})
        changed = super().inside(label)
        return changed if isinstance(changed, FieldMapping) else self


class RowSet(Part):
    """How one record becomes several rows: one for each element of a list, entry of an object, or named field."""

    list: str | None = Field(None, description="field that holds a list of objects: a row for each")
    entries: str | None = Field(None, description="field that holds an object: a row for each entry, items name, value")
    wide: dict[str, str] = Field({}, description="name to field: a row for each that is not empty, items name, value")
    optional: bool = Field(False, description="records may lack these fields altogether")
    fields: dict[str, FieldMapping] = Field({}, description="column to rule, beside those of the whole mapping")

    @model_validator(mode="after")
    def _one_kind(self) -> RowSet:
        if sum(map(bool, (self.list, self.entries, self.wide))) != 1:
            raise ValueError("rows are made of one of list, entries, wide")
        if not self.list and (wrong := sorted(self.items(self.fields) - {"name", "value", NUMBER})):
            raise ValueError(f"the items of entries and wide are name and value, not {', '.join(wrong)}")
        return self

    @property
    def label(self) -> str:
        """What the elements are called in messages and payloads."""
        return self.list or self.entries or "wide"

    @property
    def sources(self) -> tuple[str, ...]:
        """Fields of the source whose elements become rows."""
        return tuple(self.wide.values()) if self.wide else (self.label,)

    def items(self, fields: Mapping[str, FieldMapping]) -> set[str]:
        """Items of the elements that rules of `fields` look at."""
        start = item_field(self.label, "")
        flat = [rule.inside(self.label) for mapping in fields.values() for rule in mapping.rules]
        return {name.removeprefix(start) for rule in flat for name in rule.fields() if name.startswith(start)}

    def flat(self, common: Mapping[str, FieldMapping]) -> dict[str, FieldMapping]:
        """The rules of a row: those of the whole mapping and its own."""
        return {column: mapping.inside(self.label) for column, mapping in {**common, **self.fields}.items()}


class Children(Part):
    """Rows of another entity that a record carries in a list: they belong to it, and are stored with it."""

    entity: Entity = Field(description="what the elements are: dossier_supplement, dossier_step")
    list: str = Field(description="field that holds the list; a record without it has none")
    fields: dict[str, FieldMapping] = Field(description="column to rule; code and source_updated_at are the record's")

    @property
    def rows(self) -> RowSet:
        """The same as a way to make rows of elements."""
        return RowSet(list=self.list, optional=True, fields=self.fields)


def fits(kind: Kind, rule: Rule, codes: Mapping[str, Scalar] | None) -> bool:
    """Whether what a rule gives can be a value of `kind`."""
    values = list((codes or {}).values()) + ([] if rule.constant is None else [rule.constant])
    wanted = kind if rule.object is None else Kind.JSON
    wanted = {"count": Kind.INTEGER, "any": Kind.BOOLEAN}.get(rule.take or "", wanted)
    if rule.object is not None:  # codes are for the numbers inside
        return kind is Kind.JSON and all(isinstance(value, int | float) for value in values)
    right = all(
        isinstance(value, _PYTHON[kind]) and isinstance(value, bool) <= (kind is Kind.BOOLEAN) for value in values
    )
    return right and wanted is kind and kind is not Kind.JSON and (rule.other != "keep" or kind is Kind.TEXT)


_PYTHON: Mapping[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.INTEGER: (int,),
    Kind.NUMBER: (int, float),
    Kind.BOOLEAN: (bool,),
    Kind.INSTANT: (str,),
    Kind.DATE: (str,),
    Kind.JSON: (),
}
