"""Intake, handling and backlog: the figures of form II.06 and what explains them."""

from __future__ import annotations

from metrics.metric import Direction, Kind, Metric, Unit, total
from warehouse.vocabulary import Label

FORM_06 = "TT 01/2020/TT-VPCP, biểu II.06"
_RESOLVED = ("resolved_early", "resolved_on_time", "resolved_late", "resolved_no_due")

METRICS = (
    Metric(
        "received", Label("Tiếp nhận trong kỳ", "Received"),
        Label("Tiếp nhận trong kỳ", "Received in the period"),
        Label("Số hồ sơ có thời điểm tiếp nhận trong kỳ.", "Dossiers whose instant of receipt lies in the period."),
        Kind.FLOW, total("received"), legal_basis=f"{FORM_06}, cột 4+5",
    ),
    Metric(
        "carried_in", Label("Kỳ trước chuyển sang", "Carried in"),
        Label("Còn lại từ trước kỳ", "Left over from before"),
        Label("Số hồ sơ tiếp nhận trước kỳ và chưa kết thúc trước kỳ.",
              "Dossiers received before the period and not closed before it."),
        Kind.STOCK, total("carried_in"), legal_basis=f"{FORM_06}, cột 6",
    ),
    Metric(
        "resolved", Label("Đã giải quyết", "Resolved"),
        Label("Kết thúc trong kỳ, có kết quả", "Finished in the period with a result"),
        Label("Số hồ sơ kết thúc trong kỳ có kết quả (trước hạn, đúng hạn, quá hạn, không có hạn).",
              "Dossiers finished in the period with a result: early, on time, late or without a due date."),
        Kind.FLOW, total(*_RESOLVED), legal_basis=f"{FORM_06}, cột 7",
    ),
    Metric(
        "resolved_early", Label("Giải quyết trước hạn", "Resolved early"),
        Label("Xong trước ngày hẹn trả", "Done before the due day"),
        Label("Kết thúc không muộn hơn hạn trả và vào một ngày trước ngày hẹn trả.",
              "Finished not later than due, on an earlier calendar day than the due day."),
        Kind.FLOW, total("resolved_early"), direction=Direction.HIGHER, legal_basis=f"{FORM_06}, cột 8",
    ),
    Metric(
        "resolved_on_time", Label("Giải quyết đúng hạn", "Resolved on time"),
        Label("Xong trong ngày hẹn trả", "Done on the due day"),
        Label("Kết thúc không muộn hơn hạn trả, trong chính ngày hẹn trả.",
              "Finished not later than due, on the due day itself."),
        Kind.FLOW, total("resolved_on_time"), direction=Direction.HIGHER, legal_basis=f"{FORM_06}, cột 9",
    ),
    Metric(
        "resolved_late", Label("Giải quyết quá hạn", "Resolved late"),
        Label("Xong sau hạn trả", "Done after the due instant"),
        Label("Kết thúc muộn hơn hạn trả (so theo thời điểm).", "Finished later than due, compared as instants."),
        Kind.FLOW, total("resolved_late"), direction=Direction.LOWER, legal_basis=f"{FORM_06}, cột 10",
    ),
    Metric(
        "resolved_no_due", Label("Giải quyết, không có hạn trả", "Resolved without due date"),
        Label("Xong nhưng không ghi hạn trả", "Done, but no due date is recorded"),
        Label("Kết thúc có kết quả nhưng không ghi hạn trả: không tính là đúng hạn.",
              "Finished with a result but without a due date: never counted as on time."),
        Kind.FLOW, total("resolved_no_due"), direction=Direction.LOWER,
    ),
    Metric(
        "closed_without_result", Label("Kết thúc không có kết quả", "Closed without result"),
        Label("Từ chối, rút, dừng xử lý", "Refused, withdrawn or stopped"),
        Label("Hồ sơ đã tiếp nhận rồi bị từ chối, được rút hoặc dừng xử lý trong kỳ.",
              "Received dossiers that were refused, withdrawn or stopped in the period."),
        Kind.FLOW, total("closed_without_result"),
    ),
    Metric(
        "closed_without_result_share",
        Label("Tỷ lệ trả lại, rút, dừng xử lý", "Share closed without result"),
        Label("Từ chối, rút, dừng / mọi hồ sơ kết thúc", "Refused, withdrawn or stopped / all closed"),
        Label("Kết thúc không có kết quả / mọi hồ sơ kết thúc trong kỳ. Tỷ lệ cao làm tỷ lệ đúng hạn đẹp hơn thực tế.",
              "Closed without result / all closed in the period. A high share makes an on-time rate look better than it"
              " is."),
        Kind.RATIO, total("closed_without_result"), total(*_RESOLVED, "closed_without_result"),
        Unit.SHARE, Direction.LOWER, 5,
    ),
    Metric(
        "fell_due", Label("Đến hạn trong kỳ", "Fell due"),
        Label("Hạn trả trong kỳ", "Due in the period"),
        Label("Số hồ sơ đã tiếp nhận có hạn trả trong kỳ.", "Received dossiers whose due instant lies in the period."),
        Kind.FLOW, total("fell_due"),
    ),
    Metric(
        "open", Label("Đang giải quyết", "Open"),
        Label("Đã tiếp nhận, chưa kết thúc", "Received, not closed"),
        Label("Hồ sơ đã tiếp nhận và chưa kết thúc tại thời điểm xét.",
              "Dossiers received and not closed at the instant of the question."),
        Kind.STOCK, total("open"), direction=Direction.LOWER, legal_basis=f"{FORM_06}, cột 11",
    ),
    Metric(
        "open_in_time", Label("Đang giải quyết, trong hạn", "Open in time"),
        Label("Chưa kết thúc, hạn trả chưa qua", "Not closed, not yet due"),
        Label("Đang giải quyết và hạn trả chưa qua.", "Open, and the due instant has not passed."),
        Kind.STOCK, total("open_in_time"), legal_basis=f"{FORM_06}, cột 12",
    ),
    Metric(
        "overdue", Label("Đang giải quyết, quá hạn", "Overdue"),
        Label("Chưa kết thúc, hạn trả đã qua", "Not closed, past due"),
        Label("Đang giải quyết và hạn trả đã qua.", "Open, and the due instant has passed."),
        Kind.STOCK, total("overdue"), direction=Direction.LOWER, legal_basis=f"{FORM_06}, cột 13",
    ),
    Metric(
        "open_no_due", Label("Đang giải quyết, không có hạn trả", "Open without due date"),
        Label("Chưa kết thúc, không ghi hạn trả", "Not closed, no due date recorded"),
        Label("Đang giải quyết nhưng không ghi hạn trả.", "Open, but no due date is recorded."),
        Kind.STOCK, total("open_no_due"), direction=Direction.LOWER,
    ),
    Metric(
        "overdue_share", Label("Tỷ lệ quá hạn trong số đang giải quyết", "Overdue share of open"),
        Label("Quá hạn / đang giải quyết", "Overdue / open"),
        Label("Đang giải quyết quá hạn / đang giải quyết.", "Overdue / open."),
        Kind.RATIO, total("overdue"), total("open"), Unit.SHARE, Direction.LOWER, 5,
    ),
    Metric(
        "due_soon_8h", Label("Sắp đến hạn (8 giờ làm việc)", "Due within 8 working hours"),
        Label("Hạn trả trong 8 giờ làm việc tới", "Due in the next 8 hours of office time"),
        Label("Đang giải quyết, hạn trả trong 8 giờ làm việc tới.",
              "Open, and due within the next 8 hours of office time."),
        Kind.STOCK, total("due_soon_8h"), direction=Direction.LOWER,
    ),
    Metric(
        "due_soon_24h", Label("Sắp đến hạn (24 giờ làm việc)", "Due within 24 working hours"),
        Label("Hạn trả trong 24 giờ làm việc tới", "Due in the next 24 hours of office time"),
        Label("Đang giải quyết, hạn trả trong 24 giờ làm việc tới (ba ngày làm việc).",
              "Open, and due within the next 24 hours of office time (three working days)."),
        Kind.STOCK, total("due_soon_24h"), direction=Direction.LOWER,
    ),
    Metric(
        "waiting", Label("Chờ người nộp", "Waiting for the applicant"),
        Label("Yêu cầu bổ sung hoặc nộp phí", "Must supplement or pay"),
        Label("Đang giải quyết, trạng thái đọc gần nhất là yêu cầu bổ sung hoặc thực hiện nghĩa vụ tài chính.",
              "Open, and by the status last read the applicant must supplement or pay."),
        Kind.STOCK, total("waiting"),
    ),
    Metric(
        "waiting_share", Label("Tỷ lệ chờ người nộp trong số đang giải quyết", "Waiting share of open"),
        Label("Chờ người nộp / đang giải quyết", "Waiting for the applicant / open"),
        Label("Chờ người nộp / đang giải quyết, theo trạng thái đọc gần nhất.",
              "Waiting for the applicant / open, by the status last read."),
        Kind.RATIO, total("waiting"), total("open"), Unit.SHARE, Direction.LOWER, 5,
    ),
    Metric(
        "stale", Label("Hồ sơ treo", "Stale"),
        Label("Đang giải quyết, nhiều ngày làm việc không có thay đổi", "Open, unchanged for several working days"),
        Label("Đang giải quyết mà hệ thống nguồn không ghi thay đổi nào trong số ngày làm việc cài đặt (mặc định 5),"
              " hồ sơ chờ người nộp không tính. Ở thời điểm đã qua chỉ thấy hồ sơ từ đó đến nay vẫn không thay đổi.",
              "Open, and the source recorded no change within the set number of working days (5 unless set); those that"
              " wait for the applicant are left out. At a past instant only dossiers still unchanged since are seen."),
        Kind.STOCK, total("stale"), direction=Direction.LOWER,
    ),
    Metric(
        "finished_not_returned", Label("Xong, chưa trả kết quả", "Finished, not handed over"),
        Label("Đã xử lý xong, nhiều ngày chưa trả", "Finished for days, result not handed over"),
        Label("Đã xử lý xong quá số ngày cài đặt (mặc định 3 ngày) mà kết quả chưa trả cho người nộp.",
              "Finished longer ago than the set number of days (3 unless set), and the result is not handed over."),
        Kind.STOCK, total("finished_not_returned"), direction=Direction.LOWER,
    ),
    Metric(
        "backlog_days", Label("Tồn đọng quy ra ngày làm việc", "Backlog in days of work"),
        Label("Đang giải quyết / số giải quyết mỗi ngày làm việc", "Open / resolved in a working day"),
        Label("Đang giải quyết cuối kỳ chia cho số hồ sơ giải quyết bình quân một ngày làm việc trong kỳ: cần bấy nhiêu"
              " ngày làm việc để hết tồn đọng.",
              "Open at the end / the mean number resolved in a working day of the period: so many working days would"
              " clear the backlog."),
        Kind.RATIO, total("open"), total(*_RESOLVED), Unit.WORKING_DAYS, Direction.LOWER, 5,
    ),
    Metric(
        "balance", Label("Chênh lệch cân đối", "Balance gap"),
        Label("Chuyển sang + tiếp nhận − kết thúc − đang giải quyết", "Carried in + received − closed − open"),
        Label("Kỳ trước chuyển sang + tiếp nhận − đã giải quyết − kết thúc không kết quả − đang giải quyết; khác 0 là"
              " số liệu nguồn có hồ sơ không khớp (thiếu thời điểm kết thúc, kết thúc trước khi tiếp nhận).",
              "Carried in + received − resolved − closed without result − open; not 0 means that the source holds"
              " dossiers that do not fit (no closing time, closed before receipt)."),
        Kind.FLOW, total("carried_in", "received", minus=(*_RESOLVED, "closed_without_result", "open")),
        legal_basis=f"{FORM_06}, (3) = (7) + (11)",
    ),
    Metric(
        "closed_before_receipt", Label("Kết thúc trước khi tiếp nhận", "Closed before receipt"),
        Label("Thời điểm kết thúc trước tiếp nhận", "Closed earlier than received"),
        Label("Hồ sơ kết thúc trong kỳ có thời điểm kết thúc trước thời điểm tiếp nhận: số liệu nguồn sai.",
              "Dossiers closed in the period whose closing lies before their receipt: the source is wrong."),
        Kind.FLOW, total("closed_before_receipt"), direction=Direction.LOWER,
    ),
    Metric(
        "median_duration", Label("Thời gian giải quyết trung vị", "Median time to resolve"),
        Label("Trung vị từ tiếp nhận đến kết thúc", "Median from receipt to closing"),
        Label("Trung vị của (kết thúc − tiếp nhận) theo đồng hồ dân sự, hồ sơ giải quyết trong kỳ; bỏ hồ sơ kết thúc"
              " trước khi tiếp nhận.",
              "Median of finished − received on the civil clock, of dossiers resolved in the period; those finished"
              " before receipt are left out."),
        Kind.DISTRIBUTION, total("median_seconds"), total("timed"), Unit.SECONDS, Direction.LOWER, 5,
    ),
    Metric(
        "median_working_time", Label("Thời gian giải quyết trung vị (giờ làm việc)", "Median working time to resolve"),
        Label("Trung vị, chỉ tính giờ làm việc", "Median, office time only"),
        Label("Trung vị số giờ làm việc từ tiếp nhận đến kết thúc, hồ sơ giải quyết trong kỳ; bỏ hồ sơ kết thúc trước"
              " khi tiếp nhận.",
              "Median office time from receipt to closing, of dossiers resolved in the period; those finished before"
              " receipt are left out."),
        Kind.DISTRIBUTION, total("median_worked"), total("timed"), Unit.WORKING_SECONDS, Direction.LOWER, 5,
    ),
    Metric(
        "mean_working_time", Label("Thời gian giải quyết bình quân (giờ làm việc)", "Mean working time to resolve"),
        Label("Tổng giờ làm việc / số hồ sơ giải quyết", "Office time / dossiers resolved"),
        Label("Tổng số giờ làm việc từ tiếp nhận đến kết thúc / số hồ sơ giải quyết trong kỳ; bỏ hồ sơ kết thúc trước"
              " khi tiếp nhận.",
              "Office time from receipt to closing / dossiers resolved in the period; those finished before receipt are"
              " left out."),
        Kind.RATIO, total("worked_seconds"), total("timed"), Unit.WORKING_SECONDS, Direction.LOWER, 5,
        "QĐ 766/QĐ-TTg, tiêu chí 2.2",
    ),
)  # fmt: skip
