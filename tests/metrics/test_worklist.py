"""The lists behind the figures, and the history of one dossier."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert

from metrics import Clock, Period, Scope, WorkingCalendar, dossier_history, measure, worklist
from metrics.worklist import COLUMNS, KINDS
from tests.metrics.world import HANOI, SEEN, Dossier, dossiers, instants, store
from warehouse.errors import BadQuestion
from warehouse.schema import dossier_change

CLOCK = Clock(HANOI, WorkingCalendar(HANOI))
NOW = datetime(2024, 3, 1, 3, tzinfo=UTC)
ALL = Scope.everything()


def late(unit: str, days: float, status: int = 4) -> Dossier:
    due = NOW - timedelta(days=days)
    return Dossier(unit, "a", 1, due - timedelta(9), due, None, status, None, 1, None)


@given(rows=st.lists(dossiers(HANOI), max_size=15), as_of=instants(HANOI), kind=st.sampled_from(sorted(KINDS)))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_list_has_exactly_the_dossiers_that_its_metric_counts(
    engine: Engine, rows: list[Dossier], as_of: datetime, kind: str
) -> None:
    period = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC), "ever")
    scope = Scope.of({"d1"})
    with engine.begin() as connection:
        store(connection, rows)
        page, total = worklist(connection, kind, clock=CLOCK, as_of=as_of, scope=scope, limit=1000)
        figure = measure(
            connection, [KINDS[kind].metric], clock=CLOCK, period=period, as_of=as_of, scope=scope
        )["value"].iloc[0]  # fmt: skip
    assert total == len(page) == figure
    assert list(page.columns) == list(COLUMNS)
    assert set(page["unit"]) <= {"d1", "u1", "u2", "u3"}
    for row in page.itertuples():
        ended = row.finished_at if kind == "resolved_late" else as_of
        expected = (ended - row.due_at) // timedelta(days=1) if row.due_at < ended else None
        assert (None if pd.isna(row.days_late) else row.days_late) == expected


def test_pages_order_and_filters(engine: Engine) -> None:
    with engine.begin() as connection:
        store(connection, [late("u1", 0.5), late("u2", 8), late("u3", 40), late("u1", 100), late("u1", -1)])
        first, total = worklist(connection, "overdue", clock=CLOCK, as_of=NOW, scope=ALL, limit=2)
        second, _ = worklist(connection, "overdue", clock=CLOCK, as_of=NOW, scope=ALL, limit=2, offset=2)
        newest, _ = worklist(connection, "overdue", clock=CLOCK, as_of=NOW, scope=ALL, order="-received_at", limit=1)
        old, count = worklist(
            connection, "overdue", clock=CLOCK, as_of=NOW, scope=ALL, filters={"overdue_age": ["30-89", "90+"]}
        )
        soon, _ = worklist(connection, "due_soon_24h", clock=CLOCK, as_of=NOW, scope=ALL)
    assert total == 4
    assert list(first["days_late"]) == [100, 40]
    assert list(second["days_late"]) == [8, 0]
    assert list(newest["code"]) == ["0"]
    assert (list(old["code"]), count) == (["3", "2"], 2)
    assert list(soon["code"]) == ["4"]
    assert soon["days_late"].isna().all()
    assert str(first["due_at"].dt.tz) == "Asia/Ho_Chi_Minh"


@pytest.mark.parametrize(
    ("kind", "changed", "message"),
    [
        ("lost", {}, "unknown worklist"),
        ("overdue", {"order": "colour"}, "cannot order by"),
        ("overdue", {"limit": 0}, "limit"),
        ("overdue", {"offset": -1}, "offset"),
        ("overdue", {"as_of": datetime(2024, 3, 1)}, "time zone"),  # noqa: DTZ001 - that is the point
        ("open", {"filters": {"overdue_age": ["0-6"]}}, "overdue"),
        ("overdue", {"scope": Scope.of({"nowhere"})}, "no such unit"),
    ],
)
def test_a_bad_list_is_refused(engine: Engine, kind: str, changed: dict[str, object], message: str) -> None:
    asked = {"clock": CLOCK, "as_of": NOW, "scope": ALL, **changed}
    with engine.connect() as connection, pytest.raises(BadQuestion, match=message):
        worklist(connection, kind, **asked)


def test_history_of_a_dossier_is_told_only_inside_the_scope(engine: Engine) -> None:
    with engine.begin() as connection:
        store(connection, [late("u1", 3)])
        change = {"source": "s", "code": "0", "seen_at": SEEN, "field": "status", "old": "2", "new": "4"}
        connection.execute(insert(dossier_change), [change])
        found, changes = dossier_history(connection, "s", "0", Scope.of({"d1"}))
        assert (found["code"], found["unit"], found["status"]) == ("0", "u1", 4)
        assert changes.to_dict("records") == [{"seen_at": SEEN, "field": "status", "old": "2", "new": "4"}]
        with pytest.raises(BadQuestion) as elsewhere:
            dossier_history(connection, "s", "0", Scope.of({"p9"}))
        with pytest.raises(BadQuestion) as nowhere:
            dossier_history(connection, "s", "0x", Scope.of({"p9"}))
    assert str(elsewhere.value).replace("'0'", "'0x'") == str(nowhere.value)
