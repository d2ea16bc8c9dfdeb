"""The HTTP server of the simulated intake."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.intake import BadRequest, Clock, Intake, Page
from demo.office import local_seconds
from demo.portal import Portal

LISTS = ("dossiers", "surveys", "procedures", "units")
MODES = ("none", "500", "html", "slow", "empty", "close")
DEFAULT_LIMIT, MAX_LIMIT = 1000, 10_000
SLOW_SECONDS = 30.0
_HTML = "<!doctype html><html lang='vi'><title>Bảo trì</title><h1>Hệ thống đang bảo trì</h1></html>"


def clock_from(start: datetime | None) -> Clock:
    """Return the wall clock, or a clock that starts at `start` and then runs at its ordinary pace."""
    if start is None:
        return lambda: int(time.time()) + 7 * 3600
    first, begun = local_seconds(start), time.monotonic()
    return lambda: first + int(time.monotonic() - begun)


@dataclass
class Fault:
    """How /api/* misbehaves, and until when (monotonic seconds); `delay` is for the mode slow."""

    mode: str = "none"
    until: float = float("inf")
    delay: float = SLOW_SECONDS

    @property
    def now(self) -> str:
        """The mode in force."""
        return self.mode if time.monotonic() < self.until else "none"


def application(intake: Intake) -> Starlette:
    """Return the ASGI application; POST /demo/fault {"mode", "seconds"?, "delay"?} breaks /api/* for a while."""
    handlers = _Handlers(intake)
    routes = [Route(f"/api/{name}", handlers.list(name), methods=["GET"]) for name in LISTS]
    routes += [
        Route("/portal/dossiers", handlers.portal_dossiers, methods=["GET"]),
        Route("/healthz", handlers.health, methods=["GET"]),
        Route("/demo/disagreements", handlers.disagreements, methods=["GET"]),
        Route("/demo/dossiers", handlers.create, methods=["POST"]),
        Route("/demo/fault", handlers.break_down, methods=["POST"]),
    ]
    return Starlette(routes=routes)


class _Handlers:
    def __init__(self, intake: Intake) -> None:
        self.intake, self.fault = intake, Fault()
        self.portal = Portal(intake)

    def list(self, name: str) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            mode = self.fault.now
            if mode == "slow":
                await asyncio.sleep(self.fault.delay)
            elif mode != "none":
                return _broken(mode)
            return await _page(request, lambda cursor, limit: self.intake.page(name, cursor, limit))

        return answer

    async def portal_dossiers(self, request: Request) -> Response:
        return await _page(request, self.portal.page)

    async def disagreements(self, request: Request) -> Response:
        del request
        return JSONResponse({"data": await run_in_threadpool(self.portal.disagreements)})

    async def health(self, request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok", "scenario": self.intake.scenario.name, "fault": self.fault.now})

    async def create(self, request: Request) -> Response:
        try:
            body = await _json_object(request)
            unit, channel = body.get("unit"), body.get("channel")
            if not (unit is None or isinstance(unit, str)) or not (channel is None or type(channel) is int):
                raise BadRequest('write {"unit": "27595", "channel": 1}; both may be left out')
            code = await run_in_threadpool(self.intake.create, unit, channel)
        except BadRequest as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"MaHoSo": code}, 201)

    async def break_down(self, request: Request) -> Response:
        try:
            body = await _json_object(request)
            mode, seconds, delay = body.get("mode"), body.get("seconds"), body.get("delay", SLOW_SECONDS)
            if mode not in MODES:
                raise BadRequest(f"mode is one of {', '.join(MODES)}")
            if not isinstance(delay, int | float) or not isinstance(seconds, int | float | None):
                raise BadRequest("seconds and delay are numbers")
        except BadRequest as error:
            return JSONResponse({"error": str(error)}, 400)
        until = float("inf") if seconds is None else time.monotonic() + seconds
        self.fault = Fault(str(mode), until, float(delay))
        return JSONResponse({"mode": mode})


async def _page(request: Request, read: Callable[[str, int], Page]) -> Response:
    try:
        limit = _limit(request.query_params.get("limit", ""))
        cursor = request.query_params.get("cursor", "")
        body = await run_in_threadpool(lambda: read(cursor, limit).body())
    except BadRequest as error:
        return JSONResponse({"error": str(error)}, 400)
    return Response(body, media_type="application/json; charset=utf-8")


def _broken(mode: str) -> Response:
    if mode == "500":
        return JSONResponse({"error": "internal error (asked for)"}, 500)
    if mode == "html":
        return Response(_HTML, media_type="text/html; charset=utf-8")
    if mode == "empty":
        return Response(b"", media_type="application/json")
    # "close": the connection ends in the middle of the body
    return Response(b'{"data": [', headers={"content-length": "100000"}, media_type="application/json")


def _limit(text: str) -> int:
    if not text:
        return DEFAULT_LIMIT
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
        raise BadRequest(f"limit {text!r}: a number from 1 to {MAX_LIMIT}")
    return int(text)


async def _json_object(request: Request) -> dict[str, Any]:
    raw = await request.body()
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise BadRequest("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadRequest("the body is not a JSON object")
    return body


class _Server(uvicorn.Server):
    """Says when it is ready, and ends with status 0 when it is asked to stop."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            sys.stdout.write(f"demo intake listening on http://{host}:{port}\n")
            sys.stdout.flush()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket; OSError when the port is taken."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made


def serve(intake: Intake, listening: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        application(intake), log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=3
    )
    _Server(config).run(sockets=[listening])


__all__ = ["LISTS", "MODES", "Fault", "application", "bind", "clock_from", "serve"]
