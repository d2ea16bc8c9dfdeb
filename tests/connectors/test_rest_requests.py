"""One request: which hosts may be asked, how long and how large a reply may be, and when it is asked again."""

from __future__ import annotations

import gzip
import io
import json
import ssl
import subprocess
import time
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from connectors.readers import request, wire
from connectors.readers.request import asked_wait
from tests.connectors.intake import Call, Intake, Reply, page, plain, serve
from tests.connectors.moving_list import batches, codes, item, settings
from warehouse.errors import RefusedInput, TransientError
from warehouse.sources import RestSettings

CURSOR: dict[str, Any] = {"kind": "cursor", "parameter": "cursor", "size_parameter": "limit"}
GZIP = {"Content-Encoding": "gzip"}
ONE = json.dumps({"data": [item(1)]}).encode()


def read(intake: Intake, **options: Any) -> list[str]:  # noqa: ANN401
    return codes(batches(settings(intake, "page", **({"pages": CURSOR} | options))))


# --- hosts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paging", ["link", "header"])
@pytest.mark.parametrize(
    "target",
    [
        "http://example.com/next",
        "https://127.0.0.1/next",
        "//example.com/next",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
    ],
)
def test_a_link_to_another_host_is_refused(intake: Intake, paging: str, target: str) -> None:
    reply = plain([item(1)], links={"next": target})
    intake.on_call = lambda call: Reply(reply.body, headers={"Link": f"<{target}>; rel=next"})
    with pytest.raises(RefusedInput, match=r"page 1: the next page is at .* name it in allowed_hosts"):
        batches(settings(intake, paging))
    assert intake.requests == 1


@pytest.mark.parametrize("again", [True, False])
def test_a_link_to_an_allowed_host_is_followed(intake: Intake, again: bool) -> None:
    with serve(Intake(on_call=lambda call: plain([item(2)]))) as other:
        intake.on_call = lambda call: plain([item(1)], links={"next": other.url})
        chosen = settings(intake, "link", pages={"again": again}, allowed_hosts=(other.url.split("/")[2],))
        assert codes(batches(chosen)) == ["H-1", "H-2"]


def test_links_in_a_circle_are_refused(intake: Intake) -> None:
    def circle(call: Call) -> Reply:
        return plain(
            [item(int(call.query.get("p", "1")))], links={"next": "?p=2" if call.query.get("p") != "2" else "?p=1"}
        )

    intake.on_call = circle
    with pytest.raises(RefusedInput, match=r"does not end|leads back|another order"):
        batches(settings(intake, "link"))
    with pytest.raises(RefusedInput, match="leads back to a page before"):
        batches(settings(intake, "link", pages={"again": False}))


@pytest.mark.parametrize(
    "location", ["https://127.0.0.1/", "http://127.0.0.1:1/", "http://[bad", "ftp://127.0.0.1/", "//x/"]
)
def test_a_redirect_off_the_host_is_refused_even_to_an_allowed_one(intake: Intake, location: str) -> None:
    intake.on_call = lambda call: Reply(status=302, headers={"Location": location})
    with pytest.raises(RefusedInput, match=r"redirected to (another host|what is no address)"):
        read(intake, allowed_hosts=("127.0.0.1", "127.0.0.1:1", "x"))
    assert intake.requests == 1


def test_a_redirect_of_a_post_keeps_what_was_posted(intake: Intake) -> None:
    there = {"Location": "/elsewhere"}
    status = [307]

    def moved(call: Call) -> Reply:
        return page([item(1)], "") if call.path == "/elsewhere" else Reply(status=status[0], headers=there)

    intake.on_call = moved
    options: dict[str, Any] = {"method": "POST", "parameters_in": "body", "parameters": {"a": "b"}}
    assert read(intake, **options) == ["H-1"]
    assert intake.calls[1].json == {"a": "b", "limit": 4}
    status[0] = 303
    with pytest.raises(RefusedInput, match="answered 303 to a POST"):
        read(intake, **options)


def test_a_cookie_of_the_server_is_sent_back(intake: Intake) -> None:
    """As load balancers want it."""

    def gate(call: Call) -> Reply:
        if "node=7" in call.headers.get("cookie", ""):
            return page([item(1)], "")
        return Reply(status=302, headers={"Location": call.path, "Set-Cookie": "node=7; Path=/"})

    intake.on_call = gate
    assert read(intake) == ["H-1"]


