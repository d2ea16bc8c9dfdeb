"""`ioc up`: everything together, one at a time, taken over after kill -9, and stopped without leaving anything."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from dashboard.cli_up import address, intake_port, programs_of
from warehouse.errors import ConfigurationError
from warehouse.settings import Settings, WebSettings, load_settings

CONFIG = """
[database]
data_dir = "var/demo/postgres"

[web]
port = {web}

[[sources]]
name = "mot-cua"
entity = "unit"
mapping = "dvcqg-unit"
reader = {{ kind = "rest", url = "http://127.0.0.1:{intake}/api/units" }}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in list(os.environ):
        if name.startswith("IOC_") and name != "IOC_SHARED":
            monkeypatch.delenv(name)
    with tempfile.TemporaryDirectory(prefix="ioc-up-") as made:
        Path(made).chmod(0o755)
        (Path(made) / "ioc.toml").write_text(CONFIG.format(web=free_port(), intake=free_port()), encoding="utf-8")
        yield Path(made)


class Up:
    """One `ioc up --demo`, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.output = folder / f"said-{time.monotonic_ns()}.txt"
        words = ["up", "--demo", "--scenario", "binh-chanh-2022", "--config", str(folder / "ioc.toml")]
        with self.output.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dashboard.cli", *words], stdout=said, stderr=subprocess.STDOUT
            )

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def until(self, words: str) -> str:
        wait_for(lambda: words in self.said() or self.process.poll() is not None, self.said)
        return self.said()

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


def wait_for(condition: Callable[[], bool], what: Callable[[], object] = str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def processes_of(folder: Path) -> list[str]:
    """The command lines of all processes that have to do with the folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            words = (file.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if words and (str(folder) in words or f"IOC_CONFIG={folder}".encode() in file.read_bytes()):
                found.append(words)
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_life_of_ioc_up(folder: Path) -> None:
    settings = load_settings(folder / "ioc.toml")
    first = Up(folder)
    try:
        assert f"Mở trình duyệt tại / Open in a browser:  {address(settings)}" in first.until("Ctrl-C")
        assert httpx.get(f"{address(settings)}/healthz").status_code == 200

        second = Up(folder)
        assert second.process.wait(timeout=30) == 2
        assert f"already running as process {first.process.pid}" in second.said()
        assert "Traceback" not in second.said()

        first.end(signal.SIGKILL)
        third = Up(folder)
        try:
            assert "Open in a browser" in third.until("Ctrl-C")
            third.process.send_signal(signal.SIGINT)
            time.sleep(0.2)
            fourth = Up(folder)  # waits for the third to end
            assert third.process.wait(timeout=30) == 0
            assert "Open in a browser" in fourth.until("Ctrl-C")
            assert fourth.end(signal.SIGTERM) == 0
        finally:
            third.process.kill()
    finally:
        first.process.kill()
    wait_for(lambda: not processes_of(folder), lambda: processes_of(folder), 10)
    assert not (folder / "var/demo/postgres/pgdata/postmaster.pid").exists()


def test_a_port_in_use_leaves_nothing_running(folder: Path) -> None:
    settings = load_settings(folder / "ioc.toml")
    with socket.create_server(("127.0.0.1", settings.web.port)):
        up = Up(folder)
        assert up.process.wait(timeout=30) == 2
    assert f"port {settings.web.port}" in up.said()
    assert "web.port (IOC_WEB__PORT)" in up.said()
    with socket.create_server(("127.0.0.1", intake_port(settings, folder / "ioc.toml"))):
        up = Up(folder)
        assert up.process.wait(timeout=30) == 2
    assert "the port in the url of the sources" in up.said()
    assert not (folder / "var/demo/postgres").exists()


def test_an_end_of_the_starter_ends_what_is_tied_to_it(folder: Path) -> None:
    words = f"up --tied --demo --scenario binh-chanh-2022 --config {folder / 'ioc.toml'}".split()
    code = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(60)"
    starter = subprocess.Popen([sys.executable, "-c", code, sys.executable, "-m", "dashboard.cli", *words])
    wait_for((folder / "var/demo/run/intake.pid").exists)
    starter.kill()
    starter.wait()
    wait_for(lambda: not processes_of(folder), lambda: processes_of(folder), 30)


def test_the_programmes_and_their_order(folder: Path) -> None:
    file = folder / "ioc.toml"
    settings = load_settings(file)
    programs = list(programs_of(settings, file, folder, "some", 8701))
    assert [program.name for program in programs] == ["intake", "worker", "web"]
    assert programs[0].command[-2:] == ("--state", str(folder / "intake"))
    assert programs[2].ready_url == f"http://127.0.0.1:{settings.web.port}/healthz"
    assert [program.name for program in programs_of(settings, file, folder, None, None)] == ["worker", "web"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("ioc.lan", "ioc.lan")],  # noqa: S104
)
def test_the_address_to_open(host: str, expected: str) -> None:
    assert address(Settings(web=WebSettings(host=host, port=8600))) == f"http://{expected}:8600"


def test_the_demonstration_needs_one_port(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="found none"):
        intake_port(Settings(), folder / "ioc.toml")
