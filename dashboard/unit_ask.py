"""What the page of one unit asks of the metrics, from the cache where any viewer has asked the same."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from dashboard.draw import Draw
from metrics import Scope
from metrics.course import Course, dossier_course


def course(draw: Draw, source: str, code: str) -> Course:
    """Return the course of a dossier; raises BadQuestion where it is not in the scope."""
    return _course(draw, draw.version, draw.as_of, draw.scope, source, code)


@st.cache_data(max_entries=200, ttl=900, show_spinner=False)
def _course(_draw: Draw, version: int, as_of: datetime, scope: Scope, source: str, code: str) -> Course:
    del version
    return dossier_course(_draw.connection, source, code, clock=_draw.clock, as_of=as_of, scope=scope)
