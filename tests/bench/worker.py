"""A worker process of the bench: reads one source from its start and tells what that cost, as JSON on its last line.

`python -m tests.bench.worker DATABASE_URL SOURCE_AS_JSON`
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from sqlalchemy import make_url

from connectors.sync import sync_source
from tests.bench.history import NOW
from warehouse.engine import open_engine
from warehouse.settings import Settings
from warehouse.sources import SourceSettings
from warehouse.vocabulary import RunState


def peak_memory() -> float:
    """Return the most memory that this process ever held, in MiB; without /proc its parent's share counts, too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def main() -> None:
    """Load and tell: rows read and stored, seconds, seconds of processor, peak memory in MiB."""
    url, text = sys.argv[1:]
    source = SourceSettings.model_validate_json(text)
    engine = open_engine(make_url(url))
    began, used = time.perf_counter(), time.process_time()
    report = sync_source(engine, Settings(sources=(source,)), source, now=NOW, from_start=True)
    told = {
        "read": report.read,
        "stored": report.stored,
        "seconds": time.perf_counter() - began,
        "processor": time.process_time() - used,
        "peak": peak_memory(),
    }
    if report.state is not RunState.OK:
        raise SystemExit(report.error)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
