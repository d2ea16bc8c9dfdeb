"""Office clock, catalogue, codes, draws, files and state, each on its own."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.__main__ import main
from demo.codes import Coder
from demo.draw import pick, split
from demo.files import pages
from demo.intake import Intake
from demo.office import DAY, WORKDAY, ZONE, day_start, from_stamp, instant, local_seconds, position, stamps, to_datetime
from demo.scenario import ScenarioError, load, names
from demo.simulation import Handmade
from demo.state import State
from tests.conftest import ROOT, shared
from warehouse.settings import load_settings

seconds = st.integers(local_seconds(datetime(2018, 1, 1, tzinfo=UTC)), local_seconds(datetime(2030, 1, 1, tzinfo=UTC)))


def one(value: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([value], dtype=np.int64)


@given(seconds)
def test_working_time_and_civil_time_agree(at: int) -> None:
    where = position(one(at))
    back = instant(where)
    assert int(back[0]) >= at - 1 or int(back[0]) % DAY == 13 * 3600
    assert int(position(back)[0]) == int(where[0])
    assert from_stamp(stamps(one(at))[0]) == at
    assert local_seconds(to_datetime(at)) == at


def test_working_days_are_those_of_the_reference() -> None:
    with shared("vn_holidays/days.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        day = datetime.fromisoformat(row["date"]).replace(tzinfo=ZONE).date()
        start = one(day_start(day))
        works = int(position(start + DAY)[0] - position(start)[0]) == WORKDAY
        assert works == (row["working_with_fix"] in {"1", "True", "true"}), row["date"]


@pytest.mark.parametrize("name", names())
def test_catalogues_have_honest_codes_and_names(name: str) -> None:
    scenario = load(name)
    codes = [row.code for row in scenario.procedures]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[0-9]\.[0-9]{6}", code) for code in codes)
    assert any(code.endswith("0") for code in codes)
    assert len({row.name for row in scenario.procedures}) == len(codes)
    assert all(
        unicodedata.is_normalized("NFC", row.name) and row.name.strip() == row.name for row in scenario.procedures
    )
    assert all(row.unit in {"giờ", "ngày", "ngày làm việc"} for row in scenario.procedures)


def test_a_bad_scenario_is_named_with_its_fault(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    good = (ROOT / "demo/scenarios/vu-ban-2022h1.toml").read_text(encoding="utf-8")
    for text, says in (
        (good.replace("received = 900", "received = -1"), "blocks.0.received"),
        (good + "\n[wishes]\n", "wishes"),
        (good.replace("district = 180", "district = 18000"), "no more than"),
        (good.replace('place = "vu-ban"', 'place = "nowhere"'), "nowhere"),
        ("title = ", "Invalid"),
    ):
        bad.write_text(text, encoding="utf-8")
        with pytest.raises(ScenarioError, match=says):
            load(str(bad))


@given(st.integers(0, 5_000), st.lists(st.floats(0.01, 100), min_size=1, max_size=20))
def test_split_adds_up(total: int, weights: list[float]) -> None:
    parts = split(total, np.array(weights))
    assert int(parts.sum()) == total
    assert int(parts.min()) >= 0


@given(st.lists(st.sampled_from([0.0, 0.2, 1.0, 9.0]), min_size=1, max_size=40), st.data())
def test_pick_takes_exactly_as_many_as_wanted(weights: list[float], data: st.DataObject) -> None:
    wanted = data.draw(st.integers(0, sum(weight > 0 for weight in weights)))
    chosen = pick(np.random.default_rng(1), wanted, np.array(weights))
    assert int(chosen.sum()) == wanted
    assert not chosen[np.array(weights) == 0].any()


numbers = st.one_of(st.integers(1, 9_999), st.integers(10_000, 99_999))


@given(st.lists(st.tuples(st.integers(0, 23), seconds, numbers), min_size=2, max_size=30))
def test_codes_and_their_numbers_have_one_order(parts: list[tuple[int, int, int]]) -> None:
    coder = Coder.of(load("gia-lam-2022"))
    unit, when, serial = (np.array(column, dtype=np.int64) for column in zip(*parts, strict=True))
    keys = coder.keys(unit, when, serial).tolist()
    texts = coder.texts(unit, when, serial)
    assert [coder.key_of(text) for text in texts] == keys
    by_key = [text for _, text in sorted(zip(keys, texts, strict=True))]
    assert by_key == sorted(texts)


def test_same_seed_same_dossiers_other_seed_others() -> None:
    at = local_seconds(datetime(2026, 11, 20, 10, 30, tzinfo=ZONE))
    scenario = load("live-binh-chanh")
    first, second = (Intake(scenario, lambda: at + 90_000, None, anchor=at).page("dossiers", "", 2_000) for _ in "ab")
    assert first == second
    moved = Intake(scenario, lambda: at + 90_000, None, anchor=at + 86_400).page("dossiers", "", 2_000)
    assert moved.records != first.records


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@pytest.mark.parametrize("name", ["dossiers", "surveys"])
def test_reader_of_a_live_intake_holds_what_a_new_reader_would_read(name: str) -> None:
    """Time moves between any two pages, also over midnight; dossiers are created in between."""
    rng = np.random.default_rng(5)
    key = {"dossiers": "MaHoSo", "surveys": "id"}[name]
    clock = Clock(local_seconds(datetime(2026, 11, 20, 23, 40, tzinfo=ZONE)))
    intake = Intake(load("live-binh-chanh"), clock, None)
    held: dict[str, object] = {}
    page = intake.page(name, "", 1)
    for read in range(400):
        running = read < 250
        page = intake.page(name, page.cursor if read else "", 4_000 if read < 9 else int(rng.integers(1, 4)))
        places = [(row["NgayCapNhat"], row[key]) for row in page.records]
        assert places == sorted(places)
        assert all(row["NgayCapNhat"] < stamps(one(clock.now))[0] for row in page.records)
        held |= {row[key]: row for row in page.records}
        clock.now += int(rng.integers(0, 25)) if running else 0
        if read in {100, 101, 180}:
            intake.create("27595", read % 3 + 1)
        if not running and not page.records:
            break
    assert not page.records
    fresh = {row[key]: row for part in pages(intake, name) for row in part}
    assert held == fresh
    assert len(fresh) > {"dossiers": 28_990, "surveys": 5_000}[name]


def test_parquet_and_csv_say_the_same(tmp_path: Path) -> None:
    for form in ("csv", "parquet"):
        assert main(["write", "--scenario", "vu-ban-2022h1", "--out", str(tmp_path), "--format", form]) == 0
    for name in ("dossiers", "surveys", "procedures", "units"):
        with (tmp_path / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        table = pq.read_table(tmp_path / f"{name}.parquet").to_pylist()
        assert [{key: str(value) for key, value in row.items()} for row in table] == rows
    assert json.loads(rows[0].get("TaiLieuNop", "[]")) == []


def test_half_a_line_of_a_crash_is_left_out(tmp_path: Path) -> None:
    state = State(tmp_path, "x", 1, 1_000)
    made = Handmade("27595", 1, 1_000, 0)
    state.keep(made)
    with (tmp_path / "created.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"unit": "275')
    assert state.created() == [made]
    state.keep(made._replace(number=1))
    assert [entry.number for entry in state.created()] == [0, 1]
    state.close()


def test_settings_of_make_run_are_valid() -> None:
    settings = load_settings(ROOT / "examples/demo/ioc.toml")
    assert [source.name for source in settings.sources] == ["mot-cua"] * 4 + ["dvcqg"]
    entities = ["unit", "procedure", "dossier", "survey_answer", "reference_dossier"]
    assert [str(source.entity) for source in settings.sources] == entities
    assert settings.display.root_unit == "785"
