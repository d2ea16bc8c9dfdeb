"""Ranking: every unit's place among its kind, the parts that make the place, and what would move a unit up."""

import streamlit as st

from dashboard import cards
from dashboard.draw import current
from dashboard.filters import page_head
from dashboard.ranking import choose, method_card, ranking_table
from dashboard.ranking_own import own_card, parts_card
from dashboard.styles import LISTS
from dashboard.texts import _

draw = current()
view = page_head(draw, _("Ranking"), with_compare=False, dimensions=("field", "channel"))
if cards.warehouse_is_empty(draw):
    st.stop()

st.html(LISTS)
board = choose(draw, view)
left, right = st.columns([1.5, 1], gap="small")
with left:
    ranking_table(draw, board)
with right:
    own_card(draw, board)
parts_card(draw, board)
method_card(draw)
