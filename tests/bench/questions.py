"""The questions that the screens ask, on a small and on a large warehouse: they should cost the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from sqlalchemy import URL, Connection

from dashboard.overview import COURSE, HEADLINES
from dashboard.unit import LEVEL_METRICS
from metrics import Clock, Period, Scope, measure, rank_units, worklist
from tests.bench.fill import ROOT_UNIT, fill
from tests.bench.stage import middle, p95, seconds, show, warehouse
from warehouse.engine import snapshot
from warehouse.settings import Settings

BUDGET_MS = 50
Question = Callable[[Connection], object]
CALLS = ("overdue", "due_soon_24h", "open")
UNIT_TILES = ("overdue", "open", "received", "on_time_06", "online_share_eligible", "satisfied_share")


def questions(clock: Clock, now: datetime) -> Mapping[str, Question]:
    """Return what the pages ask, by name."""
    today = now.astimezone(clock.zone).date()
    month = Period.parse("month-to-date", clock.zone, today=today)
    year = Period.parse("last-12-months", clock.zone, today=today)
    common = {"clock": clock, "as_of": now, "scope": Scope.of({ROOT_UNIT})}
    ask = partial(measure, **common)
    one = {"unit": ("C1",)}
    return {
        "tiles": partial(ask, metrics=HEADLINES, period=month),
        "tiles, 12 months": partial(ask, metrics=HEADLINES, period=year),
        "tiles by day": partial(ask, metrics=HEADLINES, period=month, by=("day",)),
        "course by month": partial(ask, metrics=COURSE, period=year, by=("month",)),
        "map: overdue by unit": partial(ask, metrics=("overdue",), period=month, by=("unit",)),
        "map: on time by unit": partial(ask, metrics=("on_time_06",), period=month, by=("unit",)),
        "call list": partial(ask, metrics=CALLS, period=month, by=("unit",)),
        "channels": partial(ask, metrics=("received",), period=month, by=("channel",)),
        "shares": partial(ask, metrics=("online_share_eligible", "post_out_share"), period=month),
        "satisfaction": partial(ask, metrics=("satisfied_share", "resolved"), period=month),
        "unit: tiles": partial(ask, metrics=UNIT_TILES, period=month, filters=one),
        "unit: fields": partial(ask, metrics=LEVEL_METRICS, period=month, by=("field",), filters=one),
        "ranking": partial(rank_units, period=month, **common),
        "worklist: overdue": partial(
            worklist, kind="overdue", filters={}, limit=200, offset=0, **common
        ),
    }  # fmt: skip


def times(url: URL, dossiers: int, runs: int, now: datetime) -> dict[str, list[float]]:
    """Return the milliseconds of every question on a warehouse of that many dossiers."""
    settings = Settings()
    clock = Clock.of(settings)
    with warehouse(url, "bench_questions") as engine:
        fill(engine, dossiers, now, settings.zone)
        found: dict[str, list[float]] = {}
        for name, question in questions(clock, now).items():
            with snapshot(engine) as connection:
                question(connection)  # plans and pages of the first time are not what viewers wait for
                found[name] = [1000 * seconds(partial(question, connection)) for _ in range(runs)]
        return found


def run(url: URL, sizes: tuple[int, int], runs: int, now: datetime) -> None:
    """Print median and p95 of every question on both sizes, and by how much it grew."""
    small, large = (times(url, size, runs, now) for size in sizes)
    rows = []
    for name in small:
        medians = middle(small[name]), middle(large[name])
        rows.append(
            (
                name, f"{medians[0]:.1f}", f"{p95(small[name]):.1f}", f"{medians[1]:.1f}", f"{p95(large[name]):.1f}",
                f"{medians[1] / medians[0]:.1f}", "over" if medians[1] > BUDGET_MS else "",
            )
        )  # fmt: skip
    heads = [f"{size:,} {part}" for size in sizes for part in ("median", "p95")]
    show(
        f"Questions, 168 communes, ms, {runs} runs (budget {BUDGET_MS} ms; data grew {sizes[1] / sizes[0]:.1f} times)",
        ("question", *heads, "growth", "budget"),
        rows,
    )
