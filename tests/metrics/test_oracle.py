"""`measure` against the oracle: every metric, every grouping, on worlds full of boundary instants and odd dossiers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from metrics import METRICS, Clock, Kind, Period, Scope, WorkingCalendar, measure
from metrics.dimensions import OVERDUE_AGES
from metrics.grouping import dimensions_of
from metrics.period import buckets
from tests.metrics import oracle
from tests.metrics.world import AMSTERDAM, HANOI, PROCEDURES, UNITS, Answer, Dossier, answers, dossiers, instants, store

PERIODS = ("2024", "2024Q1", "2024-02", "2024-02-29", "2023-12-31/2024-03-01", "2024-W09", "report-2024Q1")
GROUPS = (
    (), ("unit",), ("unit_kind",), ("field",), ("procedure",), ("channel",), ("online_level",), ("return_channel",),
    ("day",), ("month",), ("unit", "month"), ("month", "channel", "field"), ("day", "unit_kind"),
    ("field", "procedure"), ("device",), ("unit", "device"), ("device", "month"),
)  # fmt: skip
FILTERS = (
    {}, {}, {}, {}, {}, {"channel": ["2", ""]}, {"unit_kind": ["commune"]}, {"field": ["f1"]},
    {"online_level": ["3", "4"]},    {"procedure": ["a", ""]}, {"unit": ["u1", "x"]},
    {"device": ["kiosk", ""]},
)  # fmt: skip
SCOPES = (Scope.everything(), Scope.everything(), Scope.of({"d1"}), Scope.of({"u2", "p9"}))
MODEST = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def worlds(zone: ZoneInfo) -> st.SearchStrategy[tuple[list[Dossier], list[Answer]]]:
    some = st.lists(dossiers(zone), max_size=3) | st.lists(dossiers(zone), min_size=15, max_size=30)
    return st.tuples(some, st.lists(answers(zone), max_size=6))


def moments(rows: list[Dossier], zone: ZoneInfo) -> st.SearchStrategy[datetime]:
    """Instants to ask at: mostly exactly those of the dossiers, or a second beside."""
    own = [at for d in rows for at in (d.received_at, d.due_at, d.finished_at) if at is not None]
    if not own:
        return instants(zone)
    beside = st.builds(lambda at, second: at + timedelta(seconds=second), st.sampled_from(own), st.integers(-1, 1))
    return st.one_of(beside, beside, instants(zone), st.just(datetime(2025, 1, 1, tzinfo=UTC)))


def clock_of(zone: ZoneInfo) -> Clock:
    """Offices of which one keeps hours of its own."""
    usual = WorkingCalendar(zone)
    return Clock(zone, usual, ((frozenset({"u2"}), replace(usual, hours=((time(8), time(12)),))),))


def with_edges(rows: list[Dossier], start: datetime, until: datetime, clock: Clock) -> list[Dossier]:
    """Add dossiers at the exact instants where a wrong comparison shows: at both ends of the period, at the limits of
    working hours, and at the first and last second of the day on which they are due."""
    second, long = timedelta(seconds=1), timedelta(9)
    limits = [
        clock.calendar_of(unit).add_working_hours(until, hours) + n * second
        for unit in ("u1", "u2") for hours in (8, 24) for n in (0, 1)
    ]  # fmt: skip
    spans = [(until - long, due, None) for due in limits]
    for edge in (start, until):
        spans += [(edge - second, edge, None), (edge, edge + long, None), (edge - long, edge - second, edge)]
        spans += [(edge - long, edge, edge - second), (edge - long, edge, edge)]
    midnight = clock.midnight(clock.day(start)).astimezone(UTC)
    spans += [(start - long, midnight + timedelta(hours=22), midnight), (start - long, midnight, midnight - second)]
    fresh = [
        Dossier(unit, "a", 2, received, due, finished, 10 if finished else 4, 1, 2, None)
        for received, due, finished in spans
        for unit in ("u1", "u2")
    ]
    return [*rows, *fresh]


def value_of(row: Dossier, name: str) -> object:
    field, level = PROCEDURES.get(row.procedure or "", (None, None))
    return {
        "unit": row.unit, "unit_kind": UNITS.get(row.unit, (None,))[0], "field": field, "procedure": row.procedure,
        "channel": row.channel, "online_level": level, "return_channel": row.return_channel, "device": None,
    }[name]  # fmt: skip


def answer_value(answer: Answer, rows: list[Dossier], name: str) -> object:
    if name in {"unit", "device"}:
        return getattr(answer, name)
    if name == "unit_kind":
        return UNITS.get(answer.unit, (None,))[0]
    judged = answer.of is not None and answer.of < len(rows)
    return value_of(rows[answer.of], name) if judged else None


def passes(value: object, wanted: Iterable[str]) -> bool:
    return ("" if value is None else str(value)) in set(wanted)


def in_scope(unit: str, scope: Scope) -> bool:
    return scope.roots is None or unit in scope.roots or UNITS.get(unit, (None, None))[1] in scope.roots


def answer_of(frame: pd.DataFrame, by: tuple[str, ...]) -> dict[tuple[object, ...], oracle.Triple]:
    rows = [[None if pd.isna(cell) else cell for cell in row] for row in frame.itertuples(index=False)]
    found: dict[tuple[object, ...], oracle.Triple] = {tuple(row[:-3]): tuple(row[-3:]) for row in rows}
    assert list(frame.columns) == [*by, "metric", "numerator", "denominator", "value"]
    assert len(found) == len(frame)
    return found


@pytest.mark.parametrize("zone", [HANOI, AMSTERDAM], ids=["no-summer-time", "summer-time"])
@given(data=st.data())
@MODEST
def test_every_metric_by_every_grouping_is_what_the_oracle_says(
    engine: Engine, zone: ZoneInfo, data: st.DataObject
) -> None:
    rows, judged = data.draw(worlds(zone))
    by = data.draw(st.sampled_from(GROUPS))
    filters = data.draw(st.sampled_from(FILTERS))
    scope = data.draw(st.sampled_from(SCOPES))
    if "unit" in filters:
        scope = Scope.everything()
        rows.append(Dossier("x", None, None, None, None, None, None, None, None, None))
    short = ("2024-02-29", "2024-W09", "2024-02-25/2024-03-02")  # the oracle looks at every day of it
    period = Period.parse(data.draw(st.sampled_from(short if "day" in by else PERIODS)), zone)
    as_of = max(data.draw(moments(rows, zone)), period.start)
    clock = clock_of(zone)
    rows = with_edges(rows, period.start.astimezone(UTC), min(period.end, as_of).astimezone(UTC), clock)
    with engine.begin() as connection:
        store(connection, rows, judged)
        allowed = [name for name in METRICS if {*by, *filters} <= {*dimensions_of(name)}]
        frame = measure(
            connection, allowed, clock=clock, period=period, as_of=as_of, scope=scope, by=by, filters=filters
        )
    seen = [d for d in rows if in_scope(d.unit, scope) and all(passes(value_of(d, n), v) for n, v in filters.items())]
    voted = [
        a for a in judged
        if in_scope(a.unit, scope) and all(passes(answer_value(a, rows, n), v) for n, v in filters.items())
    ]  # fmt: skip
    until = min(period.end, as_of)
    step = next((name for name in by if name in {"day", "month"}), None)
    cuts = {b.code: b for b in buckets(period, step, until, zone)} if step else {}
    found = answer_of(frame, by)
    for (*codes, metric), given_values in found.items():
        named = dict(zip(by, codes, strict=True))
        cut = cuts[named.pop(step)] if step else None
        span = oracle.Span(cut.start if cut else period.start, cut.end if cut else until, as_of, until, zone, clock)
        mine = [d for d in seen if all(value_of(d, name) == code for name, code in named.items())]
        votes = [a for a in voted if all(answer_value(a, rows, name) == code for name, code in named.items())]
        assert given_values == pytest.approx(oracle.figure(metric, mine, votes, span)), (named, metric, cut)
    names = [name for name in by if name != step]
    groups = {tuple(value_of(d, name) for name in names) for d in seen if d.received_at is not None}
    groups |= {tuple(answer_value(a, rows, name) for name in names) for a in voted}
    listed = {tuple(code for name, code in zip(by, codes, strict=True) if name != step) for *codes, _ in found}
    whole = oracle.Span(period.start, until, as_of, until, zone, clock)
    for group in groups - listed:
        mine = [d for d in seen if tuple(value_of(d, name) for name in names) == group]
        votes = [a for a in voted if tuple(answer_value(a, rows, name) for name in names) == group]
        assert not any(oracle.figure(m, mine, votes, whole)[0] for m in allowed), f"{group} is missing"


@given(world=worlds(HANOI), as_of=instants(HANOI))
@MODEST
def test_age_of_overdue(engine: Engine, world: tuple[list[Dossier], list[Answer]], as_of: datetime) -> None:
    rows, _ = world
    clock = Clock(HANOI, WorkingCalendar(HANOI))
    period = Period(datetime(2023, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC), "both years")
    with engine.begin() as connection:
        store(connection, rows)
        frame = measure(
            connection, ["overdue"], clock=clock, period=period, as_of=as_of, scope=Scope.everything(),
            by=["overdue_age"],
        )  # fmt: skip
    late = [(as_of - d.due_at) // timedelta(days=1) for d in oracle.overdue(rows, as_of)]
    expected = {
        code: sum(first <= days and (stop is None or days < stop) for days in late)
        for code, (first, stop) in OVERDUE_AGES.items()
    }
    assert {row.overdue_age: row.value for row in frame.itertuples()} == expected


@given(world=worlds(HANOI), as_of=instants(HANOI), text=st.sampled_from(PERIODS))
@MODEST
def test_counts_add_up_over_units_and_flows_over_days(
    engine: Engine, world: tuple[list[Dossier], list[Answer]], as_of: datetime, text: str
) -> None:
    period = Period.parse(text, HANOI)
    clock, as_of = Clock(HANOI, WorkingCalendar(HANOI)), max(as_of, period.start)
    additive = [name for name, metric in METRICS.items() if metric.kind is not Kind.DISTRIBUTION]
    with engine.begin() as connection:
        store(connection, *world)
        ask = {"clock": clock, "period": period, "as_of": as_of, "scope": Scope.everything()}
        whole = measure(connection, additive, **ask).set_index("metric")
        by_unit = measure(connection, additive, by=["unit"], **ask)
        by_day = measure(connection, additive, by=["day"], **ask)
    for column in ("numerator", "denominator"):
        sums = by_unit.groupby("metric")[column].sum(min_count=1)
        assert whole[column].fillna(-1).eq(sums.reindex(whole.index).fillna(-1)).all()
    flows = [name for name, metric in METRICS.items() if metric.kind is Kind.FLOW]
    daily = by_day.groupby("metric")["numerator"].sum()
    assert {name: daily[name] for name in flows} == {name: whole["numerator"][name] for name in flows}
    last = by_day[by_day["day"] == by_day["day"].max()].set_index("metric")["numerator"]
    stocks = [name for name, metric in METRICS.items() if metric.kind is Kind.STOCK and name != "carried_in"]
    assert {name: last[name] for name in stocks} == {name: whole["numerator"][name] for name in stocks}


@given(world=worlds(HANOI), text=st.sampled_from(PERIODS))
@MODEST
def test_stock_at_the_end_is_stock_at_the_start_plus_in_minus_out(
    engine: Engine, world: tuple[list[Dossier], list[Answer]], text: str
) -> None:
    """Holds for dossiers that fit: closed not before receipt, a closing time where the status says closed."""
    rows = [
        d for d in world[0]
        if d.received_at is not None
        and (d.finished_at is None or (d.finished_at >= d.received_at and d.status in {None, 3, 7, 8, 9, 10}))
        and (d.finished_at is not None or d.status not in oracle.CLOSED)
    ]  # fmt: skip
    clock, as_of = Clock(HANOI, WorkingCalendar(HANOI)), datetime(2025, 1, 1, tzinfo=UTC)
    with engine.begin() as connection:
        store(connection, rows)
        frame = measure(
            connection, ["balance"], clock=clock, period=Period.parse(text, HANOI), as_of=as_of,
            scope=Scope.everything(), by=["unit", "month"],
        )  # fmt: skip
    assert frame["value"].eq(0).all()
