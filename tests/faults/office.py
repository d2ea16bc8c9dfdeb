"""The intake system of the fault suite: a process of its own that serves units, dossiers and survey answers.

`python -m tests.faults.office PORT` serves them page by page; with FAULT_DIE_AT=n it sends half of its n-th reply and
then kills itself, as a machine does whose power goes. Everything is the same at every start.

No dossier has two versions within one batch, so that where the borders of batches lie does not show in what is kept
of changes; there are records of every fate: stored, changed, late and older, refused, refused for a unit that comes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

PAGE, BATCH = 10, 20
NUMBER = 60
LATE_UNIT = "27009"
"""The source of the units does not tell this one; it is loaded later."""
Record = dict[str, Any]


def units() -> list[Record]:
    return [
        {
            "MaDonVi": code, "TenDonVi": f"Xã {code}", "CapDonVi": "commune", "MaDonViCha": "785",
            "HieuLucTu": "20200101", "HieuLucDen": "", "ViDo": "10.7", "KinhDo": 106.5, "DanSo": "12345",
            "NgayCapNhat": "20220101000000",
        }
        for code in ("27001", "27002", "27003")
    ]  # fmt: skip


def dossier(number: int, **changes: Any) -> Record:  # noqa: ANN401 - a value of JSON
    return {
        "MaHoSo": f"H29.27-220301-{number:04d}", "MaTTHC": f"1.{number % 3:06d}", "TenTTHC": f"Thủ tục {number % 3}",
        "MaLinhVuc": "HT", "TenLinhVuc": "Hộ tịch", "KenhThucHien": str(1 + number % 3),
        "NgayNopHoSo": "20220301070000",
        "NgayTiepNhan": "20220301080000", "NgayHenTra": "20220305170000", "NgayTra": "", "NgayKetThucXuLy": "",
        "NgayTuChoi": "", "TrangThaiHoSo": "4", "HinhThuc": "0", "DonViXuLy": f"2700{1 + number % 3}",
        "DonViTiepNhan": "27001", "NoiNopHoSo": "2", "DuocThanhToanTrucTuyen": "1", "HoSoCoThanhPhanSoHoa": "1",
        "TaiLieuNop": [], "DanhSachHoSoBoSung": _supplements(number), "DanhSachGiayToKetQua": [],
        "NgayCapNhat": "20220302090000",
    } | changes  # fmt: skip


def _supplements(number: int) -> list[Record]:
    return [
        {"HoSoBoSungId": str(index), "NgayBoSung": "20220302080000", "NgayHenTraTruoc": "20220304170000"}
        for index in range(number % 4)
    ]


def dossiers() -> list[Record]:
    first = [dossier(number, **_trouble(number)) for number in range(NUMBER)]
    done = {"TrangThaiHoSo": "10", "NgayTra": "20220304090000", "NgayKetThucXuLy": "20220304080000"}
    second = [
        dossier(number, **done, NgayCapNhat="20220304090000", DanhSachHoSoBoSung=_supplements(number + 1))
        for number in range(0, NUMBER, 2)
    ]
    late = [dossier(number, TrangThaiHoSo="2", NgayCapNhat="20220301080000") for number in range(0, NUMBER, 5)]
    return first + second + late


def _trouble(number: int) -> Record:
    """Some of the first versions are refused; of those with even numbers a good one comes later."""
    if number % 10 == 3:
        return {"DonViXuLy": LATE_UNIT}
    if number % 10 == 5:
        return {"NgayTiepNhan": "hôm qua"}
    return {"KenhThucHien": "9"} if number % 10 == 8 else {}


def surveys() -> list[Record]:
    return [
        {
            "id": f"s{number}", "MaDonVi": LATE_UNIT if number % 9 == 4 else "27001", "MaHoSo": "", "ThietBi": "kiosk",
            "ThoiGianDanhGia": "20220304100000", "DanhGia": "Hài lòng" if number % 7 else "?",
            "NgayCapNhat": "20220304100000",
        }
        for number in range(45)
    ]  # fmt: skip


LISTS = {"/units": units(), "/dossiers": dossiers(), "/surveys": surveys()}


class Handler(BaseHTTPRequestHandler):
    """Answers one page of a list; on its n-th request the process dies in the middle of the answer."""

    requests = 0
    die_at = int(os.environ.get("FAULT_DIE_AT", "0"))

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        parts = urlparse(self.path)
        query = parse_qs(parts.query)
        start, size = int(query.get("cursor", ["0"])[0]), int(query.get("limit", ["1000"])[0])
        found = LISTS[parts.path][start : start + size]
        body = json.dumps({"data": found, "next_cursor": str(start + len(found))}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        Handler.requests += 1
        if Handler.requests == self.die_at:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        self.wfile.write(body)


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever(poll_interval=0.02)


if __name__ == "__main__":
    main()
