"""Map: every unit in its place, coloured by a figure that the reader chooses, month by month."""

import streamlit as st

from dashboard import cards
from dashboard.draw import current
from dashboard.filters import page_head
from dashboard.map_page import map_screen
from dashboard.texts import _

draw = current()
view = page_head(draw, _("Map"), with_compare=False, dimensions=("field", "channel"))
if cards.warehouse_is_empty(draw):
    st.stop()

map_screen(draw, view)
