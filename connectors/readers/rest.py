"""Reading a source that answers JSON pages over HTTP, from an opaque cursor on.

Busy and broken answers (429, 5xx, time-outs, cut connections) are tried again, then raised as TransientError. What is
no page of records (HTML, cut JSON, no list where it should be, a cursor that stands still, a redirect to another host,
a reply that is too large) is RefusedInput. Messages name the address without its query, and the page; never contents.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import numpy as np
import pandas as pd
import tenacity

from connectors.batch import Batch, Stretch, as_text, text_array, text_column
from warehouse.errors import IocError, RefusedInput, TransientError
from warehouse.sources import RestSettings

BUSY = frozenset({408, 425, 429})
LONGEST_WAIT_SECONDS = 30.0
REDIRECTS = 3
_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Page:
    """One reply: its records, and the cursor after them (None: the reply names none)."""

    number: int
    records: list[dict[str, Any]]
    cursor: str | None


class _RetryLaterError(TransientError):
    """A page that may come when asked again; the server may say after how many seconds."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


def read(
    settings: RestSettings, position: str | None, fields: Mapping[str, bool], keys: Sequence[str], batch_rows: int
) -> Iterator[Batch]:
    """Yield the records after `position` in batches of about `batch_rows`, only the named fields of each.

    Raises TransientError and RefusedInput as said above.
    """
    waiting: list[Page] = []
    trouble: IocError | None = None
    pages = _pages(settings, position)
    while trouble is None:
        try:
            waiting.append(next(pages))
        except StopIteration:
            break
        except IocError as error:
            trouble = error  # first hand on what came before it
        if sum(len(item.records) for item in waiting) >= batch_rows:
            yield _batch(settings, waiting, fields, keys)
            waiting = []
    if any(page.records or page.cursor != position for page in waiting):
        yield _batch(settings, waiting, fields, keys)
    if trouble is not None:
        raise trouble


@cache
def _tls() -> ssl.SSLContext:
    """The trusted certificates, loaded once: that takes longer than a page."""
    return httpx.create_ssl_context()


def _pages(settings: RestSettings, position: str | None) -> Iterator[Page]:
    """Ask page after page until one has no records or names no next cursor."""
    cursor, number, seen = position, 0, {position}
    with httpx.Client(timeout=settings.timeout_seconds, trust_env=False, verify=_tls()) as client:
        while True:
            number += 1
            page = _PageRequest(client, settings, cursor, number).fetch()
            if page.cursor is None:
                yield Page(number, page.records, cursor)
                return
            yield page
            if not page.records:
                return
            if page.cursor in seen:
                raise RefusedInput(
                    f"{_shown(settings.url)} page {number}: the cursor does not move on although records keep coming;"
                    f" check pages.next = {settings.pages.next!r} of this source"
                )
            seen.add(page.cursor)
            cursor = page.cursor


