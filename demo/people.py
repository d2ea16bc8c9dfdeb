"""Invented applicants, so that a reader of the wire has personal data to leave out. Nobody real is meant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from demo.draw import chance
from demo.office import Ints

_FAMILY = (
    *("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Hoàng", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô"),
    *("Dương", "Lý", "Đoàn", "Trịnh", "Mai", "Cao"),
)
_MIDDLE = ("Văn", "Thị", "Hữu", "Ngọc", "Minh", "Thanh", "Quốc", "Thị Kim", "Đức", "Thị Hồng", "Gia", "Xuân")
_GIVEN = (
    *("An", "Bình", "Châu", "Dung", "Giang", "Hà", "Hạnh", "Hiếu", "Hòa", "Hùng", "Hương", "Khánh", "Lan", "Linh"),
    *("Long", "Mai", "Nam", "Nga", "Nhung", "Phong", "Phúc", "Quang", "Quyên", "Sơn", "Tâm", "Thảo", "Thắng"),
    *("Trang", "Trung", "Tuấn", "Tú", "Uyên", "Vinh", "Yến"),
)
_MOBILE = ("090", "093", "070", "079", "091", "094", "081", "097", "098", "033", "036", "086")
_BORN = ("079", "080", "001", "036", "082", "075", "064", "072")


@dataclass(frozen=True)
class People:
    """Applicants of one page of dossiers, one entry a dossier."""

    name: list[str]
    identity: list[str]
    phone: list[str]


def people(keys: Ints) -> People:
    """Return the invented applicant of each dossier key, always the same one."""

    def choose(words: tuple[str, ...], salt: int) -> list[str]:
        index = (chance(keys, salt) * len(words)).astype(np.int64)
        return [words[n] for n in index.tolist()]

    def digits(salt: int, count: int) -> list[str]:
        return [f"{n:0{count}d}" for n in (chance(keys, salt) * 10**count).astype(np.int64).tolist()]

    name = [" ".join(parts) for parts in zip(choose(_FAMILY, 1), choose(_MIDDLE, 2), choose(_GIVEN, 3), strict=True)]
    identity = [place + rest for place, rest in zip(choose(_BORN, 4), digits(5, 9), strict=True)]
    phone = [prefix + rest for prefix, rest in zip(choose(_MOBILE, 6), digits(7, 7), strict=True)]
    return People(name, identity, phone)
