"""What the numbers mean: periods, working calendar, definitions and queries. May import `warehouse` only."""

from metrics.calendar import Clock, WorkingCalendar
from metrics.definitions import METRICS, Direction, Kind, Metric
from metrics.measure import measure
from metrics.period import Period, previous
from metrics.scope import Scope

__all__ = [
    "METRICS",
    "Clock",
    "Direction",
    "Kind",
    "Metric",
    "Period",
    "Scope",
    "WorkingCalendar",
    "measure",
    "previous",
]
