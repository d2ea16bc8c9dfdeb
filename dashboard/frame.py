"""What a browser gets before any page is drawn: the name of the centre, the language, our words for Streamlit's own.

Streamlit sends one and the same HTML document for every page; `PageFrame` changes its head.
"""

from __future__ import annotations

from functools import cache
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.frame_words import script

SCRIPT = "ioc-frame.js"
TITLE, LANGUAGE, HEAD = "<title>Streamlit</title>", '<html lang="en">', "<head>"


@cache
def _display() -> tuple[str, str, str]:
    """Title, language and script; settings are read once a process."""
    from dashboard import resources  # noqa: PLC0415 - streamlit caches must not be touched before the runtime is up

    display = resources.settings().display
    return display.title, display.language, script(display.language)


async def frame_script(request: Request) -> Response:
    """Answer the script of the page frame."""
    del request
    return Response(_display()[2], media_type="text/javascript", headers={"Cache-Control": "no-cache"})


ROUTE = Route(f"/{SCRIPT}", frame_script)


def framed(document: str) -> str:
    """Return Streamlit's document with our title, language and script; without the font that no page uses."""
    title, language, _script = _display()
    lines = document.replace(TITLE, f"<title>{escape(title)}</title>").replace(LANGUAGE, f'<html lang="{language}">')
    start = lines.find('<link\n      rel="preload"')
    if start >= 0:
        lines = lines[:start] + lines[lines.index("/>", start) + 2 :]
    return lines.replace(HEAD, f'{HEAD}<script src="./{SCRIPT}"></script>', 1)


class PageFrame:
    """Middleware that rewrites HTML documents; everything else passes as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        wants = dict(scope.get("headers") or ()).get(b"accept", b"") if scope["type"] == "http" else b""
        if b"text/html" not in wants:
            await self.app(scope, receive, send)
            return
        plain = [pair for pair in scope["headers"] if pair[0] not in {b"accept-encoding", b"if-none-match"}]
        await self.app({**scope, "headers": plain}, receive, _Rewriter(send))


class _Rewriter:
    """Collects an HTML answer and sends it changed."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self.start = message
        elif self.start is None:
            await self.send(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self.start)

    async def _finish(self, start: Message) -> None:
        body = framed(self.body.decode()).encode()
        kept = [pair for pair in start["headers"] if pair[0].lower() not in {b"content-length", b"etag"}]
        await self.send({**start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
        await self.send({"type": "http.response.body", "body": body})


def _is_html(message: Message) -> bool:
    kind: bytes = dict(message["headers"]).get(b"content-type", b"")
    return kind.startswith(b"text/html")
