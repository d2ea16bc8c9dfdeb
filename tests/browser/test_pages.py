"""Every page, in a real browser: no outside request, no console error, no exception, nothing English."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard.navigation import SCREENS
from tests.browser.conftest import Visitor

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
PICTURES = os.environ.get("IOC_PICTURES")
PATHS = {
    "tong-quan": "/",
    "ban-do": "/ban-do",
    "xep-hang": "/xep-hang",
    "don-vi": "/don-vi?unit=27601",
    "can-xu-ly": "/can-xu-ly",
    "kenh-tiep-nhan": "/kenh-tiep-nhan",
    "hai-long": "/hai-long",
    "giao-ban": "/giao-ban",
    "du-lieu": "/du-lieu",
}
ELSEWHERE = {"trinh-chieu"}
"""The wall has no title and no controls: test_boards."""
ENGLISH = re.compile(
    r"\b(Overview|Ranking|Unit|Open|Overdue|Received|Resolved|Loading|Deploy|Rerun|Settings|Search|Fields?|Period|None|nan|NaT)\b"
)


def picture(visitor: Visitor, name: str) -> None:
    """Keep a full picture of the page where pictures are asked for."""
    if PICTURES:
        page = visitor.page
        height = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size(
            {"width": page.viewport_size["width"], "height": max(height + 60, page.viewport_size["height"])}
        )
        page.wait_for_timeout(1500)
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def test_every_screen_is_tested() -> None:
    assert {screen.path for screen in SCREENS} == set(PATHS) | ELSEWHERE


SIZES = ((1366, 768), (1920, 1080))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PATHS)
def test_page_is_clean(visit: Visit, name: str, scheme: str) -> None:
    visitor = visit(*SIZES[0], scheme)
    page = visitor.open(PATHS[name])
    words = page.locator('[data-testid="stMain"]').inner_text()
    assert not (found := ENGLISH.findall(words)), f"English left over: {found}"
    assert re.search(r"số liệu \d\d:\d\d", words), "no data age on the page"
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(1500)
        overflow = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"the page is {overflow} px wider than the screen of {width}"
        assert not (cut := page.evaluate(CLIPPED)), f"clipped at {width}: {cut}"
        picture(visitor, f"{name}-{width}-{scheme}")
    visitor.assert_clean()


CLIPPED = """() => [...document.querySelectorAll('[class*="st-key-tile-"] p, [class*="st-key-tile-"] div')]
    .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflow !== 'visible')
    .map(e => e.innerText)"""


def test_english_switch(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/?lang=en")
    assert page.locator("h1").inner_text() == "Overview"
    page.get_by_role("radio", name="VI").or_(page.get_by_text("VI", exact=True)).first.click()
    page.wait_for_function("() => document.querySelector('h1').innerText === 'Tổng quan'")
    visitor.assert_clean()


def test_nonsense_in_the_url(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/don-vi?unit=nowhere&period=nonsense&field=%3Cscript%3E&dossier=x/y&lang=zz")
    words = page.locator('[data-testid="stMain"]').inner_text()
    assert "Không có đơn vị" in words
    assert "Không hiểu kỳ báo cáo" in words
    assert "Không có hồ sơ này" in words
    visitor.assert_clean()


def test_health_addresses(stack: object, visit: Visit) -> None:
    visitor = visit()
    assert visitor.page.request.get(f"{visitor.home}/healthz").json() == {"status": "ok"}
    ready = visitor.page.request.get(f"{visitor.home}/readyz").json()
    assert ready["status"] == "ok"
    assert ready["data_version"] > 0
