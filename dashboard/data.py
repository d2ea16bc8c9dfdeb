"""The data page: five views of one question, chosen in the URL; only the chosen one asks the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from dashboard.cards import warehouse_is_empty
from dashboard.data_balance import balance_view
from dashboard.data_findings import findings_view
from dashboard.data_quarantine import quarantine_view
from dashboard.data_reconciliation import reconciliation_view
from dashboard.data_sources import sources_view
from dashboard.draw import Draw
from dashboard.state import in_url, selected
from dashboard.texts import _, later
from metrics import Period

VIEW_KEY = "view"


@dataclass(frozen=True, slots=True)
class View:
    """One view: its title, how it is drawn, whether it is about a period, and whether it speaks without data."""

    title: str
    draws: Callable[[Draw, Period], None]
    with_period: bool = False
    without_data: bool = False


VIEWS = {
    "sources": View(later("Sources"), sources_view, without_data=True),
    "quarantine": View(later("Quarantine"), quarantine_view, without_data=True),
    "findings": View(later("Data quality"), findings_view),
    "balance": View(later("Balance"), balance_view, with_period=True),
    "reconciliation": View(later("Reconciliation"), reconciliation_view),
}
FIRST = "sources"


def current_view() -> View:
    """Return the view that the URL names."""
    return VIEWS[selected(VIEW_KEY, FIRST, VIEWS)]


def choose_view() -> None:
    """Draw the chooser of the view."""
    st.segmented_control(
        _("View"),
        list(VIEWS),
        required=True,
        format_func=lambda name: _(VIEWS[name].title),
        label_visibility="collapsed",
        **in_url(VIEW_KEY, FIRST, VIEWS),
    )


def draw_view(draw: Draw, period: Period, view: View) -> None:
    """Draw a view, or the designed state of an empty warehouse where it has nothing to say then."""
    if not view.without_data and warehouse_is_empty(draw):
        return
    view.draws(draw, period)
