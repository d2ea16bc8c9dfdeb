"""What is asked badly is refused with a helpful word; what is listed although nothing happened; names and documents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, insert

from metrics import METRICS, Clock, Period, Scope, WorkingCalendar, measure, names
from metrics.closing import RECORDED
from metrics.corrections import CORRECTABLE
from metrics.definitions import Kind, Unit
from metrics.document import FILE, document
from metrics.form06 import IDENTITIES, ITEMS
from metrics.method766 import METHOD
from metrics.question import refuse_future
from metrics.target_file import DEFAULT_FILE, read_targets
from tests.metrics.world import HANOI, Dossier, store
from warehouse.errors import BadQuestion
from warehouse.online_terms import OnlineTerms, in_online_terms
from warehouse.schema import dossier, unit

CLOCK = Clock(HANOI, WorkingCalendar(HANOI))
FEBRUARY = Period.parse("2024-02", HANOI)
LATER = datetime(2024, 6, 1, tzinfo=UTC)
IN_FEBRUARY = datetime(2024, 2, 5, 3, tzinfo=UTC)
ONE = Dossier("u1", "a", 2, IN_FEBRUARY, IN_FEBRUARY + timedelta(3), None, 4, None, None, None)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        store(connection, [ONE])
        yield connection


def ask(connection: Connection, metrics: tuple[str, ...] = ("received",), **changed: object) -> pd.DataFrame:
    question: dict[str, Any] = {
        "clock": CLOCK,
        "period": FEBRUARY,
        "as_of": LATER,
        "scope": Scope.everything(),
        **changed,
    }
    return measure(connection, metrics, **question)


@pytest.mark.parametrize(
    ("metrics", "changed", "message"),
    [
        (("recieved",), {}, "did you mean received"),
        ((), {}, "no metric"),
        (("received",), {"by": ["commune"]}, "unknown dimension"),
        (("received",), {"by": ["unit", "unit"]}, "named twice"),
        (("received",), {"by": ["day", "month"]}, "not by both"),
        (("received", "overdue"), {"by": ["overdue_age"]}, "leave out received"),
        (("overdue",), {"by": ["overdue_age", "day"]}, "without day"),
        (("received",), {"filters": {"colour": ["red"]}}, "unknown filter"),
        (("received",), {"filters": {"day": ["2024-02-01"]}}, "unknown filter"),
        (("received",), {"filters": {"channel": ["online"]}}, "not one of 1, 2, 3, 9"),
        (("received",), {"filters": {"channel": []}}, "no value"),
        (("received",), {"filters": {"channel": "2"}}, "a list"),
        (("received",), {"filters": {"overdue_age": ["0-6"]}}, "leave out received"),
        (("received",), {"by": ["device"]}, "device is a property of survey answers only; leave out received"),
        (("answers", "response_rate"), {"by": ["device"]}, "leave out response_rate"),
        (("received",), {"filters": {"device": ["kiosk"]}}, "leave out received"),
        (("received",), {"filters": {"field": ["f1", "f8"]}}, "no such field: f8"),
        (("received",), {"filters": {"procedure": ["a", "zz"]}}, "no such procedure: zz"),
        (("received",), {"filters": {"unit": ["nowhere"]}}, "no such unit: nowhere"),
        (("received",), {"filters": {"unit": ["p9"]}, "scope": Scope.of({"d1"})}, "not inside the scope"),
        (("received",), {"scope": Scope.of({"nowhere", "u1"})}, "no such unit: nowhere"),
        (("received",), {"as_of": datetime(2024, 6, 1)}, r"\+07:00"),  # noqa: DTZ001 - that is the point
        (("received",), {"as_of": datetime(2024, 1, 1, tzinfo=UTC)}, "nothing is known"),
    ],
)
def test_a_bad_question_is_refused(
    connection: Connection, metrics: tuple[str, ...], changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadQuestion, match=message):
        ask(connection, metrics, **changed)


def test_an_empty_scope_is_refused() -> None:
    with pytest.raises(BadQuestion, match="names no unit"):
        Scope.of([])


def test_units_with_nothing_to_count_are_listed_with_0_and_ratios_without_value(connection: Connection) -> None:
    answer = ask(connection, ("open", "on_time_06"), by=["unit"], scope=Scope.of({"d1"}))
    assert list(answer["unit"].unique()) == ["u1", "u2", "u3"]
    assert list(answer[answer["metric"] == "open"]["value"]) == [1, 0, 0]
    ratios = answer[answer["metric"] == "on_time_06"]
    assert list(ratios["denominator"]) == [0, 0, 0]
    assert ratios["value"].isna().all()


def test_days_without_events_are_there_and_days_after_as_of_are_not(connection: Connection) -> None:
    answer = ask(connection, ("received", "open"), by=["day"], as_of=datetime(2024, 2, 6, 2, tzinfo=UTC))
    assert list(answer["day"].unique()) == [f"2024-02-0{n}" for n in range(1, 7)]
    assert list(answer[answer["metric"] == "received"]["value"]) == [0, 0, 0, 0, 1, 0]
    assert list(answer[answer["metric"] == "open"]["value"]) == [0, 0, 0, 0, 1, 1]


def test_the_first_instant_of_a_period_is_an_answer_not_an_error(connection: Connection) -> None:
    answer = ask(connection, ("received", "carried_in", "open"), by=["day"], as_of=FEBRUARY.start)
    assert list(answer["day"].unique()) == ["2024-02-01"]
    assert answer["value"].eq(0).all()


def test_a_filter_narrows_and_the_empty_text_is_unknown(connection: Connection) -> None:
    assert ask(connection, filters={"channel": ["2"]})["value"].sum() == 1
    assert ask(connection, filters={"channel": ["1", "3"]})["value"].sum() == 0
    assert ask(connection, filters={"channel": [""]})["value"].sum() == 0
    assert ask(connection, filters={"unit": ["d1"]})["value"].sum() == 1  # with all units below


def test_a_procedure_outside_the_catalogue_is_known_by_its_dossiers(connection: Connection) -> None:
    new = {"source": "s", "code": "new", "unit": "u2", "procedure": "unlisted", "received_at": IN_FEBRUARY,
           "seen_at": LATER, "payload_hash": ""}  # fmt: skip
    connection.execute(insert(dossier), [new])
    assert ask(connection, filters={"procedure": ["unlisted", "b"]})["value"].sum() == 1
    assert ask(connection, filters={"field": [""]})["value"].sum() == 1


def test_frame_types(connection: Connection) -> None:
    answer = ask(connection, tuple(METRICS), by=["unit", "channel", "month"])
    kinds = {name: str(kind) for name, kind in answer.dtypes.items()}
    assert kinds == {
        "unit": "str", "channel": "Int64", "month": "str", "metric": "str",
        "numerator": "Int64", "denominator": "Int64", "value": "Float64",
    }  # fmt: skip
    ratios = answer[answer["denominator"].notna() & answer["numerator"].notna()]
    assert ratios["value"].dropna().between(0, 1).all()


def test_a_unit_is_what_it_was_in_the_period(connection: Connection) -> None:
    """A code that the reform used again: a commune of d1 until July 2025, then one of p9."""
    rows = [
        {"code": "r", "valid_from": date(2000, 1, 1), "valid_to": date(2025, 7, 1), "name": "Old", "kind": "commune",
         "parent": "d1"},
        {"code": "r", "valid_from": date(2025, 7, 1), "valid_to": None, "name": "New", "kind": "commune",
         "parent": "p9"},
    ]  # fmt: skip
    connection.execute(insert(unit), rows)
    future = datetime(2027, 1, 1, tzinfo=UTC)
    for text, root, word in (("2024", "d1", "Old"), ("2026", "p9", "New")):
        period = Period.parse(text, HANOI)
        listed = ask(connection, by=["unit"], period=period, as_of=future, scope=Scope.of({root}))
        assert "r" in set(listed["unit"])
        assert names(connection, "unit", ["r"], "vi", period.start) == {"r": word}
    assert "r" not in set(ask(connection, by=["unit"], as_of=future, scope=Scope.of({"p9"}))["unit"])


def test_a_dossier_closed_without_date_is_only_received_and_shown_by_the_balance(connection: Connection) -> None:
    lost = {"source": "s", "code": "lost", "unit": "u2", "received_at": IN_FEBRUARY, "due_at": IN_FEBRUARY,
            "status": 10, "seen_at": LATER, "payload_hash": ""}  # fmt: skip
    connection.execute(insert(dossier), [lost])
    answer = ask(connection, tuple(METRICS), scope=Scope.of({"u2"})).set_index("metric")["value"].dropna()
    shown = {name: value for name, value in answer.items() if value}
    assert shown == {"received": 1, "balance": 1}


def test_names(connection: Connection) -> None:
    assert names(connection, "unit", ["u1", "zz", None], "vi", LATER) == {"u1": "u1", "zz": "zz", None: "Không rõ"}
    assert names(connection, "channel", [2, pd.NA], "en", LATER) == {2: "Online", pd.NA: "Unknown"}
    assert names(connection, "unit_kind", ["commune"], "vi", LATER) == {"commune": "Cấp xã"}
    assert names(connection, "procedure", ["a", "unlisted"], "vi", LATER) == {"a": "a", "unlisted": "unlisted"}
    assert names(connection, "device", ["kiosk", "tablet-2"], "vi", LATER) == {
        "kiosk": "Ki-ốt", "tablet-2": "tablet-2",
    }  # fmt: skip
    assert names(connection, "day", ["2024-02-29"], "vi", LATER) == {"2024-02-29": "29/02/2024"}
    assert names(connection, "overdue_age", ["0-6"], "en", LATER) == {"0-6": "0–6 days"}
    with pytest.raises(BadQuestion, match="unknown dimension"):
        names(connection, "colour", ["red"], "vi", LATER)


def test_every_metric_is_documented() -> None:
    assert FILE.read_text(encoding="utf-8") == document(), "run python -m metrics.document"


def test_nothing_that_is_declared_is_left_out_of_the_document() -> None:
    text = document()
    starting = {f"`{target.metric}` | {target.applies_to} |" for target in read_targets(DEFAULT_FILE)}
    parts = {f"| {part.number} | {part.label.vi}" for part in METHOD.parts}
    codes = {f"`{name}`" for name in (*ITEMS, *RECORDED, *CORRECTABLE, *(group.code for group in METHOD.groups))}
    identities = {f"| {identity.formula} |" for identity in IDENTITIES}
    assert not [words for words in (*starting, *parts, *codes, *identities) if words not in text]
    for metric in METRICS.values():
        for words in (metric.label, metric.short, metric.definition):
            assert words.vi.strip()
            assert words.en.strip()
            assert words.vi != words.en, metric.name
        assert metric.definition.vi.endswith(".")
        assert metric.definition.en.endswith(".")
        assert f"### `{metric.name}`: {metric.label.vi} · {metric.label.en}" in text
        assert (metric.kind is Kind.RATIO) <= bool(metric.denominator), metric.name
        if metric.unit is Unit.SHARE:
            assert metric.minimum, f"{metric.name}: under which denominator is the share uncertain?"


def test_an_instant_that_has_not_come_is_refused() -> None:
    refuse_future(LATER, LATER)
    with pytest.raises(BadQuestion, match="lies in the future"):
        refuse_future(LATER + timedelta(seconds=1), LATER)


def test_what_a_source_dated_ahead_is_not_known_yet(connection: Connection) -> None:
    """A receipt and a closing that a source wrote ahead do not exist before their instant."""
    ahead = {"source": "s", "code": "ahead", "unit": "u2", "received_at": IN_FEBRUARY,
             "finished_at": LATER + timedelta(days=9), "status": 10, "seen_at": LATER, "payload_hash": ""}  # fmt: skip
    unborn = {**ahead, "code": "unborn", "received_at": LATER + timedelta(days=1)}
    connection.execute(insert(dossier), [ahead, unborn])
    year = Period.parse("2024", HANOI)
    answer = ask(connection, ("received", "resolved", "open"), period=year, scope=Scope.of({"u2"}))
    assert answer.set_index("metric")["value"].to_dict() == {"received": 1, "resolved": 0, "open": 1}


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ("new", ["Cung cấp thông tin trực tuyến", "Trực tuyến một phần", "Trực tuyến toàn trình"]),
        ("old", ["Mức độ 1, 2", "Mức độ 3", "Mức độ 4"]),
        ("both", ["Cung cấp thông tin trực tuyến (mức độ 1, 2)", "Trực tuyến một phần (mức độ 3)",
                  "Trực tuyến toàn trình (mức độ 4)"]),
    ],
)  # fmt: skip
def test_levels_of_online_service_in_the_terms_that_are_set(
    connection: Connection, terms: OnlineTerms, words: list[str]
) -> None:
    found = names(connection, "online_level", [2, 3, 4, pd.NA], "vi", LATER, online_terms=terms)
    assert list(found.values()) == [*words, "Không rõ"]
    label = in_online_terms(METRICS["full_online_share"].label, terms)
    assert ("mức độ 4" in label.vi, "toàn trình" in label.vi) == (terms != "new", terms != "old")
    assert ("evel 4" in label.en, "ully online" in label.en) == (terms != "new", terms != "old")
    for metric in METRICS.values():
        told = in_online_terms(metric.definition, terms)
        assert not (terms == "old" and metric.name == "online_share_eligible" and "toàn trình" in told.vi)
        assert told.vi.count("mức độ 4") <= 1
        assert in_online_terms(METRICS["received"].label, terms) == METRICS["received"].label
