"""One unit: its figures, then fields, procedures and dossiers, down to the course of one dossier."""

import streamlit as st

from dashboard import cards
from dashboard.draw import current
from dashboard.shell import headline
from dashboard.texts import _
from dashboard.unit import chase_card, choose_unit, dossier_card, drill_down, unit_tiles, unit_trend

draw = current()
period = headline(draw, _("Unit"))
if cards.warehouse_is_empty(draw):
    st.stop()

unit = choose_unit(draw, period)
unit_tiles(draw, period, unit)
left, right = st.columns([1.35, 1], gap="small")
with left:
    drill_down(draw, period, unit)
with right:
    dossier_card(draw)
    chase_card(draw, unit)
    unit_trend(draw, period, unit)
