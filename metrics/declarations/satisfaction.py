"""What people answer. Scales are never mixed: each answer form has metrics of its own."""

from __future__ import annotations

from metrics.metric import Direction, Kind, Metric, Unit, total
from warehouse.vocabulary import Label

_DECREE_61 = "NĐ 61/2018/NĐ-CP, Điều 29"

METRICS = (
    Metric(
        "satisfied_share", Label("Tỷ lệ hài lòng", "Satisfied share"),
        Label("Hài lòng và rất hài lòng / số phiếu (ba mức)", "Satisfied or very satisfied / answers (three levels)"),
        Label("Phiếu ba mức hài lòng hoặc rất hài lòng / phiếu ba mức có câu trả lời trong kỳ (không phải tiêu chí của"
              " 766).",
              "Three-level answers satisfied or very satisfied / three-level answers in the period (not the"
              " satisfaction component of 766)."),
        Kind.RATIO, total("satisfied_three"), total("answered_three"), Unit.SHARE, Direction.HIGHER, 30, _DECREE_61,
    ),
    Metric(
        "satisfied_share_five", Label("Tỷ lệ hài lòng (thang năm mức)", "Satisfied share (five levels)"),
        Label("Hài lòng và rất hài lòng / số phiếu (năm mức)", "Satisfied or very satisfied / answers (five levels)"),
        Label("Phiếu năm mức hài lòng hoặc rất hài lòng / phiếu năm mức có câu trả lời trong kỳ.",
              "Five-level answers satisfied or very satisfied / five-level answers in the period."),
        Kind.RATIO, total("satisfied_five"), total("answered_five"), Unit.SHARE, Direction.HIGHER, 30, _DECREE_61,
    ),
    Metric(
        "mean_score_three", Label("Điểm hài lòng bình quân (thang 1–3)", "Mean score (1 to 3)"),
        Label("Tổng điểm / số phiếu (ba mức)", "Points / answers (three levels)"),
        Label("Tổng điểm (1 không hài lòng, 2 hài lòng, 3 rất hài lòng) / phiếu ba mức có điểm trong kỳ.",
              "Points (1 not satisfied, 2 satisfied, 3 very satisfied) / three-level answers with a score."),
        Kind.RATIO, total("score_three"), total("scored_three"), Unit.POINTS, Direction.HIGHER, 30, _DECREE_61,
    ),
    Metric(
        "mean_score_five", Label("Điểm hài lòng bình quân (thang 1–5)", "Mean score (1 to 5)"),
        Label("Tổng điểm / số phiếu (năm mức)", "Points / answers (five levels)"),
        Label("Tổng điểm (1 rất không hài lòng đến 5 rất hài lòng) / phiếu năm mức có điểm trong kỳ.",
              "Points (1 very dissatisfied to 5 very satisfied) / five-level answers with a score."),
        Kind.RATIO, total("score_five"), total("scored_five"), Unit.POINTS, Direction.HIGHER, 30, _DECREE_61,
    ),
    Metric(
        "mean_form_score", Label("Điểm phiếu đánh giá bình quân (0–2 mỗi câu)", "Mean score of the 0–2 form"),
        Label("Tổng điểm / số phiếu (mẫu 0–2)", "Points / answers (0–2 form)"),
        Label("Tổng điểm các câu (mỗi câu 0, 1 hoặc 2) / phiếu mẫu 0–2 có điểm trong kỳ.",
              "Points of all questions (0, 1 or 2 each) / answers on the 0–2 form with a score."),
        Kind.RATIO, total("score_form"), total("scored_form"), Unit.POINTS, Direction.HIGHER, 30,
        "TT 01/2018/TT-VPCP, Điều 13–15",
    ),
    Metric(
        "answers", Label("Số phiếu đánh giá", "Survey answers"),
        Label("Phiếu trả lời trong kỳ", "Answered in the period"),
        Label("Số phiếu đánh giá trả lời trong kỳ, mọi mẫu phiếu.", "Survey answers of the period, of every form."),
        Kind.FLOW, total("answers"), unit=Unit.ANSWERS,
    ),
    Metric(
        "response_rate", Label("Tỷ lệ phản hồi", "Response rate"),
        Label("Số phiếu / hồ sơ đã trả kết quả", "Answers / results handed over"),
        Label("Phiếu đánh giá trong kỳ / hồ sơ trả kết quả trong kỳ. Tỷ lệ hài lòng chỉ nói về những người đã trả lời.",
              "Survey answers of the period / results handed over in the period. The satisfied share speaks only of"
              " those who answered."),
        Kind.RATIO, total("answers"), total("handed_over"), Unit.SHARE, Direction.HIGHER, 30,
    ),
)  # fmt: skip
