"""How the pages of a list follow each other: by a cursor, by number, by offset, or by the address of the next.

A cursor, and a link that keeps its place, are followed as they are given. Numbers, offsets and other links say where in
the list a page begins; they are looked at through views (connectors.readers.moving), which notice when the list moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx

from connectors.batch import as_text
from connectors.readers.moving import Page, View
from connectors.readers.reply import ABSENT, at, total_at
from connectors.readers.request import Answer, Asker, NoSuchPage, shown
from connectors.readers.since import Window
from warehouse.errors import RefusedInput
from warehouse.sources import CursorPages, LinkedPages, NumberedPages, OffsetPages

Mark = Callable[[dict[str, Any]], int]


def refuse_endless(asker: Asker, number: int) -> None:
    """Refuse a list that goes on for longer than any list does."""
    if number > asker.settings.max_pages:
        raise RefusedInput(
            f"{shown(asker.settings.url)}: more than max_pages = {asker.settings.max_pages} pages, and still no end;"
            " check pages of this source, or raise max_pages if the list is really that long"
        )


# --- followed as given ------------------------------------------------------------------------------------------


def cursor_pages(asker: Asker, pages: CursorPages, position: str | None) -> Iterator[Page]:
    """Ask from a cursor on until a page has no records or names no next cursor; the watermark is the cursor."""
    cursor, number, seen = position, 0, {position}
    while True:
        number += 1
        refuse_endless(asker, number)
        asked: dict[str, str | int] = {pages.size_parameter: asker.settings.page_size}
        if cursor is not None:
            asked[pages.parameter] = cursor
        answer = asker.ask(number, asked)
        found = _cursor(answer, pages, asker.settings.page_size)
        if found is None:
            yield Page(number, answer.records, cursor)
            return
        yield Page(number, answer.records, found)
        if not answer.records:
            return
        if found in seen:
            raise RefusedInput(
                f"{answer.where}: the cursor does not move on although records keep coming;"
                f" check pages.next = {pages.next!r} of this source"
            )
        seen.add(found)
        cursor = found


def _cursor(answer: Answer, pages: CursorPages, page_size: int) -> str | None:
    found = at(answer.content, pages.next)
    if found is ABSENT and len(answer.records) >= page_size:
        raise RefusedInput(
            f"{answer.where}: a full page without pages.next = {pages.next!r}:"
            " what comes after it would be lost; set pages.next to the path of the cursor"
        )
    if isinstance(found, list | dict):
        raise RefusedInput(f"{answer.where}: pages.next is a {type(found).__name__}, a text was expected")
    return None if found is ABSENT or found in (None, "") else as_text(found)


def linked_pages(asker: Asker, pages: LinkedPages, window: Window) -> Iterator[Page]:
    """Follow links that keep their place until a page names no next one."""
    chain = LinkChain(asker, pages, asker.settings.page_size)
    number = 0
    while (answer := chain.ask(number)) is not None:
        chain.keep(number, answer)
        number += 1
        yield Page(number, answer.records, window.unfinished(None))
    yield Page(number, [], window.finished())


class LinkChain:
    """The addresses of the pages, as far as they are known."""

    def __init__(self, asker: Asker, pages: LinkedPages, size: int) -> None:
        self._asker, self._pages, self._size = asker, pages, size
        self._urls: list[httpx.URL] = []
        self.total: int | None = None

    def ask(self, index: int) -> Answer | None:
        """Return a page; None: there is no such page."""
        if index > 0 and index >= len(self._urls):
            return None
        refuse_endless(self._asker, index + 1)
        if index == 0:
            return self._asker.ask(1, {self._pages.size_parameter: self._size})
        return self._asker.ask(index + 1, {}, self._urls[index])

    def keep(self, index: int, answer: Answer) -> None:
        """Remember what a page says of the next one."""
        following = self._following(answer)
        self.total = total_at(answer.content, self._pages.total, answer.where)
        self._urls[index:] = [answer.url]
        if following in self._urls:
            raise RefusedInput(f"{answer.where}: its link leads back to a page before; check pages of this source")
        if following is not None:
            self._urls.append(following)

    def ends(self, index: int) -> bool:
        """Say whether nothing comes after the first `index` pages."""
        return index >= len(self._urls)

    def _following(self, answer: Answer) -> httpx.URL | None:
        found: Any = at(answer.content, self._pages.next) if self._pages.next else _header_link(answer)
        if found is ABSENT or found in (None, ""):
            self._refuse_lost(answer, absent=found is ABSENT)
            return None
        try:
            target = answer.url.join(found)
        except (httpx.InvalidURL, TypeError):
            raise RefusedInput(f"{answer.where}: the link to the next page is no address") from None
        if not self._asker.allowed(target):
            raise RefusedInput(
                f"{answer.where}: the next page is at {target.scheme}://{target.netloc.decode('ascii', 'replace')},"
                " which this source does not allow; name it in allowed_hosts if that is right"
            )
        return target

    def _refuse_lost(self, answer: Answer, *, absent: bool) -> None:
        if absent and self._pages.next and len(answer.records) >= self._size:
            raise RefusedInput(
                f"{answer.where}: a full page without pages.next = {self._pages.next!r}:"
                " what comes after it would be lost; set pages.next to the path of the link"
            )


def _header_link(answer: Answer) -> Any:  # noqa: ANN401 - text or ABSENT
    for link in httpx.Response(200, headers=answer.headers).links.values():
        if "next" in link.get("rel", "").lower().split():
            return link.get("url")
    return ABSENT


# --- looked at through views ------------------------------------------------------------------------------------


class OffsetViews:
    """A list asked for by the number of records before; each view begins with records that the last one ended with."""

    def __init__(self, asker: Asker, pages: OffsetPages, mark: Mark, attempt: int) -> None:
        self._asker, self._pages, self._mark, self._attempt = asker, pages, mark, attempt
        self._size = max(2, asker.settings.page_size)
        self._length = self._longest = self._number = 0

    def view(self, place: int, anchor: int | None) -> View:
        """Look at the list from shortly before `place` on."""
        del anchor
        self._number += 1
        refuse_endless(self._asker, self._number)
        start = max(0, place - self._overlap())
        asked = {self._pages.parameter: start, self._pages.size_parameter: self._size}
        answer = self._asker.ask(self._number, asked)
        total = total_at(answer.content, self._pages.total, answer.where)
        marks = [self._mark(record) for record in answer.records]
        self._length, end = len(marks), start + len(marks)
        self._longest = max(self._longest, self._length)
        ends = end <= place and (total is None or end >= total)
        return View(
            self._number, answer.where, answer.records, marks, start, end, ends, known=place - start, total=total
        )

    def _overlap(self) -> int:
        """One record; another number when the list is read again, so that its pages begin elsewhere."""
        return max(1, min(self._length - 1, 1 + self._attempt % 4 * max(1, self._length // 8)))

    def before(self, view: View, steps: int) -> int:
        """Return a place so that the view from there reaches to where this one begins."""
        start = view.start - (self._longest or self._size) * (1 << (steps - 1))
        return start + 1 if start > 0 else 0


class NumberChain:
    """Pages by number, and how many records there are before each, as far as they were read."""

    def __init__(self, asker: Asker, pages: NumberedPages, size: int) -> None:
        self._asker, self._pages, self._size = asker, pages, size
        self._before = {0: 0}
        self.total: int | None = None

    def ask(self, index: int) -> Answer | None:
        """Return a page; None: the server says there is no such page, and pages.total agrees."""
        refuse_endless(self._asker, index + 1)
        asked = {self._pages.parameter: index + self._pages.first, self._pages.size_parameter: self._size}
        try:
            answer = self._asker.ask(index + 1, asked)
        except NoSuchPage as error:
            if index > 0 and self.total is not None and self.ends(index):
                return None
            raise RefusedInput(f"{error}; where a list ends like this, set pages.total") from None
        return answer

    def keep(self, index: int, answer: Answer) -> None:
        """Remember how many records there are before the next page."""
        self.total = total_at(answer.content, self._pages.total, answer.where)
        if index in self._before:
            self._before[index + 1] = self._before[index] + len(answer.records)

    def ends(self, index: int) -> bool:
        """Say whether the first `index` pages hold as many records as the source tells; yes, where nothing is known."""
        return self.total is None or self._before.get(index, self.total) >= self.total


class PageViews:
    """A list in pages of fixed places: each is read again after the next, to see whether it still ends the same way."""

    def __init__(self, asker: Asker, pages: NumberedPages | LinkedPages, mark: Mark, attempt: int) -> None:
        size = asker.settings.page_size
        size = max(1, size - attempt % 4 * max(1, size // 5))  # the pages begin elsewhere when the list is read again
        self._asker, self._mark, self._looks = asker, mark, 0
        self._chain: LinkChain | NumberChain = (
            LinkChain(asker, pages, size) if isinstance(pages, LinkedPages) else NumberChain(asker, pages, size)
        )
        self._linked = isinstance(pages, LinkedPages)

    def view(self, place: int, anchor: int | None) -> View:
        """Look at the page after the first `place` ones, and then at the one before it."""
        self._looks += 1
        refuse_endless(self._asker, self._looks // 3)  # a page that changes each time is looked at again and again
        following = self._chain.ask(place)
        if place == 0:
            return self._view(0, [], following)
        last = self._chain.ask(place - 1)
        if last is None or not last.records or anchor not in {None, self._mark(last.records[-1])}:
            return self._view(place - 1, [], last)
        if following is not None and following.records == last.records:
            if place == 1 and self._chain.total != len(last.records):
                raise RefusedInput(
                    f"{following.where}: the same records as on page 1; check pages.parameter and pages.first of this"
                    " source, or set pages.total if a page after the last one is the last one again"
                )
            return replace(self._view(place, last.records, None), doubtful=self._chain.total is None)
        return self._view(place, last.records, following)

    def _view(self, index: int, before: list[dict[str, Any]], answer: Answer | None) -> View:
        """Make a view of the page with this index, led by the records of the page before."""
        found = [] if answer is None else answer.records
        if answer is not None:
            self._chain.keep(index, answer)
        records = before + found
        end = index + 1 if found or (self._linked and answer is not None) else index
        return View(
            index + 1, f"{shown(self._asker.settings.url)} page {index + 1}", records,
            [self._mark(record) for record in records], max(0, index - 1) if before else index, end,
            ends=self._chain.ends(end) and (self._linked or not found), known=len(before), lead=len(before),
            total=self._chain.total,
        )  # fmt: skip

    def before(self, view: View, steps: int) -> int:
        """Return a place further back."""
        return max(0, view.start - (1 << (steps - 1)) + 1)
