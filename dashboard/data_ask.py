"""What the data page asks of the metrics, from the cache where any viewer has asked the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from connectors.mapping import load_mapping
from dashboard import resources
from dashboard.draw import Draw
from metrics import Period, Scope, reconciliation
from metrics import balance as balances
from metrics import findings as finding_lists
from metrics import quarantine as quarantines
from metrics.reconciliation import Comparison, Difference
from warehouse.errors import IocError
from warehouse.vocabulary import Entity

Keys = tuple[tuple[tuple[str, str], str], ...]


def names_of(draw: Draw, dimension: str, codes: pd.Series) -> pd.Series:
    """Return the words for a column of codes; a missing code has none."""
    known = [code for code in codes.unique() if pd.notna(code)]
    words = codes.map(draw.names(dimension, known))
    return words.where(codes.notna(), None)


def references(draw: Draw) -> tuple[str, ...]:
    """Return the names of the configured sources of reference dossiers."""
    return tuple(source.name for source in draw.settings.sources if source.entity is Entity.REFERENCE_DOSSIER)


@st.cache_resource(show_spinner=False)
def unit_fields() -> Mapping[tuple[str, str], str]:
    """Return which field of a refused record names its unit, by source and entity; sources without one are left out."""
    found = {}
    for source in resources.settings().sources:
        try:
            rule = load_mapping(source.mapping).fields.get("unit")
        except IocError:
            continue  # the worker says what is wrong with it
        if rule is not None and rule.rules[0].source:
            found[source.name, str(source.entity)] = rule.rules[0].source
    return found


def reasons(draw: Draw) -> pd.DataFrame:
    """Return what waits in quarantine by reason, source and entity."""
    return _reasons(draw, draw.version)


@st.cache_data(max_entries=20, ttl=900, show_spinner=False)
def _reasons(_draw: Draw, version: int) -> pd.DataFrame:
    del version
    return quarantines.by_reason(_draw.connection)


def refused(draw: Draw, reason: str | None, limit: int, offset: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one page of the refused records, and all of them by unit."""
    return _refused(draw, draw.version, reason, limit, offset)


@st.cache_data(max_entries=50, ttl=900, show_spinner=False)
def _refused(
    _draw: Draw, version: int, reason: str | None, limit: int, offset: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    del version
    page = quarantines.records(
        _draw.connection, unit_fields(), clock=_draw.clock, reason=reason, limit=limit, offset=offset
    )
    return page, quarantines.by_unit(_draw.connection, unit_fields(), reason)


def finding_counts(draw: Draw) -> pd.DataFrame:
    """Return the findings by unit."""
    return _finding_counts(draw, draw.version, draw.scope, draw.today)


@st.cache_data(max_entries=20, ttl=900, show_spinner=False)
def _finding_counts(_draw: Draw, version: int, scope: Scope, today: Any) -> pd.DataFrame:  # noqa: ANN401 - a date
    del version, today
    return finding_lists.findings(
        _draw.connection, clock=_draw.clock, scope=scope, as_of=_draw.as_of, others=references(_draw)
    )


def finding_dossiers(draw: Draw, name: str, unit: str | None, limit: int, offset: int) -> pd.DataFrame:
    """Return one page of the dossiers of a finding."""
    return _finding_dossiers(draw, draw.version, draw.scope, name, unit, limit, offset)


@st.cache_data(max_entries=50, ttl=900, show_spinner=False)
def _finding_dossiers(
    _draw: Draw, version: int, scope: Scope, name: str, unit: str | None, limit: int, offset: int
) -> pd.DataFrame:
    del version
    return finding_lists.finding_dossiers(
        _draw.connection, name, clock=_draw.clock, scope=scope, as_of=_draw.as_of, others=references(_draw),
        unit=unit, limit=limit, offset=offset,
    )  # fmt: skip


def balance(draw: Draw, period: Period) -> tuple[pd.DataFrame, list[str]]:
    """Return the balance of the units, and the periods that were reported."""
    return _balance(draw, draw.version, draw.as_of, draw.scope, period)


@st.cache_data(max_entries=50, ttl=900, show_spinner=False)
def _balance(
    _draw: Draw, version: int, as_of: datetime, scope: Scope, period: Period
) -> tuple[pd.DataFrame, list[str]]:
    del version
    frame = balances.balance(_draw.connection, clock=_draw.clock, period=period, as_of=as_of, scope=scope)
    return frame, balances.reported_periods(_draw.connection)


def compared_until(draw: Draw, ours: str, theirs: str) -> datetime | None:
    """Return the whole minute before which both sources are known; None where one was never read to its end."""
    until = reconciliation.known_until(draw.connection, ours, theirs)
    return until and until.replace(second=0, microsecond=0)


def reconciled(draw: Draw, comparison: Comparison) -> pd.DataFrame:
    """Return the differences by unit.

    Not by data version: what was known before a minute does not change with what comes after it, and two large tables
    are compared at most once a minute however often data arrives.
    """
    return _reconciled(draw, comparison, draw.scope)


@st.cache_data(max_entries=20, ttl=300, show_spinner=False)
def _reconciled(_draw: Draw, comparison: Comparison, scope: Scope) -> pd.DataFrame:
    return reconciliation.reconcile(_draw.connection, comparison, clock=_draw.clock, scope=scope)


def differences(
    draw: Draw, comparison: Comparison, kind: Difference | None, unit: str | None, limit: int, offset: int
) -> pd.DataFrame:
    """Return one page of the dossiers that differ."""
    return _differences(draw, comparison, draw.scope, kind, unit, limit, offset)


@st.cache_data(max_entries=50, ttl=300, show_spinner=False)
def _differences(
    _draw: Draw,
    comparison: Comparison,
    scope: Scope,
    kind: Difference | None,
    unit: str | None,
    limit: int,
    offset: int,
) -> pd.DataFrame:
    return reconciliation.differences(
        _draw.connection, comparison, clock=_draw.clock, scope=scope, kind=kind, unit=unit, limit=limit, offset=offset
    )
