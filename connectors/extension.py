"""A mapping that extends another one: an office says only what is different with it.

`extends` names a preset or a file beside it; `without` leaves columns of it out; `first_letter` says that the source
writes its field names with a small (or a capital) first letter, as the JSON of the same system does or does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from warehouse.errors import ConfigurationError

Tables = dict[str, Any]
DEEPEST = 5


def extended(tables: Tables, load: Callable[[str], Tables], depth: int = 0) -> Tables:
    """Return the tables of a mapping with those of the mapping that it extends under them.

    Columns and code words given here stand instead of those below; personal fields are added to those below. Raises
    ConfigurationError for mappings that extend each other in a circle.
    """
    own = dict(tables)
    without, letter = own.pop("without", []), own.pop("first_letter", None)
    if (base_name := own.pop("extends", None)) is not None:
        if depth >= DEEPEST:
            raise ConfigurationError(f"mapping {base_name}: extended more than {DEEPEST} times, perhaps by itself")
        own = _merged(extended(load(str(base_name)), load, depth + 1), own)
    own = _without(own, without)
    return own if letter is None else _renamed(own, letter)


def _merged(base: Tables, own: Tables) -> Tables:
    tables = base | own
    if "personal" in base and "personal" in own:
        tables["personal"] = [*base["personal"], *own["personal"]]
    if isinstance(own.get("fields"), dict):
        tables["fields"] = base.get("fields", {}) | own["fields"]
    if isinstance(own.get("codes"), dict):
        lists = base.get("codes", {})
        tables["codes"] = lists | {name: lists.get(name, {}) | words for name, words in own["codes"].items()}
    return tables


def _without(tables: Tables, columns: Any) -> Tables:  # noqa: ANN401 - raw TOML
    if not columns:
        return tables
    fields = dict(tables.get("fields", {}))
    for name in columns:
        if fields.pop(name, None) is None:
            raise ConfigurationError(f"without: {name} is no column of the mapping; there are {', '.join(fields)}")
    return tables | {"fields": fields}


def _renamed(tables: Tables, letter: Any) -> Tables:  # noqa: ANN401 - raw TOML
    """Change the first letter of every name of a field of the source."""
    if letter not in {"lower", "upper"}:
        raise ConfigurationError(f"first_letter is lower or upper, not {letter!r}")
    change = str.lower if letter == "lower" else str.upper
    changed: Tables = {key: _in_rules(value, change) for key, value in tables.items() if key != "codes"}
    changed["personal"] = [_named(name, change) for name in tables.get("personal", [])]
    return changed | ({"codes": tables["codes"]} if "codes" in tables else {})


NAMES = frozenset({"from", "item", "list", "entries", "present", "absent", "field"})
NAME_TABLES = frozenset({"object", "wide"})


def _in_rules(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - raw TOML
    if isinstance(value, list):
        return [_in_rules(item, change) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {key: _in_entry(key, item, change, value) for key, item in value.items()}


def _in_entry(key: str, item: Any, change: Callable[[str], str], table: Mapping[str, Any]) -> Any:  # noqa: ANN401
    if key in NAMES and isinstance(item, str):
        return _named(item, change)
    if key in NAME_TABLES and isinstance(item, Mapping):
        return {name: _named(field, change) for name, field in item.items()}
    if key == "text" and isinstance(item, str) and "pattern" not in table:
        pieces = item.split("{")
        return "{".join([pieces[0], *(_named(piece, change) for piece in pieces[1:])])
    return _in_rules(item, change)


def _named(name: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - raw TOML
    plain = isinstance(name, str) and name[:1].isalpha() and name not in {"name", "value"}
    return change(name[0]) + name[1:] if plain else name
