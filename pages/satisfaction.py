"""Satisfaction: what people answered, how many did, and how sure the shares are; every answer form by itself."""

import streamlit as st

from dashboard import cards
from dashboard.boards.screen import style
from dashboard.draw import current
from dashboard.filters import page_head
from dashboard.satisfaction import component_766, overall, scale_blocks
from dashboard.texts import _

style()
draw = current()
view = page_head(draw, _("Satisfaction"))
if cards.warehouse_is_empty(draw):
    st.stop()

overall(draw, view)
scale_blocks(draw, view)
component_766(draw, view)
