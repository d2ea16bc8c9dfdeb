"""Replies in the form of the national portal: `error_code` as text, `message` in Vietnamese, HTTP 200 where it answers.

Senders look for words: a call counts as done only when the text says "thành công", and "đã tồn tại" makes one send it
again as an update. So no reply but that of a done call holds either, and the texts are part of the protocol: they are
not translated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from warehouse.errors import IocError

DONE, DONE_TO_NAMED = "0", "00"
NOT_LET_IN = "-1"
NOT_UNDERSTOOD = "-2"
REFUSED = "-3"
LATER = "-9"

SHOWN = 5
LISTED = 1_000
REASONS: Mapping[str, str] = {
    "missing_key": "thiếu mã hồ sơ",
    "missing_field": "thiếu trường dữ liệu",
    "error_cell": "ô bảng tính báo lỗi",
    "missing_unit": "thiếu đơn vị xử lý",
    "missing_value": "thiếu giá trị bắt buộc",
    "unknown_unit": "đơn vị không có trong danh mục",
    "bad_date": "ngày giờ không đọc được",
    "bad_number": "số không đọc được",
    "bad_list": "danh sách không đọc được",
    "bad_pattern": "giá trị sai khuôn dạng",
    "bad_child": "giá trị trong danh sách con không đọc được",
    "unknown_code": "giá trị không có trong danh mục mã",
    "huge_text": "giá trị quá dài",
    "huge_number": "số quá lớn",
    "finished_before_received": "kết thúc trước khi tiếp nhận",
    "received_in_future": "ngày tiếp nhận ở tương lai",
    "finished_in_future": "ngày kết thúc ở tương lai",
    "answered_in_future": "ngày trả lời ở tương lai",
    "no_receipt_date": "thiếu ngày tiếp nhận",
    "finished_without_end": "đã xử lý xong nhưng thiếu ngày kết thúc",
    "due_before_received": "hẹn trả trước khi tiếp nhận",
    "code_contradicts_date": "mã hồ sơ trái với ngày tiếp nhận",
    "code_contradicts_unit": "mã hồ sơ trái với đơn vị",
}
"""What each check says to the sender; it never sees values, only field names."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: HTTP status, JSON object, and headers of its own."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedCallError(IocError):
    """A call that is answered with an error and of which nothing is stored; its text goes to the sender."""

    def __init__(self, code: str, message: str, status: int = 200, **headers: str) -> None:
        super().__init__(message)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.reply = Reply(status, {"error_code": code, "message": message}, named)


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A record that was put in quarantine: its place in the call (from 1), code, reason and the fields at fault."""

    place: int
    code: str
    reason: str
    fields: tuple[str, ...]

    @property
    def why(self) -> str:
        """The reason in words."""
        named = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{REASONS.get(self.reason, self.reason)}{named}"


def done(code: str, **more: Any) -> Reply:  # noqa: ANN401 - values of JSON
    """Answer that all was done."""
    return Reply(200, {"error_code": code, "message": "Thành công", **more})


def taken(code: str, read: int, refused: Sequence[RefusedRecord]) -> Reply:
    """Answer a call whose records are stored, or in quarantine."""
    if not refused:
        return Reply(200, {"error_code": code, "message": f"Thành công: đã ghi nhận {read} bản ghi"})
    told = [_told(record) for record in refused[:SHOWN]]
    rest = f"; và {len(refused) - SHOWN} bản ghi khác" if len(refused) > SHOWN else ""
    message = (
        f"Đã ghi nhận {read - len(refused)}/{read} bản ghi; {len(refused)} bản ghi có lỗi, được giữ lại chờ kiểm tra: "
        f"{'; '.join(told)}{rest}"
    )
    return Reply(200, {"error_code": REFUSED, "message": message, "result": listed(refused)})


def too_many(read: int, refused: Sequence[RefusedRecord]) -> Reply:
    """Answer a call of which nothing is stored, because too many of its records are refused."""
    message = f"Chưa ghi nhận bản ghi nào: {len(refused)}/{read} bản ghi có lỗi, vượt ngưỡng cho phép"
    return Reply(200, {"error_code": REFUSED, "message": message, "result": listed(refused)})


def listed(refused: Sequence[RefusedRecord]) -> list[dict[str, Any]]:
    """List refused records for the sender."""
    return [
        {"ThuTu": record.place, "MaHoSo": record.code, "error_code": REFUSED, "message": record.why}
        for record in refused[:LISTED]
    ]


def _told(record: RefusedRecord) -> str:
    return f"{record.code or f'bản ghi thứ {record.place}'}: {record.why}"


def try_again(message: str, status: int = 503, seconds: int = 30) -> Reply:
    """Answer that the same call may succeed later."""
    return Reply(status, {"error_code": LATER, "message": message}, {"Retry-After": str(seconds)})


__all__ = ["REASONS", "RefusedCallError", "RefusedRecord", "Reply", "done", "listed", "taken", "too_many", "try_again"]
