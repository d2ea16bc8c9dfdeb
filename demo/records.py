"""Records as the wire carries them: the field set of DongBoHoSoMC, survey answers, procedures and units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from demo.catalogue import LEVEL_WORDS
from demo.draw import chance
from demo.office import NEVER, Flags, Ints, day_start, stamps
from demo.paths import EVENTS, Lives
from demo.people import people
from demo.scenario import Scenario
from demo.simulation import Simulation
from warehouse.vocabulary import Channel, Payment, Status

Record = dict[str, Any]
UNIT_KINDS = ("province", "district", "commune", "department")
_GAP_NOTE, _MOVED_NOTE = "", "Đã gửi thư xin lỗi và hẹn lại ngày trả (lần 1)"
_PAPERS = ("Tờ khai theo mẫu", "Bản sao Căn cước công dân", "Giấy tờ liên quan")
_COMMENTS = ("", "", "", "", "Cán bộ hướng dẫn tận tình", "Giải quyết nhanh", "Cần thêm ghế ngồi chờ", "Chờ hơi lâu")


def take(lives: Lives, rows: Ints) -> Lives:
    """Return the given rows of life paths."""
    return Lives(**{name: column[rows] for name, column in vars(lives).items()})


def status_at(lives: Lives, now: int) -> Ints:
    """Return TrangThaiHoSo of each dossier as of `now` (local seconds, exclusive)."""
    past = {name: getattr(lives, name) < now for name in EVENTS}
    return np.select(
        [
            past["refused"],
            past["returned"],
            past["finished"],
            past["asked"] & ~past["answered"],
            past["assigned"],
            past["received"],
        ],
        [
            np.full(len(lives), Status.NOT_ACCEPTED),
            np.full(len(lives), Status.RETURNED),
            lives.end_status,
            lives.asked_status,
            np.full(len(lives), Status.PROCESSING),
            np.full(len(lives), Status.ACCEPTED),
        ],
        Status.REGISTERED,
    ).astype(np.int64)


def due_at(lives: Lives, now: int) -> Ints:
    """Return the due date that holds as of `now`: of the receipt, of the answered supplement, of the re-appointment."""
    due = np.where(lives.received < now, lives.due, NEVER)
    due = np.where(lives.answered < now, lives.due_answered, due)
    return np.where(lives.moved < now, lives.due_moved, due)


def dossier_records(simulation: Simulation, rows: Ints, changed: Ints, now: int) -> list[Record]:
    """Return the records of some dossiers (rows of `simulation.lives`) as of `now`, with their last change."""
    return _DossierPage(simulation, rows, changed, now).records()


class _DossierPage:
    """Whole columns are made first, as lists of texts; then one record after the other is put together."""

    def __init__(self, simulation: Simulation, rows: Ints, changed: Ints, now: int) -> None:
        self.scenario, self.now = simulation.scenario, now
        self.lives = take(simulation.lives, rows)
        lives = self.lives
        self.codes = simulation.coder.texts(lives.unit, lives.code_instant, lives.serial)
        self.keys = simulation.coder.keys(lives.unit, lives.code_instant, lives.serial)
        self.changed = changed

    def records(self) -> list[Record]:
        columns = self._columns()
        names = tuple(columns)
        fixed = _procedure_parts(self.scenario)
        made: list[Record] = []
        for procedure, values in zip(self.lives.procedure.tolist(), zip(*columns.values(), strict=True), strict=True):
            record = dict(zip(names, values, strict=True))
            record.update(fixed[procedure])
            made.append(record)
        return made

    def _columns(self) -> dict[str, list[Any]]:
        lives, keys, who = self.lives, self.keys, people(self.keys)
        count = len(lives)
        status = status_at(lives, self.now)
        units = [unit.code for unit in self.scenario.units]
        unit = [units[n] for n in lives.unit.tolist()]
        company = (chance(keys, 11) < 0.08) + 1
        return {
            "MaHoSo": self.codes,
            "KenhThucHien": lives.channel.tolist(),
            "ChuHoSo": who.name,
            "SoGiayToChuHoSo": who.identity,
            "LoaiDoiTuong": company.tolist(),
            "MaDoiTuong": [f"CD{identity[-6:]}" for identity in who.identity],
            "DinhDanhCHS": [[{"LoaiDinhDanh": 1, "SoDinhDanh": identity}] for identity in who.identity],
            "Email": [f"{identity[-8:]}@example.vn" for identity in who.identity],
            "Fax": [""] * count,
            "SoDienThoai": who.phone,
            "ThongTinKhac": [""] * count,
            "TrichYeuHoSo": [f"Hồ sơ của ông (bà) {name}" for name in who.name],
            "NgayNopHoSo": stamps(lives.submitted),
            "NgayTiepNhan": self._past(lives.received),
            "NgayHenTra": stamps(due_at(lives, self.now)),
            "NgayTra": self._past(lives.returned),
            "NgayKetThucXuLy": self._past(lives.finished),
            "NgayTuChoi": self._past(lives.refused),
            "TrangThaiHoSo": status.tolist(),
            "HinhThuc": lives.post_out.astype(int).tolist(),
            "DonViXuLy": unit,
            "DonViTiepNhan": unit,
            "NoiNopHoSo": np.where((lives.channel == Channel.ONLINE) & (chance(keys, 12) < 0.6), "1", "2").tolist(),
            "DuocThanhToanTrucTuyen": self._payment().tolist(),
            "HoSoCoThanhPhanSoHoa": (chance(keys, 13) < 0.7).astype(int).tolist(),
            "TaiKhoanDuocXacThucVoiVNeID": (chance(keys, 14) < 0.5).astype(int).tolist(),
            "DSKetNoiCSDL": [[{"MaCSDL": "7"}] if yes else [] for yes in (chance(keys, 15) < 0.45).tolist()],
            "TaiLieuNop": self._papers(),
            "DanhSachLePhi": [[]] * count,
            "DanhSachHoSoBoSung": self._supplements(),
            "DanhSachGiayToKetQua": self._results(status),
            "GhiChu": np.where(lives.moved < self.now, _MOVED_NOTE, "").tolist(),
            "NgayCapNhat": stamps(self.changed),
        }

    def _past(self, instants: Ints) -> list[str]:
        return stamps(np.where(instants < self.now, instants, NEVER))

    def _payment(self) -> Ints:
        """Only fees are paid; those who come online mostly pay online."""
        draw, online = chance(self.keys, 16), self.lives.channel == Channel.ONLINE
        fee = np.array([row.fee for row in self.scenario.procedures])[self.lives.procedure]
        gate = np.where(draw < 0.5, Payment.NATIONAL_GATEWAY, Payment.LOCAL_GATEWAY)
        desk = np.where(draw < 0.06, Payment.LOCAL_GATEWAY, Payment.OFFLINE)
        paid = np.where(online, np.where(draw < 0.8, gate, Payment.OFFLINE), desk)
        return np.where(fee, paid, Payment.NONE).astype(np.int64)

    def _papers(self) -> list[list[Record]]:
        kinds = (chance(self.keys, 17) * len(_PAPERS)).astype(np.int64).tolist()
        reused = np.where(chance(self.keys, 18) < 0.22, 1, 0).tolist()
        return [
            [
                {
                    "TepDinhKemId": f"{code}-1",
                    "TenTepDinhKem": f"{_PAPERS[kind]}.pdf",
                    "MaThanhPhanHoSo": f"TP{kind + 1}",
                    "DuongDanTaiTepTin": f"/tep/{code}-1",
                    "DuocSoHoa": 1,
                    "DuocTaiSuDung": again,
                    "DuocLayTuKhoDMQG": 0,
                    "MaKetQuaThayThe": "",
                    "IsDeleted": 0,
                }
            ]
            for code, kind, again in zip(self.codes, kinds, reused, strict=True)
        ]

    def _supplements(self) -> list[list[Record]]:
        lives, now = self.lives, self.now
        lists: list[list[Record]] = [[] for _ in range(len(lives))]
        for row in np.flatnonzero(lives.asked < now).tolist():
            answered = lives.answered[row] < now
            asked_at, old, back, new = stamps(
                np.array([lives.asked[row], lives.due[row], lives.answered[row], lives.due_answered[row]])
            )
            lists[row].append(
                {
                    "HoSoBoSungId": f"{self.codes[row]}-BS1",
                    "NguoiYeuCauBoSung": "Bộ phận Một cửa",
                    "NoiDungBoSung": "Bổ sung giấy tờ còn thiếu",
                    "NgayBoSung": asked_at,
                    "NgayTiepNhanBoSung": back if answered else "",
                    "TrangThaiBoSung": 1 if answered else 0,
                    "NgayHenTraTruoc": old,
                    "NgayHenTraMoi": new if answered else "",
                }
            )
        return lists

    def _results(self, status: Ints) -> list[list[Record]]:
        done = np.isin(status, (Status.FINISHED, Status.RETURNED))
        electronic = (done & (chance(self.keys, 19) < 0.55)).tolist()
        return [
            [
                {
                    "TenGiayTo": "Kết quả giải quyết thủ tục hành chính",
                    "MaThanhPhanHoSo": "KQ1",
                    "GiayToId": f"{code}-KQ",
                    "DuongDanTepTinKetQua": f"/ket-qua/{code}" if link else "",
                    "MaGiayToKetQua": "KQ.G00.000001",
                }
            ]
            if finished
            else []
            for code, finished, link in zip(self.codes, done.tolist(), electronic, strict=True)
        ]


def _procedure_parts(scenario: Scenario) -> list[Record]:
    return [
        {"MaTTHC": row.code, "TenTTHC": row.name, "MaLinhVuc": row.field_code, "TenLinhVuc": row.field}
        for row in scenario.procedures
    ]


def survey_records(simulation: Simulation, rows: Ints, changed: Ints, now: int) -> list[Record]:
    """Return the survey answers of some dossiers; a quarter or so does not say to which dossier it belongs."""
    del now
    lives = take(simulation.lives, rows)
    codes = simulation.coder.texts(lives.unit, lives.code_instant, lives.serial)
    keys = simulation.coder.keys(lives.unit, lives.code_instant, lives.serial)
    scenario = simulation.scenario
    units = [unit.code for unit in scenario.units]
    happy: Flags = chance(keys, 21) < simulation.habits.satisfied[lives.unit]
    words = np.where(happy, np.where(chance(keys, 22) < 0.7, "Rất hài lòng", "Hài lòng"), "Không hài lòng").tolist()
    desk = np.where(chance(keys, 23) < 0.25, "kiosk", "ipad")
    device = np.where(lives.channel == Channel.ONLINE, "web", desk).tolist()
    nameless = ((lives.channel != Channel.ONLINE) & (chance(keys, 24) < scenario.file.surveys.anonymous)).tolist()
    remark = (chance(keys, 25) * len(_COMMENTS)).astype(np.int64).tolist()
    at = stamps(changed)
    return [
        {
            "id": f"DG.{code.partition('.')[2]}",
            "MaDonVi": units[lives.unit[n]],
            "MaHoSo": "" if nameless[n] else code,
            "ThietBi": device[n],
            "ThoiGianDanhGia": at[n],
            "DanhGia": words[n],
            "GopY": _COMMENTS[remark[n]] if words[n] != "Không hài lòng" else "Trả kết quả chậm so với ngày hẹn",
            "NgayCapNhat": at[n],
        }
        for n, code in enumerate(codes)
    ]


def procedure_records(scenario: Scenario, changed: int) -> list[Record]:
    """Return the catalogue, in the order of the codes."""
    at = stamps(np.array([changed]))[0]
    return [
        {
            "MaTTHC": row.code,
            "TenTTHC": row.name,
            "MaLinhVuc": row.field_code,
            "TenLinhVuc": row.field,
            "CapThucHien": LEVEL_WORDS[row.level],
            "MucDo": row.online,
            "ThoiGianGiaiQuyet": row.time,
            "DonViThoiGian": row.unit,
            "CoPhi": int(row.fee),
            "NgayCapNhat": at,
        }
        for row in sorted(scenario.procedures, key=lambda row: row.code)
    ]


def unit_records(scenario: Scenario, changed: int) -> list[Record]:
    """Return the unit tree, in the order of the codes; the demonstration's units never end."""
    at, valid_from = stamps(np.array([changed, day_start(scenario.valid_from)]))
    return [
        {
            "MaDonVi": unit.code,
            "TenDonVi": unit.name,
            "CapDonVi": unit.kind,
            "MaDonViCha": unit.parent,
            "HieuLucTu": valid_from[:8],
            "HieuLucDen": "",
            "ViDo": unit.lat,
            "KinhDo": unit.lon,
            "DanSo": unit.population,
            "NgayCapNhat": at,
        }
        for unit in sorted(scenario.units, key=lambda unit: unit.code)
    ]


Maker = Callable[[Simulation, Ints, Ints, int], list[Record]]
