"""What waits in quarantine: counted by reason, unit and stream, the records themselves, and what the reasons mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, null, select

from metrics.calendar import Clock
from warehouse.errors import BadQuestion
from warehouse.schema import quarantine
from warehouse.vocabulary import Label

LONGEST_PAGE = 200_000
UnitFields = Mapping[tuple[str, str], str]
"""Field of the kept payload that names the unit, by source and entity, as the mappings say."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What a check is called, and what is to be done about the records that it refused."""

    label: Label
    remedy: Label


_AT_SOURCE = Label("Sửa bản ghi tại hệ thống nguồn; lần đồng bộ sau sẽ tự nhận.",
                   "Correct the record at its source; the next run takes it.")  # fmt: skip
_IN_MAPPING = Label("Bổ sung cách đọc vào tệp ánh xạ của nguồn rồi xử lý lại (ioc quarantine replay).",
                    "Teach the mapping of the source to read it, then replay (ioc quarantine replay).")  # fmt: skip
_IN_UNITS = Label("Nạp đơn vị này vào danh mục đơn vị, hoặc sửa mã đơn vị tại nguồn, rồi xử lý lại.",
                  "Load this unit, or correct its code at the source, then replay.")  # fmt: skip
_CLOCK = Label("Kiểm tra đồng hồ và ngày nhập tại hệ thống nguồn; sửa bản ghi tại nguồn.",
               "Check the clock and the dates typed in at the source; correct the record there.")  # fmt: skip

REASONS: Mapping[str, Reason] = {
    "missing_key": Reason(Label("Thiếu mã hồ sơ", "No code"), _AT_SOURCE),
    "missing_field": Reason(Label("Thiếu trường bắt buộc", "A field is not there"), _IN_MAPPING),
    "error_cell": Reason(Label("Ô bảng tính báo lỗi (#N/A…)", "An error cell (#N/A…)"), _AT_SOURCE),
    "missing_unit": Reason(Label("Thiếu đơn vị giải quyết", "No handling unit"), _AT_SOURCE),
    "missing_value": Reason(Label("Thiếu giá trị bắt buộc", "A value is empty"), _AT_SOURCE),
    "unknown_unit": Reason(Label("Đơn vị không có trong danh mục", "Unit not in the list"), _IN_UNITS),
    "bad_date": Reason(Label("Ngày giờ không đọc được", "A date cannot be read"), _IN_MAPPING),
    "bad_number": Reason(Label("Số không đọc được", "A number cannot be read"), _IN_MAPPING),
    "bad_list": Reason(Label("Danh sách không đọc được", "A list cannot be read"), _IN_MAPPING),
    "bad_pattern": Reason(Label("Giá trị sai dạng quy định", "A value has another form than it should"), _IN_MAPPING),
    "bad_child": Reason(Label("Bước xử lý, lần bổ sung ghi sai", "A step or supplement is unreadable"), _IN_MAPPING),
    "unknown_code": Reason(Label("Mã ngoài danh mục quy định", "A value is not in its code list"), _IN_MAPPING),
    "huge_text": Reason(Label("Chuỗi ký tự quá dài", "A text is too long"), _AT_SOURCE),
    "huge_number": Reason(Label("Số quá lớn", "A number is too large"), _AT_SOURCE),
    "finished_before_received": Reason(Label("Kết thúc trước khi tiếp nhận", "Finished before received"), _AT_SOURCE),
    "received_in_future": Reason(Label("Ngày tiếp nhận ở tương lai", "Received in the future"), _CLOCK),
    "finished_in_future": Reason(Label("Ngày kết thúc ở tương lai", "Finished in the future"), _CLOCK),
    "answered_in_future": Reason(Label("Phiếu đánh giá ở tương lai", "Answered in the future"), _CLOCK),
    "no_receipt_date": Reason(Label("Không có ngày tiếp nhận", "No receipt date"), _AT_SOURCE),
    "finished_without_end": Reason(Label("Đã xong nhưng không có ngày kết thúc", "Finished without end"), _AT_SOURCE),
    "due_before_received": Reason(Label("Hạn trả trước ngày tiếp nhận", "Due before received"), _AT_SOURCE),
    "code_contradicts_date": Reason(Label("Mã hồ sơ trái ngày tiếp nhận", "Code contradicts the date"), _AT_SOURCE),
    "code_contradicts_unit": Reason(Label("Mã hồ sơ trái đơn vị", "Code contradicts the unit"), _AT_SOURCE),
}
"""Every check by its name; those that only flag by default quarantine where a source's settings say so."""


