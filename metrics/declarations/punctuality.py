"""The on-time rates, which are never mixed, and the figures that show when a good rate is not real."""

from __future__ import annotations

from metrics.declarations.handling import FORM_06
from metrics.metric import Direction, Kind, Metric, Unit, total
from warehouse.vocabulary import Label

_RESOLVED = ("resolved_early", "resolved_on_time", "resolved_late", "resolved_no_due")

METRICS = (
    Metric(
        "on_time_06", Label("Tỷ lệ giải quyết trước và đúng hạn (biểu 06)", "On-time rate (form 06)"),
        Label("(Trước hạn + đúng hạn) / đã giải quyết", "(Early + on time) / resolved"),
        Label("(Trước hạn + đúng hạn) / đã giải quyết; hồ sơ không ghi hạn trả nằm ở mẫu số, không bao giờ ở tử số.",
              "(Early + on time) / resolved; those without a due date are in the denominator, never in the numerator."),
        Kind.RATIO, total("resolved_early", "resolved_on_time"), total(*_RESOLVED),
        Unit.SHARE, Direction.HIGHER, 5, FORM_06,
    ),
    Metric(
        "on_time_first_due", Label("Tỷ lệ đúng hạn theo hạn trả đầu tiên", "On-time rate by the first due date"),
        Label("Xong trong hạn trả đầu tiên / đã giải quyết", "Done by the first due date / resolved"),
        Label("Giải quyết không muộn hơn hạn trả ghi lần đầu / đã giải quyết. Chênh lệch với tỷ lệ theo biểu 06 là phần"
              " nhờ lùi hạn trả khi hẹn lại hoặc bổ sung.",
              "Resolved not later than the due date that was given first / resolved. The difference to the rate of form"
              " 06 comes from due dates that were moved by re-appointment or supplement."),
        Kind.RATIO, total("resolved_by_first_due"), total(*_RESOLVED), Unit.SHARE, Direction.HIGHER, 5,
        "NĐ 61/2018/NĐ-CP, Điều 19 khoản 9",
    ),
    Metric(
        "on_time_766", Label("Tỷ lệ đúng hạn theo cách tính 766 (ước tính)", "On-time rate after 766 (estimate)"),
        Label("(Xong đúng hạn + còn trong hạn) / (xong + đang giải quyết)",
              "(Closed on time + open within term) / (closed + open)"),
        Label("(Kết thúc đúng hạn trong kỳ + đang giải quyết còn trong hạn) / (kết thúc trong kỳ + đang giải quyết)."
              " Trừ thời gian chờ bổ sung; đang chờ bổ sung lần đầu thì xét tại lúc yêu cầu; yêu cầu bổ sung quá một"
              " lần mà chưa xong thì coi là quá hạn; không ghi hạn trả thì xét theo thời hạn quy định của thủ tục, thủ"
              " tục không rõ thời hạn thì không xét.",
              "(Closed on time in the period + open within term) / (closed in the period + open). Time waiting for a"
              " supplement is subtracted; one that waits for its first supplement is judged at the request; asked more"
              " than once and not finished counts as late; without a due date the statutory time of the procedure"
              " decides, and where that is unknown the dossier is not judged."),
        Kind.RATIO, total("ended_in_term", "open_in_term_766"), total("ended_judged", "open_judged_766"),
        Unit.SHARE, Direction.HIGHER, 5, "QĐ 766/QĐ-TTg, tiêu chí 2.1",
    ),
    Metric(
        "on_time_received", Label("Tỷ lệ đúng hạn trên số tiếp nhận (NĐ 61)", "On-time rate of received (Decree 61)"),
        Label("Tiếp nhận trong kỳ và đã xong đúng hạn / tiếp nhận", "Received and done on time / received"),
        Label("Trong số hồ sơ tiếp nhận trong kỳ: phần đã giải quyết trước hoặc đúng hạn tính đến cuối kỳ.",
              "Of the dossiers received in the period: the share resolved early or on time by its end."),
        Kind.RATIO, total("received_on_time"), total("received"), Unit.SHARE, Direction.HIGHER, 5,
        "NĐ 61/2018/NĐ-CP, Điều 30",
    ),
    Metric(
        "supplement_share", Label("Tỷ lệ hồ sơ phải bổ sung", "Share with a supplement"),
        Label("Có yêu cầu bổ sung / tiếp nhận", "Asked to supplement / received"),
        Label("Hồ sơ tiếp nhận trong kỳ có ít nhất một lần yêu cầu bổ sung / hồ sơ tiếp nhận có ghi số lần bổ sung.",
              "Received in the period and asked to supplement at least once / received with a known number of"
              " supplements."),
        Kind.RATIO, total("supplemented"), total("supplements_known"), Unit.SHARE, Direction.LOWER, 5,
        "NĐ 61/2018/NĐ-CP, Điều 17",
    ),
    Metric(
        "repeated_supplement_share", Label("Tỷ lệ hồ sơ phải bổ sung quá một lần", "Share supplemented repeatedly"),
        Label("Bổ sung quá một lần / tiếp nhận", "Supplemented more than once / received"),
        Label("Hồ sơ tiếp nhận trong kỳ bị yêu cầu bổ sung quá một lần / hồ sơ tiếp nhận có ghi số lần bổ sung: chỉ"
              " được yêu cầu bổ sung một lần.",
              "Received in the period and asked to supplement more than once / received with a known number of"
              " supplements: one request is allowed."),
        Kind.RATIO, total("supplemented_again"), total("supplements_known"), Unit.SHARE, Direction.LOWER, 5,
        "NĐ 61/2018/NĐ-CP, Điều 17; QĐ 766/QĐ-TTg, tiêu chí 2.1",
    ),
    Metric(
        "reappointment_share", Label("Tỷ lệ hồ sơ hẹn lại ngày trả", "Share re-appointed"),
        Label("Có hẹn lại / tiếp nhận", "Re-appointed / received"),
        Label("Hồ sơ tiếp nhận trong kỳ có hẹn lại ngày trả / hồ sơ tiếp nhận có ghi số lần hẹn lại.",
              "Received in the period and given a new due date by re-appointment / received with a known number of"
              " re-appointments."),
        Kind.RATIO, total("reappointed"), total("reappointments_known"), Unit.SHARE, Direction.LOWER, 5,
        "NĐ 61/2018/NĐ-CP, Điều 19 khoản 9",
    ),
    Metric(
        "slow_acceptance", Label("Chậm được tiếp nhận", "Slow acceptance"),
        Label("Nộp trực tuyến, quá 8 giờ làm việc chưa tiếp nhận", "Online, not accepted after 8 working hours"),
        Label("Hồ sơ nộp trực tuyến đã quá 8 giờ làm việc mà chưa được tiếp nhận hoặc từ chối tại thời điểm xét.",
              "Handed in online more than 8 hours of office time ago, and neither accepted nor refused."),
        Kind.STOCK, total("slow_acceptance"), direction=Direction.LOWER,
        legal_basis="NĐ 118/2025/NĐ-CP, Điều 17–18",
    ),
    Metric(
        "submitted_online", Label("Nộp trực tuyến trong kỳ", "Handed in online"),
        Label("Thời điểm nộp trực tuyến trong kỳ", "Handed in online in the period"),
        Label("Số hồ sơ trực tuyến có thời điểm nộp trong kỳ, đã tiếp nhận hay chưa.",
              "Online dossiers whose instant of submission lies in the period, accepted or not."),
        Kind.FLOW, total("submitted_online"),
    ),
    Metric(
        "slow_acceptance_share", Label("Tỷ lệ chậm được tiếp nhận", "Slow acceptance share"),
        Label("Quá 8 giờ làm việc mới hoặc chưa tiếp nhận / nộp trực tuyến", "Accepted late or not yet / online"),
        Label("Hồ sơ nộp trực tuyến trong kỳ phải chờ tiếp nhận quá 8 giờ làm việc, kể cả hồ sơ chưa tiếp nhận /"
              " hồ sơ nộp trực tuyến trong kỳ.",
              "Handed in online in the period and waited more than 8 hours of office time for acceptance, those still"
              " waiting included / handed in online in the period."),
        Kind.RATIO, total("accepted_late"), total("submitted_online"), Unit.SHARE, Direction.LOWER, 5,
        "NĐ 118/2025/NĐ-CP, Điều 17–18",
    ),
)  # fmt: skip
