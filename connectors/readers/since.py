"""The window of a read: what changed after the last read, up to the source's clock at the start of this one.

The watermark of page, offset and link lists is JSON: `until` is the instant up to which everything was read, `clock`
whose clock that was, `part` how far a list was read that is not done. It moves only when a list was read to its end.

The source's clock is the header Date of the first reply, less the time that the reply took. The watermark is that or
our own clock, the earlier: a clock that is ahead never carries it past a record that is still to come, and one that is
behind only makes the next read longer. Without such a header it is our own clock.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any

from warehouse.sources import UpdatedSince

AGREEING = timedelta(seconds=60)
"""Two clocks that differ by less are taken as the same."""
TOLD = timedelta(minutes=5)
LEAST_OVERLAP = timedelta(seconds=1)
"""Instants are in whole seconds, and nobody says whether the bounds of a source are inclusive."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """How far a list was read: the place of the next page, the marks of the last records, and of which question."""

    question: str
    at: int
    marks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """A watermark of a list."""

    until: datetime | None = None
    by_source: bool = False
    part: Part | None = None
    part_until: datetime | None = None
    part_by_source: bool = False

    @classmethod
    def parse(cls, text: str | None) -> Position:
        """Read a watermark; one that is not ours starts anew, which costs time but loses nothing."""
        try:
            value = json.loads(text or "{}")
            until, part = _instant(value.get("until")), value.get("part")
            mine = cls(until, value.get("clock") == "source")
            if part is None:
                return mine
            place = Part(str(part["of"]), int(part["at"]), tuple(int(mark, 16) for mark in part["marks"]))
            return cls(mine.until, mine.by_source, place, _instant(part.get("until")), part.get("clock") == "source")
        except (ValueError, AttributeError, TypeError, KeyError):
            return cls()

    def text(self) -> str:
        """Write the watermark."""
        value = _clock_text(self.until, by_source=self.by_source)
        if self.part is not None:
            part: dict[str, Any] = {"of": self.part.question, "at": self.part.at}
            part["marks"] = [f"{mark:x}" for mark in self.part.marks]
            value["part"] = part | _clock_text(self.part_until, by_source=self.part_by_source)
        return json.dumps(value, sort_keys=True)


def _clock_text(until: datetime | None, *, by_source: bool) -> dict[str, Any]:
    return {} if until is None else {"until": until.isoformat(), "clock": "source" if by_source else "own"}


def _instant(text: Any) -> datetime | None:  # noqa: ANN401 - JSON
    if text is None:
        return None
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("no offset")
    return instant.astimezone(UTC)


def our_clock() -> datetime:
    """Return the time now in whole seconds, rounded down."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass
class Window:
    """What one read asks for, and the watermark when all of it was read.

    `settings` None: the source cannot be asked for changes, every read is one of the whole list. `zone` is the civil
    clock of instants that are written without offset.
    """

    settings: UpdatedSince | None
    before: Position
    zone: tzinfo = UTC
    clock: Callable[[], datetime] = our_clock
    after: datetime | None = field(init=False, default=None)
    until: datetime = field(init=False)
    bound: datetime = field(init=False)
    by_source: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.bound = self.until = self.clock()
        self._set_after()

    def go_on(self) -> None:
        """Take up the list that the last read left: its bounds are those of that read."""
        if self.before.part_until is not None:
            self.bound, self.by_source = min(self.bound, self.before.part_until), self.before.part_by_source
            self.until = self.bound
            self._set_after()

    def hear(self, date: str | None, seconds: float, where: str) -> bool:
        """Take note of the source's clock in its first reply, which took `seconds`; gives whether to ask anew."""
        if self.settings is None:
            return False
        told = read_date(date)
        if told is None:
            return False
        asked = (self.after, self.until)
        own, theirs = self.until, told - timedelta(seconds=math.ceil(seconds))
        if abs(own - theirs) > TOLD:
            log.warning("%s: its clock differs from ours by %.0f s", where, (theirs - own).total_seconds())
        self.bound, self.by_source = min(own, theirs), True
        if self.settings.until_parameter and (own > told or theirs - own > AGREEING):
            self.until = theirs
        self._set_after()
        return (self.after, self.until) != asked

    def _set_after(self) -> None:
        """Begin before the last bound; one in the future is believed only as far as its clock was the source's."""
        if self.settings is None or self.before.until is None:
            return
        if self.before.until > self.bound + AGREEING and not self.before.by_source:
            self.after = None
            return
        overlap = max(timedelta(seconds=self.settings.overlap_seconds), LEAST_OVERLAP)
        self.after = min(self.before.until, self.bound) - overlap

    def parameters(self) -> dict[str, str | int]:
        """Return the parameters of the window."""
        settings = self.settings
        if settings is None:
            return {}
        found = {} if self.after is None else {settings.parameter: _written(settings, self.after, self.zone)}
        if settings.until_parameter:
            found[settings.until_parameter] = _written(settings, self.until, self.zone)
        return found

    def unfinished(self, part: Part | None) -> str:
        """Return the watermark while the list is being read: the old one, and how far this read came."""
        old = self.before
        mine = (part, self.bound, self.by_source) if part is not None and self.settings is not None else (part,)
        return Position(old.until, old.by_source, *mine).text()

    def finished(self) -> str:
        """Return the watermark when the list was read to its end."""
        return (Position(self.bound, self.by_source) if self.settings is not None else Position()).text()


def read_date(header: str | None) -> datetime | None:
    """Read an HTTP date; None for what is none."""
    try:
        told = parsedate_to_datetime(header or "")
        if told.year < 1970:
            return None
        return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _written(settings: UpdatedSince, instant: datetime, zone: tzinfo) -> str | int:
    match settings.format:
        case "iso":
            return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
        case "epoch":
            return int(instant.timestamp())
        case "yyyyMMddHHmmss":
            return instant.astimezone(zone).strftime("%Y%m%d%H%M%S")
