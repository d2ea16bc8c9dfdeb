"""Real worker processes, quickly: one process that has loaded everything makes them by fork when it is asked to.

Each runs the product's own code on its own connections; what it does besides is to watch the named steps, and to kill
itself, or to stand still, at one of them. The process that makes them speaks JSON lines on standard input and output.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import select as selecting
import signal
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

import connectors.runs
from connectors import breaker, steps
from connectors.replay import retry_units
from connectors.sync import sync_all
from connectors.worker import Worker
from tests.faults.settings import settings
from warehouse.engine import open_engine

TROUBLE = 3


class Fault:
    """What a worker does to itself: at the `at`-th time of `step` it is killed, or held until a file appears."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.step, self.at, self.action = order.get("step"), order.get("at", 1), order.get("action", "kill")
        self.folder = Path(order["folder"])
        self.seen: Counter[str] = Counter()
        self.lock = threading.Lock()

    def __call__(self, step: str) -> None:
        with self.lock:
            self.seen[step] += 1
            hit = step == self.step and self.seen[step] == self.at
        if not hit:
            return
        (self.folder / "hit").touch()
        if self.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        while not (self.folder / "go").exists():
            time.sleep(0.005)


def work(order: dict[str, Any]) -> int:
    """Do what a worker does and return its exit code."""
    fault = Fault(order)
    steps.watch(fault)
    faulthandler.register(signal.SIGUSR1, file=(fault.folder / "stacks").open("w"))
    if "idle_seconds" in order:
        connectors.runs.IDLE_SECONDS = connectors.runs.AWAY_SECONDS = order["idle_seconds"]
    breaker.LONGEST_PAUSE_SECONDS = 0.3
    logging.basicConfig(filename=Path(order["folder"]) / "log", level=logging.INFO, force=True)
    engine = open_engine(make_url(order["database"]), pool_size=8)
    chosen = settings(order["source"])
    code = 0
    if order["mode"] == "worker":
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        Worker(engine, chosen).run(stop)
    elif order["mode"] == "sync":
        reports = sync_all(engine, chosen, now=datetime.now(UTC))
        code = TROUBLE if any(report.error for report in reports) else 0
    else:
        for source in chosen.sources:
            retry_units(engine, chosen, source, now=datetime.now(UTC))
    engine.dispose()
    (Path(order["folder"]) / "steps").write_text(json.dumps(fault.seen), encoding="utf-8")
    return code


def _in_child(order: dict[str, Any]) -> None:
    code = 1
    try:
        code = work(order)
    except BaseException as error:  # noqa: BLE001 - the child must not return into the loop of its parent
        (Path(order["folder"]) / "error").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
    finally:
        logging.shutdown()
        os._exit(code)


def main() -> None:
    """Fork a worker for each line; say its number, and later how it ended."""
    while True:
        if selecting.select([sys.stdin], [], [], 0.005)[0]:
            line = sys.stdin.readline()
            if not line:
                return
            number = os.fork()
            if number == 0:
                _in_child(json.loads(line))
            print(json.dumps({"started": number}), flush=True)
        try:
            number, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            continue
        if number:
            print(json.dumps({"ended": number, "code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
