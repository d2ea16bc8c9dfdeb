"""docs/settings.md, made from the settings model: `python -m warehouse.document > docs/settings.md`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from warehouse.settings import Settings

INTRODUCTION = """# Settings

Made from the settings model by `ioc config document`; a test fails when this page is old.

Settings stand in one TOML file: the one named by `--config`, else by the variable `IOC_CONFIG`, else `ioc.toml` in the
working directory. A key that is not listed here is an error. Environment variables override the file: `IOC_`, then the
names joined by two underscores, as in `IOC_WEB__PORT=8600`. Relative paths in the file are relative to the file, those
in variables to the working directory; `${NAME}` and `${NAME:-default}` in a path of the file are filled in from the
environment. `ioc config check` shows what would be used.
"""


def settings_page() -> str:
    """Return docs/settings.md as it should be."""
    return INTRODUCTION + "".join(_section("", Settings))


def _section(path: str, model: type[BaseModel]) -> Iterator[str]:
    plain = {name: field for name, field in model.model_fields.items() if not _models(field.annotation)}
    if path:
        yield f"\n## `{path}`\n\n{_first_line(model)}\n"
    if plain:
        yield "\n| setting | type | default | meaning |\n|---|---|---|---|\n"
        yield from (_row(name, field) for name, field in plain.items())
    for name, field in model.model_fields.items():
        for nested in _models(field.annotation):
            repeated = get_origin(field.annotation) is tuple
            yield from _section(_header(path, name, repeated, nested), nested)


def _header(path: str, name: str, repeated: bool, model: type[BaseModel]) -> str:
    kind = model.model_fields.get("kind")
    chosen = f' (kind = "{get_args(kind.annotation)[0]}")' if kind is not None else ""
    if repeated:
        return f"[[{name}]]{chosen}"
    inside = path.partition("]")[0].strip("[")
    return f"[{inside}.{name}]{chosen}" if inside else f"[{name}]{chosen}"


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else f"`{_toml(field.default)}`"
    if field.default is None or field.default_factory is not None or field.default in ("", ()):
        default = "required" if field.is_required() else "none"
    return f"| `{name}` | {_type(field.annotation)} | {default} | {field.description or ''} |\n"


def _toml(value: Any) -> str:  # noqa: ANN401 - any default
    return json.dumps(to_jsonable_python(value), ensure_ascii=False) if value is not PydanticUndefined else ""


def _models(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - a type form
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path", SecretStr: "secret"}


def _type(annotation: Any) -> str:  # noqa: ANN401 - a type form
    """Say a type in words of a TOML file."""
    origin, parts = get_origin(annotation), [part for part in get_args(annotation) if part not in {NoneType, Ellipsis}]
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin in {Union, UnionType, Annotated}:
        return _type(parts[0])
    if origin is tuple:
        return "list of opening and closing times" if get_origin(parts[0]) is tuple else f"list of {_type(parts[0])}"
    if origin is dict:
        return f"table of {_type(parts[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    return _WORDS.get(annotation, str(getattr(annotation, "__name__", annotation)))


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


if __name__ == "__main__":
    sys.stdout.write(settings_page())
