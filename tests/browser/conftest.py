"""A whole product on real parts for the browser tests: intake, worker and web process on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright
from sqlalchemy import URL, create_engine, text

from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.stack import Stack, free_port
from tests.conftest import TEMPLATE


@pytest.fixture(scope="session")
def stack(server_url: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The product with a live Bình Chánh behind it, first load finished."""
    name = "browser"
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {name} template {TEMPLATE}"))
    admin.dispose()
    made = Stack(tmp_path_factory.mktemp("stack"), server_url.set(database=name), free_port(), free_port())
    try:
        made.start_intake()
        made.start("worker", "dashboard.cli", "worker")
        made.start("web", "dashboard.cli", "web")
        made.wait(f"{made.web}/readyz", "web")
        made.wait_for_data(28_000)
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium with software WebGL."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine; `sh deploy/install-browser.sh` installs it or says what to type")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


@dataclass
class Visitor:
    """One browser page and everything that went wrong on it."""

    page: Page
    home: str
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> Page:
        """Open a page of the product and wait until it is drawn."""
        self.page.goto(self.home + path)
        self.settled()
        return self.page

    def settled(self) -> None:
        """Wait until the script has run and the page stands still."""
        self.page.wait_for_selector('[data-testid="stMainBlockContainer"] h1', timeout=30_000)
        self.page.wait_for_function(
            """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState !== 'running'
                 && document.querySelectorAll('[data-testid="stSkeleton"]').length === 0""",
            timeout=30_000,
        )

    def assert_clean(self) -> None:
        """Fail on any request to another host, console error or exception on screen."""
        assert not self.outside, f"requests to the outside: {self.outside}"
        assert not self.complaints, f"console errors: {self.complaints}"
        assert self.page.locator('[data-testid="stException"]').count() == 0
        assert self.page.locator('[data-testid="stAlertContentError"]').count() == 0


HARMLESS = (
    "Infinite extent for field",  # vega, before the size of a sparkline is known
    "GPU stall due to ReadPixels",  # software WebGL
    "GL Driver Message",
    "preload",
)


PROBES = ("/_stcore/health", "/_stcore/host-config")


def _watch(context: BrowserContext, home: str) -> Visitor:
    page = context.new_page()
    visitor = Visitor(page, home)

    def on_request(request: Request) -> None:
        if not request.url.startswith((home, home.replace("http", "ws"), "data:", "blob:")):
            visitor.outside.append(request.url)

    def on_console(message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"} or any(words in message.text for words in HARMLESS):
            return
        if not message.location["url"].endswith(PROBES):  # on a deep link Streamlit asks where its root is
            visitor.complaints.append(f"{message.type}: {message.text}")

    page.on("request", on_request)
    page.on("console", on_console)
    page.on("pageerror", lambda error: visitor.complaints.append(f"exception: {error}"))
    return visitor


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[object]:
    """Make visitors: `visit(width, height, scheme)`."""
    contexts: list[BrowserContext] = []

    def make(width: int = 1366, height: int = 768, scheme: str = "light") -> Visitor:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
        )
        contexts.append(context)
        return _watch(context, stack.web)

    yield make
    for context in contexts:
        context.close()
