"""A small real HTTP server that serves records page by page, and misbehaves on demand."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlparse


@dataclass(frozen=True)
class Call:
    """A request as it came."""

    number: int
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value


@dataclass(frozen=True)
class Reply:
    """An answer as it goes over the wire.

    `cut` sends fewer bytes than announced and closes the connection; `drip` waits so many seconds after each byte, of
    the headers too; `parts` are sent one after the other without an announced length; `date` is the header Date
    (None: there is none).
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    hang_up: bool = False
    drip: float = 0.0
    parts: Iterable[bytes] | None = None
    date: str | None = "now"


def page(records: Sequence[Any], cursor: object) -> Reply:
    return Reply(json.dumps({"data": list(records), "next_cursor": cursor}).encode())


def plain(records: Sequence[Any], **more: Any) -> Reply:  # noqa: ANN401
    """A page without cursor."""
    return Reply(json.dumps({"data": list(records), **more}).encode())


@dataclass
class Intake:
    """Serves `records` after a cursor; `answer` (request number, cursor) and `on_call`, where set, are asked first."""

    records: list[dict[str, Any]] = field(default_factory=list)
    answer: Callable[[int, str | None], Reply | None] | None = None
    on_call: Callable[[Call], Reply | None] | None = None
    calls: list[Call] = field(default_factory=list)
    url: str = ""

    @property
    def requests(self) -> int:
        return len(self.calls)

    def reply(self, call: Call) -> Reply:
        self.calls.append(call)
        if self.on_call is not None and (scripted := self.on_call(call)) is not None:
            return scripted
        cursor = call.query.get("cursor")
        if self.answer is not None and (scripted := self.answer(self.requests, cursor)) is not None:
            return scripted
        start, limit = int(cursor or 0), int(call.query.get("limit", "1000"))
        found = self.records[start : start + limit]
        return page(found, str(start + len(found)))


class _Handler(BaseHTTPRequestHandler):
    intake: Intake

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        parts = urlparse(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(len(self.intake.calls) + 1, self.command, parts.path, query, headers, body)
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send(self.intake.reply(call))

    do_POST = do_GET  # noqa: N815 - the name that http.server asks for

    def send(self, reply: Reply) -> None:
        if reply.hang_up:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        head = {"Content-Type": "application/json"} | reply.headers
        if reply.date is not None:
            head["Date"] = self.date_time_string() if reply.date == "now" else reply.date
        if reply.parts is None:
            head["Content-Length"] = str(len(reply.body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self.trickle(f"HTTP/1.0 {reply.status} OK\r\n{lines}\r\n".encode("latin-1"), reply.drip)
        whole = [reply.body if reply.cut is None else reply.body[: reply.cut]]
        for part in whole if reply.parts is None else reply.parts:
            self.trickle(part, reply.drip)

    def trickle(self, content: bytes, seconds: float) -> None:
        if not seconds:
            self.wfile.write(content)
            return
        for place in range(len(content)):
            self.wfile.write(content[place : place + 1])
            time.sleep(seconds)


@contextmanager
def serve(intake: Intake, tls: ssl.SSLContext | None = None) -> Iterator[Intake]:
    """Run the server for the time of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"intake": intake}))
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that do not trust it
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    intake.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}/api/dossiers"
    try:
        yield intake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
