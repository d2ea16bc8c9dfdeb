"""Findings about the quality of the stored data: each a declaration, counted by unit, with the dossiers behind it.

A finding is about what is stored now, whatever the period. Its dossiers are found by the flags that the checks left on
them, by what their columns say, by the list of records that are gone at their source, or by what another system says.
What a check refused is not stored: that is told by metrics/quarantine.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    any_,
    exists,
    func,
    literal,
    select,
    union_all,
)

from metrics.calendar import Clock
from metrics.scope import Scope, UnitTree, resolve
from metrics.statements import texts
from warehouse.errors import BadQuestion
from warehouse.schema import dossier, missing_record, procedure, reference_dossier
from warehouse.vocabulary import Channel, Entity, Label, OnlineLevel, Status

_d = dossier.c
LONGEST_PAGE = 200_000
COLUMNS = ("source", "code", "unit", "procedure", "channel", "status", "received_at", "due_at", "finished_at")
FLAGGED = func.cardinality(_d.flags) > 0
PORTAL_PUSH = {Status.SUPPLEMENT_REQUESTED, Status.PAYMENT_REQUESTED, Status.STOPPED}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that can be wrong; `flag` names the check that marked the dossiers, else `rows` tells which."""

    name: str
    label: Label
    definition: Label
    note: Label
    flag: str = ""
    rows: Callable[[Sequence[str]], ColumnElement[bool]] | None = None


def _flag(name: str, label: Label, definition: Label, note: Label) -> Finding:
    return Finding(name, label, definition, note, flag=name)


def _gone(_others: Sequence[str]) -> ColumnElement[bool]:
    c = missing_record.c
    return exists(select(literal(1)).where(c.source == _d.source, c.entity == str(Entity.DOSSIER), c.code == _d.code))


def _information_only(_others: Sequence[str]) -> ColumnElement[bool]:
    level = select(procedure.c.code).where(procedure.c.online_level == OnlineLevel.INFORMATION)
    return and_(_d.channel == Channel.ONLINE, _d.received_at.is_not(None), _d.procedure.in_(level))


def _without_due(_others: Sequence[str]) -> ColumnElement[bool]:
    return and_(_d.status.in_([Status.FINISHED, Status.RETURNED]), _d.due_at.is_(None), _d.finished_at.is_not(None))


def _pushed_as_finished(others: Sequence[str]) -> ColumnElement[bool]:
    r = reference_dossier.c
    told = select(literal(1)).where(r.source.in_(list(others)), r.code == _d.code, r.status == Status.FINISHED)
    return and_(_d.status.in_(sorted(PORTAL_PUSH)), exists(told))


