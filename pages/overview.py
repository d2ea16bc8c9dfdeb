"""Overview: in five seconds a leader knows what is wrong where."""

import streamlit as st

from dashboard import cards
from dashboard.draw import current
from dashboard.filters import page_head
from dashboard.overview import backlog_card, call_list, channel_card, flow_card, map_card, satisfaction_card, tiles
from dashboard.texts import _

draw = current()
view = page_head(draw, _("Overview"))
period = view.period
if cards.warehouse_is_empty(draw):
    st.stop()

tiles(draw, period)
left, right = st.columns([1.55, 1], gap="small")
with left:
    map_card(draw, period)
with right:
    call_list(draw, period)
stock, flow, people = st.columns(3, gap="small")
with stock:
    backlog_card(draw, period)
with flow:
    flow_card(draw, period)
with people:
    channel_card(draw, period)
    satisfaction_card(draw, period)
