"""Slides move by keys and stand still otherwise; the wall rotates, fits any screen, and comes back from a restart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Visitor, _watch
from tests.browser.stack import Stack, free_port

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
DWELL = "8"
PATIENCE = 120_000
"""Milliseconds for what takes one second on a machine that has nothing else to do."""
RESTART = re.compile(
    r"WebSocket|ERR_CONNECTION_REFUSED|Failed to fetch|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE|disconnected from server"
    r"|Error in reaching server endpoint|server is not responding"
)
"""What a browser itself writes when a server is away."""


@pytest.fixture(scope="module")
def wall(stack: Stack) -> Iterator[Stack]:
    """A web process of its own over the same warehouse, whose scenes change every few seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IOC_WALL__DWELL_SECONDS", DWELL)
        own = replace(stack, web_port=free_port(), processes={})
        own.start("web", "dashboard.cli", "web")
        own.wait(f"{own.web}/readyz", "web")
        yield own
        own.close()


def opened(browser: Browser, wall: Stack, width: int, height: int) -> Visitor:
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh"
    )
    visitor = _watch(context, wall.web)
    visitor.page.goto(f"{wall.web}/trinh-chieu?period=last-12-months")
    visitor.page.wait_for_selector(".st-key-wall .scene", timeout=PATIENCE)
    visitor.page.wait_for_timeout(3000)
    return visitor


def scene(page: Page) -> str:
    return page.locator(".scene").first.inner_text()


def slide(page: Page, number: int) -> None:
    """Wait until the URL and the slide itself have this number."""
    page.wait_for_function(f"() => new URLSearchParams(location.search).get('slide') === '{number}'")
    page.get_by_text(f"trang {number}/7").wait_for()


def listening(page: Page) -> None:
    """Wait until the page listens to keys."""
    page.locator(".st-key-stage header").wait_for(state="attached")
    page.wait_for_timeout(1500)


def test_keys_move_the_slides(visit: Visit) -> None:
    visitor = visit(1280, 720)
    visitor.page.set_default_timeout(PATIENCE)
    page = visitor.open("/giao-ban?period=last-12-months")
    page.locator(".st-key-begin button").click()
    slide(page, 1)
    listening(page)
    for key, number in (
        ("ArrowRight", 2), ("PageDown", 3), ("ArrowLeft", 2), ("End", 7), ("ArrowRight", 7), ("PageUp", 6), ("Home", 1),
    ):  # fmt: skip
        page.keyboard.press(key)
        slide(page, number)
    page.keyboard.press("PageDown")
    slide(page, 2)
    taken = page.url
    page.reload()
    slide(page, 2)
    assert page.url == taken  # the same figures: version and instant are in the address
    listening(page)
    page.keyboard.press("Escape")
    page.locator(".st-key-begin").wait_for()
    assert "slide=" not in page.url
    visitor.assert_clean()


def drawn(page: Page, stage: str) -> None:
    """Wait until charts and tables are drawn and no card reaches beyond the window or the foot."""
    page.locator(f"{stage} :is(table, .js-plotly-plot .main-svg)").first.wait_for()
    page.wait_for_function(f"(stage) => ({BEYOND})(stage).length === 0", arg=stage, timeout=PATIENCE)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1366, 768), (1920, 1080)])
def test_every_slide_fits_the_window(visit: Visit, width: int, height: int) -> None:
    visitor = visit(width, height)
    visitor.page.set_default_timeout(PATIENCE)
    page = visitor.page
    page.goto(f"{visitor.home}/giao-ban?period=last-12-months&slide=1")
    listening(page)
    for number in range(1, 8):
        slide(page, number)
        drawn(page, ".st-key-slide")
        page.keyboard.press("ArrowRight")
    visitor.assert_clean()


BEYOND = """(stage) => {
  const [foot] = document.querySelectorAll('.st-key-slide-foot');
  const bottom = foot ? foot.getBoundingClientRect().top + 1 : innerHeight + 1;
  return [...document.querySelectorAll(`${stage} [class*="st-key-card-"], ${stage} [class*="st-key-tile-"]`)]
    .filter((card) => {
      const box = card.getBoundingClientRect();
      return box.right > innerWidth + 1 || box.bottom > bottom;
    })
    .map((card) => `${card.className.match(/st-key-[^ ]*/)} ${card.getBoundingClientRect().bottom} > ${bottom}`);
}"""


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160)])
def test_the_wall_rotates_and_fits_the_screen(browser: Browser, wall: Stack, width: int, height: int) -> None:
    visitor = opened(browser, wall, width, height)
    page = visitor.page
    seen: set[str] = set()
    for _second in range(60):
        seen.add(scene(page))
        page.wait_for_timeout(1000)
        size = page.evaluate(
            "() => { const main = document.querySelector('[data-testid=stMain]');"
            " return [main.scrollWidth - main.clientWidth, main.scrollHeight - main.clientHeight]; }"
        )
        assert max(size) <= 0, f"{scene(page)} scrolls by {size}"
        if len(seen) == 6:
            break
    assert len(seen) == 6, seen
    drawn(page, ".st-key-wall")
    assert page.locator("button:visible, input:visible, select:visible, [data-testid='stHeader']:visible").count() == 0
    assert page.evaluate("() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor") == (
        "rgb(11, 20, 36)"
    )
    assert re.fullmatch(r"\d\d:\d\d:\d\d", page.locator(".clock").inner_text())
    assert "Cập nhật" in page.locator(".age").inner_text()
    visitor.assert_clean()
    page.context.close()


def test_the_wall_comes_back_from_a_restart_of_the_server(browser: Browser, wall: Stack) -> None:
    visitor = opened(browser, wall, 1920, 1080)
    page = visitor.page
    drawn(page, ".st-key-wall")
    figures = page.locator(".st-key-wall-lead").inner_text()
    wall.stop("web")
    page.locator(".alarm:visible").wait_for(timeout=PATIENCE)
    assert "Máy chủ không trả lời" in page.locator(".alarm").inner_text()
    assert page.locator(".st-key-wall-lead").inner_text() == figures  # the last good figures stay
    wall.start("web", "dashboard.cli", "web")
    wall.wait(f"{wall.web}/readyz", "web")
    page.locator(".alarm").wait_for(state="hidden", timeout=PATIENCE)
    first = scene(page)
    page.locator(".scene").filter(has_not_text=first).wait_for(timeout=PATIENCE)
    visitor.complaints = [words for words in visitor.complaints if not RESTART.search(words)]
    visitor.assert_clean()
    page.context.close()
