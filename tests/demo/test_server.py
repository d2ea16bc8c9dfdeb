"""The server over a real socket: paging, creating, restarting, faults, and what it says when it cannot start."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.conftest import Running, Starter


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for the tests that leave it as it was."""
    server = Running("vu-ban-2022h1", tmp_path_factory.mktemp("small"))
    yield server
    server.end()


NOW = ("--now", "2026-11-20T10:30:00+07:00")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)


def test_same_records_for_any_page_size_and_any_process(small: Running, start: Starter) -> None:
    one, other = small, start("vu-ban-2022h1")
    whole = one.all("dossiers", 10_000)
    assert len(whole) == 1_843
    assert other.all("dossiers", 333) == whole
    middle = one.get("/api/dossiers?limit=700")["next_cursor"]
    assert one.all("dossiers", 1_000, middle) == whole[700:]
    assert one.get(f"/api/dossiers?cursor={whole[-1]['NgayCapNhat']}~{whole[-1]['MaHoSo']}")["data"] == []
    assert [row["MaDonVi"] for row in one.all("units", 3)] == sorted(row["MaDonVi"] for row in one.all("units"))
    assert len(one.all("procedures", 50)) == 307


def test_empty_page_keeps_the_cursor(small: Running) -> None:
    server = small
    for name in ("dossiers", "surveys", "procedures", "units"):
        cursor = server.get(f"/api/{name}?limit=10000")["next_cursor"]
        page = server.get(f"/api/{name}?cursor={cursor}")
        assert page["data"] == []
        assert page["next_cursor"] == cursor
        assert len(page["server_time"]) == 14


def test_created_dossier_is_served_kept_and_survives_kill_9(start: Starter, tmp_path: Path) -> None:
    server = start("live-binh-chanh", *NOW, state=tmp_path / "kept")
    before = server.all("dossiers", 10_000)
    assert len(before) > 28_856
    cursor = f"{before[-1]['NgayCapNhat']}~{before[-1]['MaHoSo']}"
    status, made = server.post("/demo/dossiers", {"unit": "27622", "channel": 2})
    assert status == 201
    found = wait_for(server, cursor, made["MaHoSo"])
    assert (found["DonViXuLy"], found["KenhThucHien"], found["TrangThaiHoSo"]) == ("27622", 2, 2)
    assert found["NgayTiepNhan"] == found["NgayCapNhat"]
    server.end(kill=True)

    later = ("--now", "2026-11-20T12:30:00+07:00")
    again = start("live-binh-chanh", *later, state=tmp_path / "kept")
    rows = {row["MaHoSo"]: row for row in again.all("dossiers", 10_000)}
    assert made["MaHoSo"] in rows
    assert {row["MaHoSo"] for row in before} <= rows.keys()
    unchanged = [row for row in before if row["TrangThaiHoSo"] == 10]
    assert len(unchanged) > 25_000
    assert all(rows[row["MaHoSo"]] == row for row in unchanged)


def wait_for(server: Running, cursor: str, code: str) -> dict[str, object]:
    for _ in range(50):
        for row in server.all("dossiers", 500, cursor):
            if row["MaHoSo"] == code:
                return row
        time.sleep(0.1)
    raise AssertionError(f"{code} was not served")


def test_faults_come_and_go(small: Running) -> None:
    server = small
    assert server.post("/demo/fault", {"mode": "500"}) == (200, {"mode": "500"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.get("/api/units")
    assert refused.value.code == 500
    refused.value.close()
    server.post("/demo/fault", {"mode": "html"})
    assert raw(server).startswith(b"<!doctype html>")
    server.post("/demo/fault", {"mode": "empty"})
    assert raw(server) == b""
    server.post("/demo/fault", {"mode": "close"})
    with pytest.raises(http.client.IncompleteRead):
        raw(server)
    server.post("/demo/fault", {"mode": "slow", "delay": 0.4})
    began = time.monotonic()
    json.loads(raw(server))
    assert time.monotonic() - began >= 0.4
    server.post("/demo/fault", {"mode": "500", "seconds": 0.2})
    time.sleep(0.3)
    assert server.get("/healthz") == {"status": "ok", "scenario": "vu-ban-2022h1", "fault": "none"}
    assert json.loads(raw(server))["data"]


def raw(server: Running) -> bytes:
    with urllib.request.urlopen(server.url + "/api/units", timeout=10) as reply:
        return bytes(reply.read())


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/api/dossiers?cursor=yesterday", "cursor"),
        ("/api/dossiers?cursor=20220101000000~H99.1-220101-0001", "is not a dossier code of this intake"),
        ("/api/surveys?limit=0", "from 1 to 10000"),
        ("/api/units?limit=many", "from 1 to 10000"),
    ],
)
def test_wrong_questions_get_400_with_the_reason(small: Running, path: str, says: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        small.get(path)
    with refused.value as error:
        assert error.code == 400
        assert says in json.load(error)["error"]


def test_wrong_posts_get_400_with_the_reason(small: Running) -> None:
    for path, body, says in (
        ("/demo/dossiers", {"unit": "99999"}, "receives no dossiers"),
        ("/demo/dossiers", {"unit": "13741", "channel": 7}, "none of 1, 2, 3"),
        ("/demo/dossiers", {"unit": 13741}, "may be left out"),
        ("/demo/dossiers", ["13741"], "not a JSON object"),
        ("/demo/fault", {"mode": "sulk"}, "mode is one of"),
    ):
        status, answer = small.post(path, body)
        assert status == 400
        assert says in answer["error"]


def test_port_in_use_and_folder_in_use_are_said_in_one_line(start: Starter, tmp_path: Path) -> None:
    server = start("vu-ban-2022h1", state=tmp_path / "a")
    port = server.url.rpartition(":")[2]
    taken = run("serve", "--scenario", "vu-ban-2022h1", "--port", port, "--state", str(tmp_path / "b"))
    assert taken.returncode == 2
    assert taken.stderr.startswith(f"demo: port {port} cannot be used")
    assert taken.stderr.count("\n") == 1
    held = run("serve", "--scenario", "vu-ban-2022h1", "--port", "0", "--state", str(tmp_path / "a"))
    assert (held.returncode, held.stderr.count("\n")) == (2, 1)
    assert "another intake uses this state folder" in held.stderr
    assert server.end() == 0
    other = run("serve", "--scenario", "gia-lam-2022", "--port", "0", "--state", str(tmp_path / "a"))
    assert "belongs to scenario vu-ban-2022h1" in other.stderr


def test_unwritable_folder_and_unknown_scenario_are_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    wrong = run("serve", "--scenario", "vu-ban-2022h1", "--port", "0", "--state", str(tmp_path / "file" / "state"))
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "state folder cannot be written" in wrong.stderr
    unknown = run("write", "--scenario", "atlantis", "--out", str(tmp_path))
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)
    assert "there are binh-chanh-2022" in unknown.stderr
    blocked = run("write", "--scenario", "vu-ban-2022h1", "--out", str(tmp_path / "file"))
    assert (blocked.returncode, blocked.stderr.count("\n")) == (2, 1)
