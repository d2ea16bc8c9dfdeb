"""To act on: the dossiers that are overdue, due soon or waiting, oldest first."""

import streamlit as st

from dashboard import cards
from dashboard.draw import current
from dashboard.shell import headline
from dashboard.texts import _
from dashboard.worklist import choices, worklist_table

draw = current()
headline(draw, _("To act on"), with_period=False)
if cards.warehouse_is_empty(draw):
    st.stop()

worklist_table(draw, choices(draw))
