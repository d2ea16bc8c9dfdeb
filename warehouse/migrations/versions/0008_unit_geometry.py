"""Boundaries of units for the map"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "unit_geometry",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("geometry", sa.LargeBinary(), nullable=False, comment="polygon or multipolygon, WGS84, as WKB"),
        sa.Column("vertices", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="name of the file that it came from"),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", "valid_from", name=op.f("pk_unit_geometry")),
        comment="boundaries of units as they were imported; a unit without a row has none",
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("unit_geometry")
