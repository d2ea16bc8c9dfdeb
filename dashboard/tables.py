"""Tables: Vietnamese numbers that still sort as numbers, and a click on a row that goes one level down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from enum import IntEnum
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard import numbers
from dashboard.draw import Draw
from dashboard.texts import _
from warehouse.vocabulary import Channel, Status, label

ROW, HEAD = 34, 38


def styled(
    draw: Draw,
    table: pd.DataFrame,
    *,
    shares: tuple[str, ...] = (),
    counts: tuple[str, ...] = (),
    scores: tuple[str, ...] = (),
    mark: int | None = None,
) -> Styler:
    """Write counts, shares and scores in the reader's language without changing the values that are sorted.

    `mark` is the position of a row that stands out.
    """
    language = draw.language
    formats: dict[Any, Callable[[Any], str]] = {
        **{column: (lambda value: numbers.number(_plain(value), language)) for column in counts},
        **{column: (lambda value: numbers.number(_plain(value), language, 1)) for column in scores},
        **{column: (lambda value: numbers.percent(_plain(value), language)) for column in shares},
    }
    found = table.style.format(formats)  # type: ignore[arg-type]
    if mark is None:
        return found
    ground = "#1F3A60" if st.context.theme.type == "dark" else "#DCE9F8"
    style = f"background-color: {ground}; font-weight: 600"
    return found.apply(lambda row: [style if row.name == table.index[mark] else ""] * len(row), axis=1)


def _plain(value: Any) -> float | None:  # noqa: ANN401 - a cell
    return None if pd.isna(value) else float(value)


def clickable(  # noqa: PLR0913 - a table has many sides
    draw: Draw,
    table: pd.DataFrame,
    columns: Mapping[str, Any],
    *,
    key: str,
    on_row: Callable[[int], None],
    alt: str,
    about: str = "",
    on_head: Callable[[str], None] | None = None,
    shares: tuple[str, ...] = (),
    counts: tuple[str, ...] = (),
    scores: tuple[str, ...] = (),
    mark: int | None = None,
    height: int | str = "content",
) -> None:
    """Draw a table whose rows can be chosen; `on_row` gets the position of the row before the redraw.

    With `on_head` a click on a column's head gives its name, instead of sorting only what the browser has of the list.
    What is listed is said in `about`: in another list the same place can be chosen again, which Streamlit would take
    for no change.
    """
    inner = f"{key}-{about}" if about else key

    def chosen() -> None:
        selection = st.session_state[inner]["selection"]
        if selection["cells"]:
            on_row(int(selection["cells"][0][0]))
        elif on_head is not None and selection["columns"]:
            on_head(str(selection["columns"][0]))

    # a style costs by the cell, even one that changes none
    written = shares or counts or scores or mark is not None
    with st.container(key=key) if about else nullcontext():  # a table that fills its card must stand in it itself
        st.dataframe(
            styled(draw, table, shares=shares, counts=counts, scores=scores, mark=mark) if written else table,
            key=inner,
            hide_index=True,
            column_config=dict(columns),
            height=height,  # type: ignore[arg-type]
            on_select=chosen,
            selection_mode=["single-cell", "single-column"] if on_head else "single-cell",
            alt=alt,
            placeholder=numbers.NONE,
            row_height=ROW,
        )


def height_of(rows: int, most: int = 520) -> int:
    """Return the height of a table with so many rows, at most `most` pixels."""
    return min(HEAD + ROW * max(rows, 1), most)


def instant_column(draw: Draw, title: str, **more: Any) -> Any:  # noqa: ANN401 - a column configuration
    """Return the column of an instant on the civil clock."""
    return st.column_config.DatetimeColumn(title, format="DD/MM/YYYY HH:mm", timezone=draw.settings.timezone, **more)


def dossier_columns(draw: Draw) -> dict[str, Any]:
    """Return the columns of a list of dossiers."""
    return {
        "code": st.column_config.TextColumn(_("Dossier code"), width="medium", pinned=True),
        "unit": st.column_config.TextColumn(_("Unit")),
        "procedure": st.column_config.TextColumn(_("Procedure"), width="large"),
        "channel": st.column_config.TextColumn(_("Channel")),
        "status": st.column_config.TextColumn(_("Status")),
        "received_at": instant_column(draw, _("Received")),
        "due_at": instant_column(draw, _("Due")),
        "finished_at": instant_column(draw, _("Finished")),
        "days_late": st.column_config.NumberColumn(_("Days late"), alignment="right"),
    }


TERMS: dict[str, type[IntEnum]] = {"channel": Channel, "status": Status}


def term(draw: Draw, terms: type[IntEnum], code: Any) -> str:  # noqa: ANN401 - a cell
    """Return the official word for a code of the vocabulary; a dash where it is unknown."""
    return numbers.NONE if pd.isna(code) else label(terms(int(code)), draw.language)


def readable_dossiers(draw: Draw, frame: pd.DataFrame, *, leave_out: tuple[str, ...] = ()) -> pd.DataFrame:
    """Put words for the codes of a worklist frame and keep the columns that a screen shows."""
    table = with_words(draw, frame)
    order = [name for name in dossier_columns(draw) if name in table.columns and name not in leave_out]
    return table[order]


def with_words(draw: Draw, frame: pd.DataFrame) -> pd.DataFrame:
    """Put words for the codes of a frame of dossiers; a dash where a code is unknown."""
    table = frame.copy()
    for dimension in ("unit", "procedure"):
        codes = [code for code in table[dimension].unique() if pd.notna(code)]
        table[dimension] = table[dimension].map(draw.names(dimension, codes)).fillna(numbers.NONE)
    for name, terms in TERMS.items():
        words = {code: term(draw, terms, code) for code in table[name].unique()}
        table[name] = [words[code] if pd.notna(code) else numbers.NONE for code in table[name]]
    return table
