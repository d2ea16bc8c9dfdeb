"""Reading a list that moves while it is paged.

Records that change during a read leave their place; the ones behind them move up, and one that moves onto a page that
was read already would be lost. So every view of the list must begin with something that was read before: then no
record that stayed as it was can stand between two views. Where it does not, the read steps back until it does. Records
that change meanwhile are not lost either: the next read asks for changes since before this one began.

This holds for lists with a firm order. Where records come again *behind* the last one that was read, or fewer keys came
than the source tells, it orders its list anew for each page (equal instants, no order at all), and records may be
missing: the list is read again with pages that begin elsewhere, until all keys are there that the source tells, or a
pass brings nothing twice, or two passes cut differently are the same sequence (the list itself has doubles). Where none
of this comes about, the watermark stays and the read fails with that reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from connectors.readers.since import Part, Window
from warehouse.errors import RefusedInput

PASSES = 8
BARREN = 12
"""So many views, and a multiple of those before, may bring nothing new before the list counts as endless."""
REMEMBERED = 5
_YOUNG = 50_000
_UNORDERED = (
    "records come again on later pages in another order each time, so that others may be missing; what was read is"
    " kept, the watermark stays: let the source order the list by instant and key, or set pages.total"
)


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of one reply, counted from `first`, and the watermark when they are stored (None: there is none)."""

    number: int
    records: list[dict[str, Any]]
    position: str | None
    first: int = 1


@dataclass(frozen=True, slots=True)
class View:
    """The list as it stood between the places `start` and `end`; `ends`: nothing comes after it.

    `total` is how many records the source tells, `doubtful` says that nothing but a repetition looks like the end.
    Of its first records, `known` should have been read before, and `lead` are those of the page before `number`.
    """

    number: int
    where: str
    records: list[dict[str, Any]]
    marks: list[int]
    start: int
    end: int
    ends: bool
    known: int = 0
    lead: int = 0
    total: int | None = None
    doubtful: bool = False


class Views(Protocol):
    """A way to look at a list."""

    def view(self, place: int, anchor: int | None) -> View:
        """Look at the list from `place` on and shortly before it.

        There should stand the last record that was read, with the mark `anchor`; None: whatever stands there.
        """

    def before(self, view: View, steps: int) -> int:
        """Return the place from which to look when a view did not join, for the `steps`-th time."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a list is read: its views for each pass, what they ask for, and whether a later run may go on with it."""

    views: Callable[[int], Views]
    keys: Sequence[str]
    window: Window
    question: str
    resumable: bool


def mark_of(fields: Sequence[str], record: dict[str, Any]) -> int:
    """Return a number that stands for the content of a record, as far as we read it."""
    text = repr([record.get(name) for name in fields])
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def read_moving(reading: Reading) -> Iterator[Page]:
    """Yield every record of a list at least once, and at the end the watermark after it.

    Raises RefusedInput for a list without end or without firm order.
    """
    known = _Known()
    previous: _Pass | None = None
    for attempt in range(PASSES):
        now = _Pass(reading, attempt, known, 0 if previous is None else previous.views_seen)
        yield from now.pages()
        if now.whole(previous):
            yield Page(now.number, [], reading.window.finished())
            return
        yield Page(now.number, [], reading.window.unfinished(None))
        previous = now
    raise RefusedInput(f"{now.where}: {_UNORDERED}")


