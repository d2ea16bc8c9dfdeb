"""Named checks over whole columns. A row that fails one is quarantined, or stored with the check's name as a flag.

| check | default | fails when |
|---|---|---|
| missing_key | quarantine | the record has no code (or id) |
| missing_field | quarantine | the record lacks a field that the mapping needs (not empty: not there at all) |
| error_cell | quarantine | a spreadsheet shows an error in place of a value, such as #N/A |
| missing_unit, missing_value | quarantine | the handling unit, or another value that must be there, is empty |
| unknown_unit | quarantine | no unit of the warehouse has that code |
| bad_date, bad_number, bad_list, bad_pattern, unknown_code | quarantine | a value cannot be read; flagged, it is NULL |
| bad_child | flag | a value of a child (a supplement, a step) cannot be read: the child is stored, that value is NULL |
| huge_text | quarantine | a code is longer than 200 signs or a name longer than 2,000 |
| huge_number | quarantine | a small number, as a count or a code of a list, is beyond 32,767 |
| finished_before_received | quarantine | finished_at < received_at |
| received_in_future, finished_in_future, answered_in_future | quarantine | more than a day after now |
| no_receipt_date | flag | the status is past receipt, but received_at is empty |
| finished_without_end | flag | the status says closed, but finished_at is empty |
| due_before_received | flag | due_at < received_at |
| code_contradicts_date | flag | the YYMMDD inside the dossier code is not the day of receipt |
| code_contradicts_unit | flag | the dossier code bears a known commune that neither received nor handles the dossier |

The tolerance of one day for the future covers clocks that are wrong or in another zone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import SmallInteger

from connectors.batch import Mask
from connectors.codes import DAY, UNIT, said_by_code
from connectors.entities import Kind, Shape
from connectors.transform import Mapped
from warehouse.errors import ConfigurationError
from warehouse.vocabulary import CLOSED, NOT_RECEIVED, Entity

Action = Literal["quarantine", "flag", "off"]
FUTURE_TOLERANCE = timedelta(days=1)
LONGEST_CODE, LONGEST_NAME = 200, 2_000
LARGEST_SMALL = 2**15 - 1
NAMES = frozenset({"name", "procedure_name", "field"})
ERROR_CELLS = (
    "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!",
    "#GETTING_DATA", "#UNKNOWN!", "#CONNECT!", "#FORMULA!",
)  # fmt: skip
"""What spreadsheets show where a formula has no value; the last is ours: the file does not hold the result."""


@dataclass(frozen=True, slots=True)
class Context:
    """What checks look at: the mapped batch, the entity, the clock and the unit codes that exist."""

    mapped: Mapped
    shape: Shape
    now: datetime
    zone: ZoneInfo
    units: frozenset[str]

    @property
    def frame(self) -> pd.DataFrame:
        """The mapped columns."""
        return self.mapped.frame

    def problem(self, check: str, row: int) -> str | None:
        """Name the field and the value that could not be read in `row`."""
        for item in self.mapped.problems:
            if item.check == check and item.rows[row]:
                return f"{item.field}: {self._shown(item.field, row)}"
        if check == "error_cell":
            fields = (name for name, texts in self.mapped.texts.items() if texts[row].as_py() in ERROR_CELLS)
            return ", ".join(f"{name}: {self._shown(name, row)}" for name in fields)
        return None

    def _shown(self, field: str, row: int) -> str:
        texts = self.mapped.texts.get(field)
        if texts is None or texts[row].as_py() is None:
            return "not there" if texts is not None else "a list or object that cannot be read"
        return repr(texts[row].as_py()[:80])


@dataclass(frozen=True, slots=True)
class Check:
    """A named check: its default action, how it finds rows, and the columns whose values explain a failure."""

    action: Action
    find: Callable[[Context], Mask]
    explained_by: tuple[str, ...] = ()


def _none(context: Context) -> Mask:
    return np.zeros(len(context.frame), bool)


def _mask(series: Any) -> Mask:  # noqa: ANN401 - a boolean column of any kind
    return np.asarray(pd.Series(series).fillna(False), dtype=bool)


def _trouble(name: str) -> Callable[[Context], Mask]:
    def find(context: Context) -> Mask:
        found = _none(context)
        for item in context.mapped.problems:
            if item.check == name:
                found = found | item.rows
        return found

    return find


def _error_cell(context: Context) -> Mask:
    found = _none(context)
    for texts in context.mapped.texts.values():
        if pc.any(pc.starts_with(texts, "#")).as_py():
            errors = pc.is_in(texts, value_set=pa.array(ERROR_CELLS, texts.type))
            found |= np.asarray(errors.to_numpy(zero_copy_only=False), dtype=bool)
    return found


def _missing(columns: Callable[[Shape], tuple[str, ...]]) -> Callable[[Context], Mask]:
    def find(context: Context) -> Mask:
        found = _none(context)
        for name in columns(context.shape):
            found = found | _mask(context.frame[name].isna())
        return found

    return find


def _has(context: Context, *names: str) -> bool:
    return all(name in context.frame for name in names)


def _before(earlier: str, later: str) -> Callable[[Context], Mask]:
    def find(context: Context) -> Mask:
        if not _has(context, earlier, later):
            return _none(context)
        return _mask(context.frame[earlier] < context.frame[later])

    return find


def _in_future(name: str) -> Callable[[Context], Mask]:
    def find(context: Context) -> Mask:
        if not _has(context, name):
            return _none(context)
        return _mask(context.frame[name] > pd.Timestamp(context.now + FUTURE_TOLERANCE))

    return find


def _unknown_unit(context: Context) -> Mask:
    if not _has(context, "unit"):
        return _none(context)
    codes = pa.array(context.frame["unit"])
    known = pc.is_in(codes, value_set=pa.array(list(context.units), codes.type))
    return np.asarray(pc.and_(codes.is_valid(), pc.invert(known)), dtype=bool)


def _status_without(date: str, statuses: Callable[[int], bool]) -> Callable[[Context], Mask]:
    chosen = [status for status in range(1, 11) if statuses(status)]

    def find(context: Context) -> Mask:
        if not _has(context, "status", date):
            return _none(context)
        return _mask(context.frame["status"].isin(chosen)) & _mask(context.frame[date].isna())

    return find


def _code_contradicts_date(context: Context) -> Mask:
    if not _has(context, "code", "received_at"):
        return _none(context)
    said = said_by_code(pa.array(context.frame["code"]), DAY)
    if said.null_count == len(said):
        return _none(context)
    local = pd.DatetimeIndex(context.frame["received_at"]).tz_convert(context.zone)
    day = (local.year % 100) * 10_000 + local.month * 100 + local.day
    other = pc.fill_null(said.cast(pa.int64()), -1).to_numpy(zero_copy_only=False) != day.to_numpy()
    return np.asarray(local.notna() & other & np.asarray(said.is_valid()), dtype=bool)


def _code_contradicts_unit(context: Context) -> Mask:
    """Only a code that names another unit that exists: what is no number of a unit here says nothing."""
    if not _has(context, "code", "unit", "received_at"):
        return _none(context)
    said = said_by_code(pa.array(context.frame["code"]), UNIT)
    if said.null_count == len(said):
        return _none(context)
    found = np.asarray(pc.is_in(said, value_set=pa.array(sorted(context.units), said.type)), dtype=bool)
    for name in ("unit", "receiving_unit"):
        if name in context.frame:
            same = pc.equal(said, pc.cast(pa.array(context.frame[name]), said.type))
            found &= ~np.asarray(pc.fill_null(same, False), dtype=bool)
    return found


def _huge_text(context: Context) -> Mask:
    found = _none(context)
    for name, kind in context.shape.columns.items():
        if kind is Kind.TEXT:
            limit = LONGEST_NAME if name in NAMES else LONGEST_CODE
            texts = pa.array(context.frame[name])
            if (pc.max(pc.binary_length(texts)).as_py() or 0) > limit:  # bytes, of which there are not fewer than signs
                found = found | _mask(context.frame[name].str.len() > limit)
    return found


def _huge_number(context: Context) -> Mask:
    found = _none(context)
    for column in context.shape.table.columns:
        if isinstance(column.type, SmallInteger) and column.name in context.frame:
            found = found | _mask(context.frame[column.name].abs() > LARGEST_SMALL)
    return found


def _other_required(shape: Shape) -> tuple[str, ...]:
    return tuple(name for name in shape.required if name not in {*_own_key(shape), "unit"})


def _own_key(shape: Shape) -> tuple[str, ...]:
    return shape.key[:1]


CHECKS: Mapping[str, Check] = {
    "missing_key": Check("quarantine", _missing(_own_key)),
    "missing_field": Check("quarantine", _trouble("missing_field")),
    "error_cell": Check("quarantine", _error_cell),
    "bad_date": Check("quarantine", _trouble("bad_date")),
    "unknown_code": Check("quarantine", _trouble("unknown_code")),
    "bad_number": Check("quarantine", _trouble("bad_number")),
    "bad_list": Check("quarantine", _trouble("bad_list")),
    "bad_pattern": Check("quarantine", _trouble("bad_pattern")),
    "bad_child": Check("flag", _trouble("bad_child")),
    "missing_unit": Check("quarantine", _missing(lambda shape: ("unit",) if "unit" in shape.columns else ())),
    "missing_value": Check("quarantine", _missing(_other_required)),
    "huge_text": Check("quarantine", _huge_text),
    "huge_number": Check("quarantine", _huge_number),
    "unknown_unit": Check("quarantine", _unknown_unit, ("unit",)),
    "finished_before_received": Check(
        "quarantine", _before("finished_at", "received_at"), ("finished_at", "received_at")
    ),
    "received_in_future": Check("quarantine", _in_future("received_at"), ("received_at",)),
    "finished_in_future": Check("quarantine", _in_future("finished_at"), ("finished_at",)),
    "answered_in_future": Check("quarantine", _in_future("answered_at"), ("answered_at",)),
    "no_receipt_date": Check(
        "flag", _status_without("received_at", lambda status: status not in NOT_RECEIVED), ("status", "received_at")
    ),
    "finished_without_end": Check(
        "flag", _status_without("finished_at", lambda status: status in CLOSED), ("status", "finished_at")
    ),
    "due_before_received": Check("flag", _before("due_at", "received_at"), ("due_at", "received_at")),
    "code_contradicts_date": Check("flag", _code_contradicts_date, ("code", "received_at")),
    "code_contradicts_unit": Check("flag", _code_contradicts_unit, ("code", "unit", "receiving_unit")),
}  # fmt: skip
"""Every check, in the order in which a row's first failure is its reason."""

