"""The components of the screens in each state, for developers; not in the navigation."""

from dashboard.draw import current
from dashboard.filters import page_head
from dashboard.gallery import gallery
from dashboard.texts import _

draw = current()
page_head(draw, _("Components"))
gallery(draw)
