"""Lists in pages: whatever moves, repeats or is disordered, no record that stayed as it was is lost."""

from __future__ import annotations

import random
from typing import Any

import pytest

from connectors.readers import rest
from tests.connectors.intake import Call, Intake, Reply, page, plain
from tests.connectors.moving_list import FIELDS, PAGINGS, MovingList, Restless, batches, codes, item, settings
from warehouse.errors import RefusedInput, TransientError

KINDS = {
    "updated, to the end": ("update",),
    "updated, to the front": ("bump",),
    "out of the window": ("remove",),
    "new ones between": ("insert",),
    "all of it": ("update", "bump", "remove", "insert"),
}
TOTAL: dict[str, Any] = {"total": "total"}


def names(count: int) -> set[str]:
    return {f"H-{number}" for number in range(count)}


@pytest.mark.parametrize("paging", PAGINGS)
@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 8, 17])
def test_a_list_that_stands_still_is_read_once(intake: Intake, paging: str, count: int) -> None:
    first = 0 if paging == "page from 0" else 1
    intake.on_call = MovingList([item(number) for number in range(count)], first_page=first)
    read = batches(settings(intake, paging))
    assert sorted(codes(read)) == sorted(names(count))
    assert read[-1].position == "{}"


@pytest.mark.parametrize("paging", ["page", "offset", "link"])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost_from_a_list_that_moves(intake: Intake, paging: str, kind: str) -> None:
    moved = 0
    for seed in range(4):
        rng = random.Random(seed)
        restless = Restless(rng, rng.choice([0.2, 0.5]), KINDS[kind])
        count = rng.randrange(5, 25)
        intake.on_call = MovingList([item(number) for number in range(count)], restless, cap=rng.choice([3, 100]))
        read = batches(settings(intake, paging, page_size=rng.choice([2, 4, 7])))
        assert not names(count) - restless.touched - set(codes(read)), seed
        moved += len(restless.touched)
    assert moved > 10


@pytest.mark.parametrize("paging", ["page", "offset", "link"])
def test_the_record_that_one_removal_shifts_is_read(intake: Intake, paging: str) -> None:
    """The plain case: without looking back, H-4 would never be seen."""

    def leave(call: Call, moving: MovingList) -> None:
        if call.number == 2:
            moving.records.pop(0)

    intake.on_call = MovingList([item(number) for number in range(9)], leave)
    assert set(codes(batches(settings(intake, paging)))) == names(9)


@pytest.mark.parametrize("paging", ["page", "offset", "link"])
def test_doubles_of_the_list_itself_are_no_trouble(intake: Intake, paging: str) -> None:
    records = [item(number) for number in (0, 0, 1, 2, 3, 3, 3, 3, 3, 3, 4, 5, 1, 6, 7, 8, 8, 0, 9)]
    intake.on_call = MovingList(records)
    assert set(codes(batches(settings(intake, paging, page_size=5)))) == names(10)


@pytest.mark.parametrize("paging", ["page", "offset", "link"])
def test_an_order_that_changes_with_each_request_is_read_until_the_total_is_there(intake: Intake, paging: str) -> None:
    for seed in range(2):
        rng = random.Random(seed)

        def order(all_of: list[dict[str, Any]], rng: random.Random = rng) -> list[dict[str, Any]]:
            return rng.sample(all_of, len(all_of))

        intake.on_call = MovingList([item(number) for number in range(23)], order=order, total=True)
        assert set(codes(batches(settings(intake, paging, pages=TOTAL)))) == names(23)


