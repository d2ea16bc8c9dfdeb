"""Logins of HTTP sources, and a token endpoint that speaks the exchange of RFC 6749; no secret is ever shown."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest
from pydantic import SecretStr

from connectors.readers import login
from tests.connectors.intake import Call, Intake, Reply, page, serve
from tests.connectors.moving_list import batches, item, settings
from warehouse.errors import IocError, RefusedInput, TransientError
from warehouse.sources import RestSettings

SECRET = "geheim+/ Tran&=%"
CURSOR: dict[str, Any] = {"kind": "cursor", "parameter": "cursor", "size_parameter": "limit"}


@dataclass
class Keycloak:
    """A token endpoint: knows one client, and which of its tokens are still good."""

    life: int | None = 300
    script: Reply | None = None
    issued: int = 0
    good: set[str] = field(default_factory=set)

    def __call__(self, call: Call) -> Reply:
        if self.script is not None:
            return self.script
        form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
        kind, _, given = call.headers.get("authorization", "").partition(" ")
        if kind == "Basic":
            name, _, secret = (unquote_plus(part) for part in base64.b64decode(given).decode().partition(":"))
        else:
            name, secret = form.get("client_id", ""), form.get("client_secret", "")
        if form.get("grant_type") != "client_credentials":
            return self.error(400, "unsupported_grant_type")
        if (name, secret) != ("ioc dashboard", SECRET):
            return self.error(401, "invalid_client")
        self.issued += 1
        token = f"token-{self.issued}"
        self.good.add(token)
        answer: dict[str, Any] = {"access_token": token, "token_type": "Bearer", "scope": form.get("scope", "")}
        if self.life is not None:
            answer["expires_in"] = self.life
        return Reply(json.dumps(answer).encode())

    @staticmethod
    def error(status: int, code: str) -> Reply:
        return Reply(json.dumps({"error": code, "error_description": f"what came was {SECRET}"}).encode(), status)

    def guard(self, call: Call) -> Reply:
        if call.headers.get("authorization", "").removeprefix("Bearer ") in self.good:
            return page([item(call.number)], "")
        return Reply(status=401, headers={"WWW-Authenticate": "Bearer"})


@pytest.fixture(autouse=True)
def _no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "_tokens", {})


@pytest.fixture
def keycloak(intake: Intake) -> Iterator[tuple[Keycloak, Intake]]:
    """A token endpoint on another port than the source, which it guards."""
    server = Keycloak()
    with serve(Intake(on_call=server)) as endpoint:
        intake.on_call = server.guard
        yield server, endpoint


def oauth2(intake: Intake, endpoint: Intake, **changes: Any) -> RestSettings:  # noqa: ANN401
    token_url = endpoint.url.replace("/api/dossiers", "/auth/realms/digo/protocol/openid-connect/token")
    given = {"kind": "oauth2", "token_url": token_url, "client_id": "ioc dashboard", "client_secret": SecretStr(SECRET)}
    hosts = (endpoint.url.split("/")[2],)
    return settings(intake, "page", pages=CURSOR, login=given | changes, allowed_hosts=hosts)


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"kind": "bearer", "token": SecretStr("abc.def")}, "authorization", "Bearer abc.def"),
        (
            {"kind": "basic", "username": "cán bộ", "password": SecretStr(SECRET)},
            "authorization",
            "Basic " + base64.b64encode(f"cán bộ:{SECRET}".encode()).decode(),
        ),
        ({"kind": "api_key", "key": SecretStr(SECRET)}, "x-api-key", SECRET),
        ({"kind": "api_key", "name": "X-Khoa", "key": SecretStr("k")}, "x-khoa", "k"),
    ],
)
def test_a_login_in_a_header(intake: Intake, given: dict[str, Any], name: str, value: str) -> None:
    intake.on_call = lambda call: page([item(1)], "")
    batches(settings(intake, "page", pages=CURSOR, login=given))
    assert intake.calls[0].headers[name] == value


def test_a_key_in_the_query_goes_with_every_page(intake: Intake) -> None:
    intake.records = [{"MaHoSo": str(number), "NgayCapNhat": ""} for number in range(6)]
    given = {"kind": "api_key", "name": "khoa", "place": "query", "key": SecretStr(SECRET)}
    batches(settings(intake, "page", pages=CURSOR, login=given))
    assert [call.query["khoa"] for call in intake.calls] == [SECRET] * len(intake.calls)
    assert len(intake.calls) > 1


@pytest.mark.parametrize("placed_in", ["header", "body"])
def test_a_token_is_fetched_once_and_used_until_it_ends(
    intake: Intake, keycloak: tuple[Keycloak, Intake], placed_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, endpoint = keycloak
    chosen = oauth2(intake, endpoint, placed_in=placed_in, scope="ho-so")
    batches(chosen)
    batches(chosen)
    assert (server.issued, intake.calls[-1].headers["authorization"]) == (1, "Bearer token-1")
    assert b"scope=ho-so" in endpoint.calls[0].body
    assert (SECRET.split("+", maxsplit=1)[0].encode() in endpoint.calls[0].body) is (placed_in == "body")
    now = login.time.monotonic()
    monkeypatch.setattr(login.time, "monotonic", lambda: now + 269)
    batches(chosen)
    assert server.issued == 1
    monkeypatch.setattr(login.time, "monotonic", lambda: now + 275)
    batches(chosen)
    assert server.issued == 2, "renewed shortly before it ends"


def test_a_token_that_is_refused_is_renewed_once(intake: Intake, keycloak: tuple[Keycloak, Intake]) -> None:
    server, endpoint = keycloak
    chosen = oauth2(intake, endpoint)
    batches(chosen)
    server.good.clear()
    assert sum(len(batch.frame) for batch in batches(chosen)) == 1
    assert server.issued == 2
    intake.on_call = lambda call: Reply(status=401)
    with pytest.raises(RefusedInput, match="answered 401"):
        batches(chosen)
    assert server.issued == 3


def test_another_login_does_not_get_the_same_token(intake: Intake, keycloak: tuple[Keycloak, Intake]) -> None:
    server, endpoint = keycloak
    batches(oauth2(intake, endpoint))
    with pytest.raises(RefusedInput, match=r"answered 401 \(invalid_client\)"):
        batches(oauth2(intake, endpoint, client_secret=SecretStr("wrong")))
    assert server.issued == 1


NO_TOKEN = b'{"token_type": "Bearer", "geheim": 1}'
TROUBLES: dict[str, tuple[Reply, type[IocError], str]] = {
    "html": (Reply(b"<html>", headers={"Content-Type": "text/html"}), RefusedInput, "not JSON"),
    "list": (Reply(b"[]"), RefusedInput, "not JSON"),
    "no token": (Reply(NO_TOKEN), RefusedInput, "holds no access_token"),
    "odd token": (Reply(b'{"access_token": "a\\nb"}'), RefusedInput, "holds no access_token"),
    "other type": (Reply(b'{"access_token": "a", "token_type": "mac"}'), RefusedInput, "another type than bearer"),
    "forbidden": (Reply(b"no", 403), RefusedInput, "answered 403 instead of a token"),
    "scope": (Keycloak.error(400, "invalid_scope"), RefusedInput, r"answered 400 \(invalid_scope\)"),
    "odd code": (Keycloak.error(400, SECRET), RefusedInput, "answered 400 instead"),
    "elsewhere": (Reply(status=302, headers={"Location": "http://example.com/"}), RefusedInput, "answered 302"),
    "not found": (Reply(status=404), RefusedInput, "answered 404"),
    "busy": (Reply(status=503), TransientError, "answered 503"),
    "cut": (Reply(b"{}" * 20, cut=3), TransientError, "no answer"),
    "slow": (Reply(b"{}", drip=0.2), TransientError, "no answer within"),
    "large": (Reply(b" " * 5000), RefusedInput, "larger than max_page_bytes"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_of_the_token_endpoint_is_told_as_such(
    intake: Intake, keycloak: tuple[Keycloak, Intake], name: str
) -> None:
    server, endpoint = keycloak
    server.script, error, text = TROUBLES[name]
    chosen = oauth2(intake, endpoint).model_copy(update={"timeout_seconds": 0.5, "max_page_bytes": 4096})
    with pytest.raises(error, match=text) as caught:
        batches(chosen)
    assert "token endpoint http" in str(caught.value)
    assert "/protocol/openid-connect/token" in str(caught.value)
    assert intake.requests == 0
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("value", ["a\nb", "Nguyễn", "x" * 3 + "\x00"])
def test_a_secret_that_no_header_can_carry_is_refused_without_showing_it(intake: Intake, value: str) -> None:
    for given in ({"kind": "bearer", "token": SecretStr(value)}, {"kind": "api_key", "key": SecretStr(value)}):
        with pytest.raises(RefusedInput, match="no header can carry") as caught:
            batches(settings(intake, "page", pages=CURSOR, login=given))
        assert value not in repr(caught.value)
    assert intake.requests == 0


def test_no_secret_is_shown_anywhere(
    intake: Intake, keycloak: tuple[Keycloak, Intake], caplog: pytest.LogCaptureFixture
) -> None:
    """Every login against every kind of failure, with all logs of all libraries on."""
    caplog.set_level(logging.DEBUG)
    canary = "CANARY0123456789"
    _, endpoint = keycloak
    logins = [
        {"kind": "bearer", "token": SecretStr(canary)},
        {"kind": "basic", "username": "u", "password": SecretStr(canary)},
        {"kind": "api_key", "key": SecretStr(canary)},
        {"kind": "api_key", "place": "query", "name": "k", "key": SecretStr(canary)},
    ]
    seen = []
    replies = [Reply(status=401), Reply(status=500), Reply(hang_up=True), Reply(b"<html>"), page([item(1)], "")]
    for reply in [*replies, Reply(status=302, headers={"Location": "http://[bad"})]:
        for chosen in [settings(intake, "page", pages=CURSOR, login=given) for given in logins]:
            seen.append(repr(chosen))
            intake.on_call = lambda call, reply=reply: reply
            try:
                batches(chosen)
            except IocError as error:
                seen.append(everything_of(error))
    try:
        batches(oauth2(intake, endpoint, client_secret=SecretStr(canary)))
    except IocError as error:
        seen.append(everything_of(error))
    encoded = base64.b64encode(f"u:{canary}".encode()).decode()
    told = "\n".join(seen) + caplog.text
    assert len(seen) > 40
    assert canary not in told
    assert encoded not in told


def everything_of(error: BaseException | None) -> str:
    texts = []
    while error is not None:
        texts.append(f"{error!r} {error} {error.__cause__!r}")
        error = error.__context__
    return "\n".join(texts)
