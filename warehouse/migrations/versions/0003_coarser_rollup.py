"""flow_day without the procedure: small enough to be kept and read (ADR 6).

A cell is a sum, so the new cells are the sums of the old ones. The way back cannot tell procedures apart: its cells
stand under the unknown procedure until they are rebuilt.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COUNTERS = (
    "received", "resolved_early", "resolved_on_time", "resolved_late", "resolved_no_due", "closed_without_result",
    "fell_due", "became_overdue", "left_overdue",
)  # fmt: skip


def upgrade() -> None:
    """Apply."""
    _make_anew("unit", "channel", "day")


def downgrade() -> None:
    """Undo."""
    _make_anew("unit", "procedure", "channel", "day")
    op.create_index("ix_flow_day_day", "flow_day", ["day", "unit"])


def _make_anew(*keys: str) -> None:
    op.rename_table("flow_day", "flow_day_before")
    op.execute("ALTER INDEX pk_flow_day RENAME TO pk_flow_day_before")
    kinds: dict[str, Any] = {
        "unit": sa.Text(), "procedure": sa.Text(), "channel": sa.SmallInteger(), "day": sa.Date()
    }  # fmt: skip
    comments = {
        "procedure": "'' where unknown",
        "channel": "0 where unknown",
        "day": "civil day of the event",
    }
    op.create_table(
        "flow_day",
        *(sa.Column(name, kinds[name], nullable=False, comment=comments.get(name)) for name in keys),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in COUNTERS),
        sa.PrimaryKeyConstraint(*keys, name=op.f("pk_flow_day")),
    )
    before = sa.table("flow_day_before", *(sa.column(name) for name in ("unit", "channel", "day", *COUNTERS)))
    key = [before.c.unit, before.c.channel, before.c.day]
    sums = [sa.cast(sa.func.sum(before.c[name]), sa.Integer()).label(name) for name in COUNTERS]
    cells = sa.select(*key, *sums).group_by(*key)
    if "procedure" in keys:
        cells = cells.add_columns(sa.literal("").label("procedure"))
    into = sa.table("flow_day", *(sa.column(name) for name in (*keys, *COUNTERS)))
    names = [str(column.key) for column in cells.selected_columns]
    op.execute(into.insert().from_select(names, cells))
    op.drop_table("flow_day_before")
