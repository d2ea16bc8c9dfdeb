"""Every fault a few times; `python -m tests.faults` provokes them as often as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.steps import STEPS
from tests.faults import provoke
from tests.faults.stage import Stage, own_server
from warehouse.embedded import EmbeddedServer

pytestmark = pytest.mark.slow


def test_a_run_comes_to_every_step(theatre: Stage) -> None:
    assert {*theatre.counts["sync"], *theatre.counts["replay"]} == set(STEPS), (
        "each of them is a place where the other tests kill"
    )


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_step_is_taken_over(theatre: Stage, step: str) -> None:
    mode = "replay" if step in provoke.REPLAYED else "sync"
    provoke.killed_at(theatre, step, (theatre.counts[mode][step] + 1) // 2, mode)


def test_workers_killed_one_after_the_other(theatre: Stage) -> None:
    provoke.killed_again_and_again(theatre, [(step, 1 + number % 3) for number, step in enumerate(STEPS)])


@pytest.mark.parametrize("step", ["rows written", "batch committed"])
@pytest.mark.parametrize("stop", [provoke.stop_at_once, provoke.kill_server])
def test_postgres_stopped_in_the_middle_of_a_batch(
    theatre: Stage, postgres: EmbeddedServer, step: str, stop: provoke.Stop
) -> None:
    url = provoke.fresh(postgres, f"stop_{stop.__name__}_{STEPS.index(step)}")
    provoke.server_stopped(theatre, postgres, url, step, 4, stop)


def test_a_full_disk_stops_the_work_until_there_is_room(theatre: Stage, small_disk: Path) -> None:
    with own_server(small_disk, fsync="off") as server:
        provoke.disk_full(theatre, server, provoke.fresh(server, "small"), "batch mapped", 3)


def test_two_workers_at_once(theatre: Stage) -> None:
    provoke.two_workers(theatre, kills=3)


def test_a_worker_that_stood_still_gives_way(theatre: Stage) -> None:
    provoke.stood_still(theatre, "rows written", 4)


@pytest.mark.parametrize("at", [2, 6])
def test_the_source_dies_in_the_middle_of_a_page(theatre: Stage, at: int) -> None:
    provoke.source_killed(theatre, at)


@pytest.mark.parametrize("which", ["warehouse", "source"])
def test_the_network_is_cut(theatre: Stage, postgres: EmbeddedServer, which: str) -> None:
    url = provoke.fresh(postgres, f"cut_{which}")
    provoke.network_cut(theatre, url, str(postgres.sockets), "rows written", 3, which)
