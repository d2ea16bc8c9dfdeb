"""A small real HTTP server that serves records page by page, and misbehaves on demand."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse


@dataclass(frozen=True)
class Reply:
    """An answer as it goes over the wire; `cut` sends fewer bytes than announced and closes the connection."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    hang_up: bool = False


def page(records: Sequence[Any], cursor: object) -> Reply:
    return Reply(json.dumps({"data": list(records), "next_cursor": cursor}).encode())


@dataclass
class Intake:
    """Serves `records` after a cursor; `answer`, where set, is asked first (request number, cursor)."""

    records: list[dict[str, Any]] = field(default_factory=list)
    answer: Callable[[int, str | None], Reply | None] | None = None
    requests: int = 0
    url: str = ""

    def reply(self, cursor: str | None, limit: int) -> Reply:
        self.requests += 1
        if self.answer is not None and (scripted := self.answer(self.requests, cursor)) is not None:
            return scripted
        start = int(cursor or 0)
        found = self.records[start : start + limit]
        return page(found, str(start + len(found)))


@contextmanager
def serve(intake: Intake) -> Iterator[Intake]:
    """Run the server for the time of the block."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Be quiet."""

        def do_GET(self) -> None:
            query = parse_qs(urlparse(self.path).query)
            reply = intake.reply(query.get("cursor", [None])[0], int(query.get("limit", ["1000"])[0]))
            if reply.hang_up:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(reply.status)
            for name, value in ({"Content-Type": "application/json"} | reply.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    intake.url = f"http://127.0.0.1:{server.server_port}/api/dossiers"
    try:
        yield intake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
