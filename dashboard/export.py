"""Lists as files that a spreadsheet opens: UTF-8 with byte order mark, and no cell that it would run as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from dashboard import numbers, resources
from dashboard.draw import Draw
from dashboard.texts import _
from warehouse.engine import data_version, snapshot

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
LIKE_A_NUMBER = re.compile(r"[0-9][0-9.,]*")


def csv_bytes(table: pd.DataFrame, *, codes: Collection[str] = (), provenance: str = "") -> bytes:
    """Write a table as CSV: numbers as they are, texts that begin like a formula with an apostrophe before them.

    A code that a spreadsheet would read as a number stays a text: 1.000110 keeps its zeros. `provenance` is a last
    line, apart from the table, that says what the list is.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_safe(str(name)) for name in table.columns])
    kept = [(_code if name in codes else _safe) for name in table.columns]
    for row in table.itertuples(index=False):
        writer.writerow([write(value) for write, value in zip(kept, row, strict=True)])
    if provenance:
        writer.writerows([[], [_safe(provenance)]])
    return text.getvalue().encode("utf-8-sig")


def _safe(value: Any) -> Any:  # noqa: ANN401 - a cell
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_SIGNS) else value


def _code(value: Any) -> Any:  # noqa: ANN401 - a cell
    """A code of digits and points only is written as the formula of its own text, which cannot do anything else."""
    return f'="{value}"' if isinstance(value, str) and LIKE_A_NUMBER.fullmatch(value) else _safe(value)


def export_button(
    draw: Draw,
    name: str,
    read: Callable[[Connection], pd.DataFrame],
    *,
    codes: Collection[str] = (),
    what: str = "",
) -> None:
    """Draw the button that downloads a whole list as CSV; `read` is called with a snapshot when it is clicked.

    `codes` are the columns (as titled) that hold codes; `what` says what the list is: with the number of rows, the
    instant and the data version it is the last line of the file.
    """
    engine, language, zone = resources.engine(), draw.language, draw.settings.zone
    day = draw.now.astimezone(zone).strftime("%Y%m%d-%H%M")
    last = _("{what} · {rows} rows · as of {time} · data version {version}")
    time = draw.as_of.astimezone(zone).strftime("%H:%M %d/%m/%Y")

    def make() -> bytes:
        with snapshot(engine) as connection:
            table, version = read(connection), data_version(connection)
        rows = numbers.number(len(table), language)
        line = last.format(what=what, rows=rows, time=time, version=version) if what else ""
        return csv_bytes(table, codes=codes, provenance=line)

    st.download_button(
        _("Download CSV"),
        make,
        file_name=f"{name}-{day}.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        key=f"export-{name}",
    )
