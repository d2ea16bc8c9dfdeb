"""What a reply says: JSON text to records, refused with its reason where it is no page of records.

Messages name address, page, item and field names; never values.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable
from typing import Any

from warehouse.errors import RefusedInput

ABSENT: Any = object()


def parse(body: bytes | bytearray, content_type: str, where: str) -> Any:  # noqa: ANN401 - JSON
    """Read JSON. Its text is UTF-8, -16 or -32 whatever the header says; else what the header says.

    Raises RefusedInput for what is not one whole JSON value, for NaN and infinity, and for an object that has a field
    twice with different values: nobody can say which one is right.
    """
    start = bytes(body[:200]).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise RefusedInput(f"{where}: the reply is empty; a page of JSON was expected")
    if start.startswith(b"<"):
        raise RefusedInput(
            f"{where}: answered HTML or XML with status 200 where JSON was expected,"
            " perhaps a login or error page; check url and access"
        )
    text = _text(body, content_type, where)
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise RefusedInput(f"{where}: not whole JSON: {error.msg} at character {error.pos} of {len(text)}") from None
    except _TwiceError as error:
        raise RefusedInput(
            f"{where}: an object has the field {error.name!r} twice, with different values; correct the source"
        ) from None
    except (ValueError, RecursionError) as error:
        raise RefusedInput(f"{where}: not JSON that can be read: {type(error).__name__}") from None


def _text(body: bytes | bytearray, content_type: str, where: str) -> str:
    for name in (json.detect_encoding(body), _charset(content_type)):
        try:
            return body.decode(name)
        except (UnicodeDecodeError, LookupError):  # the latter: a header that names no encoding of text
            continue
    raise RefusedInput(f"{where}: not JSON that can be read: its text is not UTF-8; let the server send UTF-8")


def _charset(content_type: str) -> str:
    """Return the charset that a header names, where it is one that we know; else UTF-8."""
    for part in content_type.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            try:
                return codecs.lookup(value.strip().strip('"')).name
            except LookupError:
                break
    return "utf-8"


class _TwiceError(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__("twice")
        self.name = name[:60]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        for name, value in pairs:
            if found[name] != value:
                raise _TwiceError(name)
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def at(value: Any, path: str) -> Any:  # noqa: ANN401 - JSON
    """Follow a path of names with dots between, ABSENT where it leads nowhere; the empty path is the value itself."""
    for name in path.split(".") if path else ():
        if not isinstance(value, dict) or name not in value:
            return ABSENT
        value = value[name]
    return value


def records_at(reply: Any, path: str, where: str) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Return the list of records of a reply.

    Raises RefusedInput when it is not there, or holds what is no record.
    """
    records = at(reply, path)
    if not isinstance(records, list):
        raise RefusedInput(
            f"{where}: no list of records at records = {path!r} (found: {_found(reply)});"
            " set records to the path of the list"
        )
    for index, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise RefusedInput(f"{where} item {index}: a {type(record).__name__} where a record was expected")
    return records


def total_at(reply: Any, path: str, where: str) -> int | None:  # noqa: ANN401 - JSON
    """Return the number of all records that a reply tells; None where the settings name no path of it.

    Raises RefusedInput when no number stands there.
    """
    if not path:
        return None
    found = at(reply, path)
    if isinstance(found, str) and found.isascii() and found.isdigit():
        found = int(found[:15])
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise RefusedInput(f"{where}: no number at pages.total = {path!r} (found: {_found(reply)}); correct the path")
    return found


def _found(reply: Any) -> str:  # noqa: ANN401 - JSON
    return names(reply)[:200] if isinstance(reply, dict) else type(reply).__name__


def names(fields: Iterable[str]) -> str:
    """Show some names of fields."""
    return f"keys {', '.join(sorted(fields)[:12])}"
