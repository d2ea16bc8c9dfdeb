"""What the ranking page asks of the metrics, from the cache where any viewer has asked the same."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import streamlit as st

from dashboard.draw import Draw, Filters
from dashboard.filters import View
from metrics import Period, Scope, rank_units


def ranking(draw: Draw, view: View) -> pd.DataFrame:
    """Return the ranking of the units of the scope for a period and a selection of fields and channels."""
    if not view.filters:
        return draw.ranking(view.period)
    key: Filters = tuple(sorted(view.filters.items()))
    return _ranking(draw, draw.version, draw.as_of, draw.scope, view.period, key)


@st.cache_data(max_entries=50, ttl=900, show_spinner=False)
def _ranking(
    _draw: Draw, version: int, as_of: datetime, scope: Scope, period: Period, filters: Filters
) -> pd.DataFrame:
    del version
    return rank_units(
        _draw.connection, clock=_draw.clock, period=period, as_of=as_of, scope=scope, filters=dict(filters)
    )
