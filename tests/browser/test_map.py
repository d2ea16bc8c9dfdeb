"""The map in a real browser: it is drawn, tells its figures, leads to a unit and back, and asks nobody outside."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, TimeoutError

from tests.browser.conftest import Visitor

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
SPOTS = ((0.5, 0.5), (0.45, 0.4), (0.55, 0.6), (0.4, 0.5), (0.5, 0.35), (0.6, 0.5))


def over_a_unit(page: Page) -> tuple[float, float, str]:
    """Move the pointer to a unit and return the place and the hover text; cells are there when WebGL has drawn them."""
    canvas = page.locator(".st-key-map-stage canvas").first
    canvas.wait_for(timeout=30_000)
    for _attempt in range(4):
        for across, down in SPOTS:
            box = canvas.bounding_box()
            assert box is not None
            x, y = box["x"] + box["width"] * across, box["y"] + box["height"] * down
            page.mouse.move(x - 3, y)
            page.mouse.move(x, y)
            try:
                page.wait_for_selector(".deck-tooltip:visible", timeout=1500)
                return x, y, page.locator(".deck-tooltip").inner_text()
            except TimeoutError:
                continue
    raise AssertionError("no unit on the map tells anything")


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080)])
def test_hover_click_and_back(visit: Visit, width: int, height: int) -> None:
    visitor = visit(width, height)
    page = visitor.open("/ban-do?metric=on_time_06&period=last-12-months")
    x, y, told = over_a_unit(page)
    assert "%" in told
    assert " / " in told
    name = told.splitlines()[0]
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("e => e.scrollHeight <= e.clientHeight"), "the page scrolls"
    for _attempt in range(6):  # software WebGL may take longer to find what lies below than a click may last
        page.mouse.click(x, y)
        try:
            page.wait_for_url("**/don-vi?**unit=27*", timeout=6000)
            break
        except TimeoutError:
            continue
    assert "unit=27" in page.url
    visitor.settled()
    chosen = page.locator('[data-testid="stMain"] input').evaluate_all("found => found.map(e => e.value)")
    assert name in chosen
    page.go_back()
    page.wait_for_url("**/ban-do?**metric=on_time_06**")
    page.locator(".st-key-map-stage canvas").first.wait_for()
    visitor.settled()
    assert page.locator("h1").inner_text() == "Bản đồ"
    visitor.assert_clean()


def test_a_row_of_the_list_leads_to_the_same_unit(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/ban-do?period=last-12-months")
    grid = page.locator(".st-key-map-list [data-testid='stDataFrame']")
    grid.wait_for()
    grid.click(position={"x": 120, "y": 35 + 17})
    page.wait_for_url("**/don-vi?**unit=27*")
    visitor.settled()
    visitor.assert_clean()


def test_columns_months_and_a_deep_link(visit: Visit) -> None:
    visitor = visit(scheme="dark")
    page = visitor.open("/ban-do?metric=received&style=columns&period=last-12-months")
    assert over_a_unit(page)[2]
    slider = page.get_by_role("slider")
    slider.focus()
    slider.press("End")
    page.wait_for_url("**month=20**")
    visitor.settled()
    heading = page.locator(".st-key-card-map h4").inner_text()
    assert "tháng" in heading
    deep = page.url
    fresh = visit()
    fresh.page.goto(deep)
    fresh.settled()
    assert fresh.page.locator(".st-key-card-map h4").inner_text() == heading
    visitor.assert_clean()
    fresh.assert_clean()


def test_months_play_until_the_last(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/ban-do?metric=received&period=last-12-months")
    page.get_by_role("button", name="Chạy theo tháng").click()
    page.get_by_role("button", name="Dừng").wait_for()
    page.wait_for_url("**month=20**", timeout=20_000)
    first = page.url
    page.wait_for_function("first => location.href !== first", arg=first, timeout=20_000)
    page.get_by_role("button", name="Dừng").click()
    page.get_by_role("button", name="Chạy theo tháng").wait_for()
    visitor.assert_clean()
