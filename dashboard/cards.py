"""Cards: a titled area of a page, and what stands in it when there is nothing to show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.draw import Draw
from dashboard.shell import nothing_here
from dashboard.texts import _


@contextmanager
def card(key: str, title: str, note: str = "") -> Iterator[None]:
    """Open a card with a title and, beside it, a quiet note (what is counted, when)."""
    with st.container(key=f"card-{key}", gap="xsmall", height="stretch"):
        st.markdown(f"#### {title} :small[{note}]" if note else f"#### {title}")  # one element: a page has many cards
        yield


def warehouse_is_empty(draw: Draw) -> bool:
    """Draw the designed state of an empty warehouse and say whether it is empty."""
    if draw.version > 0 and not draw.units().empty:
        return False
    nothing_here(
        _("No data yet"),
        _("The first load has not finished, or no source is configured. This page fills by itself when data arrives."),
    )
    return True


def good(words: str) -> None:
    """Say that all is well, with the sign for it."""
    st.markdown(f":green[:material/check_circle: {words}]")


def careful(words: str) -> None:
    """Say that a figure needs care, with the sign for it."""
    st.caption(f":orange[:material/info: {words}]")
