"""Senders of pushed records: accounts, calls, and how real one-stop systems judge a reply."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from connectors.push import Reply, Sent
from tests.connectors.support import NOW, record
from warehouse.sources import PushSettings, SourceSettings
from warehouse.vocabulary import Entity

USERNAME, PASSWORD = "vendor", "một-mật-khẩu-dài"


def push_source(entity: Entity = Entity.DOSSIER, *, name: str = "mot-cua", **options: Any) -> SourceSettings:  # noqa: ANN401
    reader = {"kind": "push", "username": USERNAME, "password": SecretStr(PASSWORD)} | options.pop("reader", {})
    mapping = options.pop("mapping", "dvcqg-step" if entity is Entity.DOSSIER_STEP else "dvcqg-push")
    return SourceSettings(name=name, entity=entity, reader=PushSettings(**reader), mapping=mapping, **options)


def reader(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """Options of a reader, a password as text."""
    return {"reader": {name: SecretStr(value) if name == "password" else value for name, value in changes.items()}}


def sent(
    body: Any,  # noqa: ANN401
    path: str = "",
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    at: datetime = NOW,
    address: str = "10.0.0.1",
) -> Sent:
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    lower = {name.casefold(): value for name, value in (query or {}).items()}
    return Sent(path, lower, headers or {}, content, address, at)


def call(records: Any, session: str, *, service: str = "DongBoHoSoMC", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A call in the form of the portal's adapter."""
    return {
        "session": session, "madonvi": "000.00.01.H29", "service": service, "isUpdating": "False", "data": records,
    } | more  # fmt: skip


def step(number: int = 1, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A step of a dossier, complete and without fault."""
    return {
        "MaHoSo": f"H29.27-220301-{number:04d}", "NguoiXuLy": "Cán bộ một cửa", "ChucDanh": "",
        "ThoiDiemXuLy": "20220301090000", "PhongBanXuLy": "Bộ phận Một cửa", "NoiDungXuLy": "Tiếp nhận hồ sơ",
        "TrangThai": "2", "NgayBatDau": "", "NgayKetThucTheoQuyDinh": "20220305170000",
    } | changes  # fmt: skip


def bare(number: int = 1, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A dossier as the leanest sender makes it: what the portal does not insist on is not there."""
    kept = (
        "MaHoSo", "MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "NgayTiepNhan", "NgayHenTra", "TrangThaiHoSo",
        "HinhThuc", "DonViXuLy", "TaiLieuNop", "DanhSachGiayToKetQua",
    )  # fmt: skip
    whole = record(number)
    return {name: whole[name] for name in kept} | changes


def adapter_client_is_content(reply: Reply) -> bool:
    """How a system that speaks through the portal's adapter judges the reply to dossiers, in its older version."""
    return reply.status < 400 and str(reply.body.get("error_code", "")) == "00"


def list_client_is_content(reply: Reply) -> bool:
    """How a system that posts the bare list judges the reply to new dossiers."""
    text = str(reply.body.get("message", ""))
    return str(reply.body.get("error_code")) == "0" and "đã tồn tại" not in text and "thành công" in text.lower()


def text_client_is_content(text: str) -> bool:
    """How the same system judges the reply to steps: by its text, whatever else it holds."""
    return "thành công" in text.lower()


def codes_of(reply: Reply) -> Sequence[str]:
    return [item["MaHoSo"] for item in reply.body.get("result", [])]
