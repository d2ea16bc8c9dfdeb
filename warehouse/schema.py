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
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    and_,
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


def _version() -> tuple[Column[Any], ...]:
    """The columns in which the sync keeps which version of a record is stored."""
    return (
        _instant("source_updated_at"),
        _instant("seen_at", nullable=False),
        Column("payload_hash", Text, nullable=False),
        Column(
            "flags", ARRAY(Text), nullable=False, server_default="{}",
            comment="names of the checks it failed but passed",
        ),
    )  # fmt: skip


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
    _instant("source_updated_at"),
)

unit_successor = Table(
    "unit_successor",
    metadata,
    Column("old", Text, primary_key=True),
    Column("new", Text, primary_key=True),
    Column("changed_on", Date, primary_key=True),
    Column("share", Float, nullable=False),
)

unit_geometry = Table(
    "unit_geometry",
    metadata,
    Column("code", Text, primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("geometry", LargeBinary, nullable=False, comment="polygon or multipolygon, WGS84, as WKB"),
    Column("vertices", Integer, nullable=False),
    Column("source", Text, nullable=False, comment="name of the file that it came from"),
    _instant("imported_at", nullable=False),
    comment="boundaries of units as they were imported; a unit without a row has none",
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
    _instant("source_updated_at"),
)


def _dossier_columns() -> tuple[Column[Any], ...]:
    return (
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
        _instant("supplement_requested_at", comment="when the first supplement was asked for"),
        Column("reappointments", SmallInteger),
        Column("paused_seconds", BigInteger),
        _instant("apology_at"),
        *_version(),
    )


dossier = Table("dossier", metadata, *_dossier_columns(), CheckConstraint("status between 1 and 10", name="status"))
Index("ix_dossier_received", dossier.c.unit, dossier.c.received_at)
Index("ix_dossier_finished", dossier.c.unit, dossier.c.finished_at)
Index(
    "ix_dossier_open", dossier.c.unit, dossier.c.due_at, postgresql_where=dossier.c.finished_at.is_(None),
    postgresql_include=["received_at", "status", "channel", "procedure", "source_updated_at"],
)  # fmt: skip
Index(
    "ix_dossier_open_due", dossier.c.due_at, postgresql_where=dossier.c.finished_at.is_(None),
    postgresql_include=["unit", "received_at", "status"],
)  # fmt: skip
Index(
    "ix_dossier_registered", dossier.c.unit, dossier.c.submitted_at,
    postgresql_where=and_(dossier.c.status == 1, dossier.c.received_at.is_(None), dossier.c.finished_at.is_(None)),
)  # fmt: skip
Index(
    "ix_dossier_unreturned", dossier.c.unit, dossier.c.finished_at,
    postgresql_where=and_(dossier.c.status == 9, dossier.c.returned_at.is_(None)),
)  # fmt: skip
Index("ix_dossier_flagged", dossier.c.unit, postgresql_where=text("cardinality(flags) > 0"))
Index("ix_dossier_halted", dossier.c.unit, postgresql_where=text("status IN (5, 6, 8)"))
Index("ix_dossier_without_due", dossier.c.unit, postgresql_where=text("due_at IS NULL AND finished_at IS NOT NULL"))

reference_dossier = Table(
    "reference_dossier", metadata, *_dossier_columns(), CheckConstraint("status between 1 and 10", name="status"),
    comment="the same dossiers as another system tells them: compared with, in no figure",
)  # fmt: skip

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
    Column("step", Text, primary_key=True, comment="number or mark of the step inside its dossier"),
    Column("department", Text),
    Column("status", SmallInteger, comment="TrangThai of the dossier after the step"),
    _instant("started_at"),
    _instant("due_at"),
    _instant("finished_at"),
    *_version(),
)

dossier_supplement = Table(
    "dossier_supplement",
    metadata,
    Column("source", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("supplement", Text, primary_key=True, comment="number or mark of the supplement inside its dossier"),
    _instant("requested_at"),
    _instant("received_at"),
    _instant("old_due_at"),
    _instant("new_due_at"),
    Column("state", Text),
    *_version(),
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
    Column("aspects", JSONB, comment="answers by question, question to number"),
    *_version(),
)
Index("ix_survey_answer_answered", survey_answer.c.answered_at, survey_answer.c.unit)

reported_figure = Table(
    "reported_figure",
    metadata,
    Column("source", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("form", Text, primary_key=True, comment="II.06a and so on"),
    Column("period", Text, primary_key=True, comment="text of a period, as in the question language"),
    Column("field", Text, primary_key=True, comment="lĩnh vực of the row; '' for the total"),
    Column("item", Text, primary_key=True, comment="column of the form"),
    Column("value", BigInteger, nullable=False),
    *_version(),
)

external_score = Table(
    "external_score",
    metadata,
    Column("source", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("item", Text, primary_key=True, comment="TOTAL, a group (CKMB, TDGQ, ...) or an indicator code"),
    Column("score", Float),
    Column("max_score", Float),
    Column("numerator", BigInteger),
    Column("denominator", BigInteger),
    Column("quality", Text, comment="dataQualityStatus of the portal"),
    *_version(),
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
    Column("note", Text, comment="what the value rests on, where that is no law"),
)

closed_period = Table(
    "closed_period",
    metadata,
    Column("period", Text, primary_key=True, comment="text of a period, as in the question language"),
    _instant("start_at", nullable=False),
    _instant("end_at", nullable=False),
    _instant("recorded_at", nullable=False),
    Column("data_version", BigInteger, nullable=False, comment="of the data that the figures were read from"),
    Column("counters", ARRAY(Text), comment="which counters were recorded; NULL: the thirteen of form II.06"),
    comment="ended periods whose figures were recorded, once",
)

closed_figure = Table(
    "closed_figure",
    metadata,
    Column("period", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("counter", Text, primary_key=True, comment="name of a counter of metrics/counters.py"),
    Column("value", BigInteger, nullable=False),
    comment="what a period's figures were when they were first recorded; a counter that is not there was 0",
)

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
    Column("kind", Text, nullable=False, server_default="sync"),
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
    Column(
        "complete", Boolean, nullable=False, server_default="false", comment="the payload is enough to try it again"
    ),
    _instant("first_seen_at", nullable=False),
    _instant("resolved_at", comment="when a later version of the record was stored"),
)
Index("ix_quarantine_code", quarantine.c.source, quarantine.c.entity, quarantine.c.code)

breaker = Table(
    "breaker",
    metadata,
    Column("source", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0", comment="failed runs in a row"),
    _instant("since", nullable=False),
    _instant("try_at", comment="before this the source is not asked"),
    comment="streams that failed lately; a stream without a row is connected",
)

missing_record = Table(
    "missing_record",
    metadata,
    Column("source", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    _instant("missing_since", nullable=False),
    comment="records that are stored here and that a key sweep did not find at their source",
)

drift = Table(
    "drift",
    metadata,
    Column("source", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("day", Date, primary_key=True, comment="civil day of the last change at the source"),
    Column("theirs", BigInteger, nullable=False, comment="records of that day at the source"),
    Column("ours", BigInteger, nullable=False),
    Column("their_hash", Text),
    Column("our_hash", Text),
    _instant("checked_at", nullable=False),
    comment="days on which the last sweep found other records, or other versions, here than at the source",
)
