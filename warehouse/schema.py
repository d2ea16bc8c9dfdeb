"""The tables of the warehouse (docs/architecture.md, design of the data model).

Natural keys only: every unique key of `dossier` and its children contains `code`, so that the schema runs unchanged on
plain PostgreSQL and on Citus distributed by `code`. All instants are timestamptz in whole seconds; NULL means unknown.
No table has a column for personal data of an applicant.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _instant(name: str, **options: Any) -> Column[Any]:  # noqa: ANN401 - handed on to Column
    return Column(name, DateTime(timezone=True), **options)


unit = Table(
    "unit",
    metadata,
    Column("code", Text, primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date, comment="first day on which the unit no longer exists; NULL while it does"),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("parent", Text, comment="code of the unit above, of the same time"),
    Column("lat", Float),
    Column("lon", Float),
    Column("population", Integer),
)

unit_successor = Table(
    "unit_successor",
    metadata,
    Column("old", Text, primary_key=True),
    Column("new", Text, primary_key=True),
    Column("changed_on", Date, primary_key=True),
    Column("share", Float, nullable=False),
)

procedure = Table(
    "procedure",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("field_code", Text),
    Column("field", Text, comment="lĩnh vực"),
    Column("level", Text),
    Column("online_level", SmallInteger),
    Column("statutory_time", Float),
    Column("statutory_unit", Text),
    Column("has_fee", Boolean),
)

dossier = Table(
    "dossier",
    metadata,
    Column("source", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("procedure", Text),
    Column("receiving_unit", Text),
    Column("unit", Text, nullable=False, comment="the unit that handles the dossier and answers for it"),
    Column("channel", SmallInteger),
    _instant("submitted_at"),
    _instant("received_at"),
    _instant("first_due_at"),
    _instant("due_at"),
    _instant("finished_at"),
    _instant("returned_at"),
    Column("status", SmallInteger),
    Column("return_channel", SmallInteger),
    Column("payment", SmallInteger),
    Column("digitised", Boolean),
    Column("e_result", Boolean),
    Column("reused", Boolean),
    Column("interlinked", Boolean),
    Column("supplements", SmallInteger),
    Column("reappointments", SmallInteger),
    Column("paused_seconds", BigInteger),
    _instant("apology_at"),
    _instant("source_updated_at"),
    _instant("seen_at", nullable=False),
    Column("payload_hash", Text, nullable=False),
    Column(
        "flags", ARRAY(Text), nullable=False, server_default="{}", comment="names of the checks it failed but passed"
    ),
    CheckConstraint("status between 1 and 10", name="status"),
)
Index("ix_dossier_received", dossier.c.received_at, dossier.c.unit)
Index("ix_dossier_finished", dossier.c.finished_at, dossier.c.unit)
Index("ix_dossier_open", dossier.c.unit, dossier.c.due_at, postgresql_where=dossier.c.finished_at.is_(None))

dossier_change = Table(
    "dossier_change",
    metadata,
    Column("source", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    _instant("seen_at", primary_key=True),
    Column("field", Text, primary_key=True),
    Column("old", Text),
    Column("new", Text),
)

dossier_step = Table(
    "dossier_step",
    metadata,
    Column("source", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("step_no", Integer, primary_key=True),
    Column("department", Text),
    _instant("started_at"),
    _instant("due_at"),
    _instant("finished_at"),
)

survey_answer = Table(
    "survey_answer",
    metadata,
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("unit", Text, nullable=False),
    Column("code", Text, comment="dossier that was judged, where the device knows it"),
    Column("device", Text),
    _instant("answered_at", nullable=False),
    Column("scale", Text, nullable=False),
    Column("score", SmallInteger),
    Column("satisfied", Boolean),
    Column("aspects", JSONB),
    _instant("source_updated_at"),
    _instant("seen_at", nullable=False),
    Column("payload_hash", Text, nullable=False),
    Column("flags", ARRAY(Text), nullable=False, server_default="{}"),
)
Index("ix_survey_answer_answered", survey_answer.c.answered_at, survey_answer.c.unit)

reported_figure = Table(
    "reported_figure",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("form", Text, primary_key=True),
    Column("item", Text, primary_key=True, comment="column of the form"),
    Column("period", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    Column("origin", Text),
)

target = Table(
    "target",
    metadata,
    Column("metric", Text, primary_key=True),
    Column("applies_to", Text, primary_key=True, comment="unit code or unit kind"),
    Column("valid_from", Date, primary_key=True),
    Column("value", Float, nullable=False),
    Column("deadline", Date),
    Column("legal_basis", Text),
)

flow_day = Table(
    "flow_day",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("procedure", Text, primary_key=True, comment="'' where unknown"),
    Column("channel", SmallInteger, primary_key=True, comment="0 where unknown"),
    Column("day", Date, primary_key=True, comment="civil day of the event"),
    *(
        Column(name, Integer, nullable=False, server_default="0")
        for name in (
            "received",
            "resolved_early",
            "resolved_on_time",
            "resolved_late",
            "resolved_no_due",
            "closed_without_result",
            "fell_due",
            "became_overdue",
            "left_overdue",
        )
    ),
)
Index("ix_flow_day_day", flow_day.c.day, flow_day.c.unit)

data_state = Table(
    "data_state",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False, server_default="0"),
    _instant("changed_at", nullable=False, server_default=func.now()),
    CheckConstraint("one", name="one"),
    comment="one row; version grows in every transaction that changes a figure",
)

sync_run = Table(
    "sync_run",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("entity", Text, nullable=False),
    _instant("started_at", nullable=False),
    _instant("finished_at"),
    Column("state", Text, nullable=False),
    Column("read", BigInteger, nullable=False, server_default="0"),
    Column("stored", BigInteger, nullable=False, server_default="0"),
    Column("unchanged", BigInteger, nullable=False, server_default="0"),
    Column("quarantined", BigInteger, nullable=False, server_default="0"),
    Column("watermark_before", Text),
    Column("watermark_after", Text),
    Column("error", Text),
    CheckConstraint("read = stored + unchanged + quarantined", name="nothing_lost"),
)
Index("ix_sync_run_source", sync_run.c.source, sync_run.c.entity, sync_run.c.id.desc())

watermark = Table(
    "watermark",
    metadata,
    Column("source", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("value", Text, nullable=False, comment="opaque to all but the source's reader"),
    _instant("updated_at", nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("source", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("payload_hash", Text, primary_key=True, comment="hash of the payload as kept here"),
    Column("reason", Text, primary_key=True, comment="name of the check"),
    Column("code", Text, comment="natural key of the refused record, where it has one"),
    Column("detail", Text, nullable=False, comment="field, value and what was expected"),
    Column("place", Text, comment="file and row, or page and item"),
    Column("payload", JSONB, nullable=False, comment="the fields that the mapping names, personal ones dropped"),
    _instant("first_seen_at", nullable=False),
    _instant("resolved_at", comment="when a later version of the record was stored"),
)
Index("ix_quarantine_code", quarantine.c.source, quarantine.c.entity, quarantine.c.code)
