"""An intake that misbehaves: each kind of trouble is one clear error that names address and page, and no secret."""

from __future__ import annotations

import json
import time
import tracemalloc
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from connectors.batch import Batch
from connectors.readers import rest
from tests.connectors.intake import Intake, Reply, page, serve
from tests.connectors.support import record
from warehouse.errors import IocError, RefusedInput, TransientError
from warehouse.sources import RestSettings

FIELDS = {"MaHoSo": True, "DonViXuLy": True}
Answer = Callable[[int, str | None], Reply | None]


def read(intake: Intake, position: str | None = None, batch_rows: int = 1000, **options: Any) -> list[Batch]:  # noqa: ANN401
    settings = RestSettings(**({"kind": "rest", "url": intake.url, "page_size": 2, "timeout_seconds": 1.0} | options))
    return list(rest.read(settings, position, FIELDS, ("MaHoSo",), batch_rows))


def only(reply: Reply) -> Answer:
    return lambda number, cursor: reply


def charset(name: str) -> dict[str, str]:
    return {"Content-Type": f"application/json; charset={name}"}


HTML = Reply(b"<!doctype html><title>Dang nhap</title>", headers={"Content-Type": "text/html"})
TROUBLES: dict[str, tuple[Reply, type[IocError], str]] = {
    "html": (HTML, RefusedInput, "answered HTML"),
    "empty": (Reply(b""), RefusedInput, "the reply is empty"),
    "half json": (Reply(b'{"data": [{"MaHoSo": "1"'), RefusedInput, "not whole JSON"),
    "not a number": (Reply(b'{"data": [{"a": NaN}]}'), RefusedInput, "not JSON that can be read"),
    "deep": (Reply(b'{"data": ' + b"[" * 200_000), RefusedInput, "JSON"),
    "latin": (Reply(b'{"data": [{"MaHoSo": "\xe9"}]}'), RefusedInput, "not JSON that can be read"),
    "infinite": (Reply(b'{"data": [{"a": -Infinity}]}'), RefusedInput, "not JSON that can be read"),
    "huge number": (Reply(b'{"data": [{"a": ' + b"9" * 5000 + b"}]}"), RefusedInput, "not JSON that can be read"),
    "two values": (Reply(b'{"data": []}{"data": []}'), RefusedInput, "not whole JSON"),
    "deep and closed": (Reply(b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"), RefusedInput, "JSON"),
    "a field twice": (Reply(b'{"data": [{"a": 1, "a": 2}]}'), RefusedInput, "has the field 'a' twice"),
    "wrong charset": (Reply(b'{"data": [{"a": "\xe9"}]}', headers=charset("utf-8")), RefusedInput, "is not UTF-8"),
    "no charset": (Reply(b'{"data": [{"a": "\xe9"}]}', headers=charset("rot13")), RefusedInput, "is not UTF-8"),
    "xml": (Reply(b'\xef\xbb\xbf\r\n <?xml version="1.0"?><a/>'), RefusedInput, "answered HTML or XML"),
    "damaged gzip": (Reply(b"{}", headers={"Content-Encoding": "gzip"}), TransientError, "no answer"),
    "drip": (Reply(b'{"data": []}', drip=0.2), TransientError, "no answer within timeout_seconds"),
    "no HTTP": (Reply(b"", headers={"Bad\x00Name": "x"}), TransientError, "no answer"),
    "no list": (Reply(b'{"items": []}'), RefusedInput, "set records to the path"),
    "list of texts": (Reply(b'{"data": ["x"]}'), RefusedInput, "item 1"),
    "top-level list": (Reply(b"[1, 2]"), RefusedInput, "found: list"),
    "no cursor": (Reply(json.dumps({"data": [record(1), record(2)]}).encode()), RefusedInput, "would be lost"),
    "odd cursor": (page([record(1)], {"a": 1}), RefusedInput, "a text was expected"),
    "500": (Reply(status=500), TransientError, "answered 500"),
    "429": (Reply(status=429, headers={"Retry-After": "0"}), TransientError, "answered 429"),
    "404": (Reply(status=404), RefusedInput, "answered 404"),
    "401": (Reply(status=401), RefusedInput, "check its access"),
    "cut": (Reply(b'{"data": []}' * 50, cut=20, headers={"Connection": "close"}), TransientError, "no answer"),
    "hang up": (Reply(hang_up=True), TransientError, "no answer"),
    "elsewhere": (Reply(status=302, headers={"Location": "http://example.com/a"}), RefusedInput, "another host"),
    "circle": (Reply(status=302, headers={"Location": "/api/dossiers"}), RefusedInput, "redirected more than"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_each_trouble_has_its_error(intake: Intake, name: str) -> None:
    reply, error, text = TROUBLES[name]
    intake.answer = only(reply)
    with pytest.raises(error, match=text) as caught:
        read(intake, retries=0, timeout_seconds=0.5)
    assert f"{intake.url} page 1" in str(caught.value)


TEXTS = {
    "BOM": ("Đã tiếp nhận".encode(), "utf-8", b"\xef\xbb\xbf"),
    "utf-16": ("Đã tiếp nhận".encode("utf-16-le"), "utf-16", b""),
    "header lies": ("Đã tiếp nhận".encode(), "iso-8859-1", b""),
    "header knows": ("Đa\u0303".encode("windows-1258"), "windows-1258", b""),
    "no such charset": ("Đã tiếp nhận".encode(), "no-such", b""),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_read_by_its_bytes_then_by_the_header(intake: Intake, name: str) -> None:
    text, header, mark = TEXTS[name]
    wide = "utf-16-le" if header == "utf-16" else "ascii"
    start, end = '{"data": [{"MaHoSo": "1", "DonViXuLy": "'.encode(wide), '"}]}'.encode(wide)
    intake.answer = only(Reply(mark + start + text + end, headers=charset(header)))
    [batch] = read(intake)
    [found] = batch.frame["DonViXuLy"]
    assert unicodedata.normalize("NFC", found) in {"Đã tiếp nhận", "Đã"}


def test_a_field_twice_with_the_same_value_is_that_value(intake: Intake) -> None:
    intake.answer = only(Reply(b'{"data": [{"MaHoSo": "1", "DonViXuLy": "u", "MaHoSo": "1"}]}'))
    [batch] = read(intake)
    assert batch.frame["MaHoSo"].tolist() == ["1"]


def test_memory_holds_a_batch_and_little_more(intake: Intake) -> None:
    """Pages of 1 MB each, three to a batch: sixty of them never are in memory together."""
    text = "x" * 500

    def heavy(number: int, cursor: str | None) -> Reply | None:
        return page([{"MaHoSo": f"{number}-{item}", "DonViXuLy": text} for item in range(2000)], f"c{number}")

    intake.answer = lambda number, cursor: heavy(number, cursor) if number <= 60 else page([], cursor)
    settings = RestSettings(kind="rest", url=intake.url, page_size=2000)
    tracemalloc.start()
    count = sum(len(batch.frame) for batch in rest.read(settings, None, FIELDS, ("MaHoSo",), 6000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 120_000
    assert peak < 24 * 2**20, f"{peak / 2**20:.1f} MiB"


def test_a_page_that_is_too_large_is_refused(intake: Intake) -> None:
    intake.records = [record(1, TenTTHC="x" * 5000)]
    with pytest.raises(RefusedInput, match="max_page_bytes = 2048"):
        read(intake, max_page_bytes=2048)


def test_a_slow_intake_is_transient(intake: Intake) -> None:
    def slow(number: int, cursor: str | None) -> Reply | None:
        time.sleep(0.4)
        return None

    intake.answer = slow
    with pytest.raises(TransientError, match="no answer"):
        read(intake, retries=0, timeout_seconds=0.1)


def test_nobody_listens() -> None:
    with serve(Intake()) as gone:
        pass
    with pytest.raises(TransientError, match="no answer"):
        read(gone, retries=0)


def test_secrets_in_the_address_are_never_shown(intake: Intake) -> None:
    intake.answer = only(Reply(status=500))
    url = intake.url.replace("http://", "http://user:hunter2@") + "?token=geheim"
    with pytest.raises(TransientError) as caught:
        read(intake, url=url, retries=0)
    assert "hunter2" not in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_busy_answers_are_tried_again(intake: Intake) -> None:
    intake.records = [record(1), record(2), record(3)]
    intake.answer = lambda number, cursor: Reply(status=503) if number in {1, 3} else None
    assert sum(len(batch.frame) for batch in read(intake, retries=2)) == 3


def test_a_redirect_on_the_same_host_is_followed(intake: Intake) -> None:
    intake.records = [record(1)]
    there = {"Location": "/elsewhere?limit=2"}
    intake.answer = lambda number, cursor: Reply(status=307, headers=there) if number == 1 else None
    assert len(read(intake)[0].frame) == 1


def test_a_cursor_that_stands_still_is_refused(intake: Intake) -> None:
    intake.answer = only(page([record(1)], "7"))
    with pytest.raises(RefusedInput, match="does not move on"):
        read(intake)
    assert intake.requests == 2


def test_a_cursor_that_goes_in_circles_is_refused(intake: Intake) -> None:
    intake.answer = lambda number, cursor: page([record(1)], "a" if cursor != "a" else "b")
    with pytest.raises(RefusedInput, match="does not move on"):
        read(intake)


def test_pages_before_the_trouble_are_handed_on(intake: Intake) -> None:
    intake.records = [record(number) for number in range(1, 6)]
    intake.answer = lambda number, cursor: HTML if cursor == "4" else None
    settings = RestSettings(kind="rest", url=intake.url, page_size=2)
    batches = rest.read(settings, None, FIELDS, ("MaHoSo",), 1000)
    first = next(batches)
    assert (len(first.frame), first.position) == (4, "4")
    assert first.place(2) == "page 2 item 1"
    with pytest.raises(RefusedInput, match="page 3"):
        next(batches)


def test_a_field_that_one_record_lacks_is_marked(intake: Intake) -> None:
    intake.records = [record(1), {"MaHoSo": "x"}]
    [batch] = read(intake)
    assert batch.absent["DonViXuLy"].tolist() == [False, True]


def test_half_characters_are_mended(intake: Intake) -> None:
    intake.answer = lambda number, cursor: Reply(
        b'{"data": [{"MaHoSo": "a\\ud800b", "DonViXuLy": "u"}], "next_cursor": ""}'
    )
    [batch] = read(intake)
    assert batch.frame["MaHoSo"].tolist() == ["a?b"]


def test_an_end_without_cursor_keeps_the_position(intake: Intake) -> None:
    intake.answer = lambda number, cursor: page([record(1)], "5") if cursor is None else page([record(2)], "")
    [batch] = read(intake)
    assert (len(batch.frame), batch.position) == (2, "5")
