"""Overview: in five seconds a leader knows what is wrong where."""

import streamlit as st

from dashboard import cards
from dashboard.draw import current
from dashboard.filters import page_head
from dashboard.overview import backlog_card, channel_card, flow_card, map_card, satisfaction_card, tiles
from dashboard.overview_lists import best_list, call_list, judged
from dashboard.texts import _

draw = current()
view = page_head(draw, _("Overview"))
if cards.warehouse_is_empty(draw):
    st.stop()

tiles(draw, view)
verdicts = judged(draw, view.period, view.filters)
where, calls, best = st.columns([1.35, 1, 0.85], gap="small")
with where:
    map_card(draw, view.period, view.filters)
with calls:
    call_list(draw, view.period, verdicts, view.filters)
with best:
    best_list(draw, verdicts)
stock, flow, people = st.columns([1.1, 1.1, 1], gap="small")
with stock:
    backlog_card(draw, view.period, view.filters)
with flow:
    flow_card(draw, view.period, view.filters)
with people:
    channel_card(draw, view.period, view.filters)
    satisfaction_card(draw, view.period, view.filters)
