"""One HTTP request over the wire, bounded: in total time, in bytes received, and in bytes unpacked.

The time is a total: a server that sends one byte a second is cut like one that sends none. Packed replies are unpacked
piece by piece, so that a small reply never becomes a large one in memory. No proxy of the environment is used, no
redirect is followed, and nothing of a request (address, header, body) is ever logged or put into an error.
"""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import httpcore
import httpx

from warehouse.errors import RefusedInput, TransientError

NO_BODY = b""
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class NoAnswer(TransientError):  # noqa: N818 - named for what happened
    """The server did not answer, or not wholly; asking again may help."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `body` is unpacked, and empty for a reply that was not read."""

    status: int
    headers: httpx.Headers
    body: bytes | bytearray
    seconds: float


class Wire:
    """Connections to the hosts of one source. Use it as a context manager."""

    def __init__(self, timeout_seconds: float, max_bytes: int) -> None:
        self.timeout_seconds, self.max_bytes = timeout_seconds, max_bytes
        self._deadline = _Deadline()
        self._cookies = httpx.Cookies()
        self._pool = httpcore.ConnectionPool(ssl_context=_tls(), network_backend=_Backend(self._deadline))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def send(self, request: httpx.Request, *, read: frozenset[int]) -> Reply:
        """Send a request and read the reply, its body only with a status in `read`.

        Raises NoAnswer (time over, connection cut, damaged packing), and RefusedInput for a reply that is too large,
        packed in another way than asked for, or from a server whose certificate is not trusted.
        """
        self._cookies.set_cookie_header(request)
        request.headers["Accept-Encoding"] = "gzip"
        request.headers["User-Agent"] = "ioc-mot-cua"
        began = time.monotonic()
        self._deadline.start(self.timeout_seconds)
        try:
            with self._pool.stream(
                request.method,
                httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.read() or None,
            ) as response:
                headers = httpx.Headers(response.headers)
                self._cookies.extract_cookies(httpx.Response(response.status, headers=headers, request=request))
                body = self._body(headers, response.iter_stream()) if response.status in read else NO_BODY
        except httpcore.TimeoutException:
            raise NoAnswer(f"no answer within timeout_seconds = {self.timeout_seconds:g}") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise _network_trouble(error) from None
        return Reply(response.status, headers, body, time.monotonic() - began)

    def _body(self, headers: httpx.Headers, parts: Iterable[bytes]) -> bytearray:
        if headers.get("content-length", "").isdigit() and int(headers["content-length"]) > self.max_bytes:
            raise self._too_large()
        packing = headers.get("content-encoding", "").strip().lower()
        body = bytearray()
        for piece in self._plain(self._counted(parts), packing):
            body += piece
            if len(body) > self.max_bytes:
                raise self._too_large()
        return body

    def _counted(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Pass on what comes; packed input has a limit too: it may unpack to nothing for ever."""
        size = 0
        for part in parts:
            size += len(part)
            if size > self.max_bytes:
                raise self._too_large()
            self._deadline.left()  # many small pieces may lie ready: no read waits, and yet time passes
            yield part

    def _plain(self, parts: Iterable[bytes], packing: str) -> Iterator[bytes]:
        if packing in {"", "identity"}:
            yield from parts
        elif bits := _WINDOW_BITS.get(packing):
            try:
                yield from unpack(parts, bits)
            except zlib.error:
                raise NoAnswer("no answer that can be unpacked: its gzip is damaged or cut") from None
        else:
            raise RefusedInput("packed in another way than the gzip that was asked for; let the server send gzip")

    def _too_large(self) -> RefusedInput:
        return RefusedInput(f"larger than max_page_bytes = {self.max_bytes}; ask for a smaller page_size")


PIECE_BYTES = 256 * 1024


def unpack(parts: Iterable[bytes], bits: int) -> Iterator[bytes]:
    """Unpack gzip or deflate, also of several members, in pieces of at most PIECE_BYTES.

    Raises zlib.error for what is damaged or ends too early.
    """
    unpacker = zlib.decompressobj(bits)
    for part in parts:
        rest = part
        while rest:
            if unpacker.eof:
                rest = rest.lstrip(b"\0")  # padding after the last member is allowed
                if not rest:
                    break
                unpacker = zlib.decompressobj(bits)
            yield unpacker.decompress(rest, PIECE_BYTES)
            rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    while not unpacker.eof:
        piece = unpacker.decompress(unpacker.unconsumed_tail, PIECE_BYTES)
        if not piece:
            raise zlib.error("cut")
        yield piece


def _network_trouble(error: Exception) -> NoAnswer | RefusedInput:
    """Say what happened by the system's own words, never by what the server sent."""
    cause = error if isinstance(error, OSError) else error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return RefusedInput(
            f"the server's certificate is not trusted ({cause.verify_message});"
            " name the file of your authority's certificate in the environment variable SSL_CERT_FILE"
        )
    if isinstance(cause, OSError) and cause.strerror:
        return NoAnswer(f"no answer ({cause.strerror})")
    return NoAnswer("no answer (the connection was cut, or what came is not HTTP)")


@cache
def _tls() -> ssl.SSLContext:
    """The trusted certificates, loaded once: that takes longer than a page."""
    return httpx.create_ssl_context()


# --- the total time ---------------------------------------------------------------------------------------------


class _Deadline:
    """The instant at which the reply under way must be there."""

    def __init__(self) -> None:
        self._at = 0.0

    def start(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left; raises httpcore.ReadTimeout when there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("time is over")
        return left


class _Stream(httpcore.NetworkStream):
    """A connection of which every operation gets the time that is left, and no more."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        return self._inner.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        self._inner.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        del timeout
        try:
            left = self._deadline.left()
        except httpcore.TimeoutException:
            self.close()
            raise
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Opens connections that keep to the deadline."""

    def __init__(self, deadline: _Deadline) -> None:
        self._inner, self._deadline = httpcore.SyncBackend(), deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        del timeout
        inner = self._inner.connect_tcp(host, port, self._deadline.left(), local_address, socket_options)
        return _Stream(inner, self._deadline)
