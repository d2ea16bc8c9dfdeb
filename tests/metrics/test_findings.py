"""Findings, quarantine, streams and balance: what the data page asks, against plain counts of known rows."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert

from connectors.checks import CHECKS
from metrics import Clock, Period, Scope, WorkingCalendar
from metrics.balance import balance, reported_periods
from metrics.findings import FINDINGS, finding_dossiers, findings
from metrics.quarantine import REASONS, by_reason, by_unit, reason_of, records
from metrics.streams import StreamFacts, drift_days, missing_records, runs, stream_facts
from tests.metrics.world import HANOI, Dossier, store
from warehouse.errors import BadQuestion
from warehouse.schema import (
    breaker,
    dossier,
    drift,
    missing_record,
    quarantine,
    reference_dossier,
    reported_figure,
    sync_run,
)
from warehouse.vocabulary import REPORT_FORM, BreakerState, ReportItem

CLOCK = Clock(HANOI, WorkingCalendar(HANOI))
NOW = datetime(2024, 3, 1, 3, tzinfo=UTC)
ALL = Scope.everything()
FLAGS = tuple(finding.flag for finding in FINDINGS.values() if finding.flag)
YEAR = Period.parse("2023", HANOI)


def test_every_check_has_words_and_a_remedy() -> None:
    assert set(REASONS) == set(CHECKS)
    for reason in REASONS.values():
        for label in (reason.label, reason.remedy):
            assert label.vi
            assert label.en
    assert reason_of("brand_new").label.vi == "brand_new"


def test_every_flag_of_a_finding_is_a_check() -> None:
    assert set(FLAGS) <= set(CHECKS)


rows = st.builds(
    dict,
    unit=st.sampled_from(["d1", "u1", "u2", "p9"]),
    procedure=st.sampled_from(["a", "b", "unlisted", None]),
    channel=st.sampled_from([1, 2, None]),
    status=st.sampled_from([None, 2, 5, 6, 8, 9, 10]),
    received_at=st.sampled_from([None, NOW]),
    due_at=st.sampled_from([None, NOW]),
    finished_at=st.sampled_from([None, NOW]),
    flags=st.lists(st.sampled_from([*FLAGS, "bad_date"]), unique=True, max_size=3),
    there=st.sampled_from([None, 5, 9]),
    gone=st.booleans(),
)


def fill(connection: Connection, made: list[dict[str, Any]]) -> None:
    store(connection, [])
    for table in (reference_dossier, missing_record):
        connection.execute(delete(table))
    key = {"seen_at": NOW, "payload_hash": ""}
    coded = [{**row, "code": str(number)} for number, row in enumerate(made)]
    own = [{name: value for name, value in row.items() if name not in {"there", "gone"}} for row in coded]
    there = [{"code": row["code"], "unit": "u1", "status": row["there"]} for row in coded if row["there"] is not None]
    gone = [{"code": row["code"], "entity": "dossier", "missing_since": NOW} for row in coded if row["gone"]]
    if own:
        connection.execute(insert(dossier), [{"source": "s", **key, **row} for row in own])
    if there:
        connection.execute(insert(reference_dossier), [{"source": "portal", **key, **row} for row in there])
    if gone:
        connection.execute(insert(missing_record), [{"source": "s", **row} for row in gone])


def expected(row: dict[str, Any]) -> set[str]:
    """The oracle: which findings one dossier is."""
    found = {flag for flag in row["flags"] if flag in FLAGS}
    if row["status"] in {9, 10} and row["due_at"] is None and row["finished_at"] is not None:
        found.add("finished_without_due")
    if row["procedure"] == "b" and row["channel"] == 2 and row["received_at"] is not None:  # b: information only
        found.add("information_only_online")
    if row["status"] in {5, 6, 8} and row["there"] == 9:
        found.add("pushed_as_finished")
    if row["gone"]:
        found.add("gone_at_source")
    return found


@given(made=st.lists(rows, max_size=12), scope=st.sampled_from([None, "d1"]), name=st.sampled_from(list(FINDINGS)))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_findings_are_those_of_the_rows(
    engine: Engine, made: list[dict[str, Any]], scope: str | None, name: str
) -> None:
    inside = {"d1", "u1", "u2", "u3"} if scope else {"d1", "u1", "u2", "u3", "p9"}
    counts = Counter((found, row["unit"]) for row in made if row["unit"] in inside for found in expected(row))
    asked = {"clock": CLOCK, "scope": Scope.of({scope}) if scope else ALL, "as_of": NOW, "others": ("portal",)}
    with engine.begin() as connection:
        fill(connection, made)
        frame = findings(connection, **asked)
        told = {(found, code): count for found, code, count in frame.itertuples(index=False)}
        assert told == counts
        listed = finding_dossiers(connection, name, **asked)
        assert set(listed["code"]) == {
            str(n) for n, row in enumerate(made) if row["unit"] in inside and name in expected(row)
        }
        assert len(finding_dossiers(connection, name, **asked, unit="u1", limit=1)) == min(1, counts[name, "u1"])


def test_unknown_finding(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(BadQuestion, match="no_receipt_date"):
        finding_dossiers(connection, "no_such", clock=CLOCK, scope=ALL, as_of=NOW)


def refuse(connection: Connection, number: int, reason: str, **values: Any) -> None:  # noqa: ANN401
    row = {
        "source": "mot-cua", "entity": "dossier", "payload_hash": str(number), "reason": reason, "code": f"c{number}",
        "detail": f"{reason}: something", "place": f"page 1 item {number}", "payload": {"DonViXuLy": "27001"},
        "complete": True, "first_seen_at": NOW + timedelta(minutes=number), "resolved_at": None,
    }  # fmt: skip
    connection.execute(insert(quarantine).values(**(row | values)))


def test_quarantine_by_reason_unit_and_record(engine: Engine) -> None:
    fields = {("mot-cua", "dossier"): "DonViXuLy"}
    with engine.begin() as connection:
        refuse(connection, 1, "bad_date")
        refuse(connection, 2, "bad_date", complete=False, payload={"DonViXuLy": "27002"})
        refuse(connection, 3, "unknown_unit", payload={"DonViXuLy": None})
        refuse(connection, 4, "bad_date", resolved_at=NOW)
        refuse(connection, 5, "bad_date", source="khao-sat", entity="survey_answer", payload={"MaDonVi": "27001"})
        reasons = by_reason(connection)
        assert [tuple(row)[:5] for row in reasons.itertuples(index=False)] == [
            ("bad_date", "mot-cua", "dossier", 2, 1),
            ("bad_date", "khao-sat", "survey_answer", 1, 1),
            ("unknown_unit", "mot-cua", "dossier", 1, 1),
        ]
        assert reasons["oldest"].iloc[0] == NOW + timedelta(minutes=1)
        units = by_unit(connection, fields)
        assert dict(zip(units["unit"].fillna("unknown"), units["count"], strict=True)) == {
            "27001": 1, "27002": 1, "unknown": 2,
        }  # fmt: skip
        assert by_unit(connection, {})["count"].sum() == 4
        page = records(connection, fields, clock=CLOCK, reason="bad_date", limit=2)
        assert list(page["code"]) == ["c1", "c2"]
        assert list(page["unit"]) == ["27001", "27002"]
        assert page["first_seen_at"].iloc[0].utcoffset() == timedelta(hours=7)
        assert len(records(connection, fields, clock=CLOCK)) == 4
        assert list(records(connection, fields, clock=CLOCK, reason="bad_date", limit=2, offset=2)["code"]) == ["c5"]


def test_streams_with_nothing_and_with_everything(engine: Engine) -> None:
    stream = ("mot-cua", "dossier")
    with engine.begin() as connection:
        assert stream_facts(connection, [stream]) == {stream: StreamFacts()}
        assert stream_facts(connection, []) == {}
        key = {"source": "mot-cua", "entity": "dossier"}
        done = {"started_at": NOW, "finished_at": NOW + timedelta(seconds=4), "state": "ok", "kind": "sync"}
        connection.execute(insert(sync_run).values(**key, **done, read=200, stored=150, unchanged=30, quarantined=20))
        connection.execute(insert(sync_run).values(**key, **done, read=2, stored=2))
        connection.execute(insert(sync_run).values(**key, **(done | {"state": "failed", "error": "no answer"})))
        cut = {"state": "open", "failures": 7, "since": NOW, "try_at": NOW}
        connection.execute(insert(breaker).values(**key, **cut))
        connection.execute(insert(missing_record).values(**key, code="x", missing_since=NOW))
        for number in (1, 2):
            day = {"day": date(2024, 2, number), "theirs": 5, "ours": 4, "checked_at": NOW}
            connection.execute(insert(drift).values(**key, **day))
        refuse(connection, 1, "bad_date")
        facts = stream_facts(connection, [stream, ("mot-cua", "unit")])
        assert facts[stream] == StreamFacts(BreakerState.OPEN, 7, NOW, 50.0, 1, 2, date(2024, 2, 1), 1)
        assert facts["mot-cua", "unit"] == StreamFacts()
        listed = runs(connection, *stream)
        assert list(listed["read"]) == [0, 2, 200]
        assert list(listed["error"].fillna("")) == ["no answer", "", ""]
        assert listed["rate"].iloc[2] == 50.0
        assert listed["rate"].isna().tolist() == [True, True, False]
        assert list(drift_days(connection, *stream)["day"]) == [date(2024, 2, 2), date(2024, 2, 1)]
        assert list(missing_records(connection, *stream)["code"]) == ["x"]


def report(connection: Connection, code: str, field: str, period: str = "2023", **items: int) -> None:
    for item, value in items.items():
        connection.execute(
            insert(reported_figure).values(
                source="bao-cao", unit=code, form=REPORT_FORM, period=period, field=field, item=ReportItem(item),
                value=value, seen_at=NOW, payload_hash="",
            )
        )  # fmt: skip


def in_2023(status: int, *, received: int = 2, finished: int | None = None, of: str = "u1") -> Dossier:
    at = datetime(2023, received, 1, tzinfo=UTC)
    end = None if finished is None else datetime(2023, finished, 1, tzinfo=UTC)
    return Dossier(of, "a", 1, at, None, end, status, None, 0, None)


def test_the_balance_of_units_beside_what_they_reported(engine: Engine) -> None:
    dossiers = [
        in_2023(10, finished=3), in_2023(4), in_2023(8, finished=4),
        in_2023(10),  # returned, but nobody wrote down when it ended: this one is in no out
        in_2023(4, of="u2"),
    ]  # fmt: skip
    with engine.begin() as connection:
        store(connection, dossiers)
        report(connection, "u1", "", received_total=4, resolved_total=2, open_total=1)
        report(connection, "u2", "Hộ tịch", "2023-01-01/2023-12-31", received_online=1, received_other=0, carried_in=0)
        report(connection, "u2", "Đất đai", "2023-01-01/2023-12-31", received_online=1, received_other=0, carried_in=0)
        report(connection, "d1", "Cấp xã", received_total=9, resolved_total=2, open_total=7)
        report(connection, "u3", "", "2023Q1", received_total=50, resolved_total=50, open_total=0)
        report(connection, "u3", "", "nonsense", received_total=50)
        frame = balance(connection, clock=CLOCK, period=YEAR, as_of=NOW, scope=Scope.of({"d1"}))
        assert reported_periods(connection) == ["nonsense", "2023Q1", "2023-01-01/2023-12-31", "2023"]
    told = frame.set_index(["unit", "level"])
    one = told.loc["u1", ""]
    assert (one["carried_in"], one["received"], one["total"], one["resolved"]) == (0, 4, 4, 1)
    assert (one["closed_without_result"], one["open"], one["balance"]) == (1, 1, 1)
    assert (one["reported_balance"], one["gap"]) == (1, 0)
    two = told.loc["u2", ""]
    assert (two["reported_received_total"], two["gap"]) == (2, 1)  # the sum of its fields, the total itself not given
    assert two.isna()["reported_balance"]
    assert told.loc["u3", ""].isna()["reported_received_total"]
    level = told.loc["d1", "commune"]
    assert (level["received"], level["total"], level["balance"]) == (5, 5, 1)
    assert (level["reported_balance"], level["gap"]) == (0, 4)
    assert "p9" not in set(frame["unit"])


def test_reported_figures_of_a_unit_outside_the_scope_are_not_told(engine: Engine) -> None:
    with engine.begin() as connection:
        store(connection, [])
        report(connection, "p9", "", received_total=4)
        frame = balance(connection, clock=CLOCK, period=YEAR, as_of=NOW, scope=Scope.of({"d1"}))
    assert frame["reported_received_total"].isna().all()