UNAVOIDABLE = frozenset({"missing_key", "missing_unit", "missing_value", "huge_text", "huge_number"})
"""The warehouse cannot hold such a row: these checks can only quarantine."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one row was refused: the check, and field, value and what was expected."""

    row: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which rows are good, the flags of each row as PostgreSQL array text, and why the others were refused."""

    good: Mask
    flags: pd.Series[str]
    refusals: tuple[Refusal, ...]


def actions(overrides: Mapping[str, Action]) -> dict[str, Action]:
    """Return what each check does for a source.

    Raises ConfigurationError for a name that is no check, or for a check that cannot be turned off.
    """
    if unknown := sorted(set(overrides) - set(CHECKS)):
        raise ConfigurationError(f"sources.checks: no such check: {', '.join(unknown)}; there are {', '.join(CHECKS)}")
    if fixed := sorted(name for name in UNAVOIDABLE & set(overrides) if overrides[name] != "quarantine"):
        raise ConfigurationError(f"sources.checks: {', '.join(fixed)} can only be quarantine")
    return {name: overrides.get(name, check.action) for name, check in CHECKS.items()}


def run_checks(context: Context, chosen: Mapping[str, Action]) -> Verdict:
    """Judge every row of a mapped batch; a row is refused for the first check that it fails, all are named."""
    size = len(context.frame)
    failed: dict[str, Mask] = {}
    flags = np.full(size, "", dtype=object)
    for name, check in CHECKS.items():
        found = check.find(context) if chosen[name] != "off" else _none(context)
        if not found.any():
            continue
        if chosen[name] == "flag":
            flags[found] = [f"{already},{name}" if already else name for already in flags[found]]
        else:
            failed[name] = found
    refused = np.logical_or.reduce(list(failed.values())) if failed else np.zeros(size, bool)
    refusals = tuple(_refusal(context, failed, int(row)) for row in np.flatnonzero(refused))
    told = [f"{{{text}}}" for text in flags] if flags.any() else ["{}"] * size
    return Verdict(~refused, pd.Series(told, dtype="str"), refusals)


def _refusal(context: Context, failed: Mapping[str, Mask], row: int) -> Refusal:
    names = [name for name, rows in failed.items() if rows[row]]
    return Refusal(row, names[0], "; ".join(_explain(context, name, row) for name in names))


def _explain(context: Context, name: str, row: int) -> str:
    if (text := context.problem(name, row)) is not None:
        return f"{name}: {text}"
    columns = CHECKS[name].explained_by or _empty_columns(context, name, row)
    said = ", ".join(f"{column} = {_value(context.frame[column].iloc[row])}" for column in columns)
    return f"{name}: {said}" if said else name


def _empty_columns(context: Context, name: str, row: int) -> tuple[str, ...]:
    if name in {"huge_text", "huge_number"}:
        return ()
    return tuple(column for column in context.shape.required if pd.isna(context.frame[column].iloc[row]))


def _value(value: Any) -> str:  # noqa: ANN401
    if pd.isna(value):
        return "empty"
    return value.isoformat() if isinstance(value, datetime) else str(value)[:80]


def needs_units(entity: Entity, chosen: Mapping[str, Action]) -> bool:
    """Whether rows of this entity are refused when their unit does not exist."""
    return entity in {Entity.DOSSIER, Entity.SURVEY_ANSWER} and chosen["unknown_unit"] == "quarantine"
