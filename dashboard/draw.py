"""One draw of one page: one data version, one instant, one scope.

A draw opens one read-only snapshot of the warehouse. A figure that the cache of that version lacks comes from it: two
tiles on one screen cannot disagree. The instant is the newest change or the running minute, whichever is later, so that
all viewers of one version share one cache entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar, cast

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
Kept = TypeVar("Kept")
OPINIONS = {"questions": satisfaction_by_question, "scores": score_distribution}


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

    @cached_property
    def key(self) -> str:
        """What every kept answer depends on: version of the data, instant, scope, language, as one short text."""
        roots = "all" if self.scope.roots is None else ",".join(sorted(self.scope.roots))
        return f"{self.version}|{self.as_of.timestamp():.0f}|{roots}|{self.language}"

    def kept(self, name: str, *parts: object, make: Callable[[], Kept]) -> Kept:
        """Return what `make` makes, made once for all viewers of the same version, instant, scope and language.

        `parts` are what else it depends on, texts and numbers. It is shared by sessions: nobody may change it.
        """
        return cast("Kept", _made(f"{name}|{self.key}|{parts}", make))

    def ask(
        self,
        names: Sequence[str],
        period: Period,
        by: Sequence[str] = (),
        filters: Mapping[str, Sequence[str]] | None = None,
    ) -> pd.DataFrame:
        """Return `measure` for this draw, from the cache where any viewer has asked the same of this version."""
        narrowed = chosen(filters)

        def work() -> pd.DataFrame:
            return metrics.measure(
                self.connection, list(names), clock=self.clock, period=period, as_of=self.as_of, scope=self.scope,
                by=by, filters=dict(narrowed),
            )  # fmt: skip

        return self._read("ask", tuple(names), span(period), tuple(by), narrowed, work=work)

    def names(self, dimension: str, codes: Sequence[Any]) -> dict[Any, str]:
        """Return the words for the codes of a dimension."""
        terms = self.settings.display.online_terms

        def work() -> dict[Any, str]:
            asked = list(codes)
            return metrics.names(self.connection, dimension, asked, self.language, self.today, online_terms=terms)

        return self._read("names", dimension, tuple(codes), work=work)

    def worklist(
        self,
        kind: str,
        filters: Mapping[str, Sequence[str]] | None = None,
        limit: int = 200,
        offset: int = 0,
        at: Period | None = None,
    ) -> tuple[pd.DataFrame, int]:
        """Return the dossiers of a worklist, now or at the end of a period, and how many there are in all."""
        narrowed = chosen(filters)
        as_of = min(self.as_of, at.end) if at else self.as_of

        def work() -> tuple[pd.DataFrame, int]:
            return metrics.worklist(
                self.connection, kind, clock=self.clock, as_of=as_of, scope=self.scope, filters=dict(narrowed),
                limit=limit, offset=offset,
            )  # fmt: skip

        return cast("tuple[pd.DataFrame, int]", _long(f"{self.key}|{(kind, narrowed, limit, offset)}|{as_of}", work))

    def ranking(self, period: Period) -> pd.DataFrame:
        """Return the ranking of the units of the scope."""

        def work() -> pd.DataFrame:
            return metrics.rank_units(
                self.connection, clock=self.clock, period=period, as_of=self.as_of, scope=self.scope
            )

        return self._read("ranking", span(period), work=work)

    def opinions(self, what: str, period: Period, filters: Mapping[str, Sequence[str]] | None = None) -> pd.DataFrame:
        """Return what people answered: `questions` by question of the form, `scores` how the scores are spread."""
        narrowed = chosen(filters)

        def work() -> pd.DataFrame:
            return OPINIONS[what](
                self.connection, clock=self.clock, period=period, as_of=self.as_of, scope=self.scope,
                filters=dict(narrowed),
            )  # fmt: skip

        return self._read("opinions", what, span(period), narrowed, work=work)

    def targets(self, names: Sequence[str], units: Sequence[str]) -> pd.DataFrame:
        """Return the targets that hold on this day for metrics and units, as `metrics.targets.targets` does."""

        def work() -> pd.DataFrame:
            return targets(self.connection, names, units, self.today)

        return self._read("targets", tuple(names), tuple(units), work=work)

    def corrections(
        self, answer: pd.DataFrame, period: Period, filters: Mapping[str, Sequence[str]] | None = None
    ) -> dict[tuple[str | None, str], Correction]:
        """Return which figures of an answer of `ask` are others than when its period was recorded."""
        if period.end > self.as_of:
            return {}
        narrowed = chosen(filters)

        def work() -> dict[tuple[str | None, str], Correction]:
            return corrected(
                self.connection, answer, clock=self.clock, period=period, as_of=self.as_of, scope=self.scope,
                filters=dict(narrowed),
            )  # fmt: skip

        parts = (tuple(answer.columns), tuple(answer["metric"].unique()))
        return self._read("corrections", span(period), narrowed, parts, work=work)

    def outages(self, period: Period) -> list[Outage]:
        """Return when sources failed in a period."""
        until = min(period.end, self.as_of)
        return self._read(
            "outages", span(period), work=lambda: outages(self.connection, self.settings, period.start, until)
        )

    def official_scores(self, period: Period) -> dict[tuple[str, str], Official]:
        """Return the imported scores of the 766 index of a period, by unit and item."""
        return self._read(
            "official", span(period), work=lambda: official_scores(self.connection, clock=self.clock, period=period)
        )

    def units(self) -> pd.DataFrame:
        """Return code, name, kind, parent, lat, lon, population of the units of the scope on this day."""
        return self._read("units", work=lambda: units(self.connection, self.scope, self.today))

    def _read(self, name: str, *parts: object, work: Callable[[], Kept]) -> Kept:
        return cast("Kept", _answered(f"{name}|{self.key}|{parts}", work))


def chosen(filters: Mapping[str, Sequence[str]] | None) -> Filters:
    """Return filters as a part of a key: by name, without those that choose nothing."""
    return tuple(sorted((name, tuple(values)) for name, values in (filters or {}).items() if values))


def span(period: Period) -> str:
    """Return a period as a part of a key; two texts of one span may be answered differently (`previous`)."""
    return f"{period.text}|{period.start.timestamp():.0f}|{period.end.timestamp():.0f}"


@st.cache_data(max_entries=4000, ttl=900, show_spinner=False)
def _answered(key: str, _work: Callable[[], Any]) -> Any:  # noqa: ANN401 - an answer of any kind
    """Keep an answer, a copy for each reader. The key is one text: hashing its parts one by one cost more than both."""
    del key
    return _work()


@st.cache_data(max_entries=300, ttl=900, show_spinner=False)
def _long(key: str, _work: Callable[[], Any]) -> Any:  # noqa: ANN401 - an answer of any kind
    """Keep a list of dossiers, which is long."""
    del key
    return _work()


@st.cache_resource(max_entries=2000, ttl=900, show_spinner=False)
def _made(key: str, _make: Callable[[], Any]) -> Any:  # noqa: ANN401 - anything
    del key
    return _make()


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
