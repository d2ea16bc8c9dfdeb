"""The supervisor with real processes: order, restarts, giving up, stopping, and being killed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard import supervisor as supervisor_module
from dashboard.ports import refuse_taken_port
from dashboard.supervisor import GaveUp, Program, Supervisor, end_leftovers, write_pid_file
from warehouse.errors import ConfigurationError

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def pid_of(state: Path, name: str) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int((state / "run" / f"{name}.pid").read_text().split()[0])
    return 0


def later(action: Callable[[], object], seconds: float = 0.3) -> None:
    threading.Timer(seconds, action).start()


def test_it_starts_in_order_and_stops_all(tmp_path: Path) -> None:
    said: list[str] = []
    programs = [Program("first", python(SLEEPER)), Program("second", python(SLEEPER))]
    running = Supervisor(programs, tmp_path, said.append)
    pids: list[int] = []

    def ready() -> None:
        pids.extend(pid_of(tmp_path, name) for name in ("first", "second"))
        later(running.stop)

    running.run(ready)
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)
    assert "up" in (tmp_path / "log" / "first.log").read_text()
    assert list((tmp_path / "run").glob("*.pid")) == []
    assert said == []


def test_one_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "STOP_SECONDS", 0.3)
    running = Supervisor([Program("stubborn", python(STUBBORN))], tmp_path, lambda text: None)
    began = time.monotonic()
    pids: list[int] = []

    def ready() -> None:
        pids.append(pid_of(tmp_path, "stubborn"))
        later(running.stop)

    running.run(ready)
    assert not alive(pids[0])
    assert time.monotonic() - began < 5


def test_one_that_dies_is_started_again_and_its_errors_are_echoed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = f"""
        import pathlib, time
        mark = pathlib.Path({str(mark)!r})
        if not mark.exists():
            mark.touch()
            raise SystemError("gone")
        print("second life", flush=True)
        time.sleep(60)
    """
    said: list[str] = []
    running = Supervisor([Program("phoenix", python(textwrap.dedent(code)))], tmp_path, said.append)
    log = tmp_path / "log" / "phoenix.log"

    def stop_in_second_life() -> None:
        with contextlib.suppress(AssertionError):
            wait_for(lambda: "second life" in log.read_text())
        running.stop()

    threading.Thread(target=stop_in_second_life).start()
    running.run(lambda: None)
    assert "second life" in log.read_text()
    assert any("phoenix ended with code 1" in line for line in said)
    assert any("Traceback" in line for line in said)


def test_it_gives_up_with_the_last_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "DEATHS_PER_MINUTE", 1)
    programs = [Program("steady", python(SLEEPER)), Program("weak", python("print('no strength'); exit(3)"))]
    with pytest.raises(GaveUp, match=r"weak ended with code 3(.|\n)*no strength"):
        Supervisor(programs, tmp_path, lambda text: None).run(lambda: None)
    assert list((tmp_path / "run").glob("*.pid")) == []


def test_a_configuration_error_is_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(GaveUp, match="ended with code 2"):
        Supervisor([Program("wrong", python("exit(2)"))], tmp_path, lambda text: None).run(lambda: None)


def test_it_waits_until_the_address_answers(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = f"""
        import http.server, time
        time.sleep(0.5)
        http.server.ThreadingHTTPServer(("127.0.0.1", {port}), http.server.SimpleHTTPRequestHandler).serve_forever()
    """
    program = Program("server", python(textwrap.dedent(code)), ready_url=f"http://127.0.0.1:{port}/")
    running = Supervisor([program], tmp_path, lambda text: None)
    ready: list[float] = []

    def note() -> None:
        with socket.create_connection(("127.0.0.1", port)):
            ready.append(time.monotonic())
        running.stop()

    running.run(note)
    assert ready


def test_a_log_that_grows_is_moved_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "LOG_BYTES", 1000)
    log = supervisor_module.LogFile(tmp_path / "talk.log")
    for number in range(150):
        log.write(f"line {number:04}".encode())
    log.close()
    assert (tmp_path / "talk.log").stat().st_size <= 1000
    assert (tmp_path / "talk.log.1").exists()
    assert "line 0149" in (tmp_path / "talk.log").read_text()


@pytest.fixture
def killed_supervisor(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A supervisor that was ended by SIGKILL, and the number of its child."""
    code = f"""
        from pathlib import Path
        from dashboard.supervisor import Program, Supervisor
        Supervisor([Program("child", {python(SLEEPER)!r})], Path({str(tmp_path)!r}), print).run(lambda: None)
    """
    process = subprocess.Popen(python(textwrap.dedent(code)))
    log = tmp_path / "log" / "child.log"
    wait_for(lambda: log.exists() and "up" in log.read_text())
    child = pid_of(tmp_path, "child")
    assert alive(child)
    process.kill()
    process.wait()
    yield child, tmp_path
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends the children on Linux only")
def test_children_of_a_killed_supervisor_end(killed_supervisor: tuple[int, Path]) -> None:
    child, state = killed_supervisor
    wait_for(lambda: not alive(child))
    assert end_leftovers(state / "run") == []
    assert list((state / "run").glob("*.pid")) == []


@pytest.mark.parametrize("code", [SLEEPER, STUBBORN])
def test_leftovers_are_ended_by_the_next_start(tmp_path: Path, code: str) -> None:
    process = subprocess.Popen(python(code), stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    write_pid_file(tmp_path / "left.pid", process.pid)
    threading.Thread(target=process.wait).start()
    assert end_leftovers(tmp_path, patience=0.5) == ["left"]
    assert not alive(process.pid)
    process.stdout.close()


def test_a_used_again_process_number_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "other.pid").write_text(f"{os.getpid()} 12345\n")
    (tmp_path / "broken.pid").write_text("what")
    assert end_leftovers(tmp_path) == []
    assert list(tmp_path.glob("*.pid")) == []


def test_a_taken_port_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"port {port} on 127.0.0.1 .*in use.* change web.port"):
            refuse_taken_port("127.0.0.1", port, "web.port")
    refuse_taken_port("127.0.0.1", port, "web.port")
    with pytest.raises(ConfigurationError, match=r"203\.0\.113\.1 cannot be used"):
        refuse_taken_port("203.0.113.1", port, "web.host")
