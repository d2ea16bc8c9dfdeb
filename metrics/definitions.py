"""What each metric is: one frozen declaration a metric, apart from how it is computed.

Numerator and denominator are signed sums of *counters* (metrics/counters.py), so that every ratio is Σ numerator over
Σ denominator and never an average. Definitions are worded after design and the legal sources that they name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from warehouse.vocabulary import Label


class Kind(StrEnum):
    """How a metric behaves over time."""

    FLOW = "flow"
    """Counts events: adds up over units and over time."""
    STOCK = "stock"
    """Counts what there is at an instant: adds up over units, never over time."""
    RATIO = "ratio"
    """Numerator over denominator: both add up, the value does not."""
    DISTRIBUTION = "distribution"
    """Describes many values: nothing adds up."""


class Direction(StrEnum):
    """Which way is good."""

    HIGHER = "higher is better"
    LOWER = "lower is better"
    NONE = "neither"


class Unit(StrEnum):
    """What the value counts."""

    DOSSIERS = "dossiers"
    SHARE = "share of 1"
    SECONDS = "seconds"


Sum = tuple[tuple[int, str], ...]
"""A signed sum of counters."""


def total(*plus: str, minus: tuple[str, ...] = ()) -> Sum:
    """Write a signed sum of counters."""
    return (*((1, name) for name in plus), *((-1, name) for name in minus))


@dataclass(frozen=True, slots=True)
class Metric:
    """The declaration of one metric; `minimum` is the denominator under which a value should be shown as uncertain."""

    name: str
    label: Label
    definition: Label
    kind: Kind
    numerator: Sum
    denominator: Sum = ()
    unit: Unit = Unit.DOSSIERS
    direction: Direction = Direction.NONE
    minimum: int = 0
    legal_basis: str = ""

    @property
    def counters(self) -> frozenset[str]:
        """Names of the counters that the metric is made of."""
        return frozenset(name for _, name in (*self.numerator, *self.denominator))


_06 = "TT 01/2020/TT-VPCP, biểu II.06"
_DECLARED = (
    Metric(
        "received", Label("Tiếp nhận trong kỳ", "Received"),
        Label("Số hồ sơ có thời điểm tiếp nhận trong kỳ.", "Dossiers whose instant of receipt lies in the period."),
        Kind.FLOW, total("received"), legal_basis=f"{_06}, cột 4+5",
    ),
    Metric(
        "carried_in", Label("Kỳ trước chuyển sang", "Carried in"),
        Label("Số hồ sơ tiếp nhận trước kỳ và chưa kết thúc trước kỳ.",
              "Dossiers received before the period and not closed before it."),
        Kind.STOCK, total("carried_in"), legal_basis=f"{_06}, cột 6",
    ),
    Metric(
        "resolved", Label("Đã giải quyết", "Resolved"),
        Label("Số hồ sơ kết thúc trong kỳ có kết quả (trước hạn, đúng hạn, quá hạn, không có hạn).",
              "Dossiers finished in the period with a result: early, on time, late or without a due date."),
        Kind.FLOW, total("resolved_early", "resolved_on_time", "resolved_late", "resolved_no_due"),
        legal_basis=f"{_06}, cột 7",
    ),
    Metric(
        "resolved_early", Label("Giải quyết trước hạn", "Resolved early"),
        Label("Kết thúc không muộn hơn hạn trả và vào một ngày trước ngày hẹn trả.",
              "Finished not later than due, on an earlier calendar day than the due day."),
        Kind.FLOW, total("resolved_early"), direction=Direction.HIGHER, legal_basis=f"{_06}, cột 8",
    ),
    Metric(
        "resolved_on_time", Label("Giải quyết đúng hạn", "Resolved on time"),
        Label("Kết thúc không muộn hơn hạn trả, trong chính ngày hẹn trả.",
              "Finished not later than due, on the due day itself."),
        Kind.FLOW, total("resolved_on_time"), direction=Direction.HIGHER, legal_basis=f"{_06}, cột 9",
    ),
    Metric(
        "resolved_late", Label("Giải quyết quá hạn", "Resolved late"),
        Label("Kết thúc muộn hơn hạn trả (so theo thời điểm).", "Finished later than due, compared as instants."),
        Kind.FLOW, total("resolved_late"), direction=Direction.LOWER, legal_basis=f"{_06}, cột 10",
    ),
    Metric(
        "resolved_no_due", Label("Giải quyết, không có hạn trả", "Resolved without due date"),
        Label("Kết thúc có kết quả nhưng không ghi hạn trả: không tính là đúng hạn.",
              "Finished with a result but without a due date: never counted as on time."),
        Kind.FLOW, total("resolved_no_due"), direction=Direction.LOWER,
    ),
    Metric(
        "closed_without_result", Label("Kết thúc không có kết quả", "Closed without result"),
        Label("Hồ sơ đã tiếp nhận rồi bị từ chối, được rút hoặc dừng xử lý trong kỳ.",
              "Received dossiers that were refused, withdrawn or stopped in the period."),
        Kind.FLOW, total("closed_without_result"),
    ),
    Metric(
        "fell_due", Label("Đến hạn trong kỳ", "Fell due"),
        Label("Số hồ sơ đã tiếp nhận có hạn trả trong kỳ.", "Received dossiers whose due instant lies in the period."),
        Kind.FLOW, total("fell_due"),
    ),
    Metric(
        "open", Label("Đang giải quyết", "Open"),
        Label("Hồ sơ đã tiếp nhận và chưa kết thúc tại thời điểm xét.",
              "Dossiers received and not closed at the instant of the question."),
        Kind.STOCK, total("open"), direction=Direction.LOWER, legal_basis=f"{_06}, cột 11",
    ),
    Metric(
        "open_in_time", Label("Đang giải quyết, trong hạn", "Open in time"),
        Label("Đang giải quyết và hạn trả chưa qua.", "Open, and the due instant has not passed."),
        Kind.STOCK, total("open_in_time"), legal_basis=f"{_06}, cột 12",
    ),
    Metric(
        "overdue", Label("Đang giải quyết, quá hạn", "Overdue"),
        Label("Đang giải quyết và hạn trả đã qua.", "Open, and the due instant has passed."),
        Kind.STOCK, total("overdue"), direction=Direction.LOWER, legal_basis=f"{_06}, cột 13",
    ),
    Metric(
        "open_no_due", Label("Đang giải quyết, không có hạn trả", "Open without due date"),
        Label("Đang giải quyết nhưng không ghi hạn trả.", "Open, but no due date is recorded."),
        Kind.STOCK, total("open_no_due"), direction=Direction.LOWER,
    ),
    Metric(
        "due_soon_8h", Label("Sắp đến hạn (8 giờ làm việc)", "Due within 8 working hours"),
        Label("Đang giải quyết, hạn trả trong 8 giờ làm việc tới.",
              "Open, and due within the next 8 hours of office time."),
        Kind.STOCK, total("due_soon_8h"), direction=Direction.LOWER,
    ),
    Metric(
        "due_soon_24h", Label("Sắp đến hạn (24 giờ làm việc)", "Due within 24 working hours"),
        Label("Đang giải quyết, hạn trả trong 24 giờ làm việc tới (ba ngày làm việc).",
              "Open, and due within the next 24 hours of office time (three working days)."),
        Kind.STOCK, total("due_soon_24h"), direction=Direction.LOWER,
    ),
    Metric(
        "waiting", Label("Chờ người nộp", "Waiting for the applicant"),
        Label("Đang giải quyết, trạng thái đọc gần nhất là yêu cầu bổ sung hoặc thực hiện nghĩa vụ tài chính.",
              "Open, and by the status last read the applicant must supplement or pay."),
        Kind.STOCK, total("waiting"),
    ),
    Metric(
        "balance", Label("Chênh lệch cân đối", "Balance gap"),
        Label("Kỳ trước chuyển sang + tiếp nhận − đã giải quyết − kết thúc không kết quả − đang giải quyết; khác 0 là"
              " số liệu nguồn có hồ sơ không khớp (thiếu thời điểm kết thúc, kết thúc trước khi tiếp nhận).",
              "Carried in + received − resolved − closed without result − open; not 0 means that the source holds"
              " dossiers that do not fit (no closing time, closed before receipt)."),
        Kind.FLOW,
        total("carried_in", "received", minus=("resolved_early", "resolved_on_time", "resolved_late", "resolved_no_due",
                                               "closed_without_result", "open")),
        legal_basis=f"{_06}, (3) = (7) + (11)",
    ),
    Metric(
        "closed_before_receipt", Label("Kết thúc trước khi tiếp nhận", "Closed before receipt"),
        Label("Hồ sơ kết thúc trong kỳ có thời điểm kết thúc trước thời điểm tiếp nhận: số liệu nguồn sai.",
              "Dossiers closed in the period whose closing lies before their receipt: the source is wrong."),
        Kind.FLOW, total("closed_before_receipt"), direction=Direction.LOWER,
    ),
    Metric(
        "on_time_06", Label("Tỷ lệ giải quyết trước và đúng hạn (biểu 06)", "On-time rate (form 06)"),
        Label("(Trước hạn + đúng hạn) / đã giải quyết; hồ sơ không ghi hạn trả nằm ở mẫu số, không bao giờ ở tử số.",
              "(Early + on time) / resolved; those without a due date are in the denominator, never in the numerator."),
        Kind.RATIO, total("resolved_early", "resolved_on_time"),
        total("resolved_early", "resolved_on_time", "resolved_late", "resolved_no_due"),
        Unit.SHARE, Direction.HIGHER, 5, _06,
    ),
    Metric(
        "on_time_766", Label("Tỷ lệ đúng hạn theo cách tính 766 (ước tính)", "On-time rate after 766 (estimate)"),
        Label("(Kết thúc đúng hạn trong kỳ + đang giải quyết còn trong hạn) / (kết thúc trong kỳ + đang giải quyết),"
              " chỉ hồ sơ có hạn trả; trừ thời gian tạm dừng; đang giải quyết mà đã yêu cầu bổ sung quá một lần"
              " thì coi là quá hạn.",
              "(Closed on time in the period + open within term) / (closed in the period + open), of dossiers with a"
              " due date; paused time is subtracted; open with more than one supplement request counts as late."),
        Kind.RATIO, total("ended_in_term", "open_in_term_766"),
        total("ended_with_due", "open", minus=("open_no_due",)), Unit.SHARE, Direction.HIGHER, 5,
        "QĐ 766/QĐ-TTg, tiêu chí 2.1",
    ),
    Metric(
        "on_time_received", Label("Tỷ lệ đúng hạn trên số tiếp nhận (NĐ 61)", "On-time rate of received (Decree 61)"),
        Label("Trong số hồ sơ tiếp nhận trong kỳ: phần đã giải quyết trước hoặc đúng hạn tính đến cuối kỳ.",
              "Of the dossiers received in the period: the share resolved early or on time by its end."),
        Kind.RATIO, total("received_on_time"), total("received"), Unit.SHARE, Direction.HIGHER, 5,
        "NĐ 61/2018/NĐ-CP, Điều 30",
    ),
    Metric(
        "overdue_share", Label("Tỷ lệ quá hạn trong số đang giải quyết", "Overdue share of open"),
        Label("Đang giải quyết quá hạn / đang giải quyết.", "Overdue / open."),
        Kind.RATIO, total("overdue"), total("open"), Unit.SHARE, Direction.LOWER, 5,
    ),
    Metric(
        "online_share", Label("Tỷ lệ nộp trực tuyến trên tổng tiếp nhận", "Online share of all received"),
        Label("Nộp trực tuyến / tiếp nhận có ghi kênh.", "Handed in online / received with a known channel."),
        Kind.RATIO, total("received_online"), total("received_known"), Unit.SHARE, Direction.HIGHER, 5,
    ),
    Metric(
        "online_share_eligible",
        Label("Tỷ lệ nộp trực tuyến trên thủ tục có dịch vụ trực tuyến", "Online share where online is offered"),
        Label("Nộp trực tuyến / tiếp nhận có ghi kênh, chỉ thủ tục một phần hoặc toàn trình.",
              "Handed in online / received with a known channel, only procedures that are partly or fully online."),
        Kind.RATIO, total("eligible_online"), total("eligible"), Unit.SHARE, Direction.HIGHER, 5,
        "QĐ 766/QĐ-TTg, tiêu chí 3.3; NĐ 42/2022/NĐ-CP",
    ),
    Metric(
        "post_in_share", Label("Tỷ lệ nộp qua bưu chính công ích", "Share handed in by post"),
        Label("Nộp qua bưu chính / tiếp nhận có ghi kênh.", "Handed in by post / received with a known channel."),
        Kind.RATIO, total("received_post"), total("received_known"), Unit.SHARE, Direction.NONE, 5,
    ),
    Metric(
        "post_out_share", Label("Tỷ lệ trả kết quả qua bưu chính công ích", "Share returned by post"),
        Label("Đăng ký trả qua bưu chính / tiếp nhận trong kỳ có ghi hình thức trả.",
              "To be returned by post / received in the period with a known way of return."),
        Kind.RATIO, total("return_post"), total("return_known"), Unit.SHARE, Direction.NONE, 5,
    ),
    Metric(
        "satisfied_share", Label("Tỷ lệ hài lòng", "Satisfied share"),
        Label("Phiếu hài lòng hoặc rất hài lòng / phiếu có câu trả lời trong kỳ (không phải tiêu chí của 766).",
              "Satisfied or very satisfied / answered in the period (not the satisfaction component of 766)."),
        Kind.RATIO, total("satisfied"), total("answered"), Unit.SHARE, Direction.HIGHER, 30,
        "NĐ 61/2018/NĐ-CP, Điều 29",
    ),
    Metric(
        "median_duration", Label("Thời gian giải quyết trung vị", "Median time to resolve"),
        Label("Trung vị của (kết thúc − tiếp nhận) theo đồng hồ dân sự, hồ sơ giải quyết trong kỳ; bỏ hồ sơ kết thúc"
              " trước khi tiếp nhận.",
              "Median of finished − received on the civil clock, of dossiers resolved in the period; those finished"
              " before receipt are left out."),
        Kind.DISTRIBUTION, total("median_seconds"), total("timed"), Unit.SECONDS, Direction.LOWER, 5,
    ),
)  # fmt: skip

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _DECLARED}
"""Every metric by its name, in the order in which reports list them."""
