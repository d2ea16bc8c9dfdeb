"""The product on real parts, as processes: simulated intake, worker, web application, a real database."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlalchemy import URL, create_engine, text

from tests.conftest import ROOT

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
    intake_port: int
    web_port: int
    scenario: str = "live-binh-chanh"
    compared: bool = True
    """Whether the second source, which a reconciliation compares with, is read too."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        config = (ROOT / "examples" / "demo" / "ioc.toml").read_text(encoding="utf-8")
        config = config.replace("127.0.0.1:8701", f"127.0.0.1:{self.intake_port}")
        if not self.compared:
            config = config[: config.index("# What the national portal tells")]
        (self.folder / "ioc.toml").write_text(config, encoding="utf-8")

    @property
    def intake(self) -> str:
        """Address of the simulated intake."""
        return f"http://127.0.0.1:{self.intake_port}"

    @property
    def web(self) -> str:
        """Address of the web application."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def environment(self) -> dict[str, str]:
        """Environment of every process of the stack."""
        return {
            **os.environ,
            "IOC_CONFIG": str(self.folder / "ioc.toml"),
            "IOC_DATABASE__URL": self.database.render_as_string(hide_password=False),
            "IOC_WEB__PORT": str(self.web_port),
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
        port, state = str(self.intake_port), str(self.folder / "intake")
        self.start("intake", "demo", "serve", "--scenario", self.scenario, "--port", port, "--state", state)
        self.wait(f"{self.intake}/healthz", "intake")

    def close(self) -> None:
        """Stop every process."""
        for name in list(self.processes):
            self.stop(name)

    def count(self, query: str) -> dict[str, int]:
        """Return the two columns of a query as a mapping."""
        engine = create_engine(self.database)
        with engine.connect() as connection:
            found = {str(key): int(number) for key, number in connection.execute(text(query))}
        engine.dispose()
        return found

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
