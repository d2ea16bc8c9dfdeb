"""The first page of the overdue dossiers: an index of the open ones by their due date"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_dossier_open_due",
        "dossier",
        ["due_at"],
        postgresql_where=sa.text("finished_at IS NULL"),
        postgresql_include=["unit", "received_at", "status"],
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_dossier_open_due", "dossier")
