"""Pages of a table in an order, each a short transaction of its own, as columns of texts.

A page begins with the rows that the database holds for equal to the last one of the page before it, and drops those
that it knows: in some orders A and a are equal, and a view may hold two rows of one dossier. So no row is lost between
two pages, whatever is equal; at worst one comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import ColumnElement, Select, TableClause, and_, column, literal, select, tuple_
from sqlalchemy.types import TypeEngine

from connectors.batch import text_array, text_column
from connectors.readers.sql_database import Database
from connectors.readers.sql_scale import Raw
from connectors.readers.sql_values import reader_of

PAGE_BYTES = 64 * 2**20
"""A page ends early when its texts are larger: memory does not depend on how long they are."""
MOST_EQUAL_ROWS = 2_000_000
Order = Sequence[ColumnElement[Any]]


@dataclass(slots=True)
class Page:
    """Some rows, each field a list of text arrays; the order values of the last one; whether it is the last page."""

    fields: Mapping[str, list[Any]]
    rows: int = 0
    size: int = 0
    last: tuple[Raw, ...] | None = None
    top: Raw | None = None
    known: set[str] = field(default_factory=set)
    complete: bool = False

    def frame(self) -> pd.DataFrame:
        """Return the rows as a frame of texts."""
        empty = [text_array([])]
        return pd.DataFrame(
            {name: text_column(pa.concat_arrays(parts or empty)) for name, parts in self.fields.items()}
        )


class Pager:
    """Asks one table for pages of some columns: `columns` maps the name of a field to that of its column."""

    def __init__(
        self, database: Database, table: TableClause, columns: Mapping[str, str], found: Mapping[str, TypeEngine[Any]],
        page_rows: int,
    ) -> None:  # fmt: skip
        self.database, self.table, self.columns, self.page_rows = database, table, columns, page_rows
        self._readers = [reader_of(found[name]) for name in columns.values()]

    def pages(
        self, where: ColumnElement[bool], order: Order, at: tuple[Raw, ...] | None, is_time: Callable[[Any], object]
    ) -> Iterator[Page]:
        """Yield page after page in an order, from a place in it on; the last one, perhaps empty, is complete.

        `top` of a page is the last value of the first order column of which `is_time` holds.
        """
        limit, ends, known = self.page_rows, set[tuple[Raw, ...]](), set[str]()
        while True:
            rest = where if at is None else and_(where, _from(order, at))
            page = self._page(self._select(rest, order).limit(limit), limit, len(order), at, known, is_time)
            if page.rows or page.complete:
                yield page
            if page.complete:
                return
            stuck = page.last is None or page.last in ends  # more rows than fit on a page are equal
            limit = limit * 2 if stuck else self.page_rows + 1
            if limit > MOST_EQUAL_ROWS:
                raise self.database.refuse("too many rows have the same updated and key; name another key")
            known = page.known | (known if stuck else set())
            if page.last is not None:
                at = page.last
                ends.add(at)

    def unordered(self, where: ColumnElement[bool]) -> Iterator[Page]:
        """Yield rows that have no order, in one statement."""
        page = self._new()
        with self.database.session() as connection:
            for rows in self.database.stream(connection, self._select(where, ())):
                self._add(page, rows, 0)
                if page.rows >= self.page_rows or page.size > PAGE_BYTES:
                    yield page
                    page = self._new()
        yield page

    def _select(self, where: ColumnElement[bool], order: Order) -> Select[Any]:
        columns = (*order, *(column(name) for name in self.columns.values()))
        labelled = (item.label(f"c{number}") for number, item in enumerate(columns))
        return select(*labelled).select_from(self.table).where(where).order_by(*order)

    def _page(
        self, statement: Select[Any], limit: int, width: int, at: tuple[Raw, ...] | None, known: set[str],
        is_time: Callable[[Any], object],
    ) -> Page:  # fmt: skip
        page, came = self._new(), 0
        with self.database.session() as connection:
            for rows in self.database.stream(connection, statement):
                came += len(rows)
                fresh = [row for row in rows if not (at and row[0] == at[0] and repr(row) in known)]
                if fresh:
                    self._add(page, fresh, width)
                    page.last = tuple(self._place(value) for value in fresh[-1][:width])
                    page.top = next((row[0] for row in reversed(fresh) if is_time(row[0])), page.top)
                    page.known = {
                        *(page.known if page.known and fresh[0][0] == page.last[0] else ()),
                        *(repr(row) for row in fresh if row[0] == page.last[0]),
                    }
                if page.size > PAGE_BYTES:
                    return page
        page.complete = came < limit
        return page

    def _new(self) -> Page:
        return Page({name: [] for name in self.columns})

    def _add(self, page: Page, rows: Sequence[Any], width: int) -> None:
        """Turn rows of the driver into texts; the first `width` columns are those of the order."""
        columns = list(zip(*rows, strict=True))[width:]
        for parts, reader, values in zip(page.fields.values(), self._readers, columns, strict=True):
            parts.append(text_array(reader(values)))
            page.size += parts[-1].nbytes
        page.rows += len(rows)

    def _place(self, value: Any) -> Raw:  # noqa: ANN401 - a value of the driver
        if isinstance(value, bytes | memoryview):
            raise self.database.refuse("updated or key holds bytes, which have no order that can be kept; name another")
        return value if isinstance(value, str | int | float) else str(value)


def _from(order: Order, at: Sequence[Raw]) -> ColumnElement[bool]:
    """The rows from a place in the order on: compared as pairs for planners that can, and as a range for the others."""
    places = [literal(value) for value in at]
    first = order[0] >= places[0]
    return first if len(order) == 1 else and_(first, tuple_(*order) >= tuple_(*places))


__all__ = ["Page", "Pager"]
