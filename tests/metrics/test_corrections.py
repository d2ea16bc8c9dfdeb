"""Figures of ended periods: recorded once, and what a back-dated change at the source makes of them."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select, update

from connectors.sync import sync_source
from dashboard.closing import keep_closing
from metrics import Clock, Period, Scope, WorkingCalendar, measure
from metrics.closing import (
    CLOSING_LOCK,
    FIRST_RECORDED,
    MONTHS_BACK,
    NOT_RECORDED,
    RECORDED,
    _record,
    ended_periods,
    record_closed,
)  # fmt: skip
from metrics.corrections import COLUMNS, CORRECTABLE, corrected, corrections, recorded, with_corrections
from metrics.definitions import METRICS, Unit
from tests.connectors.intake import Intake, serve
from tests.connectors.support import file_source, insert_units, record, rest_source, settings_of, table_rows
from tests.metrics.test_oracle import worlds
from tests.metrics.world import HANOI, Dossier, store
from warehouse.errors import BadQuestion
from warehouse.schema import closed_figure, closed_period

CLOCK = Clock(HANOI, WorkingCalendar(HANOI))
MARCH = Period.parse("2022-03", HANOI)
AFTER = datetime(2022, 4, 1, 3, tzinfo=UTC)
SIGNED = datetime(2022, 4, 3, tzinfo=UTC)
LATER = datetime(2022, 4, 20, tzinfo=UTC)
EVERYTHING = Scope.everything()
FIRST = [
    record(1),
    record(2, NgayHenTra="20220310170000", NgayKetThucXuLy="", NgayTra="", TrangThaiHoSo="4"),
    record(3, DonViXuLy="27002", NgayTiepNhan="20220320080000", NgayHenTra="20220405170000", NgayKetThucXuLy="",
           NgayTra="", TrangThaiHoSo="4", KenhThucHien="1"),
]  # fmt: skip
BACK_DATED = [
    record(2, NgayHenTra="20220310170000", NgayKetThucXuLy="20220309100000", NgayTra="", TrangThaiHoSo="9",
           NgayCapNhat="20220409090000"),
    record(4, DonViXuLy="27002", NgayTiepNhan="20220331160000", NgayHenTra="20220405170000", NgayKetThucXuLy="",
           NgayTra="", TrangThaiHoSo="4", NgayCapNhat="20220409090000"),
]  # fmt: skip


@pytest.fixture
def intake() -> Iterator[Intake]:
    with serve(Intake()) as running:
        yield running


def read(engine: Engine, intake: Intake, records: list[dict[str, Any]], now: datetime) -> None:
    intake.records = records
    source = rest_source(intake.url)
    report = sync_source(engine, settings_of(source), source, now=now, from_start=True)
    assert report.error is None
    assert report.read == len(records)


def close(engine: Engine, as_of: datetime) -> tuple[str, ...]:
    return record_closed(engine, clock=CLOCK, as_of=as_of).recorded


def figures(engine: Engine, by: tuple[str, ...] = ("unit",), scope: Scope = EVERYTHING) -> pd.DataFrame:
    with engine.connect() as connection:
        return measure(
            connection,
            CORRECTABLE,
            clock=CLOCK,
            period=MARCH,
            as_of=datetime(2022, 4, 20, tzinfo=UTC),
            scope=scope,
            by=by,
        )


def told(engine: Engine, scope: Scope = EVERYTHING, period: Period = MARCH, **options: Any) -> pd.DataFrame:  # noqa: ANN401
    as_of = options.pop("as_of", LATER)
    with engine.connect() as connection:
        return corrections(connection, clock=CLOCK, period=period, as_of=as_of, scope=scope, **options)


def fractions(frame: pd.DataFrame) -> dict[tuple[str | None, str], tuple[Any, Any]]:
    frame = frame.astype(object).where(frame.notna(), None)
    return {
        (getattr(row, "unit", None), row.metric): (row.numerator, row.denominator)
        for row in frame.itertuples(index=False)
    }


def test_a_back_dated_change_is_told_with_the_old_value(engine: Engine, intake: Intake) -> None:
    insert_units(engine)
    read(engine, intake, FIRST, AFTER)
    assert close(engine, SIGNED) == ("report-2022-03", "report-2022Q1", "2022-03", "2022Q1")
    before = fractions(figures(engine)) | fractions(figures(engine, ()))
    assert told(engine).empty
    assert list(told(engine).columns) == list(COLUMNS)

    read(engine, intake, BACK_DATED, datetime(2022, 4, 10, tzinfo=UTC))
    after = fractions(figures(engine)) | fractions(figures(engine, ()))
    frame = told(engine).astype(object)
    rows = {(row.unit, row.metric): row for row in frame.where(frame.notna(), None).itertuples(index=False)}
    assert rows.keys() == {key for key in after if before[key] != after[key]}
    for key, row in rows.items():
        assert (row.old_numerator, row.old_denominator) == before[key], key
        assert (row.new_numerator, row.new_denominator) == after[key], key
        assert row.recorded_at == SIGNED
    counts = {key: (row.old, row.new, row.difference) for key, row in rows.items()}
    assert counts[None, "received"] == (3, 4, 1)
    assert counts["27002", "received"] == (1, 2, 1)
    assert counts["27002", "open"] == (1, 2, 1)
    assert counts["27001", "overdue"] == (1, 0, -1)
    assert counts["27001", "resolved_early"] == (1, 2, 1)
    assert (None, "open") not in rows, "one more here, one less there"
    share = rows["27001", "overdue_share"]
    assert (share.old, share.new, share.difference) == (1, None, None)
    assert set(told(engine, metrics=["received"])["metric"]) == {"received"}
    assert set(told(engine, Scope.of({"27001"}))["unit"].dropna()) == {"27001"}


def test_a_value_carries_what_it_was(engine: Engine, intake: Intake) -> None:
    insert_units(engine)
    read(engine, intake, FIRST, AFTER)
    close(engine, SIGNED)
    read(engine, intake, BACK_DATED, datetime(2022, 4, 10, tzinfo=UTC))
    asked = {"clock": CLOCK, "period": MARCH, "as_of": LATER}
    with engine.connect() as connection:
        marked = with_corrections(connection, figures(engine), scope=EVERYTHING, **asked).set_index(["unit", "metric"])
        whole = with_corrections(connection, figures(engine, ()), scope=EVERYTHING, **asked).set_index("metric")
        part = Scope.of({"27002"})
        of_part = with_corrections(connection, figures(engine, (), part), scope=part, **asked).set_index("metric")
        running = with_corrections(
            connection, figures(engine), scope=EVERYTHING, **{**asked, "as_of": AFTER - timedelta(1)}
        )
        other = measure(connection, ["received"], scope=EVERYTHING, by=["channel"], **asked)
        with pytest.raises(BadQuestion, match="by channel are not known"):
            with_corrections(connection, other, scope=EVERYTHING, **asked)
    assert (marked["corrected_from"]["27002", "received"], marked["value"]["27002", "received"]) == (1, 2)
    assert bool(marked["corrected"]["27001", "received"]) is False
    assert pd.isna(marked["corrected_from"]["27001", "received"])
    assert whole["corrected_from"]["received"] == 3
    assert bool(whole["corrected"]["open"]) is False
    assert of_part["corrected_from"]["received"] == 1
    assert running["corrected"].isna().all()


def test_every_recorded_figure_is_told_by_one_call(engine: Engine, intake: Intake) -> None:
    insert_units(engine)
    read(engine, intake, FIRST, AFTER)
    close(engine, SIGNED)
    asked: dict[str, Any] = {"clock": CLOCK, "period": MARCH, "as_of": LATER, "scope": EVERYTHING}
    with engine.connect() as connection:
        assert corrected(connection, figures(engine), **asked) == {}
    read(engine, intake, BACK_DATED, datetime(2022, 4, 10, tzinfo=UTC))
    frame = told(engine).astype(object)
    expected = {
        (row.unit, row.metric): (row.old, row.new, row.old_numerator, row.old_denominator, row.recorded_at)
        for row in frame.where(frame.notna(), None).itertuples(index=False)
    }
    only = {"unit": ["27002"]}
    with engine.connect() as connection:
        found = corrected(connection, figures(engine, ()), **asked) | corrected(connection, figures(engine), **asked)
        narrowed = measure(connection, CORRECTABLE, filters=only, **asked)
        of_unit = corrected(connection, narrowed, filters=only, **asked)
        by_channel = measure(connection, ["received"], by=["channel"], **asked)
        assert corrected(connection, by_channel, **asked) == {}
        assert corrected(connection, narrowed, filters={"channel": ["2"]}, **asked) == {}
        assert corrected(connection, narrowed, **{**asked, "as_of": MARCH.end - timedelta(1)}) == {}
        april = Period.parse("2022-04-01/2022-04-10", HANOI)
        assert corrected(connection, narrowed, **{**asked, "period": april}) == {}
    told_here = {key: (c.old, c.new, c.old_numerator, c.old_denominator, c.recorded_at) for key, c in found.items()}
    assert told_here == expected
    assert found["27002", "received"].recorded_at.utcoffset() == timedelta(hours=7)
    assert {(None, metric): c for (unit, metric), c in found.items() if unit == "27002"} == of_unit


def test_a_corrected_file_restates_an_ended_month(engine: Engine, tmp_path: Path) -> None:
    """The whole way: a file, its month recorded, the file again with a back-dated dossier, both values told."""
    insert_units(engine)
    file = tmp_path / "ho-so.json"
    source = file_source(file)

    def deliver(records: list[dict[str, Any]], now: datetime) -> None:
        file.write_text(json.dumps(records), encoding="utf-8")
        os.utime(file, (now.timestamp(), now.timestamp()))
        assert sync_source(engine, settings_of(source), source, now=now).error is None

    deliver(FIRST, AFTER)
    assert "2022-03" in close(engine, SIGNED)
    late = record(2, NgayHenTra="20220310170000", NgayKetThucXuLy="20220312100000", NgayTra="", TrangThaiHoSo="9",
                  NgayCapNhat="20220409090000")  # fmt: skip
    deliver([FIRST[0], late, FIRST[2]], datetime(2022, 4, 10, tzinfo=UTC))
    asked: dict[str, Any] = {"clock": CLOCK, "period": MARCH, "as_of": LATER, "scope": EVERYTHING}
    names = ["on_time_06", "resolved", "resolved_late", "overdue", "received", "balance"]
    with engine.connect() as connection:
        answer = measure(connection, names, **asked)
        found = corrected(connection, answer, **asked)
    now = answer.set_index("metric")["value"]
    assert (now["resolved"], now["resolved_late"], now["overdue"], now["received"]) == (2, 1, 0, 3)
    olds = {metric: (c.old, c.new) for (_, metric), c in found.items()}
    assert olds == {"on_time_06": (1, 0.5), "resolved": (1, 2), "resolved_late": (0, 1), "overdue": (1, 0)}
    assert {c.recorded_at for c in found.values()} == {SIGNED}


def test_every_flow_and_ratio_that_adds_up_can_be_corrected() -> None:
    union = frozenset[str]().union(*(METRICS[name].counters for name in CORRECTABLE))
    assert union == set(RECORDED)
    for name, metric in METRICS.items():
        left_out = metric.counters & NOT_RECORDED or metric.unit is Unit.WORKING_DAYS
        assert (name in CORRECTABLE) != bool(left_out), name
    assert {"satisfied_share", "online_payment_share", "on_time_received", "response_rate"} <= set(CORRECTABLE)


def test_a_period_recorded_with_fewer_counters_tells_only_these(engine: Engine, intake: Intake) -> None:
    insert_units(engine)
    read(engine, intake, FIRST, AFTER)
    close(engine, SIGNED)
    with engine.begin() as connection:
        connection.execute(update(closed_period).values(counters=None))
        connection.execute(delete(closed_figure).where(closed_figure.c.counter.not_in(FIRST_RECORDED)))
    assert told(engine).empty, "what was not recorded was not 0"
    with pytest.raises(BadQuestion, match="digitised_share: not recorded at the end of 2022-03"):
        told(engine, metrics=["digitised_share"])
    read(engine, intake, BACK_DATED, datetime(2022, 4, 10, tzinfo=UTC))
    metrics = set(told(engine)["metric"])
    assert "received" in metrics
    assert all(METRICS[name].counters <= set(FIRST_RECORDED) for name in metrics)


@given(before=worlds(HANOI), after=worlds(HANOI), text=st.sampled_from(("2024-02", "2024Q1", "report-2024-03")))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_old_values_are_those_that_measure_gave(engine: Engine, before: Any, after: Any, text: str) -> None:  # noqa: ANN401
    period = Period.parse(text, HANOI)
    asked: dict[str, Any] = {"clock": CLOCK, "period": period, "as_of": datetime(2025, 1, 1, tzinfo=UTC),
                             "scope": EVERYTHING}  # fmt: skip
    with engine.begin() as connection:
        for table in (closed_figure, closed_period):
            connection.execute(delete(table))
        store(connection, *before)
        old = [fractions(measure(connection, CORRECTABLE, by=by, **asked)) for by in ((), ("unit",))]
        _record(connection, period, CLOCK, asked["as_of"])
        store(connection, *after)
        for by, was in zip(((), ("unit",)), old, strict=True):
            answer = measure(connection, CORRECTABLE, by=by, **asked)
            now = fractions(answer)
            nothing = {key: (0, None if value[1] is None else 0) for key, value in now.items()}
            changed = {key: (nothing | was)[key] for key in now if (nothing | was)[key] != now[key]}
            found = corrected(connection, answer, **asked)
            assert {key: (c.old_numerator, c.old_denominator) for key, c in found.items()} == changed


def test_recording_is_once_and_only_of_what_has_settled(engine: Engine, intake: Intake) -> None:
    insert_units(engine)
    assert close(engine, SIGNED) == (), "without data there is nothing to sign"
    read(engine, intake, FIRST, AFTER)
    assert close(engine, AFTER) == ("report-2022-03", "report-2022Q1"), "March ended this night"
    assert close(engine, SIGNED) == ("2022-03", "2022Q1")
    kept = table_rows(engine, closed_figure), table_rows(engine, closed_period)
    read(engine, intake, BACK_DATED, datetime(2022, 4, 10, tzinfo=UTC))
    assert close(engine, datetime(2022, 4, 12, tzinfo=UTC)) == ()
    assert (table_rows(engine, closed_figure), table_rows(engine, closed_period)) == kept
    assert {row[2] for row in kept[0]} <= set(RECORDED)
    with engine.connect() as connection:
        found = recorded(connection, Period.parse("2022-03-01/2022-03-31", HANOI))
        assert found is not None
        assert found.period == "2022-03"
        assert recorded(connection, Period.parse("2022-02", HANOI)) is None


def test_a_source_not_read_since_the_end_holds_the_record_up_for_a_week(engine: Engine, intake: Intake) -> None:
    insert_units(engine)
    read(engine, intake, FIRST, MARCH.end - timedelta(hours=6))
    done = record_closed(engine, clock=CLOCK, as_of=SIGNED)
    assert done.recorded == ("report-2022-03", "report-2022Q1")
    assert done.waiting == ("2022-03", "2022Q1")
    assert done.streams == ("mot-cua",)
    assert close(engine, MARCH.end + timedelta(days=7, hours=1)) == ("2022-03", "2022Q1")


def test_only_one_process_records(engine: Engine) -> None:
    with engine.begin() as connection:
        received = datetime(2024, 2, 5, 3, tzinfo=UTC)
        store(connection, [Dossier("u1", "a", 2, received, None, None, 4, None, None, None)])
    with engine.connect() as rival:
        rival.execute(select(func.pg_advisory_lock(CLOSING_LOCK)))
        assert close(engine, datetime(2024, 3, 5, tzinfo=UTC)) == ()
    engine.dispose()
    assert close(engine, datetime(2024, 3, 5, tzinfo=UTC)) == ("report-2024-02", "2024-02")


def test_what_was_not_recorded_has_no_corrections_but_an_error(engine: Engine, intake: Intake) -> None:
    insert_units(engine)
    with pytest.raises(BadQuestion, match="recorded: none yet"):
        told(engine)
    read(engine, intake, FIRST, AFTER)
    close(engine, SIGNED)
    with pytest.raises(BadQuestion, match=r"'2022-04'.*recorded: 2022-03, 2022Q1, report-2022-03"):
        told(engine, period=Period.parse("2022-04", HANOI))
    with pytest.raises(BadQuestion, match="stale: not recorded"):
        told(engine, metrics=["received", "stale"])


def test_which_periods_have_ended() -> None:
    texts = [p.text for p in ended_periods(date(2025, 11, 20), date(2026, 1, 1), CLOCK)]
    assert texts == ["2025-11", "report-2025", "report-2025-12", "report-2025Q4", "2025", "2025-12", "2025Q4"]
    long = list(ended_periods(date(1970, 1, 1), date(2026, 11, 22), CLOCK))
    assert min(p.end for p in long) > CLOCK.midnight(date(2024, 11, 1))
    assert max(p.end for p in long) <= CLOCK.midnight(date(2026, 11, 22))
    assert sum(p.text.count("-") == 1 and not p.text.startswith("report") for p in long) == MONTHS_BACK
    assert {"2024", "2025", "report-2025", "2026Q3", "report-2026Q3"} <= {p.text for p in long}


def test_the_worker_records_beside_its_reading(engine: Engine) -> None:
    now = datetime.now(UTC)
    with engine.begin() as connection:
        store(connection, [Dossier("u1", "a", 2, now - timedelta(100), None, None, 4, None, None, None)])
    stop = threading.Event()
    thread = threading.Thread(target=keep_closing, args=(engine, CLOCK, stop), kwargs={"first": 0.0})
    thread.start()
    deadline = time.monotonic() + 60
    while not table_rows(engine, closed_figure) and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    assert {row[3] for row in table_rows(engine, closed_figure) if row[2] == "open"} == {1}
