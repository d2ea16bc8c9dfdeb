"""To act on: the dossiers that are overdue, due soon, waiting or left lying, the most urgent first."""

import streamlit as st

from dashboard import cards
from dashboard.draw import current
from dashboard.filters import page_head
from dashboard.texts import _
from dashboard.worklist import worklist

draw = current()
view = page_head(draw, _("To act on"), with_period=False)
if cards.warehouse_is_empty(draw):
    st.stop()

worklist(draw, view)
