"""The design system as data: what each colour means, the scales, the style of charts.

A colour means one thing on every screen and never stands alone: a word or sign is always beside it. Every colour of
meaning has at least 3:1 against both page grounds, its text variant in .streamlit/config.toml at least 4.5:1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from warehouse.vocabulary import Channel

FONT = "Be Vietnam Pro, sans-serif"


class Meaning(StrEnum):
    """What a colour says."""

    ON_TIME = "on_time"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    UNKNOWN = "unknown"
    NEUTRAL = "neutral"


COLOURS: dict[Meaning, str] = {
    Meaning.ON_TIME: "#23935A",
    Meaning.DUE_SOON: "#C77A12",
    Meaning.OVERDUE: "#D64545",
    Meaning.UNKNOWN: "#7C8AA3",
    Meaning.NEUTRAL: "#3E7CC4",
}

MARKDOWN: dict[Meaning, str] = {
    Meaning.ON_TIME: "green",
    Meaning.DUE_SOON: "orange",
    Meaning.OVERDUE: "red",
    Meaning.UNKNOWN: "gray",
    Meaning.NEUTRAL: "blue",
}

CHANNEL_COLOURS: dict[int, str] = {
    Channel.ONLINE: "#3E7CC4",
    Channel.IN_PERSON: "#7C8AA3",
    Channel.POST: "#8E6BC9",
    Channel.OTHER: "#A9B4C6",
}


@dataclass(frozen=True, slots=True)
class Scale:
    """A sequential scale from 'nothing to do' to 'decide here', light and dark ground."""

    light: tuple[str, ...]
    dark: tuple[str, ...]

    def steps(self, *, dark: bool) -> tuple[str, ...]:
        """Return the colours from least to most."""
        return self.dark if dark else self.light


BURDEN = Scale(
    light=("#E9EEF5", "#F8D9CF", "#F0AE9C", "#E37F6C", "#CF4A43", "#A32A2E"),
    dark=("#22314A", "#5A3340", "#85404A", "#AE4A4E", "#D65A55", "#FF7F74"),
)
ACHIEVEMENT = Scale(
    light=("#E9EEF5", "#CFE0F2", "#A5C6E8", "#6FA3D6", "#3E7CC4", "#1E589C"),
    dark=("#22314A", "#234066", "#27558C", "#3370B4", "#4C93DB", "#8FC1F5"),
)


def rgba(colour: str, alpha: int = 255) -> list[int]:
    """Return '#RRGGBB' as the list that deck.gl wants."""
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)] + [alpha]


def layout(*, dark: bool, height: int) -> dict[str, Any]:
    """The layout every chart starts from: transparent, quiet grid, numbers in the Vietnamese way."""
    ink, quiet, grid = ("#E8EDF6", "#9AA8C0", "#27364F") if dark else ("#14213A", "#5B6880", "#E1E7F0")
    axis = {"gridcolor": grid, "zeroline": False, "linecolor": grid, "tickfont": {"color": quiet}, "automargin": True}
    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": ink},
        "separators": ",.",
        "hovermode": "x unified",
        "showlegend": False,
        "xaxis": {**axis, "showgrid": False},
        "yaxis": {**axis, "rangemode": "tozero", "tickformat": ",d"},
        "dragmode": False,
    }


CHART_CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
"""No toolbar: its words are English, and nobody edits a chart on a wall."""
