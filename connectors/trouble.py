"""What a run says when it ends badly: enough to act on, and nothing of what the records hold.

Errors of the database and of libraries quote values (the row that violates a constraint, the text that is no number),
so only their kind and place are told.
"""

from __future__ import annotations

import traceback
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from connectors.runs import Ending, RunLog, RunReport
from warehouse.engine import one_line
from warehouse.errors import IocError, RefusedInput, TransientError

OF_THE_SERVER = ("25P03", "40", "42", "53", "55", "57", "58")
"""SQLSTATEs, or classes of them, whose messages speak of the server (locks, room on disk, shutdown) or of
names, never of a row."""
PRODUCT = Path(__file__).resolve().parent.parent


class BudgetError(TransientError):
    """The run took longer than its budget."""


class StopError(TransientError):
    """The worker was told to stop."""


class NotReadyError(TransientError):
    """The warehouse lacks something that the records of the source need."""


class TooManyRefusedError(RefusedInput):
    """A larger share of the records would be quarantined than the source's settings allow."""


def explain(error: Exception) -> tuple[str, Ending]:
    """Return what to tell the operator about an error that ended a run, and what kind of ending that is."""
    if isinstance(error, DBAPIError):
        return f"the warehouse could not store it, nothing of this batch was stored: {_of_database(error)}", Ending.OURS
    if not isinstance(error, IocError):
        return (
            f"this product failed, nothing of this batch was stored: {type(error).__name__} at {_place(error)};"
            " please report it"
        ), Ending.TROUBLE
    kinds = {
        BudgetError: Ending.BUDGET, StopError: Ending.TOLD_TO_STOP, NotReadyError: Ending.OURS,
        TooManyRefusedError: Ending.REFUSED,
    }  # fmt: skip
    return str(error), kinds.get(type(error), Ending.TROUBLE)


def _of_database(error: DBAPIError) -> str:
    original = error.orig
    told = type(original).__name__
    diagnosis = getattr(original, "diag", None)
    names = [getattr(diagnosis, f"{name}_name", None) for name in ("constraint", "table", "column")]
    if known := [name for name in names if name]:
        told += f" ({', '.join(known)})"
    state = getattr(original, "pgcode", None)
    if state is None or state.startswith(OF_THE_SERVER):
        told += f": {one_line(getattr(diagnosis, 'message_primary', None) or original)}"
    return told


def _place(error: Exception) -> str:
    """Where in this product the error arose."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if PRODUCT in Path(frame.filename).parents and ".venv" not in frame.filename]
    frame = (ours or list(frames))[-1] if frames else None
    return "an unknown place" if frame is None else f"{Path(frame.filename).name} line {frame.lineno}"


def ended_badly(connection: Connection, log: RunLog, error: Exception) -> RunReport:
    """Record a run that an error ended, and return it as failed.

    Raises TransientError when the warehouse itself is gone, so that nothing can be recorded.
    """
    told, ending = explain(error)
    if connection.invalidated:
        raise error if isinstance(error, TransientError) else TransientError(told) from None
    try:
        connection.rollback()
        with connection.begin():
            return log.finish(connection, told, ending)
    except DBAPIError:
        raise TransientError(told) from None


__all__ = ["BudgetError", "NotReadyError", "StopError", "TooManyRefusedError", "ended_badly", "explain"]
