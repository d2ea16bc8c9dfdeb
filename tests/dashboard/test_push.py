"""The push address over real HTTP: what the network may do to it, and that it is not there where nothing is pushed."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from sqlalchemy import URL, Engine, func, select
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from connectors.push import PushDoor
from dashboard import push
from dashboard.push import push_routes
from tests.conftest import ROOT
from tests.connectors.pushing import (
    PASSWORD,
    USERNAME,
    call,
    push_source,
    reader,
    text_client_is_content,
)
from tests.connectors.support import insert_units, record, settings_of
from warehouse.schema import dossier
from warehouse.sources import SourceSettings


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        return int(found.getsockname()[1])


@contextmanager
def served(doors: Callable[[], PushDoor | None]) -> Iterator[str]:
    """Run the routes, and one page beside them, on a real server in this process."""

    async def page(_: Any) -> PlainTextResponse:  # noqa: ANN401
        return PlainTextResponse("a page")

    application = Starlette(routes=[*push_routes(doors), Route("/{rest:path}", page)])
    config = uvicorn.Config(application, port=free_port(), log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{config.port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def warehouse(engine: Engine) -> Engine:
    """A warehouse with units and nothing else."""
    insert_units(engine)
    return engine


@contextmanager
def address(warehouse: Engine, *sources: SourceSettings) -> Iterator[str]:
    door = PushDoor(warehouse, settings_of(*(sources or (push_source(),))))
    with served(lambda: door) as url:
        yield url + "/api/push"


def session_of(url: str) -> str:
    reply = httpx.post(f"{url}/login", json={"username": USERNAME, "password": PASSWORD})
    return str(reply.json()["session"])


def stored(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(dossier)).scalar_one())


def test_a_call(warehouse: Engine) -> None:
    with address(warehouse) as url:
        reply = httpx.post(url, json=call([record()], session_of(url)))
        assert (reply.status_code, reply.json()["error_code"]) == (200, "00")
        assert text_client_is_content(reply.text), "senders look for the words in the raw text"
        assert reply.headers["cache-control"] == "no-store"
        theirs = url.replace("//", f"//{USERNAME}:{quote(PASSWORD)}@") + "/api/SynsTTHCC/DongBoHoSoMC"
        bare = httpx.post(f"{theirs}?MaDinhDanhDV=000.00.01.H22&isUpdating=True", json=[record(2)])
        assert (bare.status_code, bare.json()["error_code"]) == (200, "0")
    assert stored(warehouse) == 2


def test_methods_and_forms_that_are_not_taken(warehouse: Engine) -> None:
    with address(warehouse, push_source(**reader(max_body_bytes=100_000))) as url:
        session = session_of(url)
        body = json.dumps(call([record(number) for number in range(300)], session)).encode()
        assert len(body) > 100_000
        packed = gzip.compress(json.dumps(call([record()], session)).encode())
        replies = {
            405: [httpx.request(method, url) for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH")],
            413: [httpx.post(url, content=body), httpx.post(url, content=_slices(body))],
            415: [httpx.post(url, content=packed, headers={"content-encoding": "gzip"})],
            400: [httpx.post(url, content=packed), httpx.post(url, data={"service": "DongBoHoSoMC"})],
        }
        for status, found in replies.items():
            assert [reply.status_code for reply in found] == [status] * len(found)
            assert all(reply.json()["error_code"] == "-2" for reply in found)
            assert not any(text_client_is_content(reply.text) for reply in found)
    assert stored(warehouse) == 0


def _slices(body: bytes) -> Iterator[bytes]:
    """Chunked: no length is announced."""
    for start in range(0, len(body), 10_000):
        yield body[start : start + 10_000]


def test_an_announced_length_is_not_believed(warehouse: Engine) -> None:
    """A call cut in its middle stores nothing; one that says it is endless is refused before it is sent."""
    with address(warehouse) as url:
        body = json.dumps(call([record()], session_of(url))).encode()
        target = httpx.URL(url)
        for announced, part in ((len(body), body[: len(body) // 2]), (10**12, b"{")):
            with closing(socket.create_connection((target.host, target.port or 0))) as line:
                head = f"POST /api/push HTTP/1.1\r\nHost: x\r\nContent-Length: {announced}\r\n\r\n"
                line.sendall(head.encode() + part)
                if announced == 10**12:
                    line.settimeout(10)
                    assert b" 413 " in line.recv(100)
        assert httpx.post(url, json=call([record(2)], session_of(url))).json()["error_code"] == "00"
    assert stored(warehouse) == 1


def test_a_body_that_drips_is_given_up(warehouse: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "BODY_SECONDS", 0.3)
    with address(warehouse) as url:
        target = httpx.URL(url)
        connection = http.client.HTTPConnection(target.host, target.port, timeout=10)
        connection.putrequest("POST", "/api/push")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b"{")
        assert connection.getresponse().status == 408
        connection.close()


def test_too_many_at_once_are_told_to_come_again_and_others_are_answered(
    warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls wait for a slow warehouse; the event loop answers pages meanwhile, and no call is lost in the end."""
    monkeypatch.setattr(push, "WAITING", 2)
    door = PushDoor(warehouse, settings_of(push_source()))
    gate, answer = threading.Event(), door.answer
    monkeypatch.setattr(door, "answer", lambda sent: gate.wait(20) and answer(sent))
    with served(lambda: door) as root, ThreadPoolExecutor(10) as pool:
        body = {"username": USERNAME, "password": PASSWORD}
        waiting = [pool.submit(httpx.post, f"{root}/api/push/login", json=body, timeout=30) for _ in range(10)]
        deadline = time.monotonic() + 10
        while sum(future.done() for future in waiting) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert httpx.get(f"{root}/x", timeout=5).text == "a page"
        gate.set()
        replies = [future.result() for future in waiting]
    busy = [reply for reply in replies if reply.status_code == 503]
    assert len(busy) == 4
    assert all(reply.headers["retry-after"] == "5" and reply.json()["error_code"] == "-9" for reply in busy)
    assert sum("session" in reply.json() for reply in replies) == 6


