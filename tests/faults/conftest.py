"""Fixtures of the fault suite, and the count of what was provoked at the end of the tests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.faults.stage import PROVOKED, Stage, own_server, passable_folder, stage
from warehouse.embedded import EmbeddedServer


@pytest.fixture(scope="session")
def theatre(server_url: URL) -> Iterator[Stage]:
    """Workers, a source and the reference of an undisturbed run."""
    with stage(server_url) as made:
        yield made


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedServer]:
    """A PostgreSQL that may be killed."""
    with passable_folder() as folder, own_server(folder, fsync="off") as server:
        yield server


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder on a disk of 160 MB, or skip where nothing may be mounted."""
    with passable_folder() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs", folder]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("a small disk cannot be mounted here: that needs root")
        yield folder
        subprocess.run(["umount", "-l", folder], check=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many faults were provoked."""
    if PROVOKED:
        terminalreporter.section(f"{sum(PROVOKED.values())} faults provoked")
        for name, count in sorted(PROVOKED.items()):
            terminalreporter.line(f"{count:6}  {name}")