@dataclass(frozen=True, slots=True)
class _PageRequest:
    """One page, asked for until it comes or the tries are used up."""

    client: httpx.Client
    settings: RestSettings
    cursor: str | None
    number: int

    @property
    def where(self) -> str:
        return f"{_shown(self.settings.url)} page {self.number}"

    def fetch(self) -> Page:
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(1 + self.settings.retries),
            wait=_wait,
            retry=tenacity.retry_if_exception_type(_RetryLaterError),
            reraise=True,
        )
        body: bytes = retrying(self._ask)
        return self._page(self._parse(body))

    def _ask(self) -> bytes:
        settings = self.settings
        url = httpx.URL(settings.url).copy_merge_params({settings.pages.size_parameter: str(settings.page_size)})
        if self.cursor is not None:
            url = url.copy_merge_params({settings.pages.parameter: self.cursor})
        try:
            for _ in range(1 + REDIRECTS):
                reply = self._reply(url)
                if isinstance(reply, bytes):
                    return reply
                url = reply
        except (httpx.TransportError, httpx.DecodingError) as error:
            what = type(error).__name__ if not str(error) else str(error)
            raise _RetryLaterError(f"{self.where}: no answer ({what}); it will be asked again") from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise RefusedInput(f"{self.where}: not an address that can be asked: {error}") from error
        raise RefusedInput(f"{self.where}: redirected more than {REDIRECTS} times; write the final address in url")

    def _reply(self, url: httpx.URL) -> bytes | httpx.URL:
        """Return the body, or where the server redirects to."""
        with self.client.stream(self.settings.method, url) as reply:
            if reply.is_redirect:
                return self._redirect(url, reply.headers.get("location", ""))
            self._refuse_status(reply)
            parts: list[bytes] = []
            size = 0
            for part in reply.iter_bytes():
                parts.append(part)
                size += len(part)
                if size > self.settings.max_page_bytes:
                    raise RefusedInput(
                        f"{self.where}: larger than max_page_bytes = {self.settings.max_page_bytes};"
                        " ask for a smaller page_size"
                    )
            return b"".join(parts)

    def _redirect(self, url: httpx.URL, location: str) -> httpx.URL:
        target = url.join(location)
        if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
            raise RefusedInput(
                f"{self.where}: redirected to another host ({target.scheme}://{target.host}), which is not followed;"
                " if it is right, write it in url"
            )
        return target

    def _refuse_status(self, reply: httpx.Response) -> None:
        code = reply.status_code
        if code in BUSY or code >= 500:
            after = reply.headers.get("retry-after", "")
            seconds = float(after) if after.isdigit() else None
            raise _RetryLaterError(f"{self.where}: answered {code}; it will be asked again", seconds)
        if code in {401, 403}:
            raise RefusedInput(f"{self.where}: answered {code}; this address does not let us in, check its access")
        if code != 200:
            raise RefusedInput(f"{self.where}: answered {code} instead of a page; check url of this source")

    def _parse(self, body: bytes) -> Any:  # noqa: ANN401 - JSON
        start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
        if not start:
            raise RefusedInput(f"{self.where}: the reply is empty; a page of JSON was expected")
        if start.startswith(b"<"):
            raise RefusedInput(
                f"{self.where}: answered HTML or XML with status 200 where JSON was expected,"
                " perhaps a login or error page; check url and access"
            )
        try:
            return json.loads(body, parse_constant=_refuse_constant)
        except json.JSONDecodeError as error:
            raise RefusedInput(
                f"{self.where}: not whole JSON: {error.msg} at byte {error.pos} of {len(body)}"
            ) from None
        except (ValueError, RecursionError) as error:
            raise RefusedInput(f"{self.where}: not JSON that can be read: {type(error).__name__}") from None

    def _page(self, reply: Any) -> Page:  # noqa: ANN401 - JSON
        records = _at(reply, self.settings.records)
        if not isinstance(records, list):
            found = f"keys {', '.join(sorted(reply)[:12])}" if isinstance(reply, dict) else type(reply).__name__
            raise RefusedInput(
                f"{self.where}: no list of records at records = {self.settings.records!r} (found: {found[:200]});"
                " set records to the path of the list"
            )
        for index, record in enumerate(records, 1):
            if not isinstance(record, dict):
                raise RefusedInput(f"{self.where} item {index}: a {type(record).__name__} where a record was expected")
        return Page(self.number, records, self._next(reply, records))

    def _next(self, reply: Any, records: Sequence[Any]) -> str | None:  # noqa: ANN401 - JSON
        found = _at(reply, self.settings.pages.next)
        if found is _ABSENT and len(records) >= self.settings.page_size:
            raise RefusedInput(
                f"{self.where}: a full page without pages.next = {self.settings.pages.next!r}:"
                " what comes after it would be lost; set next_cursor to its path"
            )
        if isinstance(found, list | dict):
            raise RefusedInput(f"{self.where}: next_cursor is a {type(found).__name__}, a text was expected")
        return None if found is _ABSENT or found in (None, "") else as_text(found)


def _wait(state: tenacity.RetryCallState) -> float:
    """Wait longer before each further try, or as long as the server asks within reason."""
    error = state.outcome.exception() if state.outcome is not None else None
    asked = getattr(error, "seconds", None)
    if asked is not None:
        return min(float(asked), LONGEST_WAIT_SECONDS)
    growing = tenacity.wait_exponential(multiplier=0.2, max=5.0) + tenacity.wait_random(0, 0.1)
    return float(growing(state))


def _at(value: Any, path: str) -> Any:  # noqa: ANN401 - JSON
    """Follow a path of names with dots between; the empty path is the value itself."""
    for name in path.split(".") if path else ():
        if not isinstance(value, dict) or name not in value:
            return _ABSENT
        value = value[name]
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _shown(url: str) -> str:
    """The address as it may be shown: without credentials and query."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        return "the configured url"
    return str(parts.copy_with(username=None, password=None, query=None, fragment=None))


def _batch(settings: RestSettings, pages: Sequence[Page], fields: Mapping[str, bool], keys: Sequence[str]) -> Batch:
    records = [record for page in pages for record in page.records]
    stretches, start = [], 0
    for page in pages:
        stretches.append(Stretch(start, f"page {page.number} item", 1))
        start += len(page.records)
    columns, absent = {}, {}
    for name, needed in fields.items():
        values = [record.get(name, _ABSENT) for record in records]
        lacking = np.fromiter((value is _ABSENT for value in values), bool, len(values))
        if needed and lacking.any():
            absent[name] = lacking
        columns[name] = text_column(text_array([None if value is _ABSENT else as_text(value) for value in values]))
    _refuse_other_records(settings, records, {name for name, rows in absent.items() if rows.all()}, keys)
    return Batch(pd.DataFrame(columns), stretches, pages[-1].cursor, absent)


def _refuse_other_records(
    settings: RestSettings, records: Sequence[Mapping[str, Any]], lacking: set[str], keys: Sequence[str]
) -> None:
    """Refuse records of another shape: no record has the field. One record alone is a matter for quarantine."""
    if lacking and (len(records) > 1 or lacking & set(keys)):
        found = sorted({name for record in records[:100] for name in record})
        raise RefusedInput(
            f"{_shown(settings.url)}: no record has the field(s) {', '.join(sorted(lacking))};"
            f" fields there: {', '.join(found)[:600]}; correct the mapping, or mark the column optional"
        )


__all__ = ["read"]
