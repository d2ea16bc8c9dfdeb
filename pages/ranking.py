"""Ranking: every unit's place among its kind, and the parts that make the place."""

import streamlit as st

from dashboard import cards
from dashboard.draw import current
from dashboard.filters import page_head
from dashboard.ranking import method_card, ranking_table, score_card
from dashboard.texts import _

draw = current()
period = page_head(draw, _("Ranking"), with_compare=False, dimensions=()).period
if cards.warehouse_is_empty(draw):
    st.stop()

ranking = draw.ranking(period)
left, right = st.columns([1.55, 1], gap="small")
with left:
    ranking_table(draw, ranking)
with right:
    score_card(draw, ranking)
method_card(draw)
