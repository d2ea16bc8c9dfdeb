"""One draw of one page: one data version, one instant, one scope.

A draw opens one read-only snapshot of the warehouse. A figure that the cache of that version lacks comes from it: two
tiles on one screen cannot disagree. The instant is the newest change or the running minute, whichever is later, so that
all viewers of one version share one cache entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import pandas as pd
import streamlit as st
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import InterfaceError, OperationalError

import metrics
from connectors.outages import Outage, outages
from connectors.state import SourceState, source_states
from dashboard import resources
from dashboard.texts import current_language
from metrics import Clock, Period, Scope
from metrics.aspects import satisfaction_by_question, score_distribution
from metrics.corrections import Correction, corrected
from metrics.score766 import Official, official_scores
from metrics.targets import targets
from metrics.units import units
from warehouse import schema
from warehouse.engine import snapshot
from warehouse.errors import TransientError
from warehouse.settings import Settings
from warehouse.vocabulary import Language

Filters = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass
class Draw:
    """What every element of a page needs to know."""

    settings: Settings
    clock: Clock
    version: int
    as_of: datetime
    now: datetime
    scope: Scope
    states: list[SourceState]
    connection: Connection = field(repr=False)

    @cached_property
    def language(self) -> Language:
        """Language of the session."""
        return current_language()

    @property
    def today(self) -> Any:  # noqa: ANN401 - a date
        """The civil day of the draw."""
        return self.as_of.astimezone(self.settings.zone).date()

    def period(self, text: str) -> Period:
        """Return the period that a text of the filter bar means on this day."""
        return Period.parse(text, self.settings.zone, today=self.today)

    def ask(
        self,
        names: Sequence[str],
        period: Period,
        by: Sequence[str] = (),
        filters: Mapping[str, Sequence[str]] | None = None,
    ) -> pd.DataFrame:
        """Return `measure` for this draw, from the cache where any viewer has asked the same of this version."""
        key: Filters = tuple(sorted((name, tuple(values)) for name, values in (filters or {}).items() if values))
        return _ask(self, self.version, self.as_of, self.scope, tuple(names), period, tuple(by), key)

    def names(self, dimension: str, codes: Sequence[Any]) -> dict[Any, str]:
        """Return the words for the codes of a dimension."""
        return _names(self, self.version, dimension, tuple(codes), self.language)

    def worklist(
        self,
        kind: str,
        filters: Mapping[str, Sequence[str]] | None = None,
        limit: int = 200,
        offset: int = 0,
        at: Period | None = None,
    ) -> tuple[pd.DataFrame, int]:
        """Return the dossiers of a worklist, now or at the end of a period, and how many there are in all."""
        key: Filters = tuple(sorted((name, tuple(values)) for name, values in (filters or {}).items() if values))
        as_of = min(self.as_of, at.end) if at else self.as_of
        return _worklist(self, self.version, as_of, self.scope, kind, key, limit, offset)

    def ranking(self, period: Period) -> pd.DataFrame:
        """Return the ranking of the units of the scope."""
        return _ranking(self, self.version, self.as_of, self.scope, period)

    def opinions(self, what: str, period: Period, filters: Mapping[str, Sequence[str]] | None = None) -> pd.DataFrame:
        """Return what people answered: `questions` by question of the form, `scores` how the scores are spread."""
        key: Filters = tuple(sorted((name, tuple(values)) for name, values in (filters or {}).items() if values))
        return _opinions(self, self.version, self.as_of, self.scope, what, period, key)

    def targets(self, names: Sequence[str], units: Sequence[str]) -> pd.DataFrame:
        """Return the targets that hold on this day for metrics and units, as `metrics.targets.targets` does."""
        return _targets(self, self.version, self.today, tuple(names), tuple(units))

    def corrections(
        self, answer: pd.DataFrame, period: Period, filters: Mapping[str, Sequence[str]] | None = None
    ) -> dict[tuple[str | None, str], Correction]:
        """Return which figures of an answer of `ask` are others than when its period was recorded."""
        if period.end > self.as_of:
            return {}
        key: Filters = tuple(sorted((name, tuple(values)) for name, values in (filters or {}).items() if values))
        return _corrections(self, self.version, self.scope, period, key, answer)

    def outages(self, period: Period) -> list[Outage]:
        """Return when sources failed in a period; some seconds late."""
        return _outages(self, period.start, min(period.end, self.as_of))

    def official_scores(self, period: Period) -> dict[tuple[str, str], Official]:
        """Return the imported scores of the 766 index of a period, by unit and item."""
        return _official(self, self.version, period)

    def units(self) -> pd.DataFrame:
        """Return code, name, kind, parent, lat, lon, population of the units of the scope on this day."""
        return _units(self, self.version, self.scope, self.today)


_current: ContextVar[Draw] = ContextVar("draw")


def current() -> Draw:
    """Return the draw that the running page belongs to."""
    return _current.get()


def instant_of(changed_at: datetime, now: datetime) -> datetime:
    """Return the instant that a draw of a version shows: the newest change or the running minute."""
    minute = now.replace(second=0, microsecond=0)
    change = (changed_at + timedelta(seconds=1)).replace(microsecond=0)
    return max(minute, min(change, now.replace(microsecond=0) + timedelta(seconds=1)))


@contextmanager
def drawing() -> Iterator[Draw]:
    """Open the draw of this script run. Raises TransientError when the warehouse does not answer."""
    settings, engine = resources.settings(), resources.engine()
    now = datetime.now(UTC)
    try:
        with snapshot(engine) as connection:
            draw = _begin(settings, engine, connection, now)
            token = _current.set(draw)
            try:
                yield draw
            finally:
                _current.reset(token)
    except (OperationalError, InterfaceError) as error:
        raise TransientError(f"the warehouse does not answer: {error}") from error


def _begin(settings: Settings, engine: Engine, connection: Connection, now: datetime) -> Draw:
    state = connection.execute(select(schema.data_state.c.version, schema.data_state.c.changed_at)).one_or_none()
    version, changed_at = (int(state.version), state.changed_at) if state else (0, now)
    root = settings.display.root_unit
    return Draw(
        settings=settings,
        clock=resources.clock(),
        version=version,
        as_of=instant_of(changed_at, now),
        now=now,
        scope=Scope.of({root}) if root else Scope.everything(),
        states=source_states(connection, settings, now),
        connection=connection,
    )


@st.cache_data(max_entries=2000, ttl=900, show_spinner=False)
def _ask(
    _draw: Draw,
    version: int,
    as_of: datetime,
    scope: Scope,
    names: tuple[str, ...],
    period: Period,
    by: tuple[str, ...],
    filters: Filters,
) -> pd.DataFrame:
    del version
    return metrics.measure(
        _draw.connection,
        list(names),
        clock=_draw.clock,
        period=period,
        as_of=as_of,
        scope=scope,
        by=by,
        filters=dict(filters),
    )


@st.cache_data(max_entries=500, ttl=900, show_spinner=False)
def _names(_draw: Draw, version: int, dimension: str, codes: tuple[Any, ...], language: Language) -> dict[Any, str]:
    del version
    terms = _draw.settings.display.online_terms
    return metrics.names(_draw.connection, dimension, list(codes), language, _draw.today, online_terms=terms)


@st.cache_data(max_entries=300, ttl=900, show_spinner=False)
def _worklist(
    _draw: Draw, version: int, as_of: datetime, scope: Scope, kind: str, filters: Filters, limit: int, offset: int
) -> tuple[pd.DataFrame, int]:
    del version
    return metrics.worklist(
        _draw.connection,
        kind,
        clock=_draw.clock,
        as_of=as_of,
        scope=scope,
        filters=dict(filters),
        limit=limit,
        offset=offset,
    )


@st.cache_data(max_entries=100, ttl=900, show_spinner=False)
def _ranking(_draw: Draw, version: int, as_of: datetime, scope: Scope, period: Period) -> pd.DataFrame:
    del version
    return metrics.rank_units(_draw.connection, clock=_draw.clock, period=period, as_of=as_of, scope=scope)


OPINIONS = {"questions": satisfaction_by_question, "scores": score_distribution}


@st.cache_data(max_entries=200, ttl=900, show_spinner=False)
def _opinions(
    _draw: Draw, version: int, as_of: datetime, scope: Scope, what: str, period: Period, filters: Filters
) -> pd.DataFrame:
    del version
    return OPINIONS[what](
        _draw.connection, clock=_draw.clock, period=period, as_of=as_of, scope=scope, filters=dict(filters)
    )


@st.cache_data(max_entries=200, ttl=900, show_spinner=False)
def _corrections(
    _draw: Draw, version: int, scope: Scope, period: Period, filters: Filters, answer: pd.DataFrame
) -> dict[tuple[str | None, str], Correction]:
    del version
    return corrected(
        _draw.connection,
        answer,
        clock=_draw.clock,
        period=period,
        as_of=_draw.as_of,
        scope=scope,
        filters=dict(filters),
    )


@st.cache_data(max_entries=20, ttl=60, show_spinner=False)
def _outages(_draw: Draw, since: datetime, until: datetime) -> list[Outage]:
    return outages(_draw.connection, _draw.settings, since, until)


@st.cache_data(max_entries=50, ttl=900, show_spinner=False)
def _official(_draw: Draw, version: int, period: Period) -> dict[tuple[str, str], Official]:
    del version
    return official_scores(_draw.connection, clock=_draw.clock, period=period)


@st.cache_data(max_entries=200, ttl=900, show_spinner=False)
def _targets(
    _draw: Draw,
    version: int,
    today: Any,  # noqa: ANN401 - a date
    names: tuple[str, ...],
    units: tuple[str, ...],
) -> pd.DataFrame:
    del version
    return targets(_draw.connection, names, units, today)


@st.cache_data(max_entries=50, ttl=900, show_spinner=False)
def _units(_draw: Draw, version: int, scope: Scope, today: Any) -> pd.DataFrame:  # noqa: ANN401 - a date
    del version
    return units(_draw.connection, scope, today)
