"""Logging in: a bearer token, user name and password, an API key, or OAuth 2.0 client credentials (RFC 6749 §4.4).

A token of OAuth 2.0 is shared by all streams of this process and renewed shortly before it ends, and once when the
source refuses it. Errors name the token endpoint and the error code of the RFC, never a secret or what was sent back.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import httpx

from connectors.readers.wire import NoAnswer, Reply, Wire
from warehouse.errors import RefusedInput
from warehouse.sources import ApiKeyLogin, BasicLogin, BearerLogin, OAuth2Login

EARLY_SECONDS = 30.0
SHORTEST_LIFE_SECONDS = 60.0
"""Life of a token whose endpoint does not say how long it lives."""
_ANSWERS = frozenset({200, 400, 401, 403})
_ERROR_CODE = re.compile(r"[a-z_]{1,40}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_HEADER = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    good_until: float


_tokens: dict[OAuth2Login, _Token] = {}
_renewing = threading.Lock()


class Login:
    """What is added to each request so that the source lets us in."""

    def __init__(self, settings: BearerLogin | BasicLogin | ApiKeyLogin | OAuth2Login | None, wire: Wire) -> None:
        self._settings, self._wire = settings, wire

    def headers(self) -> dict[str, str]:
        """Return the headers to add.

        Raises NoAnswer and RefusedInput when a token is needed and cannot be had.
        """
        match self._settings:
            case BearerLogin(token=token):
                return {"Authorization": _fit(f"Bearer {token.get_secret_value()}")}
            case BasicLogin(username=name, password=password):
                return {"Authorization": basic(name, password.get_secret_value())}
            case ApiKeyLogin(name=name, place="header", key=key):
                return {name: _fit(key.get_secret_value())}
            case OAuth2Login():
                return {"Authorization": f"Bearer {self._token(self._settings)}"}
        return {}

    def parameters(self) -> dict[str, str]:
        """Return the query parameters to add."""
        match self._settings:
            case ApiKeyLogin(name=name, place="query", key=key):
                return {name: key.get_secret_value()}
        return {}

    def refused(self, headers: dict[str, str]) -> bool:
        """Take note that the source refused these headers; gives whether a new token may help."""
        if not isinstance(self._settings, OAuth2Login):
            return False
        with _renewing:
            held = _tokens.get(self._settings)
            if held is not None and headers.get("Authorization") == f"Bearer {held.text}":
                del _tokens[self._settings]
        return True

    def _token(self, settings: OAuth2Login) -> str:
        with _renewing:
            held = _tokens.get(settings)
            if held is None or time.monotonic() >= held.good_until:
                held = _tokens[settings] = _Exchange(settings, self._wire).token()
            return held.text


def _fit(value: str) -> str:
    """Refuse a secret that no header can carry, before a library complains of it by showing it."""
    if not _HEADER.fullmatch(value):
        raise RefusedInput("the secret of login holds signs that no header can carry (a line break?); write it again")
    return value


def basic(name: str, password: str) -> str:
    """Return the value of the header Authorization for a user name and password."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class _Exchange:
    """Our name and secret against a token."""

    settings: OAuth2Login
    wire: Wire

    @property
    def where(self) -> str:
        return f"token endpoint {httpx.URL(self.settings.token_url).copy_with(userinfo=b'', query=None, fragment=None)}"

    def token(self) -> _Token:
        began = time.monotonic()
        try:
            reply = self.wire.send(self._request(), read=_ANSWERS)
        except (NoAnswer, RefusedInput) as error:
            raise type(error)(f"{self.where}: {error}") from None
        content = self._content(reply)
        text, kind = content.get("access_token"), content.get("token_type", "bearer")
        if not isinstance(text, str) or not _TOKEN.fullmatch(text):
            raise RefusedInput(f"{self.where}: its answer holds no access_token; check token_url")
        if str(kind).lower() != "bearer":
            raise RefusedInput(f"{self.where}: its token is of another type than bearer, which is not supported")
        life = _seconds(content.get("expires_in"))
        return _Token(text, began + life - min(EARLY_SECONDS, life / 10))

    def _request(self) -> httpx.Request:
        settings, secret = self.settings, self.settings.client_secret.get_secret_value()
        form = {"grant_type": "client_credentials"} | ({"scope": settings.scope} if settings.scope else {})
        headers = {"Accept": "application/json"}
        if settings.placed_in == "body":
            form |= {"client_id": settings.client_id, "client_secret": secret}
        else:  # RFC 6749 §2.3.1: both are form-encoded before they are joined
            headers["Authorization"] = basic(quote_plus(settings.client_id), quote_plus(secret))
        return httpx.Request("POST", settings.token_url, data=form, headers=headers)

    def _content(self, reply: Reply) -> dict[str, Any]:
        if reply.status == 429 or reply.status >= 500:
            raise NoAnswer(f"{self.where}: answered {reply.status}")
        try:
            content = json.loads(reply.body)
        except (ValueError, RecursionError):
            content = None
        if reply.status != 200:
            found = content.get("error") if isinstance(content, dict) else None
            code = f" ({found})" if isinstance(found, str) and _ERROR_CODE.fullmatch(found) else ""
            raise RefusedInput(
                f"{self.where}: answered {reply.status}{code} instead of a token;"
                " check token_url, client_id, client_secret, scope and placed_in"
            )
        if not isinstance(content, dict):
            raise RefusedInput(f"{self.where}: its answer is not JSON; check token_url")
        return content


def _seconds(told: Any) -> float:  # noqa: ANN401 - JSON
    """Read how long a token lives; some endpoints write the number as text."""
    try:
        life = float(told)
    except (TypeError, ValueError):
        return SHORTEST_LIFE_SECONDS
    return life if 0 < life < 10**7 else SHORTEST_LIFE_SECONDS
