"""Script time of every page, run in process: cold (no figure in the cache) and warm."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import streamlit as st
from sqlalchemy import URL
from streamlit.testing.v1 import AppTest

from dashboard.navigation import SCREENS, Screen
from tests.bench.fill import ROOT_UNIT, fill
from tests.bench.stage import middle, p95, seconds, show, warehouse
from tests.conftest import ROOT
from warehouse.settings import Settings

COLD_MS, WARM_MS = 600, 150
CONFIG = f"""
[display]
root_unit = "{ROOT_UNIT}"

[[sources]]
name = "bench"
mapping = "dvcqg"
reader = {{ kind = "rest", url = "http://127.0.0.1:9/api/dossiers" }}
"""


def page_times(screen: Screen, runs: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of a page's script, cold and warm."""
    cold, warm = [], []
    test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=120)
    test.run()
    if screen is not SCREENS[0]:
        test.switch_page(f"../pages/{screen.file}")
        test.run()
    for _ in range(runs):
        st.cache_data.clear()
        cold.append(1000 * seconds(test.run))
        warm.append(1000 * seconds(test.run))
    assert not test.exception
    return cold, warm


def run(url: URL, folder: Path, dossiers: int, runs: int, now: datetime) -> None:
    """Print the script time of every page."""
    config = folder / "ioc.toml"
    config.write_text(CONFIG, encoding="utf-8")
    name = "bench_pages"
    os.environ["IOC_CONFIG"] = str(config)
    os.environ["IOC_DATABASE__URL"] = url.set(database=name).render_as_string(hide_password=False)
    os.chdir(ROOT)
    rows = []
    with warehouse(url, name) as engine:
        fill(engine, dossiers, now, Settings().zone)
        for screen in SCREENS:
            cold, warm = page_times(screen, runs)
            over = middle(cold) > COLD_MS or middle(warm) > WARM_MS
            figures = (middle(cold), p95(cold), middle(warm), p95(warm))
            rows.append((screen.path, *(f"{value:.0f}" for value in figures), "over" if over else ""))
    show(
        f"Pages, script time in ms, {dossiers:,} dossiers, {runs} runs (budget cold {COLD_MS}, warm {WARM_MS})",
        ("page", "cold median", "cold p95", "warm median", "warm p95", "budget"),
        rows,
    )