class _Pass:
    """The list once from its beginning (or from where a run left it) to its end."""

    def __init__(self, reading: Reading, attempt: int, known: _Known, expected: int) -> None:
        self.reading, self.attempt, self.known = reading, attempt, known
        self.views = reading.views(attempt)
        self.place, self.recent = self._begin()
        self.here = _Seen() if attempt else known.contents
        self._totals: list[int] = []
        self._went_on = self.place > 0
        self.shaky = False
        self.number, self.where = 0, ""
        self._steps_back, self._misses, self._behind, self._lenient = 0, 0, False, False
        self._stored = reading.window.unfinished(reading.window.before.part if self.recent else None)
        self._expected, self._fruitful, self._barren = expected, 0, 0
        self._sequence = hashlib.blake2b(digest_size=16)
        self._cuts: list[int] = []

    def _begin(self) -> tuple[int, list[int]]:
        part = self.reading.window.before.part
        if part is None or self.attempt > 0 or not self.reading.resumable or part.question != self.reading.question:
            return 0, []
        return part.at, list(part.marks)

    def pages(self) -> Iterator[Page]:
        """Yield what is new, view by view."""
        while True:
            view = self.views.view(self.place, self.recent[-1] if self.recent and not self._lenient else None)
            self._note(view)
            joint = self._joint(view)
            if joint is None and not self._lenient:
                self._step_back(view)
                continue
            place, fresh = self.place, self._take(view, -1 if joint is None else joint)
            if fresh:
                yield from self._pages(view, fresh)
            if view.ends:
                return
            if not fresh and view.end <= place:
                self._miss()
            self._count(view, fruitful=bool(fresh))

    def _note(self, view: View) -> None:
        self.number, self.where = view.number, view.where
        self.shaky = self.shaky or view.doubtful
        if view.total is not None:
            self._totals.append(view.total)
            self.known.most = max(self.known.most, view.total)

    def _joint(self, view: View) -> int | None:
        """Return the index of the last record read before, -1 where the view begins the list; None: there is a gap."""
        trusted = self._steps_back > 0 or view.start == 0
        for age, mark in enumerate(reversed(self.recent)):
            if mark in view.marks:
                if age and not trusted:
                    return None  # the last record moved: look further back before an older one is trusted
                self._behind = self._behind or age > 0
                expected = view.known - 1
                there = expected >= 0 and view.marks[expected : expected + 1] == [mark]
                return expected if there else view.marks.index(mark)
        if self._steps_back and any(known := self.here.know(view.marks)):
            self._behind = True
            return len(known) - 1 - known[::-1].index(True)
        return -1 if view.start == 0 else None

    def _step_back(self, view: View) -> None:
        self._steps_back += 1
        self._miss()
        self.place = self.views.before(view, self._steps_back) if self._steps_back < BARREN else 0
        self._count(view, fruitful=False)

    def _miss(self) -> None:
        """Count a view that led nowhere; after too many of them, read on without looking back and judge at the end."""
        self._misses += 1
        if self._misses > BARREN // 3 + self._fruitful // 2:
            self._lenient = self.shaky = True

    def _take(self, view: View, joint: int) -> list[int]:
        """Remember a view and return the indices of its records that were not handed on yet."""
        tail = view.marks[joint + 1 :]
        known, handed_on = self.here.know(tail), self.known.contents.know(view.marks)
        if joint >= 0 and not self._behind and (any(known) or not (self._went_on or all(handed_on[:joint]))):
            self.shaky = True
        self._behind = self._behind and all(known)
        for mark in tail:
            self._sequence.update(mark.to_bytes(8, signed=True))
        self._cuts.append(len(tail))
        self.known.contents.add(view.marks)
        self.here.add(view.marks)
        fresh = [index for index, there in enumerate(handed_on) if not there]
        self.known.keys.add([mark_of(self.reading.keys, view.records[index]) for index in fresh])
        self.place, self.recent, self._steps_back = view.end, view.marks or self.recent, 0
        return fresh

    def _pages(self, view: View, fresh: Sequence[int]) -> Iterator[Page]:
        """Yield runs of neighbouring records, so that each can be told where it stood."""
        cuts = [
            place for place in range(1, len(fresh)) if fresh[place] - fresh[place - 1] > 1 or fresh[place] == view.lead
        ]
        for start, end in zip([0, *cuts], [*cuts, len(fresh)], strict=True):
            first, records = fresh[start], [view.records[index] for index in fresh[start:end]]
            number, item = (view.number, first - view.lead) if first >= view.lead else (view.number - 1, first)
            if end == len(fresh):
                self._stored = self._position()
            yield Page(number, records, self._stored, item + 1)

    def _position(self) -> str:
        """The watermark here: a later run goes on from it only while nothing speaks against the order."""
        if self.attempt or self.shaky or not self.reading.resumable:
            return self.reading.window.unfinished(None)
        part = Part(self.reading.question, self.place, tuple(self.recent[-REMEMBERED:]))
        return self.reading.window.unfinished(part)

    def _count(self, view: View, *, fruitful: bool) -> None:
        self._fruitful += fruitful
        self._barren += not fruitful
        if self._barren > BARREN + 2 * self._fruitful + 3 * self._expected:
            raise RefusedInput(
                f"{view.where}: page after page brings nothing new and the list does not end; check pages of this"
                " source: its parameter may be unknown there, or pages.total may not be the number of all records"
            )

    @property
    def views_seen(self) -> int:
        """How many times the list was looked at."""
        return self._fruitful + self._barren

    def whole(self, other: _Pass | None) -> bool:
        """Say whether all records came, as far as that can be known after this pass and the one before."""
        count = len(self.known.keys)
        short = bool(self._totals) and not self._went_on and count < min(self._totals)
        if not self.shaky and not short:
            return True
        if self._totals and not self._went_on and count >= self.known.most:
            return True
        return other is not None and self._orderly and other._orderly and self._same_otherwise_cut(other)

    @property
    def _orderly(self) -> bool:
        return not self._misses

    def _same_otherwise_cut(self, other: _Pass) -> bool:
        same = self._sequence.digest() == other._sequence.digest()
        return same and [cut for cut in self._cuts if cut] != [cut for cut in other._cuts if cut]


class _Seen:
    """A set of marks in eight bytes each."""

    def __init__(self) -> None:
        self._old: NDArray[np.int64] = np.empty(0, np.int64)
        self._young: set[int] = set()

    def __len__(self) -> int:
        return len(self._old) + len(self._young)

    def know(self, marks: Sequence[int]) -> list[bool]:
        """Say of each mark whether it is there."""
        if not len(self._old):
            return [mark in self._young for mark in marks]
        wanted = np.array(marks, np.int64)
        places = np.minimum(np.searchsorted(self._old, wanted), len(self._old) - 1)
        return [bool(old) or mark in self._young for mark, old in zip(marks, self._old[places] == wanted, strict=True)]

    def add(self, marks: Sequence[int]) -> None:
        """Take marks in."""
        self._young.update(mark for mark, there in zip(marks, self.know(marks), strict=True) if not there)
        if len(self._young) > _YOUNG:
            self._old = np.union1d(self._old, np.fromiter(self._young, np.int64, len(self._young)))
            self._young.clear()


@dataclass
class _Known:
    """What all passes together have seen: contents and keys of records, and the most records that were ever told."""

    contents: _Seen = field(default_factory=_Seen)
    keys: _Seen = field(default_factory=_Seen)
    most: int = 0
