"""Which counters of an ended period were recorded; small indexes on the dossiers that a check or a status sets apart"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None

SET_APART = {
    "ix_dossier_flagged": "cardinality(flags) > 0",
    "ix_dossier_halted": "status IN (5, 6, 8)",
    "ix_dossier_without_due": "due_at IS NULL AND finished_at IS NOT NULL",
}


def upgrade() -> None:
    """Apply."""
    counters: sa.Column[list[str]] = sa.Column(
        "counters",
        postgresql.ARRAY(sa.Text()),
        comment="which counters were recorded; NULL: the thirteen of form II.06",
    )
    op.add_column("closed_period", counters)
    for name, condition in SET_APART.items():
        op.create_index(name, "dossier", ["unit"], postgresql_where=sa.text(condition))


def downgrade() -> None:
    """Undo."""
    for name in SET_APART:
        op.drop_index(name, table_name="dossier")
    op.drop_column("closed_period", "counters")
