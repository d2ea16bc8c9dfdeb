"""What lives as long as the web process: settings, engine, clock, and the version that all viewers watch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from connectors.state import SourceState, source_states
from metrics import Clock
from warehouse import schema
from warehouse.engine import database_url, open_engine
from warehouse.errors import IocError
from warehouse.settings import Settings, load_settings


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """Return the settings of this process."""
    return load_settings()


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """Return the engine of this process."""
    return open_engine(database_url(settings()), application="ioc-web", pool_size=10)


@st.cache_resource(show_spinner=False)
def clock() -> Clock:
    """Return the civil clock and the working calendar."""
    return Clock.of(settings())


@dataclass(frozen=True, slots=True)
class Pulse:
    """What an open page watches."""

    version: int | None
    checked_at: datetime
    states: tuple[SourceState, ...]

    @property
    def reachable(self) -> bool:
        """Whether the warehouse answered."""
        return self.version is not None


@st.cache_data(ttl=0.9, max_entries=1, show_spinner=False)
def pulse() -> Pulse:
    """Return version and freshness; at most about one query a second for all viewers together."""
    now = datetime.now(UTC)
    try:
        with engine().connect() as connection:
            version = connection.execute(select(schema.data_state.c.version)).scalar_one_or_none()
            return Pulse(int(version or 0), now, tuple(source_states(connection, settings(), now)))
    except (SQLAlchemyError, IocError):
        return Pulse(None, now, ())
