"""What the worklist page asks of the metrics, from the cache where any viewer has asked the same."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import streamlit as st

from dashboard.draw import Draw, Filters
from metrics import Scope, worklist
from metrics.worklist import Wanted, worklist_groups

Asked = tuple[Filters, str, str | None]
"""Filters, search and department: what a `Wanted` is made of, as a key of the cache."""


def asked(filters: dict[str, tuple[str, ...]], search: str = "", department: str | None = None) -> Asked:
    """Return the key of a selection."""
    return tuple(sorted(filters.items())), search, department


def wanted(selection: Asked) -> Wanted:
    """Return the selection as the metrics want it."""
    filters, search, department = selection
    return Wanted(dict(filters), search, department)


def page(
    draw: Draw, kind: str, selection: Asked, order: str | None, limit: int, offset: int
) -> tuple[pd.DataFrame, int]:
    """Return one page of a list and how many dossiers it has."""
    return _page(draw, draw.version, draw.as_of, draw.scope, kind, selection, order, limit, offset)


@st.cache_data(max_entries=200, ttl=900, show_spinner=False)
def _page(
    _draw: Draw,
    version: int,
    as_of: datetime,
    scope: Scope,
    kind: str,
    selection: Asked,
    order: str | None,
    limit: int,
    offset: int,
) -> tuple[pd.DataFrame, int]:
    del version
    return worklist(
        _draw.connection, kind, clock=_draw.clock, as_of=as_of, scope=scope, wanted=wanted(selection), order=order,
        limit=limit, offset=offset,
    )  # fmt: skip


def groups(draw: Draw, kind: str, selection: Asked, by: tuple[str, ...], at: datetime | None = None) -> pd.DataFrame:
    """Return how many dossiers of a list each unit or department holds, now or at an instant."""
    return _groups(draw, draw.version, at or draw.as_of, draw.scope, kind, selection, by)


@st.cache_data(max_entries=100, ttl=900, show_spinner=False)
def _groups(
    _draw: Draw, version: int, as_of: datetime, scope: Scope, kind: str, selection: Asked, by: tuple[str, ...]
) -> pd.DataFrame:
    del version
    return worklist_groups(
        _draw.connection, kind, by=by, clock=_draw.clock, as_of=as_of, scope=scope, wanted=wanted(selection)
    )