def reason_of(name: str) -> Reason:
    """Return the words of a reason; a name that nobody knows is its own word."""
    return REASONS.get(name, Reason(Label(name, name), _IN_MAPPING))


_q = quarantine.c
_WAITING = _q.resolved_at.is_(None)


def by_reason(connection: Connection) -> pd.DataFrame:
    """Return reason, source, entity, count, complete (enough is kept to replay) and oldest of what waits."""
    statement = (
        select(_q.reason, _q.source, _q.entity, func.count().label("count"),
               func.count().filter(_q.complete).label("complete"), func.min(_q.first_seen_at).label("oldest"))
        .where(_WAITING)
        .group_by(_q.reason, _q.source, _q.entity)
        .order_by(func.count().desc(), _q.reason, _q.source, _q.entity)
    )  # fmt: skip
    columns = ["reason", "source", "entity", "count", "complete", "oldest"]
    frame = pd.DataFrame([tuple(row) for row in connection.execute(statement)], columns=columns)
    return frame.astype({"count": "int64", "complete": "int64"})


def by_unit(connection: Connection, units: UnitFields, reason: str | None = None) -> pd.DataFrame:
    """Return unit (as the source names it, missing where unknown) and count of what waits, most first."""
    number = func.count()
    statement = select(_unit(units).label("by_unit"), number).where(*_chosen(reason))
    statement = statement.group_by("by_unit").order_by(number.desc(), "by_unit")
    return pd.DataFrame([tuple(row) for row in connection.execute(statement)], columns=["unit", "count"])


def records(
    connection: Connection,
    units: UnitFields,
    *,
    clock: Clock,
    reason: str | None = None,
    limit: int = 200,
    offset: int = 0,
) -> pd.DataFrame:
    """Return one page of the records that wait, oldest first.

    Columns: source, entity, code, unit, reason, detail, place, first_seen_at (civil clock), complete. Raises
    BadQuestion.
    """
    if not (1 <= limit <= LONGEST_PAGE and offset >= 0):
        raise BadQuestion(f"limit must be 1 to {LONGEST_PAGE} and offset 0 or more, not {limit} and {offset}")
    columns = {
        "source": _q.source, "entity": _q.entity, "code": _q.code, "unit": _unit(units), "reason": _q.reason,
        "detail": _q.detail, "place": _q.place, "first_seen_at": _q.first_seen_at, "complete": _q.complete,
    }  # fmt: skip
    statement = select(*columns.values()).where(*_chosen(reason))
    statement = statement.order_by(_q.first_seen_at, _q.source, _q.entity, _q.payload_hash, _q.reason)
    found = [tuple(row) for row in connection.execute(statement.limit(limit).offset(offset))]
    frame = pd.DataFrame(found, columns=list(columns))
    frame["first_seen_at"] = pd.to_datetime(frame["first_seen_at"], utc=True).dt.tz_convert(clock.zone)
    return frame


def _chosen(reason: str | None) -> list[ColumnElement[bool]]:
    return [_WAITING] if reason is None else [_WAITING, _q.reason == reason]


def _unit(units: UnitFields) -> ColumnElement[Any]:
    """The unit that the kept payload names, by the field that each stream keeps it in."""
    if not units:
        return null()
    whens = [
        (and_(_q.source == source, _q.entity == entity), func.jsonb_extract_path_text(_q.payload, literal(field)))
        for (source, entity), field in units.items()
    ]
    return case(*whens)


__all__ = ["REASONS", "Reason", "by_reason", "by_unit", "reason_of", "records"]
