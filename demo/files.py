"""The four lists of a scenario as files, CSV (lists as JSON texts) or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from demo.intake import Intake
from demo.records import Record

_PAGE = 10_000


def write(intake: Intake, folder: Path, form: str) -> list[tuple[Path, int]]:
    """Write dossiers, surveys, procedures and units to `folder` as of the intake's clock; OSError when it cannot be."""
    folder.mkdir(parents=True, exist_ok=True)
    one_now = intake.clock()
    intake.clock = lambda: one_now
    return [
        _write_list(pages(intake, name), folder / f"{name}.{form}")
        for name in ("dossiers", "surveys", "procedures", "units")
    ]


def pages(intake: Intake, name: str) -> Iterator[list[Record]]:
    """Yield the pages of a list from its beginning."""
    cursor = ""
    while records := (page := intake.page(name, cursor, _PAGE)).records:
        yield records
        cursor = page.cursor


def _write_list(read: Iterator[list[Record]], file: Path) -> tuple[Path, int]:
    count = 0
    if file.suffix == ".csv":
        with file.open("w", encoding="utf-8", newline="") as out:
            for records in read:
                table = csv.DictWriter(out, fieldnames=list(records[0]))
                if not count:
                    table.writeheader()
                table.writerows({name: _cell(value) for name, value in record.items()} for record in records)
                count += len(records)
        return file, count
    writer: pq.ParquetWriter | None = None
    for records in read:
        batch = pa.Table.from_pylist([{name: _cell(value) for name, value in row.items()} for row in records])
        writer = writer or pq.ParquetWriter(file, batch.schema)
        writer.write_table(batch)
        count += len(records)
    if writer:
        writer.close()
    return file, count


def _cell(value: Any) -> Any:  # noqa: ANN401 - any field of a record
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
