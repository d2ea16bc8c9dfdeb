"""Writing a starting mapping and source for an unknown source: commented TOML, with what is left to do marked TODO.

No value of a record is written but dates' formats and the words of code columns.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.entities import SHAPES, Kind
from connectors.recognise import Recognised, date_formats, distinct, fitting_preset, known_words, presets, recognise
from connectors.rules import Scalar
from connectors.sample import Sample
from connectors.values import YES_NO, fold
from warehouse.vocabulary import Entity

MOST_WORDS = 60
UNIT_COLUMNS = ("unit", "receiving_unit")
TIMEZONE = "Asia/Ho_Chi_Minh"


@dataclass(frozen=True, slots=True)
class Draft:
    """A starting mapping as TOML, the block of its source, and what must be filled in before it can be used."""

    mapping: str
    source: str
    missing: tuple[str, ...]
    unsure: tuple[str, ...]


def draft(sample: Sample, entity: Entity, name: str, mapping_path: str) -> Draft:
    """Write the starting mapping of a sample, and the block of a source that uses it."""
    found = recognise(sample, entity)
    return _Writer(sample, found, fitting_preset(sample, entity)).draft(name, mapping_path)


class _Writer:
    """One draft in the making."""

    def __init__(self, sample: Sample, found: Recognised, preset: str | None) -> None:
        self.sample, self.found, self.preset = sample, found, preset
        self.kinds = SHAPES[found.entity].columns
        self.unsure: list[str] = []

    def draft(self, name: str, mapping_path: str) -> Draft:
        lines = [*self._head(), *self._personal(), *self._codes(), *self._fields()]
        missing = (
            () if self.preset else tuple(column for column in self._required() if column not in self.found.columns)
        )
        return Draft(
            "\n".join(lines) + "\n", "\n".join(self._source(name, mapping_path)) + "\n", missing, (*self.unsure,)
        )

    def _required(self) -> Sequence[str]:
        return SHAPES[self.found.entity].required

    def _head(self) -> Iterator[str]:
        yield f"# Starting mapping, made from {self.sample.size} records of {self.sample.place}."
        yield "# The language is described in docs/mapping.md. Look at every line; then: ioc source check NAME"
        yield from _comment("Fields that are not read:", self._unread(self.found.others))
        yield from _comment("Lists and objects, read only by rules that look inside:", self._unread(self.found.nested))
        if self.preset:
            yield f"# The sample has every field of the preset {self.preset}; say here only what is different with you."
            yield f"extends = {_text(self.preset)}"
        else:
            yield f'entity = "{self.found.entity}"'
            yield f'timezone = "{TIMEZONE}"'
        yield from self._dates()
        yield from self._decimal()

    def _unread(self, fields: Sequence[str]) -> list[str]:
        """Those of the fields that no rule of the preset reads."""
        read = presets(self.found.entity)[self.preset].source_fields if self.preset else {}
        return [name for name in fields if name not in read]

    def _mapped(self, *kinds: Kind) -> list[str]:
        return [field for column, field in self.found.columns.items() if self.kinds[column] in kinds]

    def _dates(self) -> Iterator[str]:
        fields = self._mapped(Kind.INSTANT, Kind.DATE)
        formats, unread = date_formats([self.sample.columns[field] for field in fields])
        if unread:
            self.unsure.append(f"{unread} dates of the sample have a format that none of ours reads")
            yield f"# TODO {unread} texts of {_names(fields)} were read by no format; see docs/mapping.md"
        if self.preset and set(formats) <= set(presets(self.found.entity)[self.preset].dates):
            return
        if formats:
            yield f"dates = [{', '.join(map(_text, formats))}]"

    def _decimal(self) -> Iterator[str]:
        fields = self._mapped(Kind.NUMBER, Kind.INTEGER)
        texts = [text for field in fields for text in self.sample.columns[field] if text]
        signs = {sign for sign in (",", ".") if any(sign in text for text in texts)}
        if len(signs) == 1 and not self.preset:
            yield f'# TODO the sign before the fraction of numbers: "," or "."\ndecimal = {_text(signs.pop())}'

    def _personal(self) -> Iterator[str]:
        known = set(presets(self.found.entity)[self.preset].personal) if self.preset else set()
        fields = [name for name in self._unread(self.found.personal) if name not in known]
        if fields:
            yield "\n# looks like personal data or free text: never read"
            yield "personal = [\n" + "".join(f"  {_text(name)},\n" for name in fields) + "]"

    # --- code lists ---------------------------------------------------------------------------------------------

    def _codes(self) -> Iterator[str]:
        for column, field in self.found.columns.items():
            words = distinct(self.sample.columns[field])
            known = known_words(self.found.entity, column)
            if column == "unit":
                yield from self._units(words)
            elif known and column not in UNIT_COLUMNS:
                yield from self._list(column, words, known)

    def _units(self, words: Sequence[str]) -> Iterator[str]:
        yield "\n# codes (or names) of the source to codes of our units, where they differ"
        yield "[codes.unit]"
        yield from (f'# {_text(word)} = "..."' for word in words[:MOST_WORDS])
        if len(words) > MOST_WORDS:
            yield f"# ... and {len(words) - MOST_WORDS} more"

    def _list(self, column: str, words: Sequence[str], known: Mapping[str, Scalar]) -> Iterator[str]:
        unknown = [word for word in words if fold(word) not in known]
        if (self.preset and not unknown) or self._is_yes_or_no(column):
            return
        if len(unknown) > MOST_WORDS:
            self.unsure.append(f"{column}: {len(words)} different words; perhaps it is another field")
            unknown = unknown[:MOST_WORDS]
        yield f"\n[codes.{self._list_name(column)}]"
        if not self.preset:
            yield from (f"{_text(word)} = {_scalar(known[fold(word)])}" for word in words if fold(word) in known)
        values = ", ".join(dict.fromkeys(_scalar(value) for value in known.values()))
        if unknown:
            self.unsure.append(f"{column}: what {len(unknown)} of its words mean")
            yield f"# TODO one of {values}"
            yield from (f"# {_text(word)} = ..." for word in unknown)

    def _list_name(self, column: str) -> str:
        """The name of a column's code list: that of the preset, where it is extended."""
        rules = presets(self.found.entity)[self.preset].fields[column].rules if self.preset else ()
        return next((rule.codes for rule in rules if isinstance(rule.codes, str)), column)

    def _is_yes_or_no(self, column: str) -> bool:
        words = distinct(self.sample.columns[self.found.columns[column]])
        return self.kinds[column] is Kind.BOOLEAN and all(fold(word) in YES_NO for word in words)

    # --- columns ------------------------------------------------------------------------------------------------

    def _fields(self) -> Iterator[str]:
        if self.preset:
            return
        yield "\n[fields]"
        for column in self.kinds:
            if column in self.found.columns:
                yield f"{column} = {{ {', '.join(self._rule(column, self.found.columns[column]))} }}"
            elif column in self._required():
                yield f'# TODO {column} must be filled: {column} = {{ from = "..." }} or {{ constant = "..." }}'
        rest = [column for column in self.kinds if column not in self.found.columns and column not in self._required()]
        yield from _comment("Columns for which no field was recognised:", rest)

    def _rule(self, column: str, field: str) -> Iterator[str]:
        yield f"from = {_text(field)}"
        if column in UNIT_COLUMNS and "unit" in self.found.columns:
            yield 'codes = "unit", other = "keep"'
        elif known_words(self.found.entity, column) and not self._is_yes_or_no(column):
            yield f'codes = "{column}"'
        if field in self.sample.lacking:
            yield "optional = true"

    def _source(self, name: str, mapping_path: str) -> Iterator[str]:
        yield "# A source for it: paste this into the settings (docs/settings.md)."
        yield from (f"# {note}" for note in self.sample.notes)
        yield "[[sources]]"
        yield f"name = {_text(name)}"
        yield f'entity = "{self.found.entity}"'
        yield f"mapping = {_text(mapping_path)}"
        yield "\n[sources.reader]"
        reader = dict(self.sample.reader)
        parameters = reader.pop("parameters", None)
        yield from (f"{key} = {_text(str(value))}" for key, value in reader.items())
        if reader["kind"] == "rest":
            yield "# TODO how the pages follow each other, and the login:"
            yield '# pages = { kind = "page", parameter = "page", size_parameter = "pageSize" }'
            yield '# login = { kind = "bearer", token = "env:INTAKE_TOKEN" }'
        if parameters:
            yield "\n[sources.reader.parameters]"
            yield from (f"{_text(key)} = {_text(value)}" for key, value in parameters.items())


def _comment(heading: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield from (f"# {line}" for line in textwrap.wrap(f"{heading} {_names(names)}", 116))


def _names(fields: Sequence[str]) -> str:
    return ", ".join(_text(" ".join(field.split())) for field in fields)


def _text(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _scalar(value: Scalar) -> Any:  # noqa: ANN401
    return json.dumps(value, ensure_ascii=False)
