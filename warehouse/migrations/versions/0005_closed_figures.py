"""Figures of ended periods as they were first recorded (ADR 7), and what a target's value rests on"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "closed_period",
        sa.Column("period", sa.Text(), nullable=False, comment="text of a period, as in the question language"),
        sa.Column("start_at", instant, nullable=False),
        sa.Column("end_at", instant, nullable=False),
        sa.Column("recorded_at", instant, nullable=False),
        sa.Column(
            "data_version", sa.BigInteger(), nullable=False, comment="of the data that the figures were read from"
        ),
        sa.PrimaryKeyConstraint("period", name=op.f("pk_closed_period")),
        comment="ended periods whose figures were recorded, once",
    )
    op.create_table(
        "closed_figure",
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("counter", sa.Text(), nullable=False, comment="name of a counter of metrics/counters.py"),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("period", "unit", "counter", name=op.f("pk_closed_figure")),
        comment="what a period's figures were when they were first recorded; a counter that is not there was 0",
    )
    op.add_column("target", sa.Column("note", sa.Text(), comment="what the value rests on, where that is no law"))


def downgrade() -> None:
    """Undo."""
    op.drop_column("target", "note")
    op.drop_table("closed_figure")
    op.drop_table("closed_period")
