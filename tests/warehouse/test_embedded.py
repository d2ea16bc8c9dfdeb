"""The embedded PostgreSQL: shared, protected, and hard to lose."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import OperationalError

from warehouse.embedded import EmbeddedServer
from warehouse.errors import ConfigurationError

QUICK = {"fsync": "off", "shared_buffers": "16MB"}
AS_ROOT = os.geteuid() == 0
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that other users can reach (pytest's own are closed)."""
    with tempfile.TemporaryDirectory(prefix="ioc-embedded-") as made:
        Path(made).chmod(0o755)
        yield Path(made) / "db"


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedServer]:
    made = EmbeddedServer(folder, options=QUICK)
    yield made
    made.stop()


def ask(url: URL, question: str) -> object:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(question))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


def postmaster(server: EmbeddedServer) -> int:
    return int((server.pgdata / "postmaster.pid").read_text().split()[0])


def running(number: str) -> bool:
    with contextlib.suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text()
    return False


def child(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


JOIN = """
    import sys
    from pathlib import Path
    from warehouse.embedded import EmbeddedServer
    server = EmbeddedServer(Path({folder!r}), options={options!r})
    server.start()
    print((server.pgdata / "postmaster.pid").read_text().split()[0], flush=True)
    sys.stdin.readline()
    print(server.stop(), flush=True)
"""


def test_two_processes_that_start_at_once_share_one_server(folder: Path) -> None:
    code = JOIN.format(folder=str(folder), options=QUICK)
    users = [child(code) for _ in range(2)]
    numbers = [user.stdout.readline().strip() for user in users]  # type: ignore[union-attr]
    assert numbers[0] == numbers[1] != ""
    assert users[0].communicate("leave\n", timeout=30)[0].strip() == "False"
    assert running(numbers[0]), "it must stay for the other"
    assert users[1].communicate("leave\n", timeout=30)[0].strip() == "True"
    assert not running(numbers[0])


def test_a_killed_user_does_not_hold_the_server(server: EmbeddedServer, folder: Path) -> None:
    server.start()
    other = child(JOIN.format(folder=str(folder), options=QUICK))
    assert other.stdout is not None
    other.stdout.readline()
    other.kill()
    other.communicate()
    assert server.stop()


def test_data_is_there_after_the_server_was_killed(server: EmbeddedServer) -> None:
    url = server.start()
    ask(url, "create table kept as select 42 as answer")
    killed = postmaster(server)
    os.kill(killed, signal.SIGKILL)
    server.start()
    assert postmaster(server) != killed
    assert ask(url, "select answer from kept") == 42


def test_a_server_that_died_is_noticed_and_started_again(server: EmbeddedServer) -> None:
    assert not server.keep_alive(), "nobody asked for it yet"
    server.start()
    assert not server.keep_alive()
    os.kill(postmaster(server), signal.SIGKILL)
    time.sleep(0.2)
    assert server.keep_alive()
    assert ask(server.url, "select 1") == 1
    assert "startup packet" not in (server.runtime / "server.log").read_text()


def test_a_number_that_another_program_has_now_does_not_stop_the_start(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    (server.pgdata / "postmaster.pid").write_text(f"{os.getppid()}\n{server.pgdata}\n1\n5432\n\n\n0 0\n")
    began = time.monotonic()
    assert ask(server.start(), "select 1") == 1
    assert time.monotonic() - began < 20


def test_it_listens_on_the_socket_only_and_asks_for_the_password(server: EmbeddedServer) -> None:
    url = server.start()
    assert ask(url, "show listen_addresses") == ""
    assert ask(url, "show port") == "5432"
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    inodes = set()
    for descriptor in Path(f"/proc/{postmaster(server)}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    assert not any(line.split()[9] in inodes for line in listening.splitlines() if ":" in line)
    for wrong in (url.set(password="guess"), url.set(password="")):
        with pytest.raises(OperationalError, match=r"password"):
            ask(wrong, "select 1")
    rules = ask(url, "select string_agg(distinct auth_method, ',') from pg_hba_file_rules")
    assert rules == "scram-sha-256"


def test_only_the_owner_may_read_the_password(server: EmbeddedServer, folder: Path) -> None:
    server.start()
    assert (folder / "password").stat().st_mode & 0o077 == 0
    assert server.sockets.stat().st_mode & 0o077 == 0
    assert server.pgdata.stat().st_mode & 0o077 == 0


def test_a_lost_password_file_is_named(server: EmbeddedServer, folder: Path) -> None:
    server.start()
    server.stop()
    secret = (folder / "password").read_text()
    (folder / "password").unlink()
    with pytest.raises(ConfigurationError, match="password"):
        server.start()
    (folder / "password").write_text(secret)
    assert ask(server.start(), "select 1") == 1


@pytest.mark.parametrize("name", ["with space", "Đơn vị, 'tên' $x", "long" * 40])
def test_odd_folder_names(folder: Path, name: str) -> None:
    server = EmbeddedServer(folder / name / "db", options=QUICK)
    try:
        assert ask(server.start(), "select 1") == 1
    finally:
        assert server.stop()
    assert server.sockets == server.runtime or not server.sockets.exists()


def test_an_initdb_that_was_cut_off_is_begun_again(server: EmbeddedServer, folder: Path) -> None:
    (folder / "pgdata.new").mkdir(parents=True)
    (folder / "pgdata.new" / "half").touch()
    assert ask(server.start(), "select 1") == 1


def test_files_of_somebody_else_are_left_alone(server: EmbeddedServer, folder: Path) -> None:
    (folder / "pgdata").mkdir(parents=True)
    (folder / "pgdata" / "letter.txt").write_text("dear")
    with pytest.raises(ConfigurationError, match="no PostgreSQL cluster; nothing was changed"):
        server.start()
    assert (folder / "pgdata" / "letter.txt").read_text() == "dear"


def test_a_folder_of_another_version_is_refused(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    version = server.pgdata / "PG_VERSION"
    version.write_text("11\n")
    with pytest.raises(ConfigurationError, match=r"made by PostgreSQL 11, this product brings 1\d"):
        server.start()


def test_a_socket_folder_of_somebody_else_is_refused(server: EmbeddedServer, folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / "run").symlink_to(tmp_path)
    with pytest.raises(ConfigurationError, match="belongs to somebody else"):
        server.start()


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot write to"):
        EmbeddedServer(tmp_path / "file").start()


START_ONLY = """
    import os, psycopg2
    from pathlib import Path
    from warehouse.embedded import EmbeddedServer
    from warehouse.errors import ConfigurationError
    if os.geteuid() == 0:  # by hand, because this Python may stand where nobody cannot start it
        os.setgroups([])
        os.setgid({number})
        os.setuid({number})
    server = EmbeddedServer(Path({folder!r}), options={options!r})
    try:
        print(server.start())
    except ConfigurationError as error:
        print(error)
    server.stop()
"""


NOBODY = pwd.getpwnam("nobody").pw_uid


def test_a_folder_without_write_permission_is_named(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o555)
    code = START_ONLY.format(folder=str(folder), options=QUICK, number=NOBODY)
    said = child(code).communicate(timeout=30)
    assert f"database.data_dir: cannot write to {folder}" in said[0], said
    assert "Permission denied" in said[0]
    assert "another folder" in said[0]


def test_an_ordinary_user_can_run_it(folder: Path) -> None:
    folder.mkdir()
    if AS_ROOT:
        os.chown(folder, NOBODY, -1)
    code = START_ONLY.format(folder=str(folder), options=QUICK, number=NOBODY)
    said = child(code).communicate(timeout=60)
    assert said[0].startswith("postgresql+psycopg2://ioc:***@/ioc"), said


@pytest.mark.skipif(not AS_ROOT, reason="only root may have a folder that the server's user cannot reach")
def test_below_a_folder_that_only_root_can_enter(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(parents=True, mode=0o700)
    server = EmbeddedServer(closed / "db", options=QUICK)
    try:
        ask(server.start(), "create table kept as select 42 as answer")
        assert server.stop()
        home = server.pgdata.parent
        assert not home.is_relative_to(folder)
        closed.chmod(0o755)  # now it could live in the folder, but the data is where it is
        assert ask(server.start(), "select answer from kept") == 42
        server.stop()
        closed.rename(folder / "moved")
        moved = EmbeddedServer(folder / "moved" / "db", options=QUICK)
        assert ask(moved.start(), "select answer from kept") == 42
        moved.stop()
    finally:
        server.stop()
        shutil.rmtree(home)


@pytest.mark.skipif(not AS_ROOT, reason="only root hands files over to the server's user")
def test_the_data_folder_itself_keeps_its_owner(server: EmbeddedServer, folder: Path) -> None:
    server.start()
    assert folder.stat().st_uid == 0
    assert server.pgdata.stat().st_uid != 0
