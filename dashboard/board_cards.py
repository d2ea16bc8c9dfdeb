"""Contents of boards as cards of a desk page: the same questions and figures as on slides and in files."""

from __future__ import annotations

import streamlit as st

from dashboard.boards.build import built_block
from dashboard.boards.content import ChartContent, Look, Nothing, TilesContent
from dashboard.boards.context import BoardView, Context
from dashboard.boards.declaration import Chart, Table, Tiles
from dashboard.boards.screen import draw_content, is_dark, tile_lines
from dashboard.cards import card
from dashboard.draw import Draw
from dashboard.filters import View
from dashboard.shell import age_note
from dashboard.words import plain

ROW, AROUND = 27, 50
"""Height of a bar with its gap, and of what is around the bars, in pixels."""


def board_view(view: View) -> BoardView:
    """Return what a page shows as what a board is about."""
    return BoardView(view.period, view.compared, view.words, view.filters, view.compared_words)


def context_of(draw: Draw, view: View, *, rows: int = 20, bars: int = 16) -> Context:
    """Return what builders of boards need, for a page."""
    return Context(draw, board_view(view), rows, bars)


def card_of(
    draw: Draw, view: View, block: Chart | Table, *, height: int | None = None, title: str = "", bars: int = 16
) -> None:
    """Draw one chart or table of a board as a card; without `height` it is as tall as its bars need."""
    content = built_block(block, context_of(draw, view, bars=bars))
    if isinstance(content, TilesContent):
        raise TypeError("tiles are drawn by tile_cards")
    note = "" if isinstance(content, Nothing) else content.note
    with card(block.name, title or plain(content.title)):
        st.caption(f"{plain(note)} · {age_note(draw)}" if note else age_note(draw))
        tall = height or AROUND + ROW * (content.rows if isinstance(content, ChartContent) else 1)
        draw_content(content, Look(dark=is_dark(), height=tall), block.name)


def tile_cards(draw: Draw, view: View, tiles: Tiles) -> None:
    """Draw figures side by side, each with its parts, its change, its target and the age of its data."""
    content = built_block(tiles, context_of(draw, view))
    if not isinstance(content, TilesContent):
        raise TypeError("only tiles are side by side")
    with st.container(key=f"board-tiles-{tiles.name}"), st.grid(len(content.tiles), min_column_width=165, gap="small"):
        for item in content.tiles:
            with st.container(key=f"tile-{item.meaning}-{item.metric}", height="stretch", gap="xxsmall"):
                st.metric(item.title, item.value, help=item.explanation)
                for line in tile_lines(item):
                    st.caption(line)
                with st.container(vertical_alignment="bottom", height="stretch"):
                    st.caption(age_note(draw))