_PRACTICE = Label("Theo bộ kiểm tra dữ liệu của phần mềm một cửa", "As the one-stop systems' own data checks")
_LAW_OF_TERMS = Label("NĐ 61/2018/NĐ-CP, Điều 17", "Decree 61/2018/NĐ-CP, article 17")
_LAW_OF_CODES = Label("TT 01/2018/TT-VPCP, Điều 19", "Circular 01/2018/TT-VPCP, article 19")
_DECLARED = (
    _flag(
        "no_receipt_date", Label("Không có ngày tiếp nhận", "No receipt date"),
        Label("Trạng thái đã qua tiếp nhận nhưng thiếu ngày tiếp nhận: hồ sơ không có trong số tiếp nhận, số tồn.",
              "The status is past receipt, but there is no date of it: the dossier is in no flow and no stock."),
        _PRACTICE,
    ),
    _flag(
        "finished_without_end", Label("Đã xong nhưng không có ngày kết thúc", "Finished without end"),
        Label("Trạng thái đã kết thúc nhưng thiếu ngày kết thúc xử lý: làm lệch cân đối của đơn vị.",
              "The status says closed, but not when: it makes the unit's balance differ from 0."),
        _PRACTICE,
    ),
    Finding(
        "finished_without_due", Label("Đã xong nhưng không có hạn trả", "Finished without due date"),
        Label("Có kết quả nhưng không ghi ngày hẹn trả: không tính được đúng hạn hay quá hạn.",
              "A result, but no due date: neither on time nor late."),
        _LAW_OF_TERMS, rows=_without_due,
    ),
    _flag(
        "received_in_future", Label("Ngày tiếp nhận ở tương lai", "Received in the future"),
        Label("Ngày tiếp nhận muộn hơn thời điểm nhận dữ liệu quá một ngày.",
              "The date of receipt is more than a day after it was read."), _PRACTICE,
    ),
    _flag(
        "finished_in_future", Label("Ngày kết thúc ở tương lai", "Finished in the future"),
        Label("Ngày kết thúc muộn hơn thời điểm nhận dữ liệu quá một ngày.",
              "The end is more than a day after it was read."), _PRACTICE,
    ),
    _flag(
        "finished_before_received", Label("Kết thúc trước khi tiếp nhận", "Finished before received"),
        Label("Ngày kết thúc xử lý sớm hơn ngày tiếp nhận.", "The end is before the receipt."), _PRACTICE,
    ),
    _flag(
        "due_before_received", Label("Hạn trả trước ngày tiếp nhận", "Due before received"),
        Label("Ngày hẹn trả sớm hơn ngày tiếp nhận: hồ sơ quá hạn ngay khi nhận.",
              "The due date is before the receipt: overdue from the first moment."), _LAW_OF_TERMS,
    ),
    _flag(
        "code_contradicts_date", Label("Mã hồ sơ trái ngày tiếp nhận", "Code contradicts the date"),
        Label("Sáu số ngày (NNTTNN) trong mã hồ sơ không phải ngày tiếp nhận.",
              "The six digits of the day in the code are not the day of receipt."), _LAW_OF_CODES,
    ),
    _flag(
        "code_contradicts_unit", Label("Mã hồ sơ trái đơn vị", "Code contradicts the unit"),
        Label("Mã hồ sơ mang mã một xã khác với nơi tiếp nhận và nơi giải quyết.",
              "The code bears another commune than the one that received or handles it."),
        _LAW_OF_CODES,
    ),
    _flag(
        "bad_child", Label("Bước xử lý hoặc lần bổ sung ghi sai", "A step or supplement is unreadable"),
        Label("Một giá trị trong các bước xử lý, lần bổ sung của hồ sơ không đọc được và bị bỏ trống.",
              "A value of the dossier's steps or supplements could not be read and is unknown."), _PRACTICE,
    ),
    Finding(
        "information_only_online", Label("Nộp trực tuyến cho thủ tục chỉ cung cấp thông tin", "Online without service"),
        Label("Thủ tục chỉ cung cấp thông tin trực tuyến nhưng hồ sơ ghi nộp trực tuyến.",
              "The procedure has information online only, but the dossier says it was handed in online."),
        Label("NĐ 42/2022/NĐ-CP", "Decree 42/2022/NĐ-CP"), rows=_information_only,
    ),
    Finding(
        "pushed_as_finished", Label("Chờ bổ sung, dừng xử lý nhưng nguồn đối chiếu ghi đã xong", "Told as finished"),
        Label("Ở đây là trạng thái 5, 6 hoặc 8, nguồn đối chiếu ghi 9 (đã xử lý xong).",
              "Status 5, 6 or 8 here, 9 (finished) at the other source."),
        Label("Thói quen gửi dữ liệu của phần mềm một cửa", "A habit of systems that push to the national portal"),
        rows=_pushed_as_finished,
    ),
    Finding(
        "gone_at_source", Label("Không còn ở nguồn", "Gone at the source"),
        Label("Còn lưu ở đây nhưng lần rà soát gần nhất không thấy ở hệ thống nguồn.",
              "Stored here, but the last sweep did not find it at its source."),
        Label("Rà soát mã hồ sơ hằng đêm", "The nightly sweep of the codes"), rows=_gone,
    ),
)  # fmt: skip
FINDINGS: Mapping[str, Finding] = {finding.name: finding for finding in _DECLARED}
"""Every finding by its name, in the order of the screen."""


