"""Cells of every counter in place of flow_day; indexes by unit first (ADR 9).

The cells are empty after it: the worker makes them, and until then questions are answered from the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OF_DOSSIERS = (
    "submitted_online", "accepted_late", "received", "received_known", "received_online", "received_post",
    "received_full_online", "received_partial_online", "eligible", "eligible_online", "return_known", "return_post",
    "payment_known", "paid_online", "digitised_known", "digitised", "reused_known", "reused", "interlinked_known",
    "interlinked", "supplements_known", "supplemented", "supplemented_again", "reappointments_known", "reappointed",
    "received_on_time", "open_in", "no_due_in", "resolved_early", "resolved_on_time", "resolved_late",
    "resolved_no_due", "resolved_by_first_due", "closed_without_result", "closed_before_receipt", "ended_judged",
    "ended_in_term", "e_result_known", "e_result", "timed", "worked_seconds", "open_out", "no_due_out", "overdue_out",
    "fell_due", "handed_over", "overdue_in",
)  # fmt: skip
OF_ANSWERS = (
    "answers", "answered_three", "satisfied_three", "scored_three", "score_three", "answered_five", "satisfied_five",
    "scored_five", "score_five", "answered_form", "satisfied_form", "scored_form", "score_form",
)  # fmt: skip
INSTANT = sa.DateTime(timezone=True)
FACTS: dict[str, Any] = {
    "procedure": sa.Text(), "unit": sa.Text(), "channel": sa.SmallInteger(), "submitted_at": INSTANT,
    "received_at": INSTANT, "first_due_at": INSTANT, "due_at": INSTANT, "finished_at": INSTANT, "returned_at": INSTANT,
    "status": sa.SmallInteger(), "return_channel": sa.SmallInteger(), "payment": sa.SmallInteger(),
    "digitised": sa.Boolean(), "e_result": sa.Boolean(), "reused": sa.Boolean(), "interlinked": sa.Boolean(),
    "supplements": sa.SmallInteger(), "supplement_requested_at": INSTANT, "reappointments": sa.SmallInteger(),
    "paused_seconds": sa.BigInteger(),
}  # fmt: skip
ANSWER_FACTS: dict[str, Any] = {
    "unit": sa.Text(), "answered_at": INSTANT, "scale": sa.Text(), "score": sa.SmallInteger(), "satisfied": sa.Boolean()
}  # fmt: skip
OPEN = sa.text("finished_at IS NULL")


def upgrade() -> None:
    """Apply."""
    op.drop_table("flow_day")
    _cells("unit_cell", {"unit": sa.Text()}, (*OF_DOSSIERS, *OF_ANSWERS), "counters of metrics/counters.py by unit")
    _cells(
        "kind_cell", {"procedure": sa.Text(), "channel": sa.SmallInteger()}, OF_DOSSIERS,
        "counters of metrics/counters.py of all units by procedure and channel",
    )  # fmt: skip
    op.create_table(
        "cell_state",
        sa.Column("one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "fingerprint",
            sa.Text(),
            nullable=False,
            comment="of the definitions and calendars that the cells were made by",
        ),
        sa.Column("units", sa.ARRAY(sa.Text()), nullable=False, comment="every unit that has a cell"),
        *(
            sa.Column(f"last_{clock}_at", INSTANT, comment="no event in the cells is later")
            for clock in ("submission", "receipt", "closing", "hand_over", "answers")
        ),
        sa.CheckConstraint("one", name=op.f("ck_cell_state_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_cell_state")),
        comment="one row, or none while the cells are to be made anew",
    )
    for name, facts in (("dossier", FACTS), ("survey_answer", ANSWER_FACTS)):
        op.create_table(
            f"{name}_log",
            sa.Column("sign", sa.SmallInteger(), nullable=False, comment="1: new; -1: replaced; 0: everything"),
            *(sa.Column(column, kind) for column, kind in facts.items()),
            comment=f"versions of {name} that the cells do not know yet",
        )
    _indexes(unit_first=True)


def downgrade() -> None:
    """Undo; flow_day is left empty."""
    for table in ("dossier_log", "survey_answer_log", "cell_state", "kind_cell", "unit_cell"):
        op.drop_table(table)
    keys = (("unit", sa.Text(), None), ("channel", sa.SmallInteger(), "0 where unknown"),
            ("day", sa.Date(), "civil day of the event"))  # fmt: skip
    counters = ("received", "resolved_early", "resolved_on_time", "resolved_late", "resolved_no_due",
                "closed_without_result", "fell_due", "became_overdue", "left_overdue")  # fmt: skip
    op.create_table(
        "flow_day",
        *(sa.Column(name, kind, nullable=False, comment=comment) for name, kind, comment in keys),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in counters),
        sa.PrimaryKeyConstraint("unit", "channel", "day", name=op.f("pk_flow_day")),
    )
    _indexes(unit_first=False)


def _cells(table: str, keys: Mapping[str, Any], counters: tuple[str, ...], comment: str) -> None:
    comments = {"procedure": "'' where unknown", "channel": "0 where unknown"}
    op.create_table(
        table,
        sa.Column("step", sa.Text(), nullable=False, comment="d: a civil day; h: half a month"),
        sa.Column("start", sa.Date(), nullable=False, comment="first civil day of the cell"),
        *(sa.Column(name, kind, nullable=False, comment=comments.get(name)) for name, kind in keys.items()),
        *(sa.Column(name, sa.BigInteger() if name == "worked_seconds" else sa.Integer()) for name in counters),
        sa.PrimaryKeyConstraint("step", "start", *keys, name=op.f(f"pk_{table}")),
        comment=f"{comment}; NULL is 0",
    )


def _indexes(*, unit_first: bool) -> None:
    for name in ("received", "finished"):
        op.drop_index(f"ix_dossier_{name}", "dossier")
        columns = ["unit", f"{name}_at"] if unit_first else [f"{name}_at", "unit"]
        op.create_index(f"ix_dossier_{name}", "dossier", columns)
    op.drop_index("ix_dossier_open", "dossier")
    if not unit_first:
        op.create_index("ix_dossier_open", "dossier", ["unit", "due_at"], postgresql_where=OPEN)
        for name in ("upside_down", "registered", "unreturned"):
            op.drop_index(f"ix_dossier_{name}", "dossier")
        return
    op.create_index(
        "ix_dossier_open", "dossier", ["unit", "due_at"], postgresql_where=OPEN,
        postgresql_include=["received_at", "status", "channel", "procedure", "source_updated_at"],
    )  # fmt: skip
    op.create_index(
        "ix_dossier_upside_down", "dossier", ["received_at"],
        postgresql_where=sa.text("least(due_at, finished_at, returned_at) < received_at"),
    )  # fmt: skip
    op.create_index(
        "ix_dossier_registered", "dossier", ["unit", "submitted_at"],
        postgresql_where=sa.text("status = 1 AND received_at IS NULL AND finished_at IS NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_dossier_unreturned", "dossier", ["unit", "finished_at"],
        postgresql_where=sa.text("status = 9 AND returned_at IS NULL"),
    )  # fmt: skip
