"""A history of any length as an office would export it: rows of the demo's exchange, with personal columns and lists.

The demo makes the dossiers of one district; each is told again under other units and codes until there are enough.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.conftest import ROOT

NOW = datetime(2023, 6, 1, tzinfo=UTC)
SCENARIO = "binh-chanh-2022"
DISTRICTS = "0123456789"
LISTS = ("DinhDanhCHS", "DSKetNoiCSDL", "TaiLieuNop", "DanhSachLePhi", "DanhSachHoSoBoSung", "DanhSachGiayToKetQua")
PAGE_ROWS = 2_000


def write_history(folder: Path, dossiers: int) -> None:
    """Write units.csv and dossiers.csv with that many rows."""
    one = folder / "one"
    command = [sys.executable, "-m", "demo", "write", "--scenario", SCENARIO, "--now", NOW.isoformat(), "--out", one]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    _write_units(one / "units.csv", folder / "units.csv")
    with (one / "dossiers.csv").open(encoding="utf-8", newline="") as source:
        head, *rows = source.read().splitlines(keepends=True)
    with (folder / "dossiers.csv").open("w", encoding="utf-8", newline="") as out:
        out.write(head)
        copies = -(-dossiers // len(rows))
        left = dossiers
        for row in rows:
            out.writelines(_told_again(row, copy) for copy in range(min(copies, left)))
            left -= min(copies, left)


def _told_again(row: str, copy: int) -> str:
    """The same dossier in the unit of the same place in another district: `H29.27634-220104-0001` of 57634."""
    code = row.split(",", 1)[0]
    unit = code[4:9]
    other = _elsewhere(unit, DISTRICTS[copy % 10])
    moved = code.replace(unit, other)
    return row.replace(unit, other).replace(moved, f"{moved}{copy:02d}")


def _elsewhere(unit: str, district: str) -> str:
    return district + unit[1:]


def _write_units(source: Path, target: Path) -> None:
    with source.open(encoding="utf-8") as file:
        head, *rows = file.read().splitlines(keepends=True)
    above = [row for row in rows if ",commune," not in row]
    communes = [_elsewhere(row, district) for row in rows if row not in above for district in DISTRICTS]
    target.write_text("".join([head, *above, *communes]), encoding="utf-8")


def write_changed(folder: Path, name: str, day: str, rows: int, every: int) -> None:
    """Write `name`.csv: every so many rows of dossiers.csv, changed and due on a later day."""
    with (folder / "dossiers.csv").open(encoding="utf-8", newline="") as source:
        reader = csv.DictReader(source)
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(reader.fieldnames or ()))
            writer.writeheader()
            for number, row in enumerate(reader):
                if number % every == 0 and number // every < rows:
                    writer.writerow(row | {"NgayCapNhat": f"{day}080000", "NgayHenTra": f"{day}170000"})


def write_pages(table: Path, folder: Path, dossiers: int | None = None) -> int:
    """Write the rows of a CSV file, or the first of them, as the pages of a list over HTTP; return how many pages."""
    folder.mkdir()
    number = 0
    for number, records in enumerate(_pages(table, dossiers)):
        following = str(number + 1) if len(records) == PAGE_ROWS else None
        page = {"data": records, "next_cursor": following}
        (folder / str(number)).write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")
    return number + 1


def _pages(table: Path, dossiers: int | None) -> Iterator[list[dict[str, object]]]:
    with table.open(encoding="utf-8", newline="") as source:
        records: list[dict[str, object]] = []
        for number, row in enumerate(csv.DictReader(source)):
            if number == dossiers:
                break
            records.append({name: json.loads(value) if name in LISTS else value for name, value in row.items()})
            if len(records) == PAGE_ROWS:
                yield records
                records = []
        yield records
