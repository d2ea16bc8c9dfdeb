"""The address that one-stop systems send to: `/api/push` and everything below it; see docs/push.md.

It has nothing to do with the screens: no page, no cookie, no session of a viewer, a login of its own. Where no source
of kind push is configured it is not there. A call is read and answered outside the event loop, so that the screens do
not wait for it; beyond a few at once, callers are told to come again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import anyio
from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from connectors.push import PushDoor, Reply, Sent
from connectors.push.replies import NOT_UNDERSTOOD, try_again
from warehouse.errors import IocError

logger = logging.getLogger(__name__)
ADDRESS = "/api/push"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""All of them are ours: what we do not take must not fall through to the pages."""
AT_WORK, WAITING = 4, 12
BODY_SECONDS = 30.0

Doors = Callable[[], PushDoor | None]


@dataclass
class _Receiver:
    """Reads calls, few at once, and hands them to the door."""

    doors: Doors
    inside: int = 0
    limiter: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(AT_WORK))

    async def __call__(self, request: Request) -> Response:
        try:
            door = await to_thread.run_sync(self.doors)
        except IocError as error:
            logger.error("pushed calls cannot be taken: %s", error)
            return _response(try_again("Hệ thống chưa sẵn sàng, hãy gửi lại sau"))
        if door is None:
            return PlainTextResponse("Not Found", status_code=404)
        if request.method != "POST":
            return _response(_refused(405, "chỉ nhận phương thức POST", Allow="POST"))
        if self.inside >= AT_WORK + WAITING:
            return _response(try_again("Hệ thống đang bận, hãy gửi lại sau", seconds=5))
        self.inside += 1
        try:
            return _response(await self._answer(door, request))
        finally:
            self.inside -= 1

    async def _answer(self, door: PushDoor, request: Request) -> Reply:
        if request.headers.get("content-encoding", "identity").casefold() not in {"", "identity"}:
            return _refused(415, "không nhận nội dung nén, hãy gửi JSON không nén")
        body = await _body(request, door.max_body_bytes)
        if isinstance(body, Reply):
            return body
        sent = Sent(
            path=request.url.path.removeprefix(ADDRESS),
            query={name.casefold(): value for name, value in request.query_params.items()},
            headers=dict(request.headers),
            body=body,
            address=request.client.host if request.client is not None else "",
            at=datetime.now(UTC),
        )
        return await to_thread.run_sync(door.answer, sent, limiter=self.limiter)


async def _body(request: Request, limit: int) -> bytes | Reply:
    """Read the body up to `limit` bytes, whatever its announced length; a reply where that is not possible."""
    too_large = _refused(413, f"lớn hơn {limit} byte, hãy chia nhỏ")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        return too_large
    body = bytearray()
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > limit:
                    return too_large
    except TimeoutError:
        return _refused(408, "gửi quá chậm")
    except ClientDisconnect:
        return _refused(400, "bị ngắt giữa chừng")
    return bytes(body)


def _refused(status: int, message: str, **headers: str) -> Reply:
    told = {"error_code": NOT_UNDERSTOOD, "message": f"Không nhận lời gọi: {message}"}
    return Reply(status, told, {"Connection": "close", **headers})


def _response(reply: Reply) -> JSONResponse:
    headers = {"Cache-Control": "no-store", **reply.headers}
    return JSONResponse(reply.body, status_code=reply.status, headers=headers)


def push_routes(doors: Doors) -> list[Route]:
    """Return the routes of the push address; `doors` gives the door, or None where nothing is pushed to us."""
    receiver = _Receiver(doors)

    async def receive(request: Request) -> Response:
        return await receiver(request)

    return [Route(path, receive, methods=METHODS) for path in (ADDRESS, ADDRESS + "/{rest:path}")]


__all__ = ["ADDRESS", "push_routes"]
