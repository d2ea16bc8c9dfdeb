"""One page of a source: asked for until it comes or the tries are used up, from allowed hosts only.

Busy and broken answers (408, 425, 429, 5xx, time-outs, cut connections) are tried again after a growing wait, or the
one that the server asks for (Retry-After) within reason; then they are raised as TransientError. Everything else that
is no page is RefusedInput. Messages name the address without its query, and the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import tenacity

from connectors.readers.login import Login, basic
from connectors.readers.reply import parse, records_at
from connectors.readers.since import Window, read_date
from connectors.readers.wire import NoAnswer, Reply, Wire
from warehouse.addresses import allowed_origins, origin_of
from warehouse.errors import RefusedInput, TransientError
from warehouse.sources import RestSettings

BUSY = frozenset({408, 425, 429})
REDIRECTED = frozenset({301, 302, 303, 307, 308})
LONGEST_WAIT_SECONDS = 30.0
REDIRECTS = 3
Parameters = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Answer:
    """A page as it came: its records, and all of the reply around them."""

    number: int
    where: str
    records: list[dict[str, Any]]
    content: Any
    headers: httpx.Headers
    url: httpx.URL


class _RetryLaterError(TransientError):
    """A page that may come when asked again; the server may say after how many seconds."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class NoSuchPage(RefusedInput):
    """The server says that there is nothing at this address."""


class Asker:
    """Asks one source for its pages."""

    def __init__(self, settings: RestSettings, wire: Wire, window: Window) -> None:
        self.settings, self.window = settings, window
        self._wire = wire
        self._login = Login(settings.login, wire)
        self._origins = allowed_origins(settings.url, settings.allowed_hosts)
        self._clock_is_known = False

    def ask(self, number: int, parameters: Parameters, url: httpx.URL | None = None) -> Answer:
        """Return page `number`: that of the list with these parameters, or that at `url`.

        Raises TransientError and RefusedInput as said above.
        """
        where = f"{shown(self.settings.url)} page {number}"
        reply, asked = self._fetch(where, parameters, url)
        if not self._clock_is_known:
            self._clock_is_known = True
            if self.window.hear(reply.headers.get("date"), reply.seconds, shown(self.settings.url)):
                reply, asked = self._fetch(where, parameters, url)
        content = parse(reply.body, reply.headers.get("content-type", ""), where)
        records = records_at(content, self.settings.records, where)
        return Answer(number, where, records, content, reply.headers, asked)

    def keep_clock(self) -> None:
        """Leave the window as it is, whatever the source's clock says: it is that of an earlier read."""
        self._clock_is_known = True

    def allowed(self, url: httpx.URL) -> bool:
        """Say whether an address may be asked."""
        try:
            return origin_of(url) in self._origins
        except ValueError:
            return False

    def _fetch(self, where: str, parameters: Parameters, url: httpx.URL | None) -> tuple[Reply, httpx.URL]:
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(1 + self.settings.retries),
            wait=_wait,
            retry=tenacity.retry_if_exception_type(_RetryLaterError),
            reraise=True,
        )
        request = _PageRequest(self.settings, self.window, parameters, url)
        found: tuple[Reply, httpx.URL] = retrying(self._try, where, request)
        return found

    def _try(self, where: str, request: _PageRequest) -> tuple[Reply, httpx.URL]:
        """Ask once, following redirects on the same host, and once more with a new token when the old is refused."""
        target: httpx.URL | None = None
        renewed = False
        for _ in range(2 + REDIRECTS):
            try:
                headers = self._login.headers()
                built = request.build(self._login.parameters(), headers, target)
                reply = self._wire.send(built, read=frozenset({200}))
            except NoAnswer as error:
                raise _RetryLaterError(f"{where}: {error}; it will be asked again") from None
            except RefusedInput as error:
                raise RefusedInput(f"{where}: {error}") from None
            if reply.status in REDIRECTED:
                target = _redirect(where, built, reply)
            elif reply.status == 401 and not renewed and self._login.refused(headers):
                renewed = True
            else:
                _refuse_status(where, reply)
                return reply, built.url
        raise RefusedInput(f"{where}: redirected more than {REDIRECTS} times; write the final address in url")


@dataclass(frozen=True, slots=True)
class _PageRequest:
    """What is asked for; built anew for each try, because window and token may change between them."""

    settings: RestSettings
    window: Window
    parameters: Parameters
    url: httpx.URL | None

    def build(self, login: Mapping[str, str], headers: Mapping[str, str], target: httpx.URL | None) -> httpx.Request:
        """Make the request; `target` is where the server redirected it to."""
        settings = self.settings
        home = httpx.URL(settings.url)
        url = (target or self.url or home).copy_with(userinfo=b"", fragment=None)
        own = {} if home.userinfo == b"" else {"Authorization": basic(home.username, home.password)}
        sent = {"Accept": "application/json"} | own | dict(headers)
        asked = dict(settings.parameters) | self.window.parameters() | dict(self.parameters)
        body = asked if settings.parameters_in == "body" else None
        added = dict(login)
        if body is None and not target and not self.url:
            added = {name: _query_text(value) for name, value in asked.items()} | added
        if added:
            url = url.copy_merge_params(added)
        return httpx.Request(settings.method, url, json=body, headers=sent)


def _query_text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _redirect(where: str, request: httpx.Request, reply: Reply) -> httpx.URL:
    try:
        target = request.url.join(reply.headers.get("location", ""))
        same = origin_of(target) == origin_of(request.url)
    except (httpx.InvalidURL, ValueError):
        raise RefusedInput(f"{where}: redirected to what is no address; check url of this source") from None
    if not same:
        raise RefusedInput(
            f"{where}: redirected to another host ({target.scheme}://{target.host}), which is not followed;"
            " if it is right, write it in url"
        )
    if request.method != "GET" and reply.status not in {307, 308}:
        raise RefusedInput(f"{where}: answered {reply.status} to a POST; write the final address in url")
    return target


def _refuse_status(where: str, reply: Reply) -> None:
    code = reply.status
    if code in BUSY or code >= 500:
        raise _RetryLaterError(f"{where}: answered {code}; it will be asked again", asked_wait(reply.headers))
    if code in {401, 403}:
        raise RefusedInput(f"{where}: answered {code}; this address does not let us in, check its access")
    if code in {404, 410}:
        raise NoSuchPage(f"{where}: answered {code} instead of a page; check url of this source")
    if code != 200:
        raise RefusedInput(f"{where}: answered {code} instead of a page; check url of this source")


def asked_wait(headers: httpx.Headers) -> float | None:
    """Return the seconds that the header Retry-After asks for, written as a number or as a date."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    instant = read_date(text)
    if instant is None:
        return None
    now = read_date(headers.get("date")) or datetime.now(UTC)
    return max(0.0, (instant - now).total_seconds())


def _wait(state: tenacity.RetryCallState) -> float:
    """Wait longer before each further try, or as long as the server asks within reason."""
    error = state.outcome.exception() if state.outcome is not None else None
    asked = getattr(error, "seconds", None)
    if asked is not None:
        return min(float(asked), LONGEST_WAIT_SECONDS)
    growing = tenacity.wait_exponential(multiplier=0.2, max=5.0) + tenacity.wait_random(0, 0.1)
    return float(growing(state))


def shown(url: str) -> str:
    """Return an address as it may be shown: without credentials and query."""
    try:
        return str(httpx.URL(url).copy_with(userinfo=b"", query=None, fragment=None))
    except (httpx.InvalidURL, TypeError):
        return "the configured url"
