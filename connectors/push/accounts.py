"""Who may send: accounts of the settings, sessions, and the bound on guesses.

A session is a signed text, not a row: it names when it ends, and is signed by a key made from the account's password.
So it outlives a restart, holds for every web process, and ends at once when the password changes. That matters because
senders keep a session for minutes and have no way to learn that it was forgotten.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from connectors.push.calls import Service
from warehouse.sources import PushSettings, SourceSettings
from warehouse.vocabulary import Entity

ENTITIES = {
    Service.DOSSIERS: (Entity.DOSSIER, Entity.REFERENCE_DOSSIER),
    Service.LOOK_UP: (Entity.DOSSIER, Entity.REFERENCE_DOSSIER),
    Service.STEPS: (Entity.DOSSIER_STEP,),
}
WINDOW_SECONDS = 300.0
GUESSES, GUESSES_OF_ADDRESS = 10, 100
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Account:
    """One login and the streams that it may send."""

    username: str
    sources: tuple[SourceSettings, ...]
    seconds: float
    mark: bytes = field(repr=False)
    key: bytes = field(repr=False)

    def offers(self, service: Service) -> bool:
        """Whether any stream takes this service."""
        return service is Service.AGENCIES or any(source.entity in ENTITIES[service] for source in self.sources)

    def source(self, service: Service, agency: str) -> SourceSettings | None:
        """The stream that takes a service for an agency: the one that names it, else the one that names none."""
        fit = {_agency(source).casefold(): source for source in self.sources if source.entity in ENTITIES[service]}
        return fit.get(agency.casefold(), fit.get(""))

    def open_session(self, now: datetime) -> str:
        """Return a new session."""
        head = f"{int(now.timestamp() + self.seconds):x}.{secrets.token_urlsafe(12)}"
        return f"{head}.{self._sign(head)}"

    def knows(self, session: str, now: datetime) -> bool:
        """Whether a session is of this account and not over."""
        head, _, signature = session.rpartition(".")
        if not hmac.compare_digest(self._sign(head).encode(), signature.encode("utf-8", "replace")):
            return False
        return int(head.partition(".")[0], 16) > now.timestamp()

    def _sign(self, head: str) -> str:
        return hmac.new(self.key, head.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _agency(source: SourceSettings) -> str:
    return source.reader.madonvi.strip() if isinstance(source.reader, PushSettings) else ""


class Accounts:
    """All accounts of the settings, which make sure that a call can choose between its sources."""

    def __init__(self, sources: Iterable[SourceSettings]) -> None:
        grouped: dict[str, list[SourceSettings]] = {}
        for source in sources:
            if isinstance(source.reader, PushSettings):
                grouped.setdefault(source.reader.username, []).append(source)
        self._accounts = [_account(username, tuple(group)) for username, group in grouped.items()]

    def login(self, username: str, password: str) -> Account | None:
        """Return the account of a user name and password; every account is compared, in constant time."""
        given, found = _mark(username, password), None
        for account in self._accounts:
            if hmac.compare_digest(given, account.mark):
                found = account
        return found

    def of_session(self, session: str, now: datetime) -> Account | None:
        """Return the account of a session that is not over."""
        return next((account for account in self._accounts if account.knows(session, now)), None)


def _account(username: str, sources: tuple[SourceSettings, ...]) -> Account:
    readers = [source.reader for source in sources if isinstance(source.reader, PushSettings)]
    password = readers[0].password.get_secret_value()
    # slow on purpose: a session that somebody saw must not give away a weak password
    key = hashlib.scrypt(password.encode(), salt=f"ioc push session {username}".encode(), n=2**14, r=8, p=1, dklen=32)
    seconds = min(reader.session_seconds for reader in readers)
    return Account(username, sources, seconds, _mark(username, password), key)


def _mark(username: str, password: str) -> bytes:
    one, other = (text.encode("utf-8", "replace") for text in (username, password))
    return hashlib.sha256(hashlib.sha256(one).digest() + other).digest()


class Guesses:
    """Counts refused logins by address and user name; too many within five minutes close the door for a while."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, bytes], deque[float]] = {}

    def too_many(self, address: str, username: str) -> bool:
        """Whether a further try is not even looked at."""
        one, all_ = _keys(address, username)
        return len(self._recent(one)) >= GUESSES or len(self._recent(all_)) >= GUESSES_OF_ADDRESS

    def wrong(self, address: str, username: str) -> None:
        """Count a refused login."""
        for key in _keys(address, username):
            self._seen[key] = self._recent(key)
            self._seen[key].append(time.monotonic())
        while len(self._seen) > REMEMBERED:
            self._seen.pop(next(iter(self._seen)), None)

    def _recent(self, key: tuple[str, bytes]) -> deque[float]:
        times = self._seen.get(key, deque())
        return deque((at for at in times.copy() if time.monotonic() - at < WINDOW_SECONDS), maxlen=GUESSES_OF_ADDRESS)


def _keys(address: str, username: str) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    return (address, hashlib.sha256(username.encode("utf-8", "replace")).digest()), (address, b"")


__all__ = ["ENTITIES", "Account", "Accounts", "Guesses"]
