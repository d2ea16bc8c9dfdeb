"""Channels: how dossiers come in and go out, and what is still handed in on paper although it could come in online."""

import streamlit as st

from dashboard import cards
from dashboard.boards.screen import style
from dashboard.channels import by_unit_and_field, courses, definitions, headlines, mix, to_convert
from dashboard.draw import current
from dashboard.filters import page_head
from dashboard.texts import _

style()
draw = current()
view = page_head(draw, _("Intake channels"))
if cards.warehouse_is_empty(draw):
    st.stop()

headlines(draw, view)
mix(draw, view)
courses(draw, view)
by_unit_and_field(draw, view)
to_convert(draw, view)
definitions(draw, view)
