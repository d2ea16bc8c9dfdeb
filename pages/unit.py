"""One unit: its figures, then fields, procedures and dossiers, down to the course of one dossier."""

import streamlit as st

from dashboard import cards
from dashboard.draw import current
from dashboard.filters import page_head
from dashboard.texts import _
from dashboard.unit import chase_card, choose_unit, unit_tiles, unit_trend
from dashboard.unit_course import course_card
from dashboard.unit_drill import chosen_dossier, drill_down, trail

draw = current()
view = page_head(draw, _("Unit"), with_compare=False, dimensions=("field", "channel"))
if cards.warehouse_is_empty(draw):
    st.stop()

unit = choose_unit(draw, view)
if dossier := chosen_dossier():
    trail(draw, unit)
    course_card(draw, dossier)
    st.stop()

unit_tiles(draw, view, unit)
left, right = st.columns([1.35, 1], gap="small")
with left:
    drill_down(draw, view, unit)
with right:
    chase_card(draw, view, unit)
    unit_trend(draw, view, unit)
