"""Days of the wall in minutes: opens the wall of a running product, whose scenes change fast, and watches what grows.

    IOC_WALL__DWELL_SECONDS=2 ioc up --config FILE --demo
    python -m tests.soak_wall --pid $(cut -d' ' -f1 var/demo/run/web.pid) --minutes 10 --dwell 2

Ten minutes of scenes of two seconds are as many changes as 100 minutes of the usual twenty seconds. Every few seconds
the JS heap (after a collection), the DOM nodes and event listeners of the page and the memory of the web process are
written down; at the end their slopes are printed for one day of the usual dwell. The first third is left out: caches
fill.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from playwright.sync_api import CDPSession, sync_playwright

from tests.browser.chromium import ARGUMENTS, find_chromium

DAY, USUAL_DWELL = 86_400.0, 20.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at one moment, in seconds since the start, MB and counts."""

    seconds: float
    heap_mb: float
    nodes: int
    listeners: int
    server_mb: float


def sample(session: CDPSession, started: float, pid: int) -> Sample:
    """Collect garbage in the page and look at page and server."""
    session.send("HeapProfiler.collectGarbage")
    found = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    return Sample(
        time.monotonic() - started,
        found["JSHeapUsedSize"] / 2**20,
        int(found["Nodes"]),
        int(found["JSEventListeners"]),
        resident_mb(pid),
    )


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process, MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def report(samples: list[Sample], dwell: float) -> None:
    """Print first, last and slope of every quantity; a day has as many scenes as the usual dwell gives it."""
    settled = samples[len(samples) // 3 :]
    times = np.array([one.seconds for one in settled])
    print(f"{'':12} {'first':>10} {'settled':>10} {'last':>10} {'per day of ' + format(USUAL_DWELL, 'g') + ' s':>20}")
    for field in fields(Sample)[1:]:
        values = np.array([getattr(one, field.name) for one in settled], dtype=float)
        slope = np.polyfit(times, values, 1)[0] if len(values) > 2 else float("nan")
        first, day = getattr(samples[0], field.name), slope * DAY * dwell / USUAL_DWELL
        print(f"{field.name:12} {first:10.1f} {values[0]:10.1f} {values[-1]:10.1f} {day:+20.1f}")


def soak(web: str, pid: int, minutes: float, dwell: float, pause: float) -> list[Sample]:
    """Watch the wall at an address for some minutes; `pid` is the web process behind it."""
    samples: list[Sample] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(f"{web}/trinh-chieu?period=last-12-months")
        page.wait_for_selector(".st-key-wall .scene", timeout=120_000)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        started, changes, scene = time.monotonic(), 0, ""
        while time.monotonic() - started < minutes * 60:
            end = time.monotonic() + pause
            while time.monotonic() < end:
                now = page.locator(".scene").first.inner_text(timeout=120_000)
                changes, scene = changes + (now != scene), now
                page.wait_for_timeout(dwell * 250)
            samples.append(sample(session, started, pid))
            print(samples[-1], f"{changes} scenes", flush=True)
        browser.close()
    return samples


def main() -> None:
    """Run the soak and print the slopes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--web", default="http://127.0.0.1:8501", help="address of the product")
    parser.add_argument("--pid", type=int, required=True, help="its web process")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--dwell", type=float, default=2, help="seconds that a scene lasts there")
    parser.add_argument("--pause", type=float, default=10, help="seconds between two samples")
    options = parser.parse_args()
    if find_chromium() is None:
        sys.exit("no Chromium on this machine; `sh deploy/install-browser.sh` installs it or says what to type")
    report(soak(options.web, options.pid, options.minutes, options.dwell, options.pause), options.dwell)


if __name__ == "__main__":
    main()
