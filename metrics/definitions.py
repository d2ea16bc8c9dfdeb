"""Every metric, by its name; the declarations themselves are in metrics/declarations."""

from __future__ import annotations

from collections.abc import Mapping

from metrics.declarations import channels, handling, punctuality, satisfaction
from metrics.metric import Direction, Kind, Metric, Sum, Unit, total

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for subject in (handling, punctuality, channels, satisfaction)
    for metric in subject.METRICS
}  # fmt: skip
"""Every metric by its name, in the order in which reports list them."""

__all__ = ["METRICS", "Direction", "Kind", "Metric", "Sum", "Unit", "total"]
