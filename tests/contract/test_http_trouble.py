"""An intake that misbehaves: each kind of trouble is one clear error that names address and page, and no secret."""

from __future__ import annotations

import json
import time
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


HTML = Reply(b"<!doctype html><title>Dang nhap</title>", headers={"Content-Type": "text/html"})
TROUBLES: dict[str, tuple[Reply, type[IocError], str]] = {
    "html": (HTML, RefusedInput, "answered HTML"),
    "empty": (Reply(b""), RefusedInput, "the reply is empty"),
    "half json": (Reply(b'{"data": [{"MaHoSo": "1"'), RefusedInput, "not whole JSON"),
    "not a number": (Reply(b'{"data": [{"a": NaN}]}'), RefusedInput, "not JSON that can be read"),
    "deep": (Reply(b'{"data": ' + b"[" * 200_000), RefusedInput, "JSON"),
    "latin": (Reply(b'{"data": [{"MaHoSo": "\xe9"}]}'), RefusedInput, "not JSON that can be read"),
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
        read(intake, retries=0)
    assert f"{intake.url} page 1" in str(caught.value)


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
