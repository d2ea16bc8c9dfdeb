"""The faults: each is provoked on a fresh warehouse, the work is brought to its end, and the tables are compared.

They are functions, so that the suite provokes each a few times and `python -m tests.faults` as often as one likes.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import URL, text

from tests.conftest import TEMPLATE
from tests.faults.stage import PROVOKED, Cable, Child, Stage, add_late_unit, administration, counted, eventually
from warehouse.embedded import EmbeddedServer
from warehouse.engine import open_engine

Stop = Callable[[EmbeddedServer], None]
REPLAYED = frozenset({"records settled", "rows replayed"})
"""Steps that are those of a replay only."""


def killed_at(stage: Stage, step: str, at: int, mode: str = "sync") -> None:
    """A worker is killed (-9) when it comes to a step for the `at`-th time, in a sync or a replay; another goes on."""
    with stage.database() as url:
        if mode == "sync":
            _kill(stage, mode, url, step, at)
        stage.to_the_end("sync", url)
        add_late_unit(url)
        if mode == "replay":
            _kill(stage, mode, url, step, at)
        stage.to_the_end("replay", url)
        if mode == "replay":
            stage.to_the_end("sync", url)  # closes the run of a replay that was killed after its last row
        stage.check(url)


def _kill(stage: Stage, mode: str, url: URL, step: str, at: int) -> None:
    child = stage.start(mode, url, step=step, at=at)
    assert (stage.workers.wait(child), child.hit) == (-signal.SIGKILL, True), child.said
    PROVOKED[f"worker killed -9 at: {step}"] += 1


def killed_again_and_again(stage: Stage, steps: list[tuple[str, int]]) -> None:
    """One worker after the other is killed, each at another step, and the last one is left to finish."""
    with stage.database() as url:
        for step, at in steps:
            child = stage.start("sync", url, step=step, at=at)
            if stage.workers.wait(child) == -signal.SIGKILL:
                PROVOKED[f"worker killed -9 at: {step}"] += 1
        stage.to_the_end("sync", url)
        add_late_unit(url)
        stage.to_the_end("replay", url)
        stage.check(url)


def _finish(stage: Stage, url: URL, *children: Child) -> None:
    """Let running workers bring everything to its end, with the unit that comes late, and stop in good order."""
    stage.wait_for(url, stage.halfway, children[0])
    add_late_unit(url)
    stage.wait_for(url, stage.reference, children[0])
    for child in children:
        child.kill(signal.SIGTERM)
    for child in children:
        assert stage.workers.wait(child) == 0, child.said
    stage.to_the_end("sync", url)  # closes the rows of runs that were cut off at their end
    stage.check(url)


def server_stopped(stage: Stage, server: EmbeddedServer, url: URL, step: str, at: int, stop: Stop) -> None:
    """PostgreSQL goes away (`stop`) while a worker is at a step, and comes back."""
    child = stage.start("worker", url, step=step, at=at, action="hold")
    eventually(lambda: child.hit, f"step {step}\n{child.said}")
    stop(server)
    child.go()
    time.sleep(0.2)
    server.start()
    _finish(stage, url, child)


def two_workers(stage: Stage, kills: int) -> None:
    """Two workers read the same streams; now and then one of them is killed and another one comes."""
    with stage.database() as url:
        steps = sorted(stage.counts["sync"])
        pair = [stage.start("worker", url), stage.start("worker", url)]
        PROVOKED["two workers at once"] += 1
        for number in range(kills):
            step = steps[(number * 5 + kills) % len(steps)]
            victim = stage.start("worker", url, step=step, at=1 + number % 3)
            time.sleep(0.3)
            if stage.workers.running(victim):
                victim.kill(signal.SIGKILL)
            assert stage.workers.wait(victim) == -signal.SIGKILL, victim.said
            PROVOKED["one of three workers killed -9"] += 1
        _finish(stage, url, *pair)


def stood_still(stage: Stage, step: str, at: int) -> None:
    """A worker stands still (SIGSTOP) in the middle of a batch, longer than the server suffers, then goes on."""
    with stage.database() as url:
        still = stage.start("worker", url, step=step, at=at, action="hold", idle_seconds=1.0)
        eventually(lambda: still.hit, f"step {step}\n{still.said}")
        _others_are_through(url)
        still.kill(signal.SIGSTOP)
        still.go()
        PROVOKED["worker stopped (SIGSTOP) beyond its time-outs"] += 1
        other = stage.start("worker", url, idle_seconds=1.0)
        stage.wait_for(url, stage.halfway, other)
        still.kill(signal.SIGCONT)
        _finish(stage, url, still, other)


def _others_are_through(url: URL) -> None:
    """Wait until a held worker has nothing else to store: PostgreSQL waits for the rest of a COPY for ever."""
    engine = open_engine(url)
    before, seen_at = counted(engine), time.monotonic()
    while time.monotonic() - seen_at < 1.0:
        time.sleep(0.1)
        if (now := counted(engine)) != before:
            before, seen_at = now, time.monotonic()
    engine.dispose()


def source_killed(stage: Stage, at: int) -> None:
    """The source dies in the middle of its `at`-th reply, stays away for a while and comes back."""
    with stage.database() as url:
        stage.office.end()
        stage.office.start(die_at=at)
        child = stage.start("worker", url)
        eventually(lambda: not stage.office.alive, "death of the source\n" + child.said)
        PROVOKED["source killed -9 in the middle of a page"] += 1
        time.sleep(0.3)
        stage.office.end()
        stage.office.start()
        _finish(stage, url, child)


def network_cut(stage: Stage, url: URL, sockets: str, step: str, at: int, which: str) -> None:
    """The connection to the warehouse or to the source is cut while a worker is at a step, and comes back."""
    warehouse, source = Cable(f"{sockets}/.s.PGSQL.5432"), Cable(stage.office.port)
    try:
        through = url.difference_update_query(["host"]).set(host="127.0.0.1", port=warehouse.port)
        address = f"http://127.0.0.1:{source.port}"
        child = stage.start("worker", through, office=address, step=step, at=at, action="hold")
        eventually(lambda: child.hit, f"step {step}\n{child.said}")
        cable = warehouse if which == "warehouse" else source
        cable.cut()
        PROVOKED[f"network to the {which} cut"] += 1
        child.go()
        time.sleep(0.3)
        cable.mend()
        _finish(stage, url, child)
    finally:
        warehouse.end()
        source.end()


def fresh(server: EmbeddedServer, name: str) -> URL:
    """A fresh warehouse on a server that is not the one of the other tests."""
    with administration(server.url) as connection:
        connection.execute(text(f"create database {name} template {TEMPLATE}"))
    return server.url.set(database=name)


def stop_at_once(server: EmbeddedServer) -> None:
    """Stop PostgreSQL as a power cut does: nothing is written that was not written."""
    server._call("pg_ctl", "-D", server.pgdata, "-w", "-m", "immediate", "stop")
    PROVOKED["PostgreSQL stopped -m immediate"] += 1


def kill_server(server: EmbeddedServer) -> None:
    """Kill the first process of PostgreSQL; the others notice and end."""
    os.kill(int((server.pgdata / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    PROVOKED["PostgreSQL killed -9"] += 1


def disk_full(stage: Stage, server: EmbeddedServer, url: URL, step: str, at: int) -> None:
    """The disk of the data folder is full while a worker is at a step; later there is room again."""
    child = stage.start("worker", url, step=step, at=at, action="hold")
    eventually(lambda: child.hit, f"step {step}\n{child.said}")
    ballast = server.pgdata.parent / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    child.go()
    eventually(lambda: "No space left" in child.said or "does not answer" in child.said, f"full disk\n{child.said}")
    PROVOKED["disk of the data folder full"] += 1
    ballast.unlink()
    server.start()
    _finish(stage, url, child)
