"""Keeps a few programmes running together: starts them in order, waits until each is ready, writes their logs, restarts
one that dies, and stops them all, in the opposite order, when it is told to or when one cannot be kept alive.

One thread and one loop: the children's output comes through pipes, so that logs can be rotated and errors echoed. A
child never outlives the supervisor: on Linux the kernel ends it (PR_SET_PDEATHSIG), and a pid file lets the next start
end whatever is left.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from warehouse.errors import TransientError

READY_SECONDS = 180
STOP_SECONDS = 4.0
DEATHS_PER_MINUTE = 5
LONGEST_PAUSE = 10.0
LOG_BYTES = 5 * 2**20
TAIL_LINES = 15
CONFIGURATION_EXIT = 2
"""Exit code of our commands for what a restart cannot mend."""
ERROR_SIGNS = (" ERROR ", " CRITICAL ", "ERROR:", "Traceback (most recent call last)")
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Program:
    """One programme to keep running; it is ready when `ready_url` answers 200, or at once where there is none."""

    name: str
    command: Sequence[str]
    ready_url: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


class GaveUp(TransientError):  # noqa: N818 - named for what the supervisor did
    """A programme could not be started or kept alive; the message ends with its last log lines."""


class LogFile:
    """A log that is moved to `.1` when it grows over LOG_BYTES, and the last lines of it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._file = path.open("ab")

    def write(self, line: bytes) -> str:
        """Append one line and return its text."""
        if self._file.tell() + len(line) > LOG_BYTES:
            self._file.close()
            self.path.replace(self.path.with_suffix(".log.1"))
            self._file = self.path.open("ab")
        self._file.write(line + b"\n")
        self._file.flush()
        text = line.decode("utf-8", "replace")
        self.tail.append(text)
        return text

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Child:
    """A programme, its process, its log and its history of deaths."""

    def __init__(self, program: Program, state: Path) -> None:
        self.program = program
        self.log = LogFile(state / "log" / f"{program.name}.log")
        self.pid_file = state / "run" / f"{program.name}.pid"
        self.deaths: deque[float] = deque()
        self.process: subprocess.Popen[bytes] | None = None
        self.start_at = 0.0
        self._rest = b""

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches only us."""
        self.process = subprocess.Popen(  # noqa: S603 - commands of our own
            list(self.program.command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.program.environment},
            start_new_session=True, preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - this process has one thread
        )  # fmt: skip
        assert self.process.stdout is not None  # noqa: S101 - a pipe was asked for
        os.set_blocking(self.process.stdout.fileno(), False)
        write_pid_file(self.pid_file, self.process.pid)

    def read_lines(self) -> list[str]:
        """Move what the process wrote to its log; return the new complete lines."""
        if self.process is None or self.process.stdout is None:
            return []
        chunks = self._rest
        while chunk := _read(self.process.stdout.fileno()):
            chunks += chunk
        *lines, self._rest = chunks.split(b"\n")
        return [self.log.write(line) for line in lines]

    def close(self) -> None:
        """Forget a process that has ended."""
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        self.pid_file.unlink(missing_ok=True)

    def ready(self) -> bool:
        """Whether the programme answers."""
        if self.program.ready_url is None:
            return True
        try:
            return httpx.get(self.program.ready_url, timeout=1.0, trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def pause_after_death(self, now: float) -> float | None:
        """Note a death; return the pause before the next start, None when there were too many."""
        self.deaths.append(now)
        while self.deaths[0] < now - 60:
            self.deaths.popleft()
        if len(self.deaths) > DEATHS_PER_MINUTE:
            return None
        return float(min(LONGEST_PAUSE, 0.5 * 2 ** (len(self.deaths) - 1)))


class Supervisor:
    """Runs programmes until `stop()` is called or one cannot be kept alive."""

    def __init__(
        self,
        programs: Sequence[Program],
        state: Path,
        say: Callable[[str], None],
        look_after: Callable[[], None] | None = None,
    ) -> None:
        """`look_after` is called once a second: it may mend what is no child of ours."""
        self.look_after = look_after
        self._looked = 0.0
        self.children = [Child(program, state) for program in programs]
        self.say = say
        self._stopping = False
        self._echo: dict[str, bool] = {}

    def stop(self) -> None:
        """Ask for the end; safe in a signal handler."""
        self._stopping = True

    def run(self, when_ready: Callable[[], None]) -> None:
        """Start everything, call `when_ready`, and keep it running until the end.

        Raises GaveUp when a programme does not start or dies too often; nothing is left running in any case.
        """
        try:
            for child in self.children:
                child.start()
                self._wait_until_ready(child)
            if not self._stopping:
                when_ready()
            while not self._stopping:
                self._turn()
        finally:
            self._end_all()

    def _wait_until_ready(self, child: Child) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._stopping:
            self._turn()
            if child.process is not None and child.ready():
                return
            if time.monotonic() > deadline:
                raise GaveUp(f"{child.program.name} was not ready after {READY_SECONDS} s{_last_lines(child)}")

    def _turn(self) -> None:
        """Handle what happened since the last turn: output, deaths, restarts that are due."""
        with selectors.DefaultSelector() as selector:
            for child in self.children:
                if child.process is not None and child.process.stdout is not None:
                    selector.register(child.process.stdout, selectors.EVENT_READ)
            selector.select(0.2)
        if self.look_after is not None and time.monotonic() > self._looked + 1:
            self.look_after()
            self._looked = time.monotonic()
        for child in self.children:
            self._show_errors(child)
            if child.process is not None and child.process.poll() is not None:
                self._bury(child)
            elif child.process is None and child.start_at and time.monotonic() >= child.start_at:
                child.start_at = 0.0
                child.start()

    def _bury(self, child: Child) -> None:
        assert child.process is not None  # noqa: S101 - only called for one that has ended
        self._show_errors(child)
        code = child.process.returncode
        child.close()
        pause = child.pause_after_death(time.monotonic())
        if code == CONFIGURATION_EXIT or pause is None:
            raise GaveUp(f"{child.program.name} ended with code {code} and is not started again{_last_lines(child)}")
        self.say(f"{child.program.name} ended with code {code}; starting it again in {pause:g} s")
        child.start_at = time.monotonic() + pause

    def _show_errors(self, child: Child) -> None:
        """Echo error lines and the traceback below them; all else is only in the log file."""
        name = child.program.name
        for line in child.read_lines():
            head = any(
                word in line for word in (" ERROR ", " CRITICAL ", "ERROR:", "Traceback (most recent call last)")
            )
            self._echo[name] = head or (self._echo.get(name, False) and line.startswith((" ", "\t")))
            if self._echo[name]:
                self.say(f"{name} | {line}")

    def _end_all(self) -> None:
        for child in reversed(self.children):
            if child.process is not None:
                self._end(child, child.process)
            child.log.close()

    def _end(self, child: Child, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            child.read_lines()
            time.sleep(0.05)
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        child.read_lines()
        child.close()


def _last_lines(child: Child) -> str:
    tail = [line for line in child.log.tail if line.strip()]
    where = f"; its log is {child.log.path}"
    return where + (", the end of it:\n  " + "\n  ".join(tail) if tail else "")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 2**16)
    except BlockingIOError:
        return b""


def die_with_parent(parent: int) -> None:
    """Ask the kernel to end this process when `parent` ends; nothing where the kernel cannot (not Linux)."""
    if _prctl is not None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it was gone before we asked
            os._exit(1)


def _die_with(parent: int) -> Callable[[], None]:
    return lambda: die_with_parent(parent)


# looked up before any fork: nothing is loaded in a child between fork and exec
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


# --- pid files ------------------------------------------------------------------------------------------------------


def write_pid_file(file: Path, pid: int) -> None:
    """Note a process by number and start time: the number alone may be used again."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{pid} {_started(pid)}\n", encoding="utf-8")


def end_leftovers(folder: Path, *, patience: float = STOP_SECONDS) -> list[str]:
    """End the processes that an earlier supervisor noted in `folder` and could not end; return their names."""
    ended = []
    for file in sorted(folder.glob("*.pid")):
        pid, _, started = file.read_text(encoding="utf-8").strip().partition(" ")
        if pid.isdigit() and started and _started(int(pid)) == started:
            _end_process(int(pid), started, patience)
            ended.append(file.stem)
        file.unlink(missing_ok=True)
    return ended


def _end_process(pid: int, started: str, patience: float) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if _started(pid) != started:
                return
            time.sleep(0.05)


def _started(pid: int) -> str:
    """Return the start time of a running process in clock ticks since boot; '' when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
