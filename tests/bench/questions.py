"""Every question that the screens ask, on a small and on a large warehouse, of a city and of the whole country."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, Engine, text

from metrics import Clock
from metrics.cell_refresh import refresh
from tests.bench.asked import Times, questions_of_screens
from tests.bench.fill import ROOT_UNIT, fill
from tests.bench.rivals import rivals
from tests.bench.stage import console, middle, p95, seconds, show, warehouse
from warehouse.engine import snapshot
from warehouse.settings import Settings

CITY, COUNTRY = 168, 3_321
BUDGET_MS = {CITY: 50, COUNTRY: 150}
COLD_MS, WARM_MS = 600, 150
CONFIG = f"""
[display]
root_unit = "{ROOT_UNIT}"

[[sources]]
name = "bench"
mapping = "dvcqg"
reader = {{ kind = "rest", url = "http://127.0.0.1:9/api/dossiers" }}
"""
SIZES = "select pg_size_pretty(sum(pg_total_relation_size(oid))) from pg_class where relname = any(:names)"


def run(url: URL, folder: Path, sizes: tuple[int, int], runs: int, now: datetime) -> None:
    """Print median and p95 of every question and of every page's script, and what plain SQL and pandas take."""
    config = folder / "ioc.toml"
    config.write_text(CONFIG, encoding="utf-8")
    found: dict[tuple[int, int], tuple[Times, Times, Times]] = {}
    for size, communes in ((sizes[0], CITY), (sizes[1], CITY), (sizes[1], COUNTRY)):
        name = f"bench_{size}_{communes}"
        with warehouse(url, name) as engine:
            _prepare(engine, size, communes, now)
            found[size, communes] = questions_of_screens(url.set(database=name), config, runs)
            _show_questions(found[size, communes][0], size, communes)
            _show_pages(found[size, communes], size, communes)
            if size == sizes[1]:
                _show_rivals(engine, size, communes, now, runs)
    _show_growth(found[sizes[0], CITY][0], found[sizes[1], CITY][0], sizes)


def _prepare(engine: Engine, size: int, communes: int, now: datetime) -> None:
    settings = Settings()
    filled = seconds(lambda: fill(engine, size, now, communes))
    made = seconds(lambda: refresh(engine, clock=Clock.of(settings), now=now))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze unit_cell, kind_cell"))
        rows, cells = (
            connection.execute(text(SIZES), {"names": names}).scalar_one()
            for names in (["dossier"], ["unit_cell", "kind_cell"])
        )
    console.print(
        f"\n{size:,} dossiers of {communes:,} communes: filled in {filled:.0f} s, cells made in {made:.0f} s;"
        f" the table takes {rows}, the cells {cells}"
    )


def _show_questions(times: Times, size: int, communes: int) -> None:
    budget = BUDGET_MS[communes]
    rows = sorted(((name, middle(took), p95(took)) for name, took in times.items()), key=lambda row: -row[1])
    over = sum(median > budget for _, median, _ in rows)
    lines = [
        (name[:90], f"{median:.1f}", f"{late:.1f}", "over" if median > budget else "") for name, median, late in rows
    ]
    show(
        f"Questions of the screens, {size:,} dossiers, {communes:,} communes, ms: {len(rows)} questions,"
        f" {over} over the budget of {budget} ms",
        ("question", "median", "p95", "budget"), lines,
    )  # fmt: skip


def _show_pages(found: tuple[Times, Times, Times], size: int, communes: int) -> None:
    _, cold, warm = found
    rows = []
    for page in cold:
        figures = (middle(cold[page]), p95(cold[page]), middle(warm[page]), p95(warm[page]))
        over = figures[0] > COLD_MS or figures[2] > WARM_MS
        rows.append((page, *(f"{value:.0f}" for value in figures), "over" if over else ""))
    show(
        f"Scripts of the pages, {size:,} dossiers, {communes:,} communes, ms (budget cold {COLD_MS}, warm {WARM_MS})",
        ("page", "cold median", "cold p95", "warm median", "warm p95", "budget"), rows,
    )  # fmt: skip


def _show_rivals(engine: Engine, size: int, communes: int, now: datetime, runs: int) -> None:
    clock = Clock.of(Settings())
    with snapshot(engine) as connection:
        rows = [
            (name, f"{ours:.1f}", f"{sql:.0f}", f"{pandas:.0f}", f"{sql / ours:.0f}", f"{pandas / ours:.0f}",
             "yes" if same else "NO")
            for name, ours, sql, pandas, same in rivals(connection, clock, now, min(runs, 5))
        ]  # fmt: skip
    show(
        f"The same question in other ways, {size:,} dossiers, {communes:,} communes, ms",
        ("question", "measure", "plain SQL", "pandas", "SQL / ours", "pandas / ours", "same numbers"), rows,
    )  # fmt: skip


def _show_growth(small: Times, large: Times, sizes: tuple[int, int]) -> None:
    ratios = sorted(
        ((name, middle(small[name]), middle(large[name])) for name in small.keys() & large.keys()),
        key=lambda row: -row[2] / row[1],
    )
    rows = [(name[:90], f"{a:.1f}", f"{b:.1f}", f"{b / a:.1f}") for name, a, b in ratios[:20]]
    typical = middle([b / a for _, a, b in ratios])
    show(
        f"Growth from {sizes[0]:,} to {sizes[1]:,} dossiers, {CITY} communes: the median question takes {typical:.1f}"
        " times as long; the twenty that grow most",
        ("question", f"{sizes[0]:,}", f"{sizes[1]:,}", "ratio"), rows,
    )  # fmt: skip
