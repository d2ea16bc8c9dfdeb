"""One level down by a click, back by the browser's button, and the URL alone brings the view back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, TimeoutError

from tests.browser.conftest import Visitor

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]


def first_row(page: Page, key: str) -> None:
    """Click the first row of a table: the grid is drawn on a canvas, so the click goes to its place."""
    grid = page.locator(f".st-key-{key} [data-testid='stDataFrame']")
    grid.scroll_into_view_if_needed()
    grid.click(position={"x": 14, "y": 35 + 17})


def title(page: Page) -> str:
    return page.locator("h1").inner_text()


def test_from_the_call_list_to_one_dossier_and_back(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/?period=last-12-months")
    page.locator('[class*="st-key-call-"] a').first.click()
    page.wait_for_url("**/don-vi?**unit=27*")
    visitor.settled()
    assert title(page) == "Đơn vị"

    first_row(page, "level-field")
    page.wait_for_url("**field=*")
    page.locator(".st-key-level-procedure").wait_for()
    first_row(page, "level-procedure")
    page.wait_for_url("**procedure=*")
    deep = page.url
    page.wait_for_timeout(1500)

    page.go_back()
    page.wait_for_function("() => !location.search.includes('procedure=')")
    page.locator(".st-key-level-procedure").wait_for()
    page.go_back()
    page.wait_for_function("() => !location.search.includes('field=')")
    page.locator(".st-key-level-field").wait_for()
    visitor.assert_clean()

    fresh = visit()
    fresh.page.goto(deep)
    fresh.settled()
    fresh.page.get_by_text("Tất cả lĩnh vực").first.wait_for()
    fresh.assert_clean()


def test_from_the_worklist_to_the_course_of_a_dossier(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/can-xu-ly")
    first_row(page, "worklist_table")
    page.wait_for_url("**/don-vi?**dossier=*")
    page.get_by_text("Quá trình xử lý hồ sơ").wait_for()
    page.get_by_text("Hạn trả ban đầu").wait_for()
    visitor.assert_clean()


def test_from_the_ranking_to_a_unit(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/xep-hang?period=last-12-months")
    first_row(page, "ranking_table")
    page.wait_for_url("**/don-vi?**unit=27*")
    visitor.settled()
    visitor.assert_clean()


def test_a_head_orders_the_whole_worklist_and_back_undoes_it(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/can-xu-ly?kind=open")
    grid = page.locator(".st-key-worklist_table [data-testid='stDataFrame']")
    grid.click(position={"x": 40, "y": 18})
    page.wait_for_url("**order=code*")
    visitor.settled()
    grid.click(position={"x": 40, "y": 18})
    page.wait_for_url("**order=-code*")
    visitor.settled()
    page.go_back()
    page.wait_for_function("() => new URLSearchParams(location.search).get('order') === 'code'")
    visitor.settled()
    first_row(page, "worklist_groups_unit")  # the first click after a redraw counts as well
    page.wait_for_url("**units=*")
    visitor.settled()
    visitor.assert_clean()


def test_from_a_unit_to_its_place_pinned_and_back(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/don-vi?unit=27601&period=last-12-months")
    page.get_by_role("link", name="Vì sao có thứ hạng này?").click()
    page.wait_for_url("**/xep-hang?**unit=27601*")
    visitor.settled()
    page.locator(".st-key-card-own").get_by_text("Xã Vĩnh Lộc A").first.wait_for()
    page.go_back()
    page.wait_for_url("**/don-vi?**unit=27601*")
    visitor.settled()
    assert title(page) == "Đơn vị"
    visitor.assert_clean()


def test_a_click_on_the_map_opens_the_unit(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/")
    canvas = page.locator(".st-key-unit_map canvas").first
    canvas.wait_for()
    for height in (0.45, 0.3, 0.5, 0.35, 0.55, 0.45, 0.4):  # cells can be picked only when WebGL has drawn them
        page.wait_for_timeout(1500)
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()  # anew: what is drawn above may still push the map down
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * height)
        page.wait_for_timeout(300)
        page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * height)
        try:
            page.wait_for_url("**/don-vi?**unit=27*", timeout=6000)
            break
        except TimeoutError:
            continue
    assert "unit=27" in page.url
    visitor.settled()
    assert title(page) == "Đơn vị"
    visitor.assert_clean()
