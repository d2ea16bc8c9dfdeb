"""`ioc quarantine` as an operator meets it: list, show, export, replay after a mapping was mended."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.test_cli import CONFIG, MAPPING, UNITS, config, ioc, warehouse

__all__ = ["config", "warehouse"]

DOSSIERS = """id,unit,channel,received,due,done
H1,U1,1,2022-03-01 08:00:00,2022-03-05 17:00:00,
H2,U1,9,2022-03-02 08:00:00,2022-03-05 17:00:00,
H3,U3,2,2022-03-03 08:00:00,2022-03-05 17:00:00,
=H4,U2,2,@SUM(A1),2022-03-05 17:00:00,
H5,0909 123 456 Nguyễn Văn A,2,2022-03-03 08:00:00,2022-03-05 17:00:00,
"""
CODED = MAPPING.replace('{ from = "channel" }', '{ from = "channel", codes = { 1 = 1, 2 = 2 } }')


@pytest.fixture
def filled(warehouse: Path) -> Path:
    """Settings with a warehouse in which four of five records were refused."""
    folder = warehouse.parent
    (folder / "dossiers.csv").write_text(DOSSIERS, encoding="utf-8")
    (folder / "mapping.toml").write_text(CODED, encoding="utf-8")
    warehouse.write_text(CONFIG.replace('path = "dossiers.csv"', 'path = "dossiers.csv", settle_seconds = 0'), "utf-8")
    assert ioc("sync").exit_code == 0
    return folder


def rows_of(table: str) -> list[list[str]]:
    return [line.split() for line in table.splitlines() if line.strip()]


def test_an_empty_quarantine_says_so(warehouse: Path) -> None:
    assert ioc("db", "upgrade").exit_code == 0
    assert "nothing waits in quarantine" in ioc("quarantine", "list").stdout
    assert "nothing was ever refused" in ioc("quarantine", "list", "--all").stdout
    assert ioc("quarantine", "replay").exit_code == 0


def test_list_counts_by_reason_and_shows_each_record(filled: Path) -> None:
    lines = rows_of(ioc("quarantine", "list").stdout)
    assert ["mot-cua", "dossier", "unknown_unit", "2", "1"] in lines, "one of two is kept whole"
    assert ["mot-cua", "dossier", "bad_date", "1", "1"] in lines
    [number] = [number for number, line in enumerate(lines) if "H2" in line]
    assert lines[number][3:] == ["mot-cua", "dossier", "unknown_code", "H2"]
    assert lines[number + 1] == ["unknown_code:", "channel:", "'9'"]


def test_the_options_choose(filled: Path) -> None:
    one = ioc("quarantine", "list", "--reason", "bad_date", "--source", "mot-cua").stdout
    assert "=H4" in one
    assert "H3" not in one
    assert "nothing waits" in ioc("quarantine", "list", "--since", "2999-01-01").stdout
    assert "3 more" in ioc("quarantine", "list", "--limit", "1").stdout
    unknown = ioc("quarantine", "list", "--reason", "late")
    assert unknown.exit_code == 2
    assert "--reason late: no such check; there are missing_key" in unknown.stderr
    nobody = ioc("quarantine", "replay", "--source", "khac")
    assert nobody.exit_code == 2
    assert "--source khac: the settings name mot-cua" in nobody.stderr


def test_show_tells_everything_that_is_kept(filled: Path) -> None:
    shown = ioc("quarantine", "show", "H2").stdout
    assert 'channel = "9"' in shown
    assert "place         dossiers.csv row 3" in shown
    assert "complete      yes" in shown
    mark = shown.split()[1]
    assert ioc("quarantine", "show", mark[:8]).stdout == shown
    nothing = ioc("quarantine", "show", "H1")
    assert nothing.exit_code == 1
    assert "nothing is kept under H1" in nothing.stderr
    assert ioc("quarantine", "show", "%").exit_code == 1, "no pattern"


def test_personal_data_in_the_wrong_place_is_shown_nowhere(filled: Path) -> None:
    output = ioc("quarantine", "list").output + ioc("quarantine", "show", "H5").output
    output += ioc("quarantine", "export", "-").output
    assert "***3456" in output
    assert not any(part in output for part in ("0909", "123 456", "Nguyễn", "Văn A"))


def test_export_is_for_spreadsheets_and_harmless(filled: Path) -> None:
    file = filled / "refused.csv"
    assert "4 records written" in ioc("quarantine", "export", str(file)).stderr
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    [formula] = [row for row in rows if row["reason"] == "bad_date"]
    assert (formula["code"], formula["field received"], formula["complete"]) == ("'=H4", "'@SUM(A1)", "yes")
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert ioc("quarantine", "export", "-", "--reason", "bad_date").stdout.startswith("\ufeffsource,")
    assert ioc("quarantine", "export", str(filled / "no" / "folder.csv")).exit_code == 2


def test_replay_after_the_mapping_was_mended(filled: Path) -> None:
    mended = CODED.replace("2 = 2 }", "2 = 2, 9 = 3 }")
    (filled / "mapping.toml").write_text(mended, encoding="utf-8")
    result = ioc("quarantine", "replay", "--reason", "unknown_code")
    assert rows_of(result.stdout)[1] == ["mot-cua", "dossier", "1", "1", "0", "0", "0"]
    result = ioc("quarantine", "replay")
    assert rows_of(result.stdout)[1] == ["mot-cua", "dossier", "2", "0", "0", "2", "1"]
    assert "ioc sync --source mot-cua --from-start" in result.stdout
    assert "dossier         2" in ioc("db", "status").stdout
    assert "H2" not in ioc("quarantine", "list").stdout
    assert "H2" in ioc("quarantine", "list", "--all").stdout


def test_units_that_are_loaded_take_their_records_out_of_quarantine(filled: Path) -> None:
    (filled / "more.csv").write_text(UNITS + "U3,Xã Lê Minh Xuân,commune,D1,2020-01-01,,,,\n", encoding="utf-8")
    result = ioc("units", "load", "--file", "more.csv")
    assert "mot-cua dossier: 1 of 1 stored that waited for a unit" in result.stdout
    assert "H3" not in ioc("quarantine", "list").stdout


def test_sync_from_start_reads_everything_again(filled: Path) -> None:
    assert rows_of(ioc("sync").stdout)[1][4] == "0"
    again = rows_of(ioc("sync", "--from-start").stdout)[1]
    assert again[:8] == ["mot-cua", "dossier", "sync", "ok", "5", "0", "1", "4"]


def test_a_warehouse_that_is_away_is_one_line(filled: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IOC_DATABASE__URL", "postgresql://ioc@127.0.0.1:1/ioc")
    for command in (("list",), ("show", "H1"), ("export", "-"), ("replay",)):
        result = ioc("quarantine", *command)
        assert result.exit_code == 1
        assert "the warehouse does not answer" in result.stderr
