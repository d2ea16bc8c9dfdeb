"""Which department of an office holds a dossier: that of the step that runs, else of the step that ended last."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, case, func, or_, select

from warehouse.schema import dossier_step


def department_at(source: ColumnElement[Any], code: ColumnElement[Any], at: datetime) -> FromClause:
    """Return the one-row table `holder` (column department, missing where no step tells it) of a dossier at an instant.

    Join it outside on true: most systems record steps, but not all.
    """
    s = dossier_step.c
    ended = case((s.finished_at < at, s.finished_at))
    begun = or_(s.started_at.is_(None), s.started_at < at)
    return (
        select(func.nullif(func.trim(s.department), "").label("department"))
        .where(s.source == source, s.code == code, begun)
        .order_by(ended.desc().nulls_first(), s.started_at.desc().nulls_last(), s.step.desc())
        .limit(1)
        .lateral("holder")
    )


__all__ = ["department_at"]
