"""The stage of slides and scenes: as large as the window; keys on slides, clock and data age on the wall."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

STATIC = Path(__file__).parent / "static"
_STAGE = st.components.v2.component(
    "ioc_stage",
    html=(STATIC / "stage.html").read_text(encoding="utf-8"),
    css=(STATIC / "stage.css").read_text(encoding="utf-8"),
    js=(STATIC / "stage.js").read_text(encoding="utf-8"),
)
KEY = "stage"


def factor() -> float:
    """Return how many pixels of the window one of the stage is; 1 until the browser has told it."""
    state = st.session_state.get(KEY)
    return float((state or {}).get("scale") or 1.0)


def slide_stage(width: int, height: int, on_move: Callable[[str], None]) -> None:
    """Draw nothing; a key calls `on_move` with next, previous, first, last or leave before the page is drawn again.

    The page is also drawn again when the window has another size: `factor` says how large a stage of `width` by
    `height` pixels is in it.
    """

    def moved() -> None:
        state = st.session_state.get(KEY)
        if state and state.get("move"):
            on_move(str(state["move"]))

    data = {"wall": False, "keys": True, "width": width, "height": height, "now": 0, "scale": factor()}
    _STAGE(key=KEY, data=data, height=1, on_move_change=moved, on_scale_change=_no_more_than_a_run)


def wall_stage(data: Mapping[str, Any]) -> None:
    """Draw the head of the wall: scene, clock, data age, what comes next, and an alarm when nothing answers."""
    _STAGE(
        key=KEY,
        data={"wall": True, "keys": False, "scale": factor(), **data},
        height="content",
        on_move_change=_no_more_than_a_run,
        on_scale_change=_no_more_than_a_run,
    )


def _no_more_than_a_run() -> None:
    """The page is drawn anew: that is all there is to do."""
