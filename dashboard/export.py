"""Lists as files that a spreadsheet opens: UTF-8 with byte order mark, and no cell that it would run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy import Connection

from dashboard import resources
from dashboard.draw import Draw
from dashboard.texts import _
from warehouse.engine import snapshot

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Write a table as CSV: numbers as they are, texts that begin like a formula with an apostrophe before them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_safe(str(name)) for name in table.columns])
    writer.writerows([_safe(value) for value in row] for row in table.itertuples(index=False))
    return text.getvalue().encode("utf-8-sig")


def _safe(value: Any) -> Any:  # noqa: ANN401 - a cell
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_SIGNS) else value


def export_button(draw: Draw, name: str, read: Callable[[Connection], pd.DataFrame]) -> None:
    """Draw the button that downloads a whole list as CSV; `read` is called with a snapshot when it is clicked."""
    engine = resources.engine()
    day = draw.now.astimezone(draw.settings.zone).strftime("%Y%m%d-%H%M")

    def make() -> bytes:
        with snapshot(engine) as connection:
            return csv_bytes(read(connection))

    st.download_button(
        _("Download CSV"),
        make,
        file_name=f"{name}-{day}.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        key=f"export-{name}",
    )