@pytest.mark.parametrize("paging", ["page", "offset", "link"])
def test_equal_instants_without_second_key_lose_nothing(intake: Intake, paging: str) -> None:
    """Three records of each instant, whose order is another one in each reply."""
    complete = 0
    for seed in range(4):
        rng = random.Random(seed)

        def order(all_of: list[dict[str, Any]], rng: random.Random = rng) -> list[dict[str, Any]]:
            return sorted(rng.sample(all_of, len(all_of)), key=lambda record: int(record["MaHoSo"][2:]) // 3)

        intake.on_call = MovingList([item(number) for number in range(20)], order=order, total=True)
        try:
            assert set(codes(batches(settings(intake, paging, pages=TOTAL)))) == names(20)
            complete += 1
        except RefusedInput:
            continue
    assert complete


@pytest.mark.parametrize("paging", ["page", "offset", "link"])
def test_without_a_total_a_list_without_order_is_refused_and_the_watermark_stays(intake: Intake, paging: str) -> None:
    rng = random.Random(1)
    intake.on_call = MovingList(
        [item(number) for number in range(20)], order=lambda all_of: rng.sample(all_of, len(all_of))
    )
    with pytest.raises(RefusedInput, match=r"another order each time|does not end"):
        batches(settings(intake, paging))


@pytest.mark.parametrize("paging", ["page", "offset", "link"])
def test_a_list_that_ends_before_its_total_is_refused(intake: Intake, paging: str) -> None:
    intake.on_call = lambda call: plain([item(1), item(2)] if call.number == 1 else [], total=50_000)
    with pytest.raises(RefusedInput, match=r"does not end|another order|same records"):
        batches(settings(intake, paging, pages=TOTAL))


@pytest.mark.parametrize("paging", ["page", "offset"])
def test_a_server_that_knows_no_paging_is_refused(intake: Intake, paging: str) -> None:
    intake.on_call = lambda call: plain([item(number) for number in range(4)])
    with pytest.raises(RefusedInput, match=r"same records as on page 1|does not end"):
        batches(settings(intake, paging))
    assert intake.requests < 40


@pytest.mark.parametrize("paging", ["page", "offset", "link"])
def test_pages_in_a_circle_are_refused(intake: Intake, paging: str) -> None:
    def circle(call: Call) -> Reply:
        asked = int(call.query.get("p", call.query.get("o", "0")))
        following = {"next": f"{call.path}?p={asked + 1}"}
        return plain([item(asked % 3 * 4 + number) for number in range(4)], links=following)

    intake.on_call = circle
    with pytest.raises(RefusedInput, match=r"does not end|another order"):
        batches(settings(intake, paging))
    assert intake.requests < 100


@pytest.mark.parametrize("paging", ["page", "offset", "link"])
def test_ever_new_pages_are_refused_and_what_was_read_is_handed_on(intake: Intake, paging: str) -> None:
    def endless(call: Call) -> Reply:
        asked = int(call.query.get("p", call.query.get("o", "0")))
        first = asked if paging == "offset" else asked * 4
        return plain([item(first + number) for number in range(4)], links={"next": f"{call.path}?p={asked + 1}"})

    intake.on_call = endless
    chosen = settings(intake, paging, max_pages=20)

    reading = rest.read(chosen, None, {"MaHoSo": True}, ("MaHoSo",), 10)
    kept = [next(reading)]
    with pytest.raises(RefusedInput, match="max_pages = 20"):
        kept.extend(reading)
    assert sum(len(batch.frame) for batch in kept) > 50


def test_ever_new_cursors_are_refused(intake: Intake) -> None:

    intake.on_call = lambda call: page([item(call.number)], f"c{call.number}")
    with pytest.raises(RefusedInput, match="max_pages = 9"):
        batches(settings(intake, "page", pages={"kind": "cursor", "parameter": "c"}, max_pages=9))
    assert intake.requests == 9


def test_a_page_after_the_last_that_is_the_last_again(intake: Intake) -> None:
    intake.on_call = MovingList([item(number) for number in range(10)], clamp=True, total=True)
    assert set(codes(batches(settings(intake, "page", pages=TOTAL)))) == names(10)
    intake.on_call = MovingList([item(number) for number in range(10)], clamp=True)
    assert set(codes(batches(settings(intake, "page")))) == names(10)
    intake.on_call = MovingList([item(number) for number in range(3)], clamp=True, total=True)
    assert set(codes(batches(settings(intake, "page", pages=TOTAL)))) == names(3)


def test_a_page_after_the_last_that_is_not_found(intake: Intake) -> None:
    def strict(call: Call) -> Reply:
        start = (int(call.query["p"]) - 1) * 4
        found = [item(number) for number in range(10)][start : start + 4]
        return plain(found, total=10) if found else Reply(status=404)

    intake.on_call = strict
    assert set(codes(batches(settings(intake, "page", pages=TOTAL)))) == names(10)
    with pytest.raises(RefusedInput, match=r"answered 404.*set pages\.total"):
        batches(settings(intake, "page"))


def test_a_total_that_is_none_is_refused(intake: Intake) -> None:
    intake.on_call = lambda call: plain([item(1)], total="many")
    with pytest.raises(RefusedInput, match=r"no number at pages\.total"):
        batches(settings(intake, "offset", pages=TOTAL))


def test_each_record_is_told_where_it_stood(intake: Intake) -> None:
    intake.on_call = MovingList([item(number) for number in range(10)])
    [batch] = batches(settings(intake, "page"))
    assert [batch.place(row) for row in (0, 3, 4, 9)] == [
        "page 1 item 1", "page 1 item 4", "page 2 item 1", "page 3 item 2",
    ]  # fmt: skip


@pytest.mark.parametrize("paging", ["page", "offset"])
def test_a_read_that_broke_off_is_gone_on_with(intake: Intake, paging: str) -> None:
    moving = MovingList([item(number) for number in range(40)])
    intake.on_call = moving
    chosen = settings(intake, paging)

    reading = rest.read(chosen, None, FIELDS, ("MaHoSo",), 12)
    first = next(reading)
    reading.close()  # type: ignore[attr-defined]
    for gone in (2, 5, 7):
        moving.records.pop(gone)
    intake.calls.clear()
    rest_of = batches(chosen, first.position)
    assert set(codes([first, *rest_of])) == names(40)
    assert min(int(call.query.get("p", call.query.get("o", "0"))) for call in intake.calls) > 0
    assert rest_of[-1].position == "{}"
    intake.calls.clear()
    batches(settings(intake, paging, page_size=5), first.position)
    assert intake.calls[0].query.get("p", intake.calls[0].query.get("o")) in {"0", "1"}, "another question begins anew"


def test_links_that_keep_their_place_are_followed_once(intake: Intake) -> None:
    intake.on_call = MovingList([item(number) for number in range(10)])
    read = batches(settings(intake, "header", pages={"again": False}))
    assert (codes(read), intake.requests) == ([f"H-{number}" for number in range(10)], 3)


def test_parameters_in_the_query_and_in_the_body(intake: Intake) -> None:
    intake.on_call = MovingList([item(number) for number in range(6)])
    fixed = {"madonvi": "27001", "trangThai": 1, "dayDu": True}
    batches(settings(intake, "offset", parameters=fixed))
    assert intake.calls[1].query == {"madonvi": "27001", "trangThai": "1", "dayDu": "true", "o": "3", "n": "4"}
    intake.calls.clear()
    read = batches(settings(intake, "offset", parameters=fixed, method="POST", parameters_in="body"))
    assert intake.calls[1].json == fixed | {"o": 3, "n": 4}
    assert (intake.calls[1].method, intake.calls[1].query) == ("POST", {})
    assert set(codes(read)) == names(6)


def test_a_slow_list_is_handed_on_before_a_batch_is_full(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the time of a run, which is watched between batches, is kept by a source that is only slow."""
    monkeypatch.setattr("connectors.readers.rest.BATCH_SECONDS", 0.0)
    intake.on_call = MovingList([item(number) for number in range(12)])
    read = batches(settings(intake, "offset"))
    assert [len(batch.frame) for batch in read][:3] == [4, 3, 3]


def test_trouble_in_the_middle_keeps_what_came_before(intake: Intake) -> None:

    moving = MovingList([item(number) for number in range(12)])
    intake.on_call = lambda call: Reply(status=500) if call.number == 3 else moving(call)
    reading = rest.read(settings(intake, "offset"), None, {"MaHoSo": True}, ("MaHoSo",), 1000)
    assert len(next(reading).frame) == 7
    with pytest.raises(TransientError, match="page 3: answered 500"):
        next(reading)