def test_many_calls_in_parallel(warehouse: Engine) -> None:
    with address(warehouse) as url, ThreadPoolExecutor(8) as pool:
        session = session_of(url)
        bodies = [call([record(number), record(number + 1)], session) for number in range(0, 16, 2)]
        replies = list(pool.map(lambda body: httpx.post(url, json=body, timeout=60).json()["error_code"], bodies * 2))
    assert replies == ["00"] * 16
    assert stored(warehouse) == 16


def test_where_nothing_is_pushed_the_address_is_not_there() -> None:
    with served(lambda: None) as root:
        for path in ("/api/push", "/api/push/login", "/api/push/x/DongBoHoSoMC"):
            assert [httpx.request(method, root + path).status_code for method in ("GET", "POST")] == [404, 404]
        assert httpx.get(f"{root}/api/pushed").text == "a page"


# --- the product's own web process --------------------------------------------------------------------------------

PUSH = """
[[sources]]
name = "mot-cua"
mapping = "dvcqg-push"
reader = { kind = "push", username = "vendor", password = "env:VENDOR_PASSWORD" }
"""


@contextmanager
def product(folder: Path, url: URL, settings: str) -> Iterator[tuple[str, Path]]:
    """Run `ioc web` and give its address and its log."""
    config, log, port = folder / "ioc.toml", folder / "web.log", free_port()
    config.write_text(settings, encoding="utf-8")
    changes = {
        "IOC_CONFIG": str(config), "IOC_DATABASE__URL": url.render_as_string(hide_password=False),
        "IOC_WEB__PORT": str(port), "VENDOR_PASSWORD": PASSWORD,
    }  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard.cli", "web"], cwd=ROOT, env=os.environ | changes,
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield _awaited(f"http://127.0.0.1:{port}"), log
        finally:
            process.terminate()
            process.wait(20)


def _awaited(root: str) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{root}/healthz").status_code == 200:
                return root
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the web process does not answer")


def test_the_product_takes_calls_and_logs_nothing_of_them(warehouse: Engine, database_url: URL, tmp_path: Path) -> None:
    with product(tmp_path, database_url, PUSH) as (root, log):
        url = f"{root}/api/push"
        session = session_of(url)
        canary = record(ChuHoSo="Nguyễn Thị Canary", SoDienThoai="0909000111", NgayHenTra="sai")
        assert httpx.post(url, json=call([record(2)], session)).json()["error_code"] == "00"
        assert httpx.post(url, json=call([canary], session)).json()["error_code"] == "-3"
        assert httpx.post(url, json=call([canary], "canary")).json()["error_code"] == "-1"
        assert httpx.post(url, content=b"<html>canary").status_code == 400
        assert httpx.get(url).status_code == 405
    text = log.read_text(encoding="utf-8")
    assert not [sign for sign in ("anary", "0909000111", "H29.27", session, PASSWORD) if sign in text]
    assert stored(warehouse) == 1