def test_no_proxy_of_the_environment_is_used(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    intake.on_call = lambda call: page([item(1)], "")
    assert read(intake) == ["H-1"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"url": "ftp://a/b"}, "not an http or https address"),
        ({"url": "a/b"}, "not an http or https address"),
        ({"url": "http://["}, "not an address"),
        ({"allowed_hosts": ["b/c"]}, "is no host"),
        ({"parameters_in": "body"}, 'needs method = "POST"'),
        ({"since": {}}, "a cursor tells what comes next"),
        ({"login": {"token_url": "https://b/token"}}, 'write "b:443" in allowed_hosts'),
        ({"login": {"token_url": "http://a/token"}, "allowed_hosts": ["a:80"]}, "gets its token by https"),
        ({"login": {"token_url": "https://a:8443/token"}}, 'write "a:8443" in allowed_hosts'),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    changes: dict[str, Any], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_TEST", "s")
    plain_settings: dict[str, Any] = {"kind": "rest", "url": "https://a/b"}
    if "login" in changes:
        given = {"kind": "oauth2", "client_id": "c", "client_secret": "env:SECRET_OF_TEST"}
        changes = changes | {"login": given | changes["login"]}
    with pytest.raises(ValidationError, match=text):
        RestSettings(**(plain_settings | changes))


def test_a_first_page_that_is_another_each_time_is_refused(intake: Intake) -> None:
    intake.on_call = lambda call: plain([item(call.number)], links={"next": f"?p={call.number}"})
    with pytest.raises(RefusedInput, match=r"max_pages = 7"):
        batches(settings(intake, "link", max_pages=7))
    assert intake.requests < 60


# --- time -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["head", "body", "parts"])
def test_a_server_that_drips_is_cut_after_the_whole_time(intake: Intake, where: str) -> None:
    """Each byte comes in time, the page never would."""
    if where == "head":
        intake.on_call = lambda call: Reply(ONE, headers={"X-Long": "x" * 400}, drip=0.02)
    elif where == "body":
        intake.on_call = lambda call: Reply(b" " * 4000 + ONE, drip=0.001)
    else:
        intake.on_call = lambda call: Reply(parts=endless_parts())
    began = time.monotonic()
    with pytest.raises(TransientError, match=r"page 1: no answer within timeout_seconds = 0\.4"):
        read(intake, timeout_seconds=0.4)
    assert time.monotonic() - began < 1.5


def endless_parts() -> Any:  # noqa: ANN401
    while True:
        yield b" "
        time.sleep(0.01)


