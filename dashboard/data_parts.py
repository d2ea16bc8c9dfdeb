"""Parts that the views of the data page share: facts in tiles, lists in pages, signed differences with their word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import numbers
from dashboard.draw import Draw
from dashboard.texts import _
from dashboard.theme import Meaning

ROWS = 200
PAGE_KEY = "page"


def fact(key: str, title: str, value: str, note: str, meaning: Meaning = Meaning.NEUTRAL, *, help: str = "") -> None:
    """Draw one figure of the state of the data with a word about it."""
    with st.container(key=f"tile-{meaning}-{key}", height="stretch", gap="xxsmall"):
        st.metric(title, value, help=help or None)
        st.caption(note)


def facts(number: int) -> Any:  # noqa: ANN401 - a layout of streamlit
    """Open a row of facts that wraps on a narrow screen."""
    return st.grid(number, min_column_width=165, gap="small")


def page_number() -> int:
    """Return the page of the list that is shown, from 1."""
    return max(1, int(st.session_state.get(PAGE_KEY) or 1))


def first_page() -> None:
    """Begin the list anew, as its choice changed."""
    st.session_state.pop(PAGE_KEY, None)


def pager(draw: Draw, total: int) -> None:
    """Draw the pager of a list that is longer than one page."""
    pages = -(-total // ROWS)
    if pages <= 1:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.pagination(pages, key=PAGE_KEY)
        page, last = (numbers.number(value, draw.language) for value in (page_number(), pages))
        st.caption(_("page {page} of {pages}", page=page, pages=last))


def height_of(rows: int, most: int = 520) -> int:
    """Return the height of a table with so many rows."""
    return min(38 + 34 * max(rows, 1), most)


def difference(value: Any, draw: Draw) -> str:  # noqa: ANN401 - a cell
    """Write a difference of the balance with its sign and word; a dash where there is none to tell."""
    if pd.isna(value):
        return numbers.NONE
    if value == 0:
        return _("0 · balanced")
    words = _("unaccounted for") if value > 0 else _("too many")
    return f"{numbers.signed(float(value), draw.language)} · {words}"


def tinted(draw: Draw) -> Callable[[Any], str]:
    """Return the style of a cell with a difference: green at 0, red elsewhere."""
    del draw
    good, bad = ("#4CC38A", "#FF7B72") if st.context.theme.type == "dark" else ("#1B7F4B", "#C62F2F")

    def style(value: Any) -> str:  # noqa: ANN401 - a cell
        return "" if pd.isna(value) else f"color: {good if value == 0 else bad}; font-weight: 600"

    return style
