"""Helpers of the connectors' tests: units, sources, records, and the contents of tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, insert, select

from warehouse.schema import unit
from warehouse.settings import Settings
from warehouse.sources import FileSettings, RestSettings, SourceSettings
from warehouse.vocabulary import Entity

NOW = datetime(2022, 6, 1, 3, 0, tzinfo=UTC)
UNITS = ("27001", "27002")
CLOCKS = frozenset({"seen_at", "started_at", "finished_at", "first_seen_at", "resolved_at", "updated_at", "changed_at"})


def insert_units(
    engine: Engine, codes: Iterable[str] = UNITS, *, first_day: date = date(2000, 1, 1), kind: str = "commune"
) -> None:
    with engine.begin() as connection:
        connection.execute(
            insert(unit), [{"code": code, "valid_from": first_day, "name": code, "kind": kind} for code in codes]
        )


def table_rows(engine: Engine, table: Table, *, without: Sequence[str] = ()) -> list[tuple[Any, ...]]:
    """Every row of a table in the order of its key."""
    columns = [column for column in table.columns if column.name not in without]
    with engine.connect() as connection:
        rows = connection.execute(select(*columns).order_by(*table.primary_key.columns)).all()
    return [tuple(row) for row in rows]


def rest_source(url: str, entity: Entity = Entity.DOSSIER, mapping: str = "dvcqg", **options: Any) -> SourceSettings:  # noqa: ANN401
    reader = {"kind": "rest", "url": url, "timeout_seconds": 2.0, "retries": 1} | options.pop("reader", {})
    return SourceSettings(
        name=options.pop("name", "mot-cua"), entity=entity, reader=RestSettings(**reader), mapping=mapping, **options
    )


def file_source(
    *paths: Path,
    entity: Entity = Entity.DOSSIER,
    mapping: str = "dvcqg",
    **options: Any,  # noqa: ANN401
) -> SourceSettings:
    reader = FileSettings(**({"kind": "file", "path": paths, "settle_seconds": 0} | options.pop("reader", {})))
    return SourceSettings(name=options.pop("name", "mot-cua"), entity=entity, reader=reader, mapping=mapping, **options)


def settings_of(*sources: SourceSettings) -> Settings:
    return Settings(sources=sources)


def record(number: int = 1, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A dossier of the exchange, complete and without fault."""
    return {
        "MaHoSo": f"H29.27-220301-{number:04d}", "MaTTHC": "1.000110", "TenTTHC": "Đăng ký khai sinh",
        "MaLinhVuc": "HT", "TenLinhVuc": "Hộ tịch", "KenhThucHien": "2", "NgayNopHoSo": "20220301070000",
        "NgayTiepNhan": "20220301080000", "NgayHenTra": "20220305170000", "NgayTra": "20220304090000",
        "NgayKetThucXuLy": "20220304080000", "NgayTuChoi": "", "TrangThaiHoSo": "10", "HinhThuc": "0",
        "DonViXuLy": "27001", "DonViTiepNhan": "27001", "NoiNopHoSo": "2", "DuocThanhToanTrucTuyen": "1",
        "HoSoCoThanhPhanSoHoa": "1", "TaiLieuNop": [], "DanhSachHoSoBoSung": [], "DanhSachGiayToKetQua": [],
        "NgayCapNhat": "20220304090000",
    } | changes  # fmt: skip
