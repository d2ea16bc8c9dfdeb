"""The design system as data: colours and what they mean, type, spacing, corners, the style of charts.

A colour means one thing on every screen and never stands alone: a word or sign is always beside it. Marks (bars, lines,
cells, the edge of a tile) have at least 3:1 against every ground, inks (text) at least 4.5:1; marks of state stay apart
for colour-blind readers. A test checks all of it from this module, and that .streamlit/config.toml says the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
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
    Meaning.ON_TIME: "#309D8B",
    Meaning.DUE_SOON: "#C47D04",
    Meaning.OVERDUE: "#C82D40",
    Meaning.UNKNOWN: "#566E88",
    Meaning.NEUTRAL: "#3E7CC4",
}
"""Marks, on light and dark grounds alike."""
STATES = (Meaning.ON_TIME, Meaning.DUE_SOON, Meaning.OVERDUE, Meaning.UNKNOWN)
"""The meanings that must not be taken for one another."""

MARKDOWN: dict[Meaning, str] = {
    Meaning.ON_TIME: "green",
    Meaning.DUE_SOON: "orange",
    Meaning.OVERDUE: "red",
    Meaning.UNKNOWN: "gray",
    Meaning.NEUTRAL: "blue",
}
"""Streamlit's names of the inks."""
ICONS: dict[Meaning, str] = {
    Meaning.ON_TIME: ":material/check_circle:",
    Meaning.DUE_SOON: ":material/schedule:",
    Meaning.OVERDUE: ":material/warning:",
    Meaning.UNKNOWN: ":material/help:",
    Meaning.NEUTRAL: ":material/info:",
}
"""The sign beside a colour."""

CHANNEL_COLOURS: dict[int, str] = {
    Channel.ONLINE: "#316CB5",
    Channel.IN_PERSON: "#5F6B7F",
    Channel.POST: "#8555B5",
    Channel.OTHER: "#706A57",
}
"""Marks of the channels; white text on them is readable."""
ON_MARK = "#FFFFFF"
"""Text on a channel's mark."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Grounds, inks and lines of one theme."""

    page: str
    card: str
    raised: str
    """Behind a chosen tab, a table's head, a hovered row."""
    ink: str
    quiet: str
    """Notes, axes, ages."""
    line: str
    strong_line: str
    """The edge of a tile that means nothing special."""
    grid: str
    primary: str
    on_primary: str
    chosen: str
    chosen_ink: str
    inks: tuple[str, str, str, str, str]
    """Text of each meaning, in the order of Meaning."""

    def text_colour(self, meaning: Meaning) -> str:
        """Return the colour of text that means this."""
        return self.inks[list(Meaning).index(meaning)]


LIGHT = Palette(
    page="#F1F4F9",
    card="#FFFFFF",
    raised="#EDF1F7",
    ink="#14213A",
    quiet="#556279",
    line="#D5DCE8",
    strong_line="#C3CDDD",
    grid="#E1E7F0",
    primary="#0B5CAD",
    on_primary="#FFFFFF",
    chosen="#DFEAF7",
    chosen_ink="#0B5CAD",
    inks=("#17703F", "#9A5000", "#C0262B", "#556279", "#0B5CAD"),
)
DARK = Palette(
    page="#0B1424",
    card="#131F34",
    raised="#1A2942",
    ink="#E8EDF6",
    quiet="#A3B0C7",
    line="#27364F",
    strong_line="#33445F",
    grid="#27364F",
    primary="#2871C4",
    on_primary="#FFFFFF",
    chosen="#1F3A60",
    chosen_ink="#A5CDF8",
    inks=("#4CC38A", "#F2A33A", "#FF8A82", "#A3B0C7", "#7DB6F5"),
)


def palette(*, dark: bool) -> Palette:
    """Return the palette of a theme."""
    return DARK if dark else LIGHT


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


@dataclass(frozen=True, slots=True)
class Type:
    """One step of the type scale: pixels, weight, line height as a multiple."""

    size: int
    weight: int
    leading: float


