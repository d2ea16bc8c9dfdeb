"""The filter bar, the back button and the theme in a real browser; nothing of Streamlit's English is left."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visitor
from tests.browser.stack import Stack

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
DARK, LIGHT = "rgb(11, 20, 36)", "rgb(241, 244, 249)"
"""Grounds of the page in both themes, dashboard/theme.py."""
LEFT_OVER = """() => {
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      if (node.parentElement.closest("style, script, [data-testid=stIconMaterial], [translate=no]")) continue;
      found.add(node.data.trim());
    } else {
      for (const name of ["title", "placeholder"]) found.add(node.getAttribute(name) || "");
    }
  }
  return [...found];
}"""
ENGLISH = re.compile(
    r"\b(Add:|No results|Select|Choose|Search|more|Clear|Remove|Loading|Settings|Rerun|Deploy|Running|Print|options?"
    r"|Close|Open|results|Page not found|requested|connection)\b"
)


def ground(page: Page) -> str:
    return str(page.evaluate("() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"))


def url_has(page: Page, part: str) -> None:
    page.wait_for_function("part => decodeURIComponent(location.href).includes(part)", arg=part)


def choose_unit(page: Page, typed: str) -> None:
    page.locator(".st-key-bar-unit button").first.click()
    box = page.locator('[data-testid="stPopoverBody"] input').first
    box.click()
    box.press_sequentially(typed)
    page.locator('[role="option"]').first.wait_for()
    assert not left_over(page)
    box.press("Enter")


def left_over(page: Page) -> list[str]:
    return [words for words in page.evaluate(LEFT_OVER) if ENGLISH.search(words)]


def test_a_unit_is_found_without_marks_and_the_back_button_undoes_it(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/")
    choose_unit(page, "vinh loc a")
    url_has(page, "units=27601")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    chip = page.locator(".st-key-chips button").first
    chip.wait_for()
    assert chip.inner_text().startswith("Xã Vĩnh Lộc A")

    page.locator(".st-key-bar-period input").first.click()
    page.locator(".st-key-bar-period input").first.fill("tuần 47/2026")
    page.keyboard.press("Enter")
    url_has(page, "period=2026-W47")
    visitor.settled()
    page.go_back()
    page.wait_for_function("() => !location.href.includes('2026-W47')")
    visitor.settled()
    assert "Tháng này" in page.locator(".st-key-bar-period").inner_html()
    page.go_back()
    page.wait_for_function("() => !location.href.includes('units')")
    page.locator(".st-key-chips").wait_for(state="detached")
    visitor.assert_clean()


def test_selections_go_along_and_one_step_back_comes_back(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/?units=27601,27595&period=last-month")
    page.get_by_role("link", name="Xếp hạng").first.click()
    page.wait_for_function("() => location.pathname === '/xep-hang' && location.search.includes('units=')")
    visitor.settled()
    assert "period=last-month" in page.url
    page.go_back()
    page.wait_for_function("() => location.pathname === '/'")
    url_has(page, "units=27601,27595")
    page.locator(".st-key-chips button").first.wait_for()
    visitor.assert_clean()


def test_a_chip_removes_its_filter(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/?units=27601,27595")
    page.locator(".st-key-chip-unit-27601 button").first.click()
    page.wait_for_function("() => !location.href.includes('27601')")
    page.locator(".st-key-chip-unit-27601").wait_for(state="detached")
    visitor.assert_clean()


def test_on_a_phone_the_bar_is_one_button_that_counts(visit: Visit) -> None:
    visitor = visit(390, 844)
    page = visitor.open("/?units=27601&compare=last-year")
    assert page.locator(".st-key-bar-unit").count() == 0 or not page.locator(".st-key-bar-unit").is_visible()
    button = page.locator(".st-key-bar-all button").first
    assert "(2)" in button.inner_text()
    button.click()
    page.locator('[data-testid="stPopoverBody"] input').nth(3).wait_for()
    overflow = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    assert not left_over(page)
    visitor.assert_clean()


def test_the_bar_is_one_line_on_a_laptop(visit: Visit) -> None:
    page = visit().open("/")
    box = page.locator(".st-key-head").bounding_box()
    assert box is not None
    assert box["height"] < 60


def test_the_theme_is_in_the_url_and_stays(visit: Visit) -> None:
    visitor = visit(scheme="light")
    page = visitor.open("/?units=27601")
    assert ground(page) == LIGHT
    page.locator(".ioc-themes a").nth(1).click()
    page.wait_for_url("**embed_options=dark_theme**")
    visitor.settled()
    assert ground(page) == DARK
    assert "units=27601" in page.url
    assert page.locator(".ioc-themes a").nth(1).get_attribute("aria-current") == "true"
    page.get_by_role("link", name="Xếp hạng").first.click()
    page.wait_for_function("() => location.pathname === '/xep-hang'")
    visitor.settled()
    assert ground(page) == DARK
    url_has(page, "embed_options=dark_theme")
    visitor.open("/")  # a new visit without the theme in the address: what was chosen is remembered
    assert ground(page) == DARK
    page.locator(".ioc-themes a").nth(2).click()
    page.wait_for_function("() => !location.href.includes('embed_options')")
    visitor.settled()
    assert ground(page) == LIGHT
    visitor.assert_clean()


def test_an_unknown_address_is_said_in_our_words(visit: Visit) -> None:
    page = visit().open("/khong-co-trang-nay")
    page.get_by_text("Không có trang này").wait_for()
    assert not left_over(page)


def test_a_server_that_is_gone_is_said(visit: Visit, stack: Stack) -> None:
    visitor = visit()
    page = visitor.open("/")
    stack.stop("web")
    try:
        page.locator("#ioc-lost").wait_for(timeout=60_000)
        assert "Mất kết nối" in page.locator("#ioc-lost").inner_text()
    finally:
        stack.start("web", "dashboard.cli", "web")
        stack.wait(f"{stack.web}/readyz", "web")
    page.locator("#ioc-lost").wait_for(state="detached", timeout=60_000)
    visitor.settled()
