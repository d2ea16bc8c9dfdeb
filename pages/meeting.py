"""Meeting: pick period and units once, then slides over figures that stand still."""

from dashboard import cards
from dashboard.draw import current
from dashboard.meeting import agenda, is_presenting, present

draw = current()
has_data = draw.version > 0 and not draw.units().empty
if is_presenting() and has_data:
    present(draw)
else:
    agenda(draw)
    cards.warehouse_is_empty(draw)
