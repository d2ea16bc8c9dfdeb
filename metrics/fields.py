"""The fields of administration (lĩnh vực) of the stored procedures."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from warehouse.schema import procedure


def fields(connection: Connection) -> dict[str, str]:
    """Return the name of every field of the procedure catalogue by its code, ordered by name."""
    c = procedure.c
    name = func.min(func.coalesce(c.field, c.field_code))
    statement = select(c.field_code, name).where(c.field_code.is_not(None)).group_by(c.field_code)
    found = {str(code): str(word) for code, word in connection.execute(statement)}
    return dict(sorted(found.items(), key=lambda item: (item[1].casefold(), item[0])))
