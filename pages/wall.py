"""Wall: scenes that change by themselves, readable from four metres, without controls."""

from dashboard.draw import current
from dashboard.wall import draw_empty_wall, draw_wall

draw = current()
if draw.version > 0 and not draw.units().empty:
    draw_wall(draw)
else:
    draw_empty_wall(draw)