def findings(
    connection: Connection, *, clock: Clock, scope: Scope, as_of: datetime, others: Sequence[str] = ()
) -> pd.DataFrame:
    """Count the dossiers of every finding by unit: finding, unit, count; what occurs nowhere has no row.

    Units are those of the day of `as_of`; `others` are the sources of reference dossiers that are looked at.
    Raises BadQuestion for an unknown unit in the scope.
    """
    codes = _codes(connection, clock, scope, as_of)
    # each by itself: all but one are few dossiers with an index of their own, and one pass for all would read the rest
    apart = [_counts(finding, codes, others) for finding in _DECLARED if finding.rows]
    rows = [tuple(row) for row in connection.execute(union_all(_flag_counts(codes), *apart))]
    order = {name: place for place, name in enumerate(FINDINGS)}
    rows = sorted((row for row in rows if row[0] in order and row[2]), key=lambda row: (order[row[0]], -row[2], row[1]))
    frame = pd.DataFrame(rows, columns=["finding", "unit", "count"])
    return frame.astype({"count": "int64"})


def finding_dossiers(  # noqa: PLR0913 - each says one thing, all but two by name
    connection: Connection,
    name: str,
    *,
    clock: Clock,
    scope: Scope,
    as_of: datetime,
    others: Sequence[str] = (),
    unit: str | None = None,
    limit: int = 200,
    offset: int = 0,
) -> pd.DataFrame:
    """Return one page of the dossiers of a finding, the latest receipt first: COLUMNS, instants on the civil clock.

    Raises BadQuestion.
    """
    if name not in FINDINGS:
        raise BadQuestion(f"unknown finding {name!r}; known: {', '.join(FINDINGS)}")
    if not (1 <= limit <= LONGEST_PAGE and offset >= 0):
        raise BadQuestion(f"limit must be 1 to {LONGEST_PAGE} and offset 0 or more, not {limit} and {offset}")
    codes = _codes(connection, clock, scope, as_of)
    statement = select(*(_d[column] for column in COLUMNS)).where(_dossiers(FINDINGS[name], others), *_inside(codes))
    if unit is not None:
        statement = statement.where(_d.unit == unit)
    statement = statement.order_by(_d.received_at.desc().nulls_first(), _d.source, _d.code)
    found = [tuple(row) for row in connection.execute(statement.limit(limit).offset(offset))]
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    for column in ("received_at", "due_at", "finished_at"):
        frame[column] = pd.to_datetime(frame[column], utc=True).dt.tz_convert(clock.zone)
    return frame.astype({"channel": "Int64", "status": "Int64"})


def _codes(connection: Connection, clock: Clock, scope: Scope, as_of: datetime) -> Sequence[str] | None:
    codes = resolve(connection, scope, UnitTree.load(connection, clock.day(as_of)))
    return None if codes is None else sorted(codes)


def _flag_counts(codes: Sequence[str] | None) -> Select[Any]:
    """One look at the flagged dossiers for all findings that are flags."""
    each = select(func.unnest(_d.flags).label("flag"), _d.unit).where(FLAGGED, *_inside(codes)).subquery()
    return select(each.c.flag, each.c.unit, func.count()).group_by(each.c.flag, each.c.unit)


def _counts(finding: Finding, codes: Sequence[str] | None, others: Sequence[str]) -> Select[Any]:
    statement = select(literal(finding.name), _d.unit, func.count())
    return statement.where(_dossiers(finding, others), *_inside(codes)).group_by(_d.unit)


def _dossiers(finding: Finding, others: Sequence[str]) -> ColumnElement[bool]:
    if finding.rows is not None:
        return finding.rows(others)
    return and_(FLAGGED, literal(finding.flag) == any_(_d.flags))


def _inside(codes: Sequence[str] | None) -> list[ColumnElement[bool]]:
    return [] if codes is None else [_d.unit == any_(texts(codes))]


__all__ = ["COLUMNS", "FINDINGS", "Finding", "finding_dossiers", "findings"]
