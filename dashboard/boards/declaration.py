"""What a board is: slides made of tiles, charts and tables, each declared with the questions that it asks.

A declaration holds no figures and no words of a language: titles are English texts of the catalogue. The same one is
drawn on a screen, on the wall and into a file, so that all of them show the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import pandas as pd

from dashboard.boards.content import ChartContent, Nothing, TableContent
from dashboard.boards.context import Context
from dashboard.theme import Meaning


class Span(StrEnum):
    """Which time a question is about, relative to the period of the board."""

    PERIOD = "period"
    COMPARED = "compared"
    COURSE = "course"
    """The period by day, or by month where it is long; a short one is widened to thirty days."""
    YEAR = "year"
    """The twelve months up to the end of the period."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to `measure`; in COURSE and YEAR the time dimension is added to `by`."""

    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    span: Span = Span.PERIOD


@dataclass(frozen=True, slots=True)
class Ranked:
    """The question for the ranking of the units."""


@dataclass(frozen=True, slots=True)
class Opinions:
    """What people answered: "questions" by question of the form, "scores" how the scores are spread."""

    what: str


Asked = Ask | Ranked | Opinions
Answers = Sequence[pd.DataFrame]
"""One frame for each question, in the order in which they are declared."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of the period with its change against the compared one."""

    metric: str
    meaning: Meaning = Meaning.NEUTRAL
    title: str = ""
    """In place of the metric's short title, where that would not tell it apart."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """Figures side by side."""

    name: str
    items: tuple[Tile, ...]

    @property
    def asks(self) -> tuple[Asked, ...]:
        """The figures of the period and of the compared one."""
        metrics = tuple(tile.metric for tile in self.items)
        return (Ask(metrics), Ask(metrics, span=Span.COMPARED))


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: its questions and how it is drawn from the answers."""

    name: str
    title: str
    asks: tuple[Asked, ...]
    draw: Callable[[Answers, Context], ChartContent | Nothing]


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its questions and how its rows are written from the answers."""

    name: str
    title: str
    asks: tuple[Asked, ...]
    write: Callable[[Answers, Context], TableContent | Nothing]


Block = Tiles | Chart | Table


@dataclass(frozen=True, slots=True)
class Row:
    """Blocks side by side; `shares` are their widths, `weight` the share of the height."""

    blocks: tuple[Block, ...]
    shares: tuple[float, ...] = ()
    weight: float = 1.0

    @property
    def widths(self) -> tuple[float, ...]:
        """The widths of the blocks, equal where none are declared."""
        return self.shares or (1.0,) * len(self.blocks)


@dataclass(frozen=True, slots=True)
class Lead:
    """The finding of a slide in one sentence: its questions and how it is said."""

    asks: tuple[Asked, ...]
    say: Callable[[Answers, Context], str]


@dataclass(frozen=True, slots=True)
class Slide:
    """One topic: a name for the URL and settings, a title, the finding, rows of blocks."""

    name: str
    title: str
    rows: tuple[Row, ...]
    lead: Lead | None = None

    @property
    def blocks(self) -> Iterator[Block]:
        """Every block, row by row."""
        return (block for row in self.rows for block in row.blocks)


@dataclass(frozen=True, slots=True)
class Board:
    """Slides in their order."""

    name: str
    title: str
    slides: tuple[Slide, ...] = field(default=())

    def slide(self, name: str) -> Slide:
        """Return a slide by its name; raises KeyError."""
        return {slide.name: slide for slide in self.slides}[name]
