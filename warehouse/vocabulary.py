"""The code lists of the field, with their Vietnamese and English words.

Numbers are those that the real intake systems exchange (field names of `DongBoHoSoMC` in the docstrings), so that a
code read from a source needs no second table. Unknown is NULL in the warehouse, never a member of these lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal

Language = Literal["vi", "en"]


@dataclass(frozen=True, slots=True)
class Label:
    """One term in both languages of the screens."""

    vi: str
    en: str

    def text(self, language: Language) -> str:
        """Return the word in `language`."""
        return self.vi if language == "vi" else self.en


class Status(IntEnum):
    """TrangThaiHoSo, 1 to 10."""

    REGISTERED = 1
    ACCEPTED = 2
    NOT_ACCEPTED = 3
    PROCESSING = 4
    SUPPLEMENT_REQUESTED = 5
    PAYMENT_REQUESTED = 6
    WITHDRAWN = 7
    STOPPED = 8
    FINISHED = 9
    RETURNED = 10


NOT_RECEIVED = frozenset({Status.REGISTERED, Status.NOT_ACCEPTED})
"""Statuses of a dossier that no office has received: it is in no figure of receipt or backlog."""
WAITING = frozenset({Status.SUPPLEMENT_REQUESTED, Status.PAYMENT_REQUESTED})
"""The applicant must act: the office waits."""
WITH_RESULT = frozenset({Status.FINISHED, Status.RETURNED})
"""Resolved: a result exists."""
WITHOUT_RESULT = frozenset({Status.NOT_ACCEPTED, Status.WITHDRAWN, Status.STOPPED})
"""Closed, but no result exists: refused after receipt, withdrawn, stopped."""
CLOSED = WITH_RESULT | WITHOUT_RESULT
"""No further work is expected."""


class Channel(IntEnum):
    """KenhThucHien: how the dossier came in; OTHER holds internal hand-ins of sources that have them."""

    IN_PERSON = 1
    ONLINE = 2
    POST = 3
    OTHER = 9


class ReturnChannel(IntEnum):
    """HinhThuc: how the result goes out."""

    IN_PERSON = 0
    POST = 1


class Payment(IntEnum):
    """DuocThanhToanTrucTuyen."""

    NONE = 0
    NATIONAL_GATEWAY = 1
    LOCAL_GATEWAY = 2
    OFFLINE = 3


class OnlineLevel(IntEnum):
    """Mức độ dịch vụ công trực tuyến (NĐ 42/2022); 3 and 4 were called mức độ 3 and mức độ 4 until 2022."""

    INFORMATION = 2
    PARTIAL = 3
    FULL = 4


ONLINE_ELIGIBLE = frozenset({OnlineLevel.PARTIAL, OnlineLevel.FULL})
"""Procedures whose dossiers can be handed in online at all."""


class UnitKind(StrEnum):
    """What a unit is; the district level ended on 1 July 2025 but stays in history."""

    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"
    DEPARTMENT = "department"


class ProcedureLevel(StrEnum):
    """Cấp thực hiện of a procedure."""

    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"
    INTERLINKED = "interlinked"


class TimeUnit(StrEnum):
    """Unit of the statutory time of a procedure."""

    HOUR = "hour"
    DAY = "day"
    WORKING_DAY = "working_day"
    MONTH = "month"


class SurveyScale(StrEnum):
    """Answer forms of the satisfaction surveys; scales are never mixed in one figure."""

    THREE_LEVEL = "three_level"
    FIVE_LEVEL = "five_level"
    FORM_012 = "form_012"


class Entity(StrEnum):
    """What a source delivers."""

    DOSSIER = "dossier"
    DOSSIER_STEP = "dossier_step"
    DOSSIER_SUPPLEMENT = "dossier_supplement"
    SURVEY_ANSWER = "survey_answer"
    REFERENCE_DOSSIER = "reference_dossier"
    REPORTED_FIGURE = "reported_figure"
    EXTERNAL_SCORE = "external_score"
    PROCEDURE = "procedure"
    UNIT = "unit"


REPORT_FORM = "II.06"
"""`form` of figures in reported_figure that are columns of form II.06 (TT 01/2020/TT-VPCP)."""


class ReportItem(StrEnum):
    """`item` of such a figure: columns (3) to (13) of the form."""

    RECEIVED_TOTAL = "received_total"
    RECEIVED_ONLINE = "received_online"
    RECEIVED_OTHER = "received_other"
    CARRIED_IN = "carried_in"
    RESOLVED_TOTAL = "resolved_total"
    RESOLVED_EARLY = "resolved_early"
    RESOLVED_ON_TIME = "resolved_on_time"
    RESOLVED_LATE = "resolved_late"
    OPEN_TOTAL = "open_total"
    OPEN_IN_TIME = "open_in_time"
    OPEN_LATE = "open_late"


class RunKind(StrEnum):
    """Why a source was read, or why its rows were stored."""

    SYNC = "sync"
    PUSH = "push"
    REPLAY = "replay"
    SWEEP = "sweep"


class BreakerState(StrEnum):
    """Whether a source that kept failing is asked: closed yes, open no, half-open by one run that tries."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class RunState(StrEnum):
    """State of a sync run; a run still RUNNING after its worker died is closed as FAILED by the next one."""

    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"


