"""A whole product on real parts for the browser tests: intake, worker and web process on a real database."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright
from sqlalchemy import URL, create_engine, text

from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.conftest import ROOT, TEMPLATE

READY_SECONDS = 90


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Stack:
    """The running processes and where they answer."""

    folder: Path
    database: URL
    intake: str
    web: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Environment of every process of the stack."""
        return {
            **os.environ,
            "IOC_CONFIG": str(self.folder / "ioc.toml"),
            "IOC_DATABASE__URL": self.database.render_as_string(hide_password=False),
            "IOC_WEB__PORT": self.web.rsplit(":", 1)[1],
            "PYTHONUNBUFFERED": "1",
        }

    def start(self, name: str, *arguments: str) -> None:
        """Start one process; its output goes to a log in the folder."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments], cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )

    def stop(self, name: str) -> None:
        """Stop one process."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def start_intake(self) -> None:
        """Start the simulated intake and wait until it answers."""
        port = self.intake.rsplit(":", 1)[1]
        state = str(self.folder / "intake")
        self.start("intake", "demo", "serve", "--scenario", "live-binh-chanh", "--port", port, "--state", state)
        self.wait(f"{self.intake}/healthz", "intake")

    def wait(self, url: str, name: str) -> None:
        """Wait until an address answers 200; fail with the log of the process when it does not."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(url, timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            if self.processes[name].poll() is not None:
                break
            time.sleep(0.2)
        raise AssertionError(f"{name} does not answer at {url}:\n{self.log(name)}")

    def log(self, name: str) -> str:
        """Return the log of a process."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def wait_for_data(self, dossiers: int) -> None:
        """Wait until the worker has loaded at least so many dossiers and some survey answers."""
        engine = create_engine(self.database)
        deadline = time.monotonic() + READY_SECONDS
        query = text("select (select count(*) from dossier), (select count(*) from survey_answer)")
        while time.monotonic() < deadline:
            with engine.connect() as connection:
                found, answers = connection.execute(query).one()
            if found >= dossiers and answers > 0:
                engine.dispose()
                return
            time.sleep(0.3)
        raise AssertionError(f"the worker loaded only {found} dossiers:\n{self.log('worker')}")


@pytest.fixture(scope="session")
def stack(server_url: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The product with a live Bình Chánh behind it, first load finished."""
    name = "browser"
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {name} template {TEMPLATE}"))
    admin.dispose()
    folder = tmp_path_factory.mktemp("stack")
    intake, web = free_port(), free_port()
    config = (ROOT / "examples" / "demo" / "ioc.toml").read_text().replace("127.0.0.1:8701", f"127.0.0.1:{intake}")
    (folder / "ioc.toml").write_text(config)
    made = Stack(folder, server_url.set(database=name), f"http://127.0.0.1:{intake}", f"http://127.0.0.1:{web}")
    try:
        made.start_intake()
        made.start("worker", "dashboard.cli", "worker")
        made.start("web", "dashboard.cli", "web")
        made.wait(f"{made.web}/readyz", "web")
        made.wait_for_data(28_000)
        yield made
    finally:
        for process in list(made.processes):
            made.stop(process)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium with software WebGL."""
    path = find_chromium()
    if path is None:
        pytest.fail("no Chromium found; run `sh deploy/install-browser.sh`, it installs it or says what to type")
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
