"""Channels, payment and digitisation: how dossiers come in, how results go out, what was done electronically."""

from __future__ import annotations

from metrics.metric import Direction, Kind, Metric, Unit, total
from warehouse.vocabulary import Label

METRICS = (
    Metric(
        "online_share", Label("Tỷ lệ nộp trực tuyến trên tổng tiếp nhận", "Online share of all received"),
        Label("Trực tuyến / tiếp nhận", "Online / received"),
        Label("Nộp trực tuyến / tiếp nhận có ghi kênh.", "Handed in online / received with a known channel."),
        Kind.RATIO, total("received_online"), total("received_known"), Unit.SHARE, Direction.HIGHER, 5,
    ),
    Metric(
        "online_share_eligible",
        Label("Tỷ lệ nộp trực tuyến trên thủ tục có dịch vụ trực tuyến", "Online share where online is offered"),
        Label("Trực tuyến / tiếp nhận, thủ tục có dịch vụ trực tuyến", "Online / received, where online is offered"),
        Label("Nộp trực tuyến / tiếp nhận có ghi kênh, chỉ thủ tục một phần hoặc toàn trình.",
              "Handed in online / received with a known channel, only procedures partly online or fully online."),
        Kind.RATIO, total("eligible_online"), total("eligible"), Unit.SHARE, Direction.HIGHER, 5,
        "QĐ 766/QĐ-TTg, tiêu chí 3.3; NĐ 42/2022/NĐ-CP",
    ),
    Metric(
        "full_online_share", Label("Tỷ lệ trực tuyến toàn trình", "Fully online share"),
        Label("Nộp trực tuyến thủ tục toàn trình / tiếp nhận", "Online, fully online procedure / received"),
        Label("Nộp trực tuyến thuộc thủ tục toàn trình (trước 2022: mức độ 4) / tiếp nhận có ghi kênh.",
              "Handed in online for a fully online procedure (level 4 until 2022) / received with a known channel."),
        Kind.RATIO, total("received_full_online"), total("received_known"), Unit.SHARE, Direction.HIGHER, 5,
        "NĐ 42/2022/NĐ-CP",
    ),
    Metric(
        "partial_online_share", Label("Tỷ lệ trực tuyến một phần", "Partly online share"),
        Label("Nộp trực tuyến thủ tục một phần / tiếp nhận", "Online, partly online procedure / received"),
        Label("Nộp trực tuyến thuộc thủ tục một phần (trước 2022: mức độ 3) / tiếp nhận có ghi kênh.",
              "Handed in online for a partly online procedure (level 3 until 2022) / received with a known channel."),
        Kind.RATIO, total("received_partial_online"), total("received_known"), Unit.SHARE, Direction.NONE, 5,
        "NĐ 42/2022/NĐ-CP",
    ),
    Metric(
        "post_in_share", Label("Tỷ lệ nộp qua bưu chính công ích", "Share handed in by post"),
        Label("Qua bưu chính / tiếp nhận", "By post / received"),
        Label("Nộp qua bưu chính / tiếp nhận có ghi kênh.", "Handed in by post / received with a known channel."),
        Kind.RATIO, total("received_post"), total("received_known"), Unit.SHARE, Direction.NONE, 5,
    ),
    Metric(
        "post_out_share", Label("Tỷ lệ trả kết quả qua bưu chính công ích", "Share returned by post"),
        Label("Trả qua bưu chính / có ghi hình thức trả", "By post / known way of return"),
        Label("Đăng ký trả qua bưu chính / tiếp nhận trong kỳ có ghi hình thức trả.",
              "To be returned by post / received in the period with a known way of return."),
        Kind.RATIO, total("return_post"), total("return_known"), Unit.SHARE, Direction.NONE, 5,
    ),
    Metric(
        "online_payment_share", Label("Tỷ lệ thanh toán trực tuyến", "Paid online"),
        Label("Thanh toán trực tuyến / hồ sơ có phí", "Paid online / dossiers with a fee"),
        Label("Thanh toán qua Cổng quốc gia hoặc cổng bộ, tỉnh / tiếp nhận trong kỳ thuộc thủ tục có phí, có ghi cách"
              " thanh toán.",
              "Paid through the national or a ministry or province gateway / received in the period for procedures with"
              " a fee, with a known way of payment."),
        Kind.RATIO, total("paid_online"), total("payment_known"), Unit.SHARE, Direction.HIGHER, 5,
        "QĐ 766/QĐ-TTg, tiêu chí 3.6",
    ),
    Metric(
        "digitised_share", Label("Tỷ lệ số hóa thành phần hồ sơ", "Digitised share"),
        Label("Có thành phần số hóa / tiếp nhận", "With digitised documents / received"),
        Label("Hồ sơ tiếp nhận trong kỳ có thành phần được số hóa / hồ sơ có ghi thông tin này.",
              "Received in the period with digitised documents / received where this is known."),
        Kind.RATIO, total("digitised"), total("digitised_known"), Unit.SHARE, Direction.HIGHER, 5,
        "QĐ 766/QĐ-TTg, tiêu chí 4.2",
    ),
    Metric(
        "reused_share", Label("Tỷ lệ tái sử dụng dữ liệu số hóa", "Share with reused data"),
        Label("Có giấy tờ tái sử dụng / tiếp nhận", "With reused documents / received"),
        Label("Hồ sơ tiếp nhận trong kỳ có ít nhất một thành phần tái sử dụng / hồ sơ có ghi thông tin này.",
              "Received in the period with at least one reused document / received where this is known."),
        Kind.RATIO, total("reused"), total("reused_known"), Unit.SHARE, Direction.HIGHER, 5,
        "QĐ 766/QĐ-TTg, tiêu chí 4.3",
    ),
    Metric(
        "e_result_share", Label("Tỷ lệ cấp kết quả điện tử", "Electronic result share"),
        Label("Có kết quả điện tử / đã giải quyết", "With an electronic result / resolved"),
        Label("Hồ sơ giải quyết trong kỳ có kết quả điện tử / hồ sơ giải quyết có ghi thông tin này.",
              "Resolved in the period with an electronic result / resolved where this is known."),
        Kind.RATIO, total("e_result"), total("e_result_known"), Unit.SHARE, Direction.HIGHER, 5,
        "QĐ 766/QĐ-TTg, tiêu chí 4.1",
    ),
    Metric(
        "interlinked_share", Label("Tỷ lệ hồ sơ liên thông", "Interlinked share"),
        Label("Liên thông / tiếp nhận", "Interlinked / received"),
        Label("Hồ sơ liên thông / hồ sơ tiếp nhận trong kỳ có ghi thông tin này.",
              "Interlinked / received in the period where this is known."),
        Kind.RATIO, total("interlinked"), total("interlinked_known"), Unit.SHARE, Direction.NONE, 5,
    ),
)  # fmt: skip