_TERMS: tuple[tuple[IntEnum | StrEnum, Label], ...] = (
    (Status.REGISTERED, Label("Mới đăng ký", "Registered")),
    (Status.ACCEPTED, Label("Được tiếp nhận", "Accepted")),
    (Status.NOT_ACCEPTED, Label("Không được tiếp nhận", "Not accepted")),
    (Status.PROCESSING, Label("Đang xử lý", "In progress")),
    (Status.SUPPLEMENT_REQUESTED, Label("Yêu cầu bổ sung giấy tờ", "Supplement requested")),
    (Status.PAYMENT_REQUESTED, Label("Yêu cầu thực hiện nghĩa vụ tài chính", "Payment requested")),
    (Status.WITHDRAWN, Label("Công dân yêu cầu rút hồ sơ", "Withdrawn by applicant")),
    (Status.STOPPED, Label("Dừng xử lý", "Stopped")),
    (Status.FINISHED, Label("Đã xử lý xong", "Finished")),
    (Status.RETURNED, Label("Đã trả kết quả", "Result returned")),
    (Channel.IN_PERSON, Label("Trực tiếp", "In person")),
    (Channel.ONLINE, Label("Trực tuyến", "Online")),
    (Channel.POST, Label("Bưu chính công ích", "Public post")),
    (Channel.OTHER, Label("Hình thức khác", "Other")),
    (ReturnChannel.IN_PERSON, Label("Nhận trực tiếp", "In person")),
    (ReturnChannel.POST, Label("Qua bưu chính công ích", "By public post")),
    (Payment.NONE, Label("Không thanh toán trực tuyến", "Not paid online")),
    (Payment.NATIONAL_GATEWAY, Label("Qua Cổng Dịch vụ công quốc gia", "Through the national portal")),
    (Payment.LOCAL_GATEWAY, Label("Qua cổng của bộ, tỉnh", "Through the ministry or province gateway")),
    (Payment.OFFLINE, Label("Thanh toán trực tiếp", "Paid at the desk")),
    (OnlineLevel.INFORMATION, Label("Cung cấp thông tin trực tuyến", "Information online")),
    (OnlineLevel.PARTIAL, Label("Trực tuyến một phần", "Partly online")),
    (OnlineLevel.FULL, Label("Trực tuyến toàn trình", "Fully online")),
    (UnitKind.PROVINCE, Label("Cấp tỉnh", "Province")),
    (UnitKind.DISTRICT, Label("Cấp huyện", "District")),
    (UnitKind.COMMUNE, Label("Cấp xã", "Commune")),
    (UnitKind.DEPARTMENT, Label("Phòng, ban", "Department")),
    (ProcedureLevel.PROVINCE, Label("Cấp tỉnh", "Province")),
    (ProcedureLevel.DISTRICT, Label("Cấp huyện", "District")),
    (ProcedureLevel.COMMUNE, Label("Cấp xã", "Commune")),
    (ProcedureLevel.INTERLINKED, Label("Liên thông", "Interlinked")),
    (TimeUnit.HOUR, Label("giờ", "hours")),
    (TimeUnit.DAY, Label("ngày", "days")),
    (TimeUnit.WORKING_DAY, Label("ngày làm việc", "working days")),
    (TimeUnit.MONTH, Label("tháng", "months")),
    (SurveyScale.THREE_LEVEL, Label("Ba mức", "Three levels")),
    (SurveyScale.FIVE_LEVEL, Label("Năm mức", "Five levels")),
    (SurveyScale.FORM_012, Label("Phiếu điểm 0–2", "0–2 form")),
    (Entity.DOSSIER, Label("Hồ sơ", "Dossiers")),
    (Entity.SURVEY_ANSWER, Label("Phiếu đánh giá", "Survey answers")),
    (Entity.DOSSIER_STEP, Label("Bước xử lý", "Processing steps")),
    (Entity.DOSSIER_SUPPLEMENT, Label("Lần bổ sung hồ sơ", "Supplements")),
    (Entity.REFERENCE_DOSSIER, Label("Hồ sơ đối chiếu", "Dossiers to compare with")),
    (Entity.REPORTED_FIGURE, Label("Số liệu đơn vị báo cáo", "Figures reported by units")),
    (Entity.EXTERNAL_SCORE, Label("Điểm Bộ chỉ số 766", "Official 766 scores")),
    (ReportItem.RECEIVED_TOTAL, Label("Tiếp nhận: tổng số", "Received, with carried in")),
    (ReportItem.RECEIVED_ONLINE, Label("Tiếp nhận trong kỳ: trực tuyến", "Received online")),
    (ReportItem.RECEIVED_OTHER, Label("Tiếp nhận trong kỳ: trực tiếp, bưu chính", "Received in person or by post")),
    (ReportItem.CARRIED_IN, Label("Từ kỳ trước chuyển sang", "Carried in")),
    (ReportItem.RESOLVED_TOTAL, Label("Đã giải quyết: tổng số", "Resolved")),
    (ReportItem.RESOLVED_EARLY, Label("Đã giải quyết: trước hạn", "Resolved early")),
    (ReportItem.RESOLVED_ON_TIME, Label("Đã giải quyết: đúng hạn", "Resolved on time")),
    (ReportItem.RESOLVED_LATE, Label("Đã giải quyết: quá hạn", "Resolved late")),
    (ReportItem.OPEN_TOTAL, Label("Đang giải quyết: tổng số", "Open")),
    (ReportItem.OPEN_IN_TIME, Label("Đang giải quyết: trong hạn", "Open in time")),
    (ReportItem.OPEN_LATE, Label("Đang giải quyết: quá hạn", "Open and overdue")),
    (RunKind.SYNC, Label("Đồng bộ", "Read")),
    (RunKind.PUSH, Label("Nhận từ hệ thống gửi", "Received by push")),
    (RunKind.REPLAY, Label("Xử lý lại dữ liệu cách ly", "Quarantine replayed")),
    (RunKind.SWEEP, Label("Rà soát mã hồ sơ", "Key sweep")),
    (BreakerState.CLOSED, Label("Kết nối bình thường", "Connected")),
    (BreakerState.OPEN, Label("Tạm ngắt", "Cut off")),
    (BreakerState.HALF_OPEN, Label("Đang thử kết nối lại", "Trying again")),
    (Entity.PROCEDURE, Label("Thủ tục", "Procedures")),
    (Entity.UNIT, Label("Đơn vị", "Units")),
    (RunState.RUNNING, Label("Đang chạy", "Running")),
    (RunState.OK, Label("Thành công", "Succeeded")),
    (RunState.FAILED, Label("Lỗi", "Failed")),
)
LABELS = {(type(term), term): word for term, word in _TERMS}
"""Words by list and term: terms of two lists may be equal as numbers or texts."""


def label(term: IntEnum | StrEnum, language: Language) -> str:
    """Return the official word for a term of the vocabulary."""
    return LABELS[type(term), term].text(language)
