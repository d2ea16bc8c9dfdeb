"""What the map page asks: a metric of every unit, over the whole period or in one month of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from dashboard.draw import Draw
from dashboard.figures import Figure, figure
from dashboard.map_classes import LENGTHS, Classes, classes_of, value_text
from dashboard.maps import Mark
from dashboard.numbers import THIN, number
from dashboard.texts import _, later
from metrics import METRICS, Period
from metrics.metric import Unit
from metrics.period import buckets, shift_months
from warehouse.vocabulary import Language

GROUPS: dict[str, tuple[str, ...]] = {
    later("Deadlines"): (
        "overdue", "overdue_share", "due_soon_24h", "due_soon_8h", "slow_acceptance", "stale", "finished_not_returned",
    ),
    later("Workload"): ("open", "open_no_due", "waiting", "waiting_share", "backlog_days"),
    later("Received and resolved"): ("received", "resolved", "resolved_late", "closed_without_result_share"),
    later("On-time rates"): ("on_time_06", "on_time_first_due", "on_time_766", "on_time_received"),
    later("Course of the work"): (
        "median_duration", "median_working_time", "mean_working_time", "supplement_share", "reappointment_share",
    ),
    later("Online and post"): (
        "online_share_eligible", "online_share", "full_online_share", "partial_online_share", "post_in_share",
        "post_out_share", "online_payment_share",
    ),
    later("Digitisation"): ("digitised_share", "reused_share", "e_result_share", "interlinked_share"),
    later("Satisfaction"): (
        "satisfied_share", "satisfied_share_five", "mean_score_three", "mean_score_five", "response_rate",
    ),
}  # fmt: skip
"""The metrics that can be compared between units, by what they are about."""
CHOICES: Mapping[str, str] = {name: group for group, names in GROUPS.items() for name in names}
"""Metric to its group."""
FIRST = "overdue"
WHOLE = "whole"
"""Stands for the whole period in the URL."""
MONTHS, MOST_MONTHS = 12, 24


@dataclass(frozen=True)
class Answer:
    """One metric of every unit: the rows by unit code, their classes, and the figure of the whole area."""

    metric: str
    rows: pd.DataFrame
    """Indexed by unit code: value, numerator, denominator, whether they are few, and place (1 is the highest value).

    A value that rests on few cases has no place.
    """
    classes: Classes
    total: Figure

    @property
    def known(self) -> pd.Series:
        """Return the values of the units that have one."""
        return self.rows["value"].dropna()


def months_of(draw: Draw, period: Period) -> list[str]:
    """Return the months of a period that have begun, where it has several; else the last twelve up to its end."""
    zone = draw.settings.zone
    until = min(period.end, draw.as_of)
    own = [bucket.code for bucket in buckets(period, "month", max(until, period.start), zone)]
    if len(own) > 1:
        return own[-MOST_MONTHS:]
    last = date.fromisoformat(f"{own[-1]}-01")
    return [shift_months(last, -back).strftime("%Y-%m") for back in range(MONTHS - 1, -1, -1)]


def answer(draw: Draw, metric: str, period: Period, month: str, filters: Mapping[str, tuple[str, ...]]) -> Answer:
    """Return the answer for a period, or for one month of `months_of` it; the classes of months are those of all.

    Raises BadQuestion where the metric cannot be narrowed by the filters.
    """
    if month == WHOLE:
        rows = draw.ask((metric,), period, by=("unit",), filters=filters)
        return _answer(metric, rows, rows["value"], figure(draw.ask((metric,), period, filters=filters), metric))
    span = draw.period(_span(months_of(draw, period)))
    frame = draw.ask((metric,), span, by=("unit", "month"), filters=filters)
    whole = draw.ask((metric,), span, by=("month",), filters=filters)
    return _answer(metric, frame[frame["month"] == month], frame["value"], figure(whole, metric, month=month))


def _span(months: list[str]) -> str:
    after = shift_months(date.fromisoformat(f"{months[-1]}-01"), 1)
    return f"{months[0]}-01/{date.fromordinal(after.toordinal() - 1).isoformat()}"


def _answer(metric: str, frame: pd.DataFrame, all_values: pd.Series, total: Figure) -> Answer:
    rows = frame[frame["unit"].notna()].set_index("unit")[["value", "numerator", "denominator"]]
    rows = rows.astype("Float64").astype(float)
    rows["few"] = [is_few(metric, denominator) for denominator in rows["denominator"]]
    rows["place"] = rows["value"].where(~rows["few"]).rank(ascending=False, method="min")
    return Answer(metric, rows, classes_of(metric, all_values.astype("Float64").astype(float)), total)


def marks(draw: Draw, found: Answer, codes: list[str]) -> dict[str, Mark]:
    """Return what the map says of each unit: value, parts, place, and a word of caution where they are few."""
    metric = METRICS[found.metric]
    last = int(found.rows["place"].count())
    rows = found.rows.to_dict("index")
    made = {}
    for code in codes:
        row = rows.get(code)
        if row is None or pd.isna(row["value"]):
            made[code] = Mark(None, _("nothing occurred"))
            continue
        lines = [
            words for words in (parts(found.metric, row["numerator"], row["denominator"], draw.language),) if words
        ]
        if row["few"]:
            lines.append(_("few cases (under {minimum}): read with care", minimum=metric.minimum))
        else:
            lines.append(_("number {place} from the top of {last}", place=int(row["place"]), last=last))
        text = value_text(found.metric, row["value"], draw.language)
        short = text.partition(THIN)[0] if metric.unit in LENGTHS else text
        made[code] = Mark(row["value"], text, tuple(lines), short)
    return made


def is_few(metric: str, denominator: float) -> bool:
    """Whether a value rests on so few cases that it is uncertain."""
    return bool(denominator < METRICS[metric].minimum)


def parts(metric: str, numerator: float, denominator: float, language: Language) -> str:
    """Write the parts of a value: numerator / denominator of a share, n of a length of time; empty for a count."""
    if METRICS[metric].unit is Unit.SHARE:
        return f"{number(numerator, language)} / {number(denominator, language)}"
    return f"n = {number(denominator, language)}" if pd.notna(denominator) else ""
