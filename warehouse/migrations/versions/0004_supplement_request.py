"""When the first supplement was asked for: the end moment of rule 2.1 of the 766 index"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for table in ("dossier", "reference_dossier"):
        column = sa.Column(
            "supplement_requested_at", sa.DateTime(timezone=True), comment="when the first supplement was asked for"
        )
        op.add_column(table, column)


def downgrade() -> None:
    """Undo."""
    for table in ("dossier", "reference_dossier"):
        op.drop_column(table, "supplement_requested_at")
