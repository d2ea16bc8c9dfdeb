"""Looking for canaries wherever something is written down."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Engine, inspect, text


def everything(engine: Engine) -> dict[str, str]:
    """Every table of the warehouse, as the catalogue lists them, as text; and the log of the server behind it."""
    found = {}
    with engine.connect() as connection:
        for schema in inspect(connection).get_schema_names():
            for name in inspect(connection).get_table_names(schema) if schema != "information_schema" else ():
                rows = connection.execute(text(f'select t::text from "{schema}"."{name}" t')).scalars()
                found[f"table {schema}.{name}"] = "\n".join(rows)
    log = Path(str(engine.url.query["host"])) / "server.log"
    found["log of the server"] = log.read_text(encoding="utf-8", errors="replace")
    assert found["log of the server"], "the log is looked for in the right place"
    return found


def seen(canaries: Iterable[str], places: dict[str, str]) -> list[str]:
    """Say which canary was seen where, in whatever form JSON or Python write it."""
    return [
        f"{canary!r} in {place}"
        for canary in canaries
        for place, told in places.items()
        if any(form in told for form in (canary, json.dumps(canary)[1:-1], canary.encode().hex()))
    ]
