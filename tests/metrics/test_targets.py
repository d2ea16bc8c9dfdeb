"""Targets: which one holds, whether it is met, and files that are not what they should be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine

from metrics import METRICS, Clock, Period, Scope, WorkingCalendar, measure
from metrics.targets import (
    DEFAULT_FILE,
    Attainment,
    Target,
    attained,
    attainment,
    read_targets,
    store_targets,
    stored_targets,
    targets,
)
from tests.metrics.world import HANOI, Dossier, store
from warehouse.engine import data_version
from warehouse.errors import BadQuestion, RefusedInput

DAY = date(2024, 3, 1)
KIND_OLD = Target("online_share", "commune", date(2023, 1, 1), 0.5, note="old")
KIND_NEW = Target("online_share", "commune", date(2024, 1, 1), 0.7, date(2024, 12, 31), "a law")
OWN = Target("online_share", "u2", date(2023, 6, 1), 0.6)
LATER = Target("online_share", "u2", date(2024, 3, 2), 0.9)
LATE = Target("overdue_share", "province", date(2024, 1, 1), 0.1)
ALL = [KIND_OLD, KIND_NEW, OWN, LATER, LATE]


def held(connection: Connection, day: date = DAY, *units: str) -> dict[tuple[str, str], float]:
    frame = targets(connection, ["online_share", "overdue_share"], units or ("u1", "u2", "p9", "nobody"), day)
    return {(row.unit, row.metric): row.target for row in frame.itertuples()}


def test_own_before_kind_and_the_newest_that_has_begun(engine: Engine) -> None:
    with engine.begin() as connection:
        store(connection, [])
        assert store_targets(connection, ALL).changed == len(ALL)
        assert held(connection) == {
            ("u1", "online_share"): 0.7, ("u2", "online_share"): 0.6, ("p9", "overdue_share"): 0.1,
        }  # fmt: skip
        assert held(connection, date(2024, 3, 2), "u2") == {("u2", "online_share"): 0.9}
        assert held(connection, date(2023, 12, 31)) == {("u1", "online_share"): 0.5, ("u2", "online_share"): 0.6}
        assert held(connection, date(2022, 12, 31)) == {}
        with pytest.raises(BadQuestion, match="unknown metric onlin"):
            targets(connection, ["onlin"], ["u1"], DAY)


def test_a_second_load_changes_only_what_is_new(engine: Engine) -> None:
    with engine.begin() as connection:
        store(connection, [])
        store_targets(connection, ALL)
        version = data_version(connection)
        again = store_targets(connection, ALL)
        assert (again.changed, again.unchanged) == (0, len(ALL))
        assert data_version(connection) == version
        other = Target("online_share", "u2", date(2023, 6, 1), 0.65, note="by decision of the unit")
        assert store_targets(connection, [other]).changed == 1
        assert data_version(connection) == version + 1
        assert other in stored_targets(connection)
        assert len(stored_targets(connection)) == len(ALL)
        with pytest.raises(RefusedInput, match=r"my.toml, field applies_to: u7, u8: neither a known unit nor one of"):
            store_targets(connection, [Target("online_share", u, DAY, 1) for u in ("u8", "u7", "u1")], place="my.toml")


@pytest.mark.parametrize(
    ("metric", "value", "target", "word", "distance"),
    [
        ("online_share", 0.7, 0.7, Attainment.MET, 0.0),
        ("online_share", 0.69, 0.7, Attainment.NOT_MET, -0.01),
        ("overdue_share", 0.05, 0.1, Attainment.MET, 0.05),
        ("overdue_share", 0.15, 0.1, Attainment.NOT_MET, -0.05),
        ("overdue_share", None, 0.1, Attainment.NOT_MEASURED, None),
        ("online_share", 1 - 0.9 + 0.6, 0.7, Attainment.MET, 0.0),
    ],
)
def test_attainment_goes_by_the_direction(
    metric: str, value: float | None, target: float, word: Attainment, distance: float | None
) -> None:
    found, far = attainment(metric, value, target)
    assert found is word
    assert far == (None if distance is None else pytest.approx(distance, abs=1e-9))


def test_measured_values_beside_their_targets(engine: Engine) -> None:
    received = datetime(2024, 2, 5, 3, tzinfo=UTC)
    due = received + timedelta(3)
    rows = [Dossier("u1", "a", channel, received, due, None, 4, None, None, None) for channel in (2, 2, 1)]
    with engine.begin() as connection:
        store(connection, rows)
        store_targets(connection, ALL)
        measured = measure(
            connection, ["online_share", "overdue_share"], clock=Clock(HANOI, WorkingCalendar(HANOI)),
            period=Period.parse("2024-02", HANOI), as_of=datetime(2024, 6, 1, tzinfo=UTC), scope=Scope.everything(),
            by=["unit"],
        )  # fmt: skip
        valid = targets(connection, ["online_share", "overdue_share"], ["u1", "u2", "p9"], DAY)
    table = attained(measured, valid, date(2024, 12, 1)).set_index("unit")
    assert table["attainment"].to_dict() == {"u1": "not_met", "u2": "not_measured", "p9": "not_measured"}
    assert table["distance"]["u1"] == pytest.approx(2 / 3 - 0.7)
    assert table["value"]["u1"] == pytest.approx(2 / 3)
    assert table["days_left"]["u1"] == 30
    assert pd.isna(table["days_left"]["u2"])
    assert table["legal_basis"]["u1"] == "a law"


def test_the_starting_targets_can_be_loaded(engine: Engine) -> None:
    found = read_targets(DEFAULT_FILE)
    with engine.begin() as connection:
        store(connection, [])
        assert store_targets(connection, found).changed == len(found)
        assert held(connection, date(2026, 11, 1), "u1") == {("u1", "online_share"): 0.5}
    assert all(target.note for target in found), "every value says what it rests on"
    assert all(target.metric in METRICS for target in found)


ENTRY = '[[targets]]\nmetric = "online_share"\napplies_to = "commune"\nvalid_from = 2024-01-01\nvalue = 0.5\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[targets]", "not a TOML file"),
        ("", "expected a list of"),
        ("targets = 3", "expected a list of"),
        (ENTRY + "[other]\n", "nothing else; found other"),
        ('targets = ["a"]', "target 1: expected a table"),
        (ENTRY.replace("value", "vlaue"), "target 1: fields missing: value; unknown: vlaue"),
        (ENTRY.replace('"online_share"', '"onlin"'), "field metric: 'onlin' is not a known metric"),
        (
            ENTRY.replace('"online_share"', '"received"'),
            "'received' is not a metric with a good direction",
        ),
        (ENTRY.replace("0.5", "90"), "field value: 90 is not a share from 0 to 1; write 0.9"),
        (ENTRY.replace("0.5", '"a"'), "field value: 'a' is not a number"),
        (ENTRY.replace("0.5", "nan"), "field value: nan is not a number"),
        (ENTRY.replace("0.5", "true"), "field value: True is not a number"),
        (ENTRY.replace("2024-01-01", '"1/1/2024"'), "field valid_from: '1/1/2024' is not a day such as"),
        (ENTRY.replace("2024-01-01", "2024-01-01T07:00:00"), "field valid_from: .* is not a day such as"),
        (ENTRY.replace('"commune"', '" "'), "field applies_to: ' ' is not a unit code"),
        (ENTRY + "deadline = 2023-12-31\n", "field deadline: .* is not a day not before valid_from 2024-01-01"),
        (ENTRY + "note = 3\n", "field note: 3 is not a text"),
        (ENTRY + ENTRY, "target 2: the same metric, unit and day as target 1"),
    ],
)
def test_a_bad_file_is_refused_by_name_entry_and_field(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedInput, match=f"mine.toml.*{message}"):
        read_targets(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RefusedInput, match=r"no.toml: cannot be read: No such file"):
        read_targets(tmp_path / "no.toml")
