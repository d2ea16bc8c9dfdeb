"""The portal's list: whole for any page size, and it disagrees with the intake exactly as it declares."""

from __future__ import annotations

from datetime import datetime
from itertools import product
from typing import Any

import pytest

from demo.intake import BadRequest, Intake
from demo.office import ZONE, local_seconds
from demo.portal import SHARES, Portal
from demo.scenario import load
from tests.demo.conftest import Record, Starter
from tests.demo.test_parts import Clock

COMPARED = {
    "status_differs": "TrangThaiHoSo", "due_differs": "NgayHenTra", "finished_differs": "NgayKetThucXuLy",
    "unit_differs": "DonViXuLy", "received_differs": "NgayTiepNhan",
}  # fmt: skip


def read(source: Any, limit: int, *name: str) -> dict[str, Record]:  # noqa: ANN401 - an intake or its portal
    found: dict[str, Record] = {}
    cursor = ""
    while (page := source.page(*name, cursor, limit)).records:
        assert len(page.records) <= max(limit, 2)
        for record in page.records:
            assert record["MaHoSo"] not in found
            found[record["MaHoSo"]] = record
        assert page.cursor != cursor
        cursor = page.cursor
    return found


def compared(ours: dict[str, Record], theirs: dict[str, Record]) -> dict[str, set[str]]:
    """How two lists differ, by plain comparison."""
    found = {code: {"missing_there"} for code in ours.keys() - theirs.keys()}
    found |= {code: {"missing_here"} for code in theirs.keys() - ours.keys()}
    for code, (kind, field) in product(ours.keys() & theirs.keys(), COMPARED.items()):
        if ours[code][field] != theirs[code][field]:
            found.setdefault(code, set()).add(kind)
    return found


def test_the_lists_disagree_exactly_as_declared() -> None:
    clock = Clock(local_seconds(datetime(2026, 11, 20, 10, 30, tzinfo=ZONE)))
    intake = Intake(load("live-binh-chanh"), clock, None)
    portal = Portal(intake)
    clock.now += 7_200
    ours = read(intake, 10_000, "dossiers")
    declared = {row["MaHoSo"]: set(row["KhacBiet"]) for row in portal.disagreements()}
    assert compared(ours, read(portal, 10_000)) == declared
    kinds = set().union(*declared.values())
    assert kinds >= {"missing_there", "missing_here", "due_differs", "finished_differs", "unit_differs"}
    assert 0.5 < len(declared) / (len(ours) * sum(SHARES.values())) < 1.5


def test_the_portal_is_whole_for_any_page_size_and_follows_a_live_intake() -> None:
    clock = Clock(local_seconds(datetime(2026, 11, 20, 23, 40, tzinfo=ZONE)))
    portal = Portal(Intake(load("live-binh-chanh"), clock, None))
    held = read(portal, 9_999)
    assert held == read(portal, 777)
    cursor = portal.page("", 10_000).cursor
    while (page := portal.page(cursor, 10_000)).records:
        cursor = page.cursor
    for size in (1, 2, 5, 400):
        clock.now += 3_000
        while (page := portal.page(cursor, size)).records:
            held |= {row["MaHoSo"]: row for row in page.records}
            cursor = page.cursor
    assert held == read(portal, 10_000)
    with pytest.raises(BadRequest):
        portal.page("yesterday", 10)


def test_over_the_wire(start: Starter) -> None:
    server = start("vu-ban-2022h1")
    first = server.get("/portal/dossiers?limit=500")
    assert len(first["data"]) <= 500
    second = server.get(f"/portal/dossiers?limit=5000&cursor={first['next_cursor']}")
    theirs = {row["MaHoSo"]: row for row in [*first["data"], *second["data"]]}
    ours = {row["MaHoSo"]: row for row in server.all("dossiers")}
    declared = {row["MaHoSo"]: set(row["KhacBiet"]) for row in server.get("/demo/disagreements")["data"]}
    assert compared(ours, theirs) == declared
    assert server.get(f"/portal/dossiers?cursor={second['next_cursor']}")["data"] == []