TYPE: dict[str, Type] = {
    "title": Type(28, 700, 1.25),
    "section": Type(20, 600, 1.3),
    "card": Type(15, 600, 1.4),
    "body": Type(15, 400, 1.5),
    "note": Type(13, 400, 1.35),
    "figure": Type(28, 700, 1.2),
    "slide": Type(40, 700, 1.2),
    "wall": Type(64, 700, 1.1),
}
"""`slide` and `wall` are for rooms: figures that are read from four metres."""
SPACE = {"xs": 4, "s": 8, "m": 12, "l": 16, "xl": 24}
"""Gaps in pixels: inside a tile, between its parts, between cards, around a page."""
RADIUS = {"control": 8, "card": 10, "pill": 999}


def rgba(colour: str, alpha: int = 255) -> list[int]:
    """Return '#RRGGBB' as the list that deck.gl wants."""
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)] + [alpha]


def faint(colour: str, share: float) -> str:
    """Return a colour that lets the ground through, for areas under lines."""
    red, green, blue, _alpha = rgba(colour)
    return f"rgba({red},{green},{blue},{share})"


def css_variables() -> str:
    """Return the palettes, meanings, type, gaps and corners as custom properties (`--ioc-…`) of a stylesheet."""
    light, dark = asdict(LIGHT), asdict(DARK)
    lines = [
        f"--ioc-{name.replace('_', '-')}:light-dark({light[name]},{dark[name]})" for name in light if name != "inks"
    ]
    for meaning in Meaning:
        name = meaning.replace("_", "-")
        lines.append(f"--ioc-mark-{name}:{COLOURS[meaning]}")
        lines.append(f"--ioc-ink-{name}:light-dark({LIGHT.text_colour(meaning)},{DARK.text_colour(meaning)})")
    lines += [f"--ioc-space-{name}:{size}px" for name, size in SPACE.items()]
    lines += [f"--ioc-radius-{name}:{size}px" for name, size in RADIUS.items()]
    lines += [f"--ioc-type-{name}:{step.weight} {step.size}px/{step.leading} {FONT}" for name, step in TYPE.items()]
    return ":root{" + ";".join(lines) + "}"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two colours that stand on one another, and the contrast that WCAG AA asks of them."""

    words: str
    front: str
    ground: str
    least: float


TEXT, MARK = 4.5, 3.0


def pairs(*, dark: bool) -> Iterator[Pair]:
    """Tell every pair of colours of a theme that a reader must tell apart."""
    theme = palette(dark=dark)
    grounds = {"page": theme.page, "card": theme.card}
    for ground, colour in grounds.items():
        yield Pair(f"ink on {ground}", theme.ink, colour, TEXT)
        yield Pair(f"quiet on {ground}", theme.quiet, colour, TEXT)
        for meaning in Meaning:
            yield Pair(f"text of {meaning} on {ground}", theme.text_colour(meaning), colour, TEXT)
            yield Pair(f"mark of {meaning} on {ground}", COLOURS[meaning], colour, MARK)
    for channel, colour in CHANNEL_COLOURS.items():
        yield Pair(f"text on channel {channel}", ON_MARK, colour, TEXT)
        yield Pair(f"channel {channel} on card", colour, theme.card, MARK)
    yield Pair("ink on raised", theme.ink, theme.raised, TEXT)
    yield Pair("quiet on raised", theme.quiet, theme.raised, TEXT)
    yield Pair("text on primary", theme.on_primary, theme.primary, TEXT)
    yield Pair("chosen", theme.chosen_ink, theme.chosen, TEXT)


def layout(*, dark: bool, height: int) -> dict[str, Any]:
    """The layout every chart starts from: transparent, quiet grid, numbers in the Vietnamese way."""
    theme = palette(dark=dark)
    axis = {
        "gridcolor": theme.grid,
        "zeroline": False,
        "linecolor": theme.grid,
        "tickfont": {"color": theme.quiet},
        "automargin": True,
    }
    return {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": theme.ink},
        "separators": ",.",
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": theme.card, "bordercolor": theme.line, "font": {"color": theme.ink, "family": FONT}},
        "showlegend": False,
        "xaxis": {**axis, "showgrid": False},
        "yaxis": {**axis, "rangemode": "tozero", "tickformat": ",d"},
        "dragmode": False,
    }


CHART_CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
"""No toolbar: its words are English, and nobody edits a chart on a wall."""
