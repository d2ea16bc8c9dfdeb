"""Command line of the bench: `python -m tests.bench [--quick] [--only PART]`."""

from __future__ import annotations

import argparse
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import load, questions
from tests.bench.stage import console, server

PARTS = ("load", "questions")


def main() -> None:
    """Run the chosen parts, all of them where none is named."""
    options = _options()
    quick, parts = options.quick, options.only
    dossiers = options.dossiers or (60_000 if quick else 1_000_000)
    small, large = options.sizes or ((3_000, 30_000) if quick else (500_000, 5_000_000))
    now = datetime.now(UTC).replace(microsecond=0)
    console.print(f"load of this machine before the bench: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with tempfile.TemporaryDirectory(prefix="ioc-bench-") as name, server() as url:
        folder = Path(name)
        if "load" in parts:
            load.run(url, folder, dossiers, options.runs or 1)
        if "questions" in parts:
            questions.run(url, folder, (small, large), options.runs or (3 if quick else 7), now)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="what to measure; all when left out")
    parser.add_argument("--quick", action="store_true", help="small sizes, less than a minute")
    parser.add_argument("--runs", type=int, help="repetitions behind each median")
    parser.add_argument("--dossiers", type=int, help="length of the history that is loaded")
    parser.add_argument("--sizes", type=int, nargs=2, metavar=("SMALL", "LARGE"), help="dossiers behind the questions")
    return parser.parse_args()


if __name__ == "__main__":
    main()
