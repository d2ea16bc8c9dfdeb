"""Which addresses a source may be asked at: the origin of its url, and the hosts that its settings allow beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import httpx

PORTS = {"http": 80, "https": 443}
Origin = tuple[str, str, int]
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")


def origin_of(url: httpx.URL | str) -> Origin:
    """Return scheme, host and port of an address.

    Raises ValueError for what is no HTTP address; the message shows nothing of it but the scheme.
    """
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise ValueError("not an address; write http://host/path or https://host/path") from None
    host = parts.raw_host.decode("ascii", "replace").lower()
    if parts.scheme not in PORTS or not host:
        raise ValueError(f"not an http or https address of a host (scheme {parts.scheme[:10] or 'none'})")
    if not _HOST.fullmatch(host):
        raise ValueError("not an address: its host holds signs that no host has")
    return parts.scheme, host, parts.port or PORTS[parts.scheme]


def allowed_origins(url: str, hosts: Iterable[str]) -> frozenset[Origin]:
    """Return the origins that may be asked: that of `url`, and those of `hosts` (`host`, `host:port`, `https://host`).

    A source asked by https is asked by nothing else anywhere. Raises ValueError for an entry that is no host.
    """
    home = origin_of(url)
    schemes = ("https",) if home[0] == "https" else ("https", "http")
    found = {home}
    for host in hosts:
        written = [host] if "://" in host else [f"{scheme}://{host}" for scheme in schemes]
        for address in written:
            found.add(_bare_origin(address, host))
    return frozenset(origin for origin in found if origin[0] in schemes)


def _bare_origin(address: str, written: str) -> Origin:
    try:
        parts = httpx.URL(address)
        if parts.path not in ("", "/") or parts.query or parts.userinfo or "@" in written:
            raise ValueError("more than a host")
        return origin_of(parts)
    except (ValueError, httpx.InvalidURL):
        raise ValueError(f"allowed_hosts: {written!r} is no host; write host, host:port or https://host:port") from None
