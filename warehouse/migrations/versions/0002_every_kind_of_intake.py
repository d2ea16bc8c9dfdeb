"""Every kind of intake: steps, supplements, reported figures, scores, reference dossiers, breakers, sweeps.

dossier_step and reported_figure were never filled before, so they are made anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "breaker",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False, comment="failed runs in a row"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=True, comment="before this the source is not asked"),
        sa.PrimaryKeyConstraint("source", "entity", name=op.f("pk_breaker")),
        comment="streams that failed lately; a stream without a row is connected",
    )
    op.create_table(
        "dossier_supplement",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column(
            "supplement", sa.Text(), nullable=False, comment="number or mark of the supplement inside its dossier"
        ),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("old_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("new_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column(
            "flags",
            sa.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="names of the checks it failed but passed",
        ),
        sa.PrimaryKeyConstraint("source", "code", "supplement", name=op.f("pk_dossier_supplement")),
    )
    op.create_table(
        "drift",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="civil day of the last change at the source"),
        sa.Column("theirs", sa.BigInteger(), nullable=False, comment="records of that day at the source"),
        sa.Column("ours", sa.BigInteger(), nullable=False),
        sa.Column("their_hash", sa.Text(), nullable=True),
        sa.Column("our_hash", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "entity", "day", name=op.f("pk_drift")),
        comment="days on which the last sweep found other records, or other versions, here than at the source",
    )
    op.create_table(
        "external_score",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False, comment="TOTAL, a group (CKMB, TDGQ, ...) or an indicator code"),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("max_score", sa.Float(), nullable=True),
        sa.Column("numerator", sa.BigInteger(), nullable=True),
        sa.Column("denominator", sa.BigInteger(), nullable=True),
        sa.Column("quality", sa.Text(), nullable=True, comment="dataQualityStatus of the portal"),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column(
            "flags",
            sa.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="names of the checks it failed but passed",
        ),
        sa.PrimaryKeyConstraint("source", "unit", "period", "item", name=op.f("pk_external_score")),
    )
    op.create_table(
        "missing_record",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("missing_since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "entity", "code", name=op.f("pk_missing_record")),
        comment="records that are stored here and that a key sweep did not find at their source",
    )
    op.create_table(
        "reference_dossier",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("procedure", sa.Text(), nullable=True),
        sa.Column("receiving_unit", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False, comment="the unit that handles the dossier and answers for it"),
        sa.Column("channel", sa.SmallInteger(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("return_channel", sa.SmallInteger(), nullable=True),
        sa.Column("payment", sa.SmallInteger(), nullable=True),
        sa.Column("digitised", sa.Boolean(), nullable=True),
        sa.Column("e_result", sa.Boolean(), nullable=True),
        sa.Column("reused", sa.Boolean(), nullable=True),
        sa.Column("interlinked", sa.Boolean(), nullable=True),
        sa.Column("supplements", sa.SmallInteger(), nullable=True),
        sa.Column("reappointments", sa.SmallInteger(), nullable=True),
        sa.Column("paused_seconds", sa.BigInteger(), nullable=True),
        sa.Column("apology_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column(
            "flags",
            sa.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="names of the checks it failed but passed",
        ),
        sa.CheckConstraint("status between 1 and 10", name=op.f("ck_reference_dossier_status")),
        sa.PrimaryKeyConstraint("source", "code", name=op.f("pk_reference_dossier")),
        comment="the same dossiers as another system tells them: compared with, in no figure",
    )
    op.drop_table("dossier_step")
    op.create_table(
        "dossier_step",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False, comment="number or mark of the step inside its dossier"),
        sa.Column("department", sa.Text()),
        sa.Column("status", sa.SmallInteger(), comment="TrangThai of the dossier after the step"),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("source_updated_at", sa.DateTime(timezone=True)),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column(
            "flags",
            sa.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="names of the checks it failed but passed",
        ),
        sa.PrimaryKeyConstraint("source", "code", "step", name=op.f("pk_dossier_step")),
    )
    op.drop_table("reported_figure")
    op.create_table(
        "reported_figure",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False, comment="II.06a and so on"),
        sa.Column("period", sa.Text(), nullable=False, comment="text of a period, as in the question language"),
        sa.Column("field", sa.Text(), nullable=False, comment="lĩnh vực of the row; '' for the total"),
        sa.Column("item", sa.Text(), nullable=False, comment="column of the form"),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("source_updated_at", sa.DateTime(timezone=True)),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column(
            "flags",
            sa.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="names of the checks it failed but passed",
        ),
        sa.PrimaryKeyConstraint("source", "unit", "form", "period", "field", "item", name=op.f("pk_reported_figure")),
    )
    op.add_column("procedure", sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "quarantine",
        sa.Column(
            "complete",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="the payload is enough to try it again",
        ),
    )
    op.alter_column(
        "survey_answer",
        "aspects",
        existing_type=postgresql.JSONB(astext_type=sa.Text()),
        comment="answers by question, question to number",
        existing_nullable=True,
    )
    op.alter_column(
        "survey_answer",
        "flags",
        existing_type=postgresql.ARRAY(sa.TEXT()),
        comment="names of the checks it failed but passed",
        existing_nullable=False,
        existing_server_default=sa.text("'{}'::text[]"),
    )
    op.add_column("sync_run", sa.Column("kind", sa.Text(), server_default="sync", nullable=False))
    op.add_column("unit", sa.Column("source_updated_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Undo."""
    op.drop_column("unit", "source_updated_at")
    op.drop_column("sync_run", "kind")
    op.alter_column(
        "survey_answer",
        "flags",
        existing_type=postgresql.ARRAY(sa.TEXT()),
        comment=None,
        existing_comment="names of the checks it failed but passed",
        existing_nullable=False,
        existing_server_default=sa.text("'{}'::text[]"),
    )
    op.alter_column(
        "survey_answer",
        "aspects",
        existing_type=postgresql.JSONB(astext_type=sa.Text()),
        comment=None,
        existing_comment="answers by question, question to number",
        existing_nullable=True,
    )
    op.drop_column("quarantine", "complete")
    op.drop_column("procedure", "source_updated_at")
    op.drop_table("dossier_step")
    op.create_table(
        "dossier_step",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("step_no", sa.Integer(), nullable=False),
        sa.Column("department", sa.Text()),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("source", "code", "step_no", name=op.f("pk_dossier_step")),
    )
    op.drop_table("reported_figure")
    op.create_table(
        "reported_figure",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False, comment="column of the form"),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.Text()),
        sa.PrimaryKeyConstraint("unit", "form", "item", "period", name=op.f("pk_reported_figure")),
    )
    op.drop_table("reference_dossier")
    op.drop_table("missing_record")
    op.drop_table("external_score")
    op.drop_table("drift")
    op.drop_table("dossier_supplement")
    op.drop_table("breaker")
