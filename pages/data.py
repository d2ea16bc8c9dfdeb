"""Reconciliation and data: whether the figures can be trusted, and what to correct where."""

from dashboard.data import choose_view, current_view, draw_view
from dashboard.draw import current
from dashboard.shell import headline
from dashboard.texts import _

draw = current()
view = current_view()
period = headline(draw, _("Reconciliation and data"), with_period=view.with_period)
choose_view()
draw_view(draw, period, view)