def test_many_small_pieces_that_lie_ready_do_not_take_longer(intake: Intake) -> None:
    """No single read waits, and yet the time is over."""
    intake.on_call = lambda call: Reply(parts=iter(lambda: b" " * 100, b""))
    began = time.monotonic()
    with pytest.raises((TransientError, RefusedInput), match=r"no answer within|larger than"):
        read(intake, timeout_seconds=0.5, max_page_bytes=2**31)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "9" * 40}, 999_999_999.0),
        ({"Retry-After": "Mon, 02 Mar 2026 05:00:20 GMT", "Date": "Mon, 02 Mar 2026 05:00:00 GMT"}, 20.0),
        ({"Retry-After": "Mon, 02 Mar 2020 05:00:20 GMT"}, 0.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(httpx.Headers(headers)) == seconds


def test_the_wait_that_is_asked_for_is_kept_and_capped(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request, "LONGEST_WAIT_SECONDS", 0.4)
    for asked, status in (("3600", 429), (format_datetime(datetime.now(UTC) + timedelta(hours=9), usegmt=True), 503)):
        intake.calls.clear()
        busy = Reply(status=status, headers={"Retry-After": asked})
        intake.on_call = lambda call, busy=busy: busy if call.number < 3 else page([item(1)], "")
        began = time.monotonic()
        assert read(intake, retries=2) == ["H-1"]
        assert 0.8 <= time.monotonic() - began < 2


def test_waits_grow(intake: Intake) -> None:
    times: list[float] = []

    def broken(call: Call) -> Reply:
        times.append(time.monotonic())
        return Reply(status=502) if call.number < 4 else page([item(1)], "")

    intake.on_call = broken
    assert read(intake, retries=3) == ["H-1"]
    waits = [after - before for before, after in pairwise(times)]
    assert waits[0] < waits[1] < waits[2] < 2
    intake.calls.clear()
    with pytest.raises(TransientError, match="answered 502"):
        read(intake, retries=2)


# --- size and packing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gzip", "x-gzip", "deflate", "GZIP", "identity"])
def test_packed_replies_are_unpacked(intake: Intake, name: str) -> None:
    body = {"deflate": zlib.compress(ONE), "identity": ONE}.get(name, gzip.compress(ONE))
    intake.on_call = lambda call: Reply(body, headers={"Content-Encoding": name})
    assert read(intake) == ["H-1"]
    assert intake.calls[0].headers["accept-encoding"] == "gzip"


def test_a_gzip_of_several_members_is_whole(intake: Intake) -> None:
    parts = [gzip.compress(ONE[:10]), gzip.compress(b""), gzip.compress(ONE[10:]) + b"\0" * 7]
    intake.on_call = lambda call: Reply(b"".join(parts), headers=GZIP)
    assert read(intake) == ["H-1"]


@pytest.mark.parametrize(
    ("body", "headers", "error", "text"),
    [
        (gzip.compress(ONE)[:-9], GZIP, TransientError, "gzip is damaged or cut"),
        (gzip.compress(ONE) + b"rest", GZIP, TransientError, "gzip is damaged or cut"),
        (b"not gzip", GZIP, TransientError, "gzip is damaged or cut"),
        (b"", GZIP, TransientError, "gzip is damaged or cut"),
        (ONE, {"Content-Encoding": "br"}, RefusedInput, "packed in another way"),
        (gzip.compress(gzip.compress(ONE)), {"Content-Encoding": "gzip, gzip"}, RefusedInput, "packed in another way"),
    ],
)
def test_damaged_packing_is_told(
    intake: Intake, body: bytes, headers: dict[str, str], error: type[Exception], text: str
) -> None:
    intake.on_call = lambda call: Reply(body, headers=headers)
    with pytest.raises(error, match=f"page 1: .*{text}"):
        read(intake)


@pytest.mark.parametrize("layers", ["one", "members"])
def test_a_gzip_bomb_is_stopped_before_it_is_in_memory(intake: Intake, layers: str) -> None:
    """300 MiB of blanks in 300 KiB: no more than the limit and a little is ever unpacked."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        for _ in range(300):
            file.write(b" " * 2**20)
    bomb = packed.getvalue() if layers == "one" else gzip.compress(b" " * 2**20) * 300
    intake.on_call = lambda call: Reply(bomb, headers=GZIP)
    tracemalloc.start()
    with pytest.raises(RefusedInput, match="larger than max_page_bytes = 1048576"):
        read(intake, max_page_bytes=2**20, timeout_seconds=20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * 2**20, f"{peak / 2**20:.1f} MiB"


def test_packed_input_that_unpacks_to_nothing_has_an_end(intake: Intake) -> None:
    empty = gzip.compress(b"")
    intake.on_call = lambda call: Reply(parts=iter(lambda: empty * 1000, b""), headers=GZIP)
    with pytest.raises(RefusedInput, match="larger than max_page_bytes"):
        read(intake, max_page_bytes=2**20, timeout_seconds=10)


def test_an_announced_size_is_enough_to_refuse(intake: Intake) -> None:
    intake.on_call = lambda call: Reply(b" " * 5000, cut=10)
    with pytest.raises(RefusedInput, match="larger than max_page_bytes = 2048"):
        read(intake, max_page_bytes=2048)


# --- certificates -----------------------------------------------------------------------------------------------


def test_a_certificate_that_is_not_trusted_is_told_and_one_that_is_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate),
            "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serve(Intake(on_call=lambda call: page([item(1)], "")), tls=context) as secure:
        monkeypatch.setattr(wire, "_tls", httpx.create_ssl_context)
        with pytest.raises(RefusedInput, match=r"certificate is not trusted .* SSL_CERT_FILE"):
            read(secure, retries=3)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert read(secure) == ["H-1"]
        secure.on_call = lambda call: Reply(ONE, headers={"X-Long": "x" * 400}, drip=0.02)
        with pytest.raises(TransientError, match="no answer within"):
            read(secure, timeout_seconds=0.5)
