"""What the numbers mean: periods, working calendar, definitions and queries. May import `warehouse` only."""

from metrics.calendar import Clock, WorkingCalendar
from metrics.definitions import METRICS, Direction, Kind, Metric
from metrics.dimensions import DIMENSIONS, FILTERS
from metrics.fields import fields
from metrics.measure import measure
from metrics.naming import names
from metrics.period import Period, previous, year_before
from metrics.ranking import Method, rank_units
from metrics.scope import Scope
from metrics.worklist import dossier_history, worklist

__all__ = [
    "DIMENSIONS",
    "FILTERS",
    "METRICS",
    "Clock",
    "Direction",
    "Kind",
    "Method",
    "Metric",
    "Period",
    "Scope",
    "WorkingCalendar",
    "dossier_history",
    "fields",
    "measure",
    "names",
    "previous",
    "rank_units",
    "worklist",
    "year_before",
]
