"""The independent check: 1,434 real dossiers, read through the whole product, give the figures that others computed.

Every figure of reference.json over all dossiers and by department: five instants, four periods, sixteen months. The
definitions are in refcommon.py beside it; nothing here is compared with a tolerance.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import Engine

from connectors.sync import sync_all
from metrics import Clock, Period, Scope, measure
from tests.conftest import ROOT, shared
from warehouse.engine import snapshot
from warehouse.settings import Settings, load_settings
from warehouse.units import load_units

LATER = datetime(2013, 1, 1, tzinfo=UTC)
"""After every event of the log."""
CHANNELS = {"in_person": 1, "online": 2, "post": 3, "other": 9}
Figures = dict[str, Any]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    folder = shared("coselog_receipt/receipt.csv.gz").parent
    monkeypatch.setenv("COSELOG_DATA", str(folder))
    return load_settings(ROOT / "examples" / "coselog" / "ioc.toml")


@pytest.fixture
def reference() -> Figures:
    return json.loads(shared("coselog_receipt/reference.json").read_text(encoding="utf-8"))


class Asker:
    """Asks the product about one unit or all, and gives figures as the reference names them."""

    def __init__(self, engine: Engine, settings: Settings, unit: str | None) -> None:
        self.engine, self.clock = engine, Clock.of(settings)
        self.scope = Scope.everything() if unit is None else Scope.of({unit})

    def ask(self, metrics: list[str], period: Period, as_of: datetime, *by: str) -> pd.DataFrame:
        with snapshot(self.engine) as connection:
            return measure(connection, metrics, clock=self.clock, period=period, as_of=as_of, scope=self.scope, by=by)

    def local(self, text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=self.clock.zone)

    def as_of(self, text: str) -> Figures:
        at = self.local(text)
        ever = Period(self.local("2000-01-01"), at, "ever")
        names = {
            "received_total": "received", "closed_total": "resolved", "open": "open", "open_not_due": "open_in_time",
            "open_overdue": "overdue", "open_no_due": "open_no_due", "closed_early": "resolved_early",
            "closed_same_day": "resolved_on_time", "closed_late": "resolved_late", "closed_no_due": "resolved_no_due",
        }  # fmt: skip
        found = _values(self.ask([*names.values(), "on_time_06"], ever, at))
        ages = self.ask(["overdue"], ever, at, "overdue_age")
        return {
            **{theirs: int(found[ours]) for theirs, ours in names.items()},
            "overdue_age": {str(row.overdue_age): int(row.value) for row in ages.itertuples()},
            "on_time_rate": None if found["on_time_06"] is None else round(found["on_time_06"], 6),
        }

    def over(self, text: str) -> Figures:
        start, end = map(self.local, text.split("/"))
        period = Period(start, end, text)
        names = {
            "received": "received", "closed": "resolved", "closed_late": "resolved_late",
            "closed_no_due": "resolved_no_due", "opening_backlog": "carried_in", "closing_backlog": "open",
            "fell_due": "fell_due", "negative_duration": "closed_before_receipt",
        }  # fmt: skip
        asked = [*names.values(), "resolved_early", "resolved_on_time", "median_duration"]
        found = _values(self.ask(asked, period, LATER))
        channels = self.ask(["received"], period, LATER, "channel")
        by_code = {int(row.channel): int(row.value) for row in channels.itertuples() if row.value}
        return {
            **{theirs: int(found[ours]) for theirs, ours in names.items()},
            "closed_on_time": int(found["resolved_early"] + found["resolved_on_time"]),
            "channel3": {word: by_code[code] for word, code in CHANNELS.items() if code in by_code},
            "median_seconds": found["median_duration"],
        }

    def monthly(self) -> Figures:
        period = Period(self.local("2010-10-01"), self.local("2012-02-01"), "sixteen months")
        found = self.ask(["received", "resolved", "open"], period, LATER, "month")
        table = found.pivot_table(index="month", columns="metric", values="value")
        return {
            str(month): {"received": row["received"], "closed": row["resolved"], "backlog_end": row["open"]}
            for month, row in table.iterrows()
        }


def _values(answer: pd.DataFrame) -> Figures:
    return {row.metric: None if pd.isna(row.value) else float(row.value) for row in answer.itertuples()}


def _expected(reference: Figures) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    yield None, reference["all"]
    yield from reference["by_unit"].items()


def test_every_figure_of_the_reference(engine: Engine, settings: Settings, reference: Figures) -> None:
    load_units(engine, settings.units)
    reports = sync_all(engine, settings, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert [report.error for report in reports] == [None]
    compared = 0
    for unit, figures in _expected(reference):
        asker = Asker(engine, settings, unit)
        for text, expected in figures["as_of"].items():
            assert asker.as_of(text) == expected, (unit, text)
            compared += len(expected) + len(expected["overdue_age"]) - 1
        for text, expected in figures["over"].items():
            wanted = {
                name: value for name, value in expected.items() if name != "channel"
            }  # its own words, see mapping
            assert asker.over(text) == wanted, (unit, text)
            compared += len(wanted) + len(wanted["channel3"]) - 1
        assert asker.monthly() == figures["monthly"], unit
        compared += 3 * len(figures["monthly"])
    assert compared >= 600


def test_units_in_one_question_are_the_units_one_by_one(engine: Engine, settings: Settings, reference: Figures) -> None:
    load_units(engine, settings.units)
    sync_all(engine, settings, now=datetime(2026, 1, 1, tzinfo=UTC))
    asker = Asker(engine, settings, None)
    answer = asker.ask(["open"], Period.parse("2011", ZoneInfo("Europe/Amsterdam")), LATER, "unit")
    by_unit = {row.unit: int(row.value) for row in answer.itertuples()}
    text = "2011-01-01T00:00:00/2012-01-01T00:00:00"
    assert by_unit == {unit: f["over"][text]["closing_backlog"] for unit, f in reference["by_unit"].items()}
