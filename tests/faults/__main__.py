"""Provoke faults for the record: `python -m tests.faults --rounds 10`; every round provokes each kind.

What is hit when is drawn from a seed that is printed, so that a failure can be had again.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from connectors.steps import STEPS
from tests.faults import provoke
from tests.faults.stage import PROVOKED, Stage, own_server, passable_folder, stage
from warehouse.embedded import EmbeddedServer

INSIDE = ("rows staged", "versions compared", "changes logged", "rows written", "refused kept", "counts written")
"""Steps inside a transaction, where a worker that stands still is made to give way."""


class Rounds:
    """Rounds of faults."""

    def __init__(self, made: Stage, server: EmbeddedServer, rng: random.Random) -> None:
        self.stage, self.server, self.rng, self._names = made, server, rng, 0

    def _step(self, among: tuple[str, ...] = STEPS) -> tuple[str, int]:
        step = self.rng.choice([name for name in among if name not in provoke.REPLAYED])
        return step, self.rng.randint(1, max(1, self.stage.counts["sync"][step] // 2))

    def _name(self) -> str:
        self._names += 1
        return f"round_{self._names}"

    def faults(self) -> Iterator[Callable[[], None]]:
        """One round: every step once, and everything else that may happen."""
        made, rng = self.stage, self.rng
        for mode, counts in made.counts.items():
            for step, count in counts.items():
                yield partial(provoke.killed_at, made, step, rng.randint(1, count), mode)
        yield lambda: provoke.killed_again_and_again(made, [self._step() for _ in range(6)])
        for stop in (provoke.stop_at_once, provoke.kill_server):
            url = provoke.fresh(self.server, self._name())
            yield partial(provoke.server_stopped, made, self.server, url, *self._step(), stop)
        yield lambda: provoke.two_workers(made, rng.randint(1, 5))
        yield lambda: provoke.stood_still(made, *self._step(INSIDE))
        yield lambda: provoke.source_killed(made, rng.randint(1, 14))
        for which in ("warehouse", "source"):
            url = provoke.fresh(self.server, self._name())
            yield partial(provoke.network_cut, made, url, str(self.server.sockets), *self._step(), which)
        yield self._disk_full

    def _disk_full(self) -> None:
        with passable_folder() as folder:
            mount = ["mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs", str(folder)]
            if subprocess.run(mount, capture_output=True, check=False).returncode:
                return
            try:
                with own_server(folder) as server:
                    provoke.disk_full(self.stage, server, provoke.fresh(server, "small"), "batch mapped", 3)
            finally:
                subprocess.run(["umount", "-l", str(folder)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    print(f"seed {chosen.seed}", flush=True)
    rng = random.Random(chosen.seed)
    started = time.monotonic()
    with ExitStack() as stack:
        server = stack.enter_context(own_server(stack.enter_context(passable_folder())))
        quick = stack.enter_context(own_server(stack.enter_context(passable_folder()), fsync="off"))
        made = stack.enter_context(stage(quick.url))
        rounds = Rounds(made, server, rng)
        with contextlib.suppress(KeyboardInterrupt):
            for number in range(chosen.rounds):
                for fault in rounds.faults():
                    fault()
                print(f"round {number + 1}: {sum(PROVOKED.values())} faults so far", flush=True)
    print(f"\n| fault | times |\n|---|---|\n{_table()}\n\n{time.monotonic() - started:.0f} s, no table differed")


def _table() -> str:
    rows = [f"| {name} | {count:,} |" for name, count in sorted(PROVOKED.items())]
    return "\n".join([*rows, f"| all | {sum(PROVOKED.values()):,} |"])


if __name__ == "__main__":
    main()
