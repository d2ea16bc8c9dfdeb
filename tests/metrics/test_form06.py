"""Form II.06 against plain Python over generated dossiers, and its identities where the data breaks them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from metrics import Clock, Period, Scope, WorkingCalendar
from metrics.closing import _record
from metrics.form06 import ITEMS, NUMBERS, Form06, form06
from tests.metrics import oracle
from tests.metrics.world import HANOI, PROCEDURES, Dossier, dossiers, instants, store
from warehouse.errors import BadQuestion
from warehouse.schema import reported_figure
from warehouse.vocabulary import ReportItem

CLOCK = Clock(HANOI, WorkingCalendar(HANOI))
PERIODS = ("report-2024Q1", "report-2024", "report-2024-02", "2024Q1", "2024-02", "2024-02-01/2024-03-10")
FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def fill(engine: Engine, rows: list[Dossier], text: str, as_of: datetime, by: str = "field") -> Form06:
    with engine.begin() as connection:
        store(connection, rows)
        return form06(
            connection, clock=CLOCK, period=Period.parse(text, HANOI), as_of=as_of, scope=Scope.everything(), by=by
        )  # type: ignore[arg-type]


def expected(rows: list[Dossier], s: oracle.Span) -> dict[str, int]:
    """One row of the form, by lists."""
    came, done, now = oracle.received(rows, s), oracle.resolved(rows, s), oracle.stock(rows, s.b)
    judged = [oracle.verdict(d, s) for d in done]
    return {
        "received_total": len(oracle.stock(rows, s.a)) + len(came),
        "received_online": sum(d.channel == 2 for d in came),
        "received_other": sum(d.channel in {1, 3} for d in came),
        "carried_in": len(oracle.stock(rows, s.a)),
        "resolved_total": len(done),
        "resolved_early": judged.count("early"),
        "resolved_on_time": judged.count("on_time"),
        "resolved_late": judged.count("late"),
        "open_total": len(now),
        "open_in_time": sum(d.due_at is not None and d.due_at >= s.b for d in now),
        "open_late": len(oracle.overdue(rows, s.b)),
        "received_otherwise": sum(d.channel == 9 for d in came),
        "received_unknown_channel": sum(d.channel is None for d in came),
        "resolved_no_due": judged.count("no_due"),
        "closed_without_result": oracle.without_result(rows, s),
        "open_no_due": sum(d.due_at is None for d in now),
    }


def field_of(d: Dossier) -> str | None:
    return PROCEDURES.get(d.procedure or "", (None, None))[0]


@given(rows=st.lists(dossiers(HANOI), max_size=25), as_of=instants(HANOI), text=st.sampled_from(PERIODS))
@FEW
def test_every_figure_by_field_and_by_unit(engine: Engine, rows: list[Dossier], as_of: datetime, text: str) -> None:
    period = Period.parse(text, HANOI)
    as_of = max(as_of, period.start)
    until = min(period.end, as_of)
    span = oracle.Span(period.start, until, as_of, until, HANOI, CLOCK)
    ways: dict[str, Callable[[Dossier], str | None]] = {"field": field_of, "unit": lambda d: d.unit}
    for by, of in ways.items():
        form = fill(engine, rows, text, as_of, by)
        assert dict(form.total) == expected(rows, span)
        codes = [None if pd.isna(code) else str(code) for code in form.rows[by]]
        shown = dict(zip(codes, form.rows[list(ITEMS)].to_dict("records"), strict=True))
        for code in {of(d) for d in rows} | set(codes):
            mine = expected([d for d in rows if of(d) == code], span)
            assert shown.get(code, dict.fromkeys(ITEMS, 0)) == mine, code
        assert form.rows[list(ITEMS)].sum().to_dict() == dict(form.total)
        _findings_tell_the_truth(form)


def _findings_tell_the_truth(form: Form06) -> None:
    """What is left unexplained is the balance; all other identities hold once the remainders are counted."""
    t = form.total
    unexplained = t["received_total"] - t["resolved_total"] - t["closed_without_result"] - t["open_total"]
    told = form.findings[form.findings["row"].eq("")].set_index("identity")
    gaps = {
        "received": t["received_otherwise"] + t["received_unknown_channel"],
        "resolved": t["resolved_no_due"],
        "open": t["open_no_due"],
        "balance": t["received_total"] - t["resolved_total"] - t["open_total"],
    }
    assert {name: row["gap"] for name, row in told.iterrows()} == {name: gap for name, gap in gaps.items() if gap}
    if "balance" in told.index:
        assert told["difference"]["balance"] == unexplained
    others = form.findings[form.findings["identity"] != "balance"]
    assert others["difference"].eq(0).all()
    assert not any(name.startswith(("sum_of_rows", "carried_over")) for name in form.findings["identity"])
    assert form.carried_over == ()


DAY = datetime(2024, 2, 5, 3, tzinfo=UTC)


def one(**changes: object) -> Dossier:
    values = {"unit": "u1", "procedure": "a", "channel": 2, "received_at": DAY, "due_at": DAY + timedelta(5),
              "finished_at": DAY + timedelta(2), "status": 10, "return_channel": None, "supplements": None,
              "paused_seconds": None}  # fmt: skip
    return Dossier(**{**values, **changes})  # type: ignore[arg-type]


LATER = datetime(2024, 6, 1, tzinfo=UTC)


def test_what_the_form_has_no_column_for_is_named() -> None:
    """The numbers on the paper."""
    assert [NUMBERS[item] for item in (ReportItem.RECEIVED_TOTAL, ReportItem.CARRIED_IN, ReportItem.OPEN_LATE)] == [
        3, 6, 13,
    ]  # fmt: skip


def test_withdrawn_dossiers_are_not_on_time(engine: Engine) -> None:
    rows = [one(), one(status=7), one(due_at=None), one(channel=9), one(finished_at=None, status=10)]
    form = fill(engine, rows, "2024-02", LATER)
    assert form.total["resolved_early"] == 2
    assert form.total["resolved_on_time"] == 0
    told = {row["identity"]: row for row in form.findings.to_dict("records") if row["row"] == "f1"}
    assert {name: (row["gap"], row["explained"], row["difference"]) for name, row in told.items()} == {
        "received": (1, 1, 0),
        "resolved": (1, 1, 0),
        "balance": (2, 1, 1),  # one withdrawn, one that says closed but not when
    }
    assert (told["balance"]["left"], told["balance"]["right"]) == (5, 3)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("report-2024Q1", ["2023-12-15", "2024-03-14"], ["2023-12-14", "2024-03-15"]),
        ("report-2024", ["2023-12-15", "2024-12-14"], ["2023-12-14", "2024-12-15"]),
    ],
)
def test_the_statutory_period_ends_on_the_fourteenth(
    engine: Engine, text: str, inside: list[str], outside: list[str]
) -> None:
    rows = [
        one(received_at=datetime.fromisoformat(f"{day}T12:00:00+07:00"), finished_at=None, status=4, due_at=None)
        for day in (*inside, *outside)
    ]
    form = fill(engine, rows, text, datetime(2025, 6, 1, tzinfo=UTC), by="unit")
    assert form.total["received_online"] == 2
    assert form.total["carried_in"] == 1
    assert form.total["received_total"] == form.total["open_total"] == 3


def test_what_is_carried_in_is_compared_with_what_was_told(engine: Engine) -> None:
    """Two dossiers were open when January was recorded, and u2 reported none; one was closed back-dated since."""
    january, day = Period.parse("2024-01", HANOI), DAY - timedelta(30)
    old = [
        one(received_at=day, finished_at=None, status=4),
        one(received_at=day, finished_at=None, unit="u2", status=4),
    ]
    with engine.begin() as connection:
        store(connection, old)
        _record(connection, january, CLOCK, DAY)
        told = {"source": "s", "unit": "u2", "form": "II.06", "period": "2024-01-01/2024-01-31", "field": "",
                "item": "open_total", "value": 0, "seen_at": DAY, "payload_hash": ""}  # fmt: skip
        connection.execute(insert(reported_figure), [told])
    form = fill(engine, old, "2024-02", LATER, by="unit")
    recorded, reported = form.carried_over
    assert (recorded.told, recorded.period, recorded.total, recorded.units) == (
        "recorded",
        "2024-01",
        2,
        {"u1": 1, "u2": 1},
    )
    assert (reported.told, reported.total, reported.units) == ("reported", None, {"u2": 0})
    told_gaps = [tuple(row) for row in form.findings[["identity", "row", "left", "right"]].itertuples(index=False)]
    assert told_gaps == [("carried_over_reported", "u2", 1, 0)]
    edited = [replace(old[0], finished_at=day + timedelta(2), status=10), old[1]]
    rows = fill(engine, edited, "2024-02", LATER, by="unit").findings.to_dict("records")
    gaps = {(row["identity"], row["row"]): (row["left"], row["right"], row["difference"]) for row in rows}
    assert gaps == {
        ("carried_over_recorded", ""): (1, 2, -1),
        ("carried_over_recorded", "u1"): (0, 1, -1),
        ("carried_over_reported", "u2"): (1, 0, 1),
    }
    by_field = fill(engine, edited, "2024-02", LATER).findings.to_dict("records")
    assert [(row["identity"], row["row"], row["gap"]) for row in by_field] == [("carried_over_recorded", "", -1)]
    assert fill(engine, edited, "2024-03", LATER).carried_over == ()
    before = fill(engine, edited, "2024-02", DAY - timedelta(seconds=1)).carried_over
    assert [str(said.told) for said in before] == ["reported"], "it was not recorded yet"


def test_a_form_by_something_else_is_refused(engine: Engine) -> None:
    with pytest.raises(BadQuestion, match="by field or by unit"):
        fill(engine, [one()], "2024-02", LATER, by="channel")
