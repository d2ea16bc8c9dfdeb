"""Rollups: figures by unit, and by procedure and channel, for each civil day and each half of a month (ADR 9).

The counters are those of metrics/counters.py; here are the tables, and what the writers of dossiers and survey answers
must do. A cell moves by difference: whoever adds or replaces versions of these rows says so in the same transaction
(`log_versions`), in a log of what the cells do not know yet. Whoever asks adds what stands in the log to the cells;
`metrics.cell_refresh` carries it into them. The first load of a source logs no rows but that everything is to be
summed up anew (`log_everything`); until that is done, questions are answered from the rows themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Date,
    DateTime,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.sql.selectable import FromClause

from warehouse.schema import dossier, metadata, survey_answer

BY_SUBMISSION = ("submitted_online", "accepted_late")
BY_RECEIPT = (
    "received", "received_known", "received_online", "received_post", "received_full_online", "received_partial_online",
    "eligible", "eligible_online", "return_known", "return_post", "payment_known", "paid_online", "digitised_known",
    "digitised", "reused_known", "reused", "interlinked_known", "interlinked", "supplements_known", "supplemented",
    "supplemented_again", "reappointments_known", "reappointed", "received_on_time", "open_in", "no_due_in",
)  # fmt: skip
BY_CLOSING = (
    "resolved_early", "resolved_on_time", "resolved_late", "resolved_no_due", "resolved_by_first_due",
    "closed_without_result", "closed_before_receipt", "ended_judged", "ended_in_term", "e_result_known", "e_result",
    "timed", "worked_seconds", "open_out", "no_due_out", "overdue_out",
)  # fmt: skip
BY_OTHERS = (
    "fell_due", "handed_over", "overdue_in",
)  # fmt: skip
OF_DOSSIERS = (*BY_SUBMISSION, *BY_RECEIPT, *BY_CLOSING, *BY_OTHERS)
OF_ANSWERS = (
    "answers", "answered_three", "satisfied_three", "scored_three", "score_three", "answered_five", "satisfied_five",
    "scored_five", "score_five", "answered_form", "satisfied_form", "scored_form", "score_form",
)  # fmt: skip
"""Counters that cells hold; NULL is 0. `_in` and `_out` count what enters and leaves a stock."""

DAY, HALF = "d", "h"
"""The steps of cells: a civil day; a half of a month, from the 1st or from the 15th."""


def _counters(names: Sequence[str]) -> list[Column[Any]]:
    return [Column(name, BigInteger if name == "worked_seconds" else Integer) for name in names]


unit_cell = Table(
    "unit_cell",
    metadata,
    Column("step", Text, primary_key=True, comment="d: a civil day; h: half a month"),
    Column("start", Date, primary_key=True, comment="first civil day of the cell"),
    Column("unit", Text, primary_key=True),
    *_counters((*OF_DOSSIERS, *OF_ANSWERS)),
    comment="counters of metrics/counters.py by unit; NULL is 0",
)
kind_cell = Table(
    "kind_cell",
    metadata,
    Column("step", Text, primary_key=True, comment="d: a civil day; h: half a month"),
    Column("start", Date, primary_key=True, comment="first civil day of the cell"),
    Column("procedure", Text, primary_key=True, comment="'' where unknown"),
    Column("channel", SmallInteger, primary_key=True, comment="0 where unknown"),
    *_counters(OF_DOSSIERS),
    comment="counters of metrics/counters.py of all units by procedure and channel; NULL is 0",
)

LATEST = {
    "submission": ("dossier", "submitted_at"), "receipt": ("dossier", "received_at"),
    "closing": ("dossier", "finished_at"), "hand-over": ("dossier", "returned_at"),
    "answers": ("survey_answer", "answered_at"),
}  # fmt: skip
"""The clocks whose last event the state of the cells knows."""


def latest_column(clock: str) -> str:
    """The column of `cell_state` with the last event of a clock."""
    return f"last_{clock.replace('-', '_')}_at"


cell_state = Table(
    "cell_state",
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("fingerprint", Text, nullable=False, comment="of the definitions and calendars that the cells were made by"),
    Column("units", ARRAY(Text), nullable=False, comment="every unit that has a cell"),
    *(
        Column(latest_column(clock), DateTime(timezone=True), comment="no event in the cells is later")
        for clock in LATEST
    ),
    CheckConstraint("one", name="one"),
    comment="one row, or none while the cells are to be made anew",
)

_FACTS = (
    "procedure", "unit", "channel", "submitted_at", "received_at", "first_due_at", "due_at", "finished_at",
    "returned_at", "status", "return_channel", "payment", "digitised", "e_result", "reused", "interlinked",
    "supplements", "supplement_requested_at", "reappointments", "paused_seconds",
)  # fmt: skip


def _log(table: Table, names: Sequence[str]) -> Table:
    return Table(
        f"{table.name}_log",
        metadata,
        Column("sign", SmallInteger, nullable=False, comment="1: new; -1: replaced; 0: everything"),
        *(Column(name, table.c[name].type) for name in names),
        comment=f"versions of {table.name} that the cells do not know yet",
    )


dossier_log = _log(dossier, _FACTS)
answer_log = _log(survey_answer, ("unit", "answered_at", "scale", "score", "satisfied"))
LOGS = {"dossier": dossier_log, "survey_answer": answer_log}

Index(
    "ix_dossier_upside_down", dossier.c.received_at,
    postgresql_where=text("least(due_at, finished_at, returned_at) < received_at"),
)  # fmt: skip
"""Dossiers with an event before their receipt: as of an instant in between, the cells would say too much."""


def log_versions(connection: Connection, table: Table, added: FromClause, removed: FromClause | None = None) -> None:
    """Say which versions of rows of `table` the caller's transaction adds and which it replaces or removes.

    Both must have the columns of `table`.
    """
    log = LOGS[table.name]
    names = [column.name for column in log.columns if column.name != "sign"]
    for sign, rows in ((1, added), (-1, removed)):
        if rows is not None:
            versions = select(literal(sign, SmallInteger), *(rows.c[name] for name in names))
            connection.execute(insert(log).from_select(["sign", *names], versions))


def log_everything(connection: Connection) -> None:
    """Say that the cells are to be made anew: more changed than is worth to be logged row by row."""
    connection.execute(insert(dossier_log).values(sign=0))
