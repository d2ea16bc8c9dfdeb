"""The stage of slides and scenes: scaled to the window as a whole; keys on slides, clock and data age on the wall."""

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


def slide_stage(width: int, height: int, on_move: Callable[[str], None]) -> None:
    """Scale a slide of so many pixels to the window; a key calls `on_move` with next, previous, first, last or leave
    before the page is drawn again."""

    def moved() -> None:
        state = st.session_state.get(KEY)
        if state and state.get("move"):
            on_move(str(state["move"]))

    _STAGE(
        key=KEY,
        data={"wall": False, "keys": True, "width": width, "height": height, "now": 0},
        height=1,
        on_move_change=moved,
    )


def wall_stage(data: Mapping[str, Any]) -> None:
    """Draw the head of the wall: centre, scene, clock, data age, what comes next, and an alarm when nothing answers."""
    _STAGE(key=KEY, data={"wall": True, "keys": False, **data}, height="content", on_move_change=lambda: None)
