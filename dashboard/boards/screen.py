"""Draws the contents of boards with Streamlit, at the size of a desk page, a slide or the wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from dashboard.boards.content import (
    BuiltRow,
    BuiltSlide,
    Cell,
    ChartContent,
    Content,
    Look,
    Nothing,
    TableContent,
    TileContent,
    TilesContent,
)
from dashboard.boards.declaration import Block, Row, Slide, Table, Tiles
from dashboard.theme import CHART_CONFIG, MARKDOWN
from dashboard.words import plain

STYLE = Path(__file__).parent.parent / "static" / "boards.css"


BAR = 1.6
"""Height of a bar with its gap, in sizes of type."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A drawing area in pixels of its own, drawn as large as the window is.

    `space` is the height for rows, `tiles` that of a row of tiles, `around` what a card needs beside its chart or
    table, `line` the height of a table's row.
    """

    name: str
    space: int
    tiles: int
    around: int
    line: int
    type_size: int

    def height(self, slide: Slide, row: Row) -> int:
        """Return the height of a row of a slide; rows of tiles keep theirs, the others share the rest."""
        if _only_tiles(row.blocks):
            return self.tiles
        others = [other for other in slide.rows if not _only_tiles(other.blocks)]
        rest = self.space - self.tiles * (len(slide.rows) - len(others))
        return round(rest * row.weight / sum(other.weight for other in others))

    def rows(self, slide: Slide) -> int:
        """Return how many rows of a table fit on a slide, below their heads."""
        heights = [
            self.height(slide, row) for row in slide.rows if any(isinstance(block, Table) for block in row.blocks)
        ]
        return max(3, (min(heights, default=self.space) - self.around - self.line) // self.line)

    def bars(self, slide: Slide) -> int:
        """Return how many bars one above the other fit into the charts of a slide."""
        heights = [self.height(slide, row) for row in slide.rows if not _only_tiles(row.blocks) and row.weight == 1]
        return max(5, int((min(heights, default=self.space) - self.around) / self.type_size / BAR))


SLIDE = Stage("slide", space=522, tiles=182, around=84, line=40, type_size=16)
WALL = Stage("wall", space=752, tiles=232, around=128, line=65, type_size=25)


def is_dark() -> bool:
    """Whether the reader's theme is dark."""
    return st.context.theme.type == "dark"


def style() -> None:
    """Load the looks of slides and scenes."""
    st.html(STYLE)


def draw_slide(slide: Slide, built: BuiltSlide, stage: Stage, *, dark: bool, scale: float = 1.0) -> None:
    """Draw the finding and the rows of a slide; the charts share the height that the tiles leave.

    `scale` is how many pixels of the window one of the stage is.
    """
    with st.container(key=f"{stage.name}-body", gap="small"):
        if built.lead:
            with st.container(key=f"{stage.name}-lead"):
                st.markdown(plain(built.lead))
        for place, (row, declared) in enumerate(zip(built.rows, slide.rows, strict=True)):
            height = stage.height(slide, declared) - stage.around
            look = Look(dark, round(height * scale), round(stage.type_size * scale, 1))
            _row(row, f"{built.name}-{place}", look)


def _only_tiles(blocks: Sequence[Block]) -> bool:
    return all(isinstance(block, Tiles) for block in blocks)


def _row(row: BuiltRow, key: str, look: Look) -> None:
    for content, column in zip(row.contents, st.columns(row.widths, gap="small"), strict=True):
        with column:
            if isinstance(content, TilesContent):
                draw_tiles(content)
                continue
            with st.container(key=f"card-{key}-{content.name}", gap="xsmall", height="stretch"):
                _head(content)
                draw_content(content, look, f"{key}-{content.name}")


def _head(content: ChartContent | TableContent | Nothing) -> None:
    st.markdown(f"#### {plain(content.title)}")
    if not isinstance(content, Nothing) and content.note:
        st.caption(plain(content.note))


def draw_content(content: Content, look: Look, key: str) -> None:
    """Draw one content without a card around it."""
    if isinstance(content, TilesContent):
        draw_tiles(content)
    elif isinstance(content, ChartContent):
        figure = content.make(look)
        st.plotly_chart(figure, key=f"chart-{key}", config=CHART_CONFIG, theme=None, alt=content.alt)
    elif isinstance(content, TableContent):
        draw_table(content, key)
    elif content.good:
        st.markdown(f":green[:material/check_circle: {plain(content.words)}]")
    else:
        st.caption(plain(content.words))


def draw_tiles(content: TilesContent) -> None:
    """Draw figures side by side."""
    with st.container(key=f"tiles-{content.name}"):
        for item, column in zip(content.tiles, st.columns(len(content.tiles), gap="small"), strict=True):
            with column, st.container(key=f"tile-{item.meaning}-{item.metric}", height="stretch", gap="xxsmall"):
                st.metric(item.title, item.value, help=item.explanation)
                for line in tile_lines(item):
                    st.caption(line)


def tile_lines(item: TileContent) -> Sequence[str]:
    """Return the lines under a tile's value as Markdown: parts, interval, change, target."""
    colour = "gray" if item.better is None else "green" if item.better else "red"
    change = f":{colour}[{item.change}]" if item.change else ""
    return [line for line in (item.parts, item.note, change, item.target) if line]


def draw_table(content: TableContent, key: str) -> None:
    """Draw a table of texts; numbers stand to the right, what needs a decision is coloured and has a sign."""
    titles = [column.title for column in content.columns]
    frame = pd.DataFrame([[_cell(cell) for cell in row] for row in content.rows], columns=titles)
    right = "".join(f"-r{place}" for place, column in enumerate(content.columns, 1) if column.number)
    with st.container(key=f"table-{key}{right}-"):  # the stylesheet sets the columns that the key names to the right
        st.table(frame, border="horizontal", hide_index=True)


def _cell(cell: Cell) -> str:
    if cell.meaning is None:
        return plain(cell.text)
    return f":{MARKDOWN[cell.meaning]}[**{plain(cell.text)}**]"


__all__ = [
    "SLIDE", "WALL", "Stage", "draw_content", "draw_slide", "draw_table", "draw_tiles", "is_dark", "style",
    "tile_lines",
]  # fmt: skip
