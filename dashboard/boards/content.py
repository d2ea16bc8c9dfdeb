"""What a built slide holds: texts, cells and figures in one language, ready to be drawn by a screen or into a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard.theme import Meaning


@dataclass(frozen=True, slots=True)
class Look:
    """How a figure is drawn: ground, height and type size in pixels."""

    dark: bool = False
    height: int = 360
    type_size: float = 13


@dataclass(frozen=True, slots=True)
class TileContent:
    """One figure: `parts` is numerator/denominator, `better` whether the change is a good one (None: neither)."""

    metric: str
    title: str
    value: str
    parts: str
    change: str
    better: bool | None
    meaning: Meaning
    explanation: str
    target: str = ""
    note: str = ""
    """The interval of a share of answers, and whether they are few."""


@dataclass(frozen=True, slots=True)
class TilesContent:
    """Figures side by side."""

    name: str
    tiles: tuple[TileContent, ...]


@dataclass(frozen=True, slots=True)
class ChartContent:
    """A chart; `make` gives the figure in a look, always with the same data."""

    title: str
    alt: str
    make: Callable[[Look], go.Figure]
    note: str = ""
    name: str = ""
    rows: int = 0
    """How many bars it has one above the other; 0 where its height does not depend on them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: numbers stand to the right."""

    title: str
    number: bool = False
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A text; a meaning gives it a colour, a bad one a sign as well."""

    text: str
    meaning: Meaning | None = None


@dataclass(frozen=True, slots=True)
class TableContent:
    """Rows of cells under columns."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Nothing:
    """In place of a chart or table that has nothing to show: a sentence that says so; `good` when that is good news."""

    title: str
    words: str
    good: bool = False
    name: str = ""


Content = TilesContent | ChartContent | TableContent | Nothing


@dataclass(frozen=True, slots=True)
class BuiltRow:
    """Contents side by side with their widths, and the share of the height."""

    contents: tuple[Content, ...]
    widths: tuple[float, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class BuiltSlide:
    """A slide with its figures."""

    name: str
    title: str
    lead: str
    rows: tuple[BuiltRow, ...]
