"""A real server process on a port of its own, and plain readers of its pages."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

Record = dict[str, Any]


class Running:
    """One server process and its address."""

    def __init__(self, scenario: str, state: Path, *more: str) -> None:
        command = [sys.executable, "-m", "demo", "serve", "--scenario", scenario, "--port", "0", "--state", str(state)]
        self.process = subprocess.Popen([*command, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("demo intake listening on http://127.0.0.1:"), line
        self.url = line.split()[-1]

    def get(self, path: str) -> Record:
        with urllib.request.urlopen(self.url + path, timeout=20) as reply:
            answer: Record = json.load(reply)
            return answer

    def post(self, path: str, body: object) -> tuple[int, Record]:
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def all(self, name: str, limit: int = 5000, cursor: str = "") -> list[Record]:
        """Every record after `cursor`, page by page until an empty one."""
        found: list[Record] = []
        while (page := self.get(f"/api/{name}?limit={limit}&cursor={cursor}"))["data"]:
            found += page["data"]
            cursor = page["next_cursor"]
        return found

    def end(self, *, kill: bool = False) -> int:
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        self.process.communicate(timeout=20)  # closes both streams
        return self.process.returncode


class Starter(Protocol):
    """Starts a server for this test."""

    def __call__(self, scenario: str, *more: str, state: Path | None = None) -> Running: ...


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Start servers; all are ended after the test."""
    running: list[Running] = []

    def one(scenario: str, *more: str, state: Path | None = None) -> Running:
        running.append(Running(scenario, state or tmp_path / f"state-{len(running)}", *more))
        return running[-1]

    yield one
    for server in running:
        if server.process.poll() is None:
            server.end(kill=True)
