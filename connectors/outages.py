"""When sources could not be read: spans that the courses on the screens are marked with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, select

from connectors.state import ASKING
from warehouse.schema import sync_run
from warehouse.settings import Settings
from warehouse.vocabulary import RunState

SHORTEST = timedelta(minutes=10)
"""A failure that is over sooner leaves no trace in a course of days."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A source failed from `start` until it was read again at `end`; None: it still fails."""

    source: str
    entity: str
    start: datetime
    end: datetime | None


def outages(connection: Connection, settings: Settings, since: datetime, until: datetime) -> list[Outage]:
    """Return the spans in which a configured source failed, begun in [since, until), longer than SHORTEST, by start."""
    failed, ok = sync_run.alias("failed"), sync_run.alias("ok")
    again = (
        select(func.min(ok.c.id))
        .where(
            ok.c.source == failed.c.source,
            ok.c.entity == failed.c.entity,
            ok.c.id > failed.c.id,
            ok.c.state == RunState.OK,
            ok.c.kind.in_(ASKING),
        )
        .scalar_subquery()
    )
    begun = and_(failed.c.started_at >= since, failed.c.started_at < until)
    runs = (
        select(failed.c.source, failed.c.entity, failed.c.started_at, again.label("again"))
        .where(failed.c.state == RunState.FAILED, failed.c.kind.in_(ASKING), begun)
        .subquery()
    )
    spans = (
        select(runs.c.source, runs.c.entity, func.min(runs.c.started_at).label("start"), func.min(ok.c.finished_at))
        .select_from(runs.outerjoin(ok, ok.c.id == runs.c.again))
        .group_by(runs.c.source, runs.c.entity, runs.c.again)
        .order_by("start")
    )
    streams = {(source.name, str(source.entity)) for source in settings.sources}
    found = [Outage(*row) for row in connection.execute(spans)]
    return [one for one in found if (one.source, one.entity) in streams and (one.end or until) - one.start >= SHORTEST]
