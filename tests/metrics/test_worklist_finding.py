"""Finding, grouping and ordering inside a list: however a name is typed, departments by another computation."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert, update

from metrics import Clock, Scope, WorkingCalendar, worklist
from metrics.finding_words import LONGEST_SEARCH, folded
from metrics.worklist import Wanted, worklist_groups
from tests.metrics.test_worklist import ALL, CLOCK, NOW, late
from tests.metrics.world import HANOI, SEEN, Dossier, instants, store
from warehouse.errors import BadQuestion
from warehouse.schema import dossier, dossier_step, procedure

TITLE = "Đăng ký khai sinh có yếu tố nước ngoài"
KEYS = {"source": "s", "seen_at": SEEN, "payload_hash": ""}


def step(
    code: str, number: int, department: str | None, start: datetime | None, end: datetime | None
) -> dict[str, object]:
    return {**KEYS, "code": code, "step": str(number), "department": department, "started_at": start,
            "finished_at": end}  # fmt: skip


def codes(connection: Connection, search: str, department: str | None = None) -> set[str]:
    page, total = worklist(
        connection, "overdue", clock=CLOCK, as_of=NOW, scope=ALL, wanted=Wanted(search=search, department=department)
    )
    assert total == len(page)
    return set(page["code"])


TYPED = ("khai sinh", "KHAI SINH", "dang ky", "Đăng ký", "đăng kí", "nuoc ngoai sinh", "  yếu   tố ", "a", "A%", "tịch")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("typed", TYPED)
def test_a_procedure_is_found_however_its_name_is_typed(engine: Engine, form: str, typed: str) -> None:
    with engine.begin() as connection:
        store(connection, [late("u1", 3), Dossier("u1", "b", 1, NOW - timedelta(9), NOW - timedelta(2), *[None] * 5)])
        connection.execute(
            update(procedure).where(procedure.c.code == "a").values(name=unicodedata.normalize(form, TITLE))
        )
        connection.execute(update(dossier).where(dossier.c.code == "0").values(code="H29.1-221001-0001"))
        for shape in ("NFC", "NFD"):
            found = codes(connection, unicodedata.normalize(shape, typed))
            expected = typed not in {"tịch", "A%"}  # another word, and a sign that is no pattern
            assert ("H29.1-221001-0001" in found) == expected
            assert "1" not in found
    assert folded(unicodedata.normalize("NFD", "Đất đai – Hộ tịch")) == "dat dai – ho tich"


def test_a_code_is_found_by_its_beginning_and_signs_are_only_signs(engine: Engine) -> None:
    names = ["H29.1-221001-0001", "H29.1-221001-0002", "H29.2-2", "100%_x"]
    with engine.begin() as connection:
        store(connection, [late("u1", n + 1) for n in range(4)])
        for number, name in enumerate(names):
            connection.execute(update(dossier).where(dossier.c.code == str(number)).values(code=name))
        assert codes(connection, "h29.1") == set(names[:2])
        assert codes(connection, "221001") == set()
        assert codes(connection, "100%_") == {"100%_x"}
        assert codes(connection, "%") == set()
        assert codes(connection, "' or 1=1 --") == set()
        assert codes(connection, "") == set(names)
        with pytest.raises(BadQuestion, match="search"):
            codes(connection, "x" * (LONGEST_SEARCH + 1))


def held(rows: list[dict[str, object]], code: str, at: datetime) -> str | None:
    """The rule in plain words: a step that has begun; the running one before those that ended, the newest first."""
    begun = [row for row in rows if row["code"] == code and (row["started_at"] is None or row["started_at"] < at)]
    if not begun:
        return None
    last, first = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)

    def place(row: dict[str, object]) -> tuple[object, object, str]:
        end = row["finished_at"]
        return (end if end is not None and end < at else last, row["started_at"] or first, str(row["step"]))

    return str(max(begun, key=place)["department"] or "").strip() or None


MAYBE = st.none() | instants(HANOI)
STEPS = st.lists(
    st.builds(step, st.sampled_from("0123"), st.integers(0, 9), st.sampled_from(["Một cửa", " Địa chính", "", None]),
              MAYBE, MAYBE),
    max_size=12, unique_by=lambda row: (row["code"], row["step"]),
)  # fmt: skip


@given(rows=STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_departments_and_groups_by_another_computation(engine: Engine, rows: list[dict[str, object]]) -> None:
    world = [late("u1", 8), late("u1", 40), late("u2", 2), late("u2", 90)]
    with engine.begin() as connection:
        store(connection, world)
        connection.execute(delete(dossier_step))
        if rows:
            connection.execute(insert(dossier_step), rows)
        page, _ = worklist(connection, "overdue", clock=CLOCK, as_of=NOW, scope=ALL)
        expected = {str(n): held(rows, str(n), NOW) for n in range(len(world))}
        assert {row.code: None if pd.isna(row.department) else row.department for row in page.itertuples()} == expected
        groups = worklist_groups(connection, "overdue", by=("unit", "department"), clock=CLOCK, as_of=NOW, scope=ALL)
        assert groups["dossiers"].sum() == len(world)
        for group in groups.itertuples():
            name = None if pd.isna(group.department) else group.department
            inside = [n for n, row in enumerate(world) if row.unit == group.unit and expected[str(n)] == name]
            assert group.dossiers == len(inside)
            assert group.first == min(world[n].due_at for n in inside)
        for name in {*expected.values()}:
            wanted = {code for code, other in expected.items() if other == name}
            assert codes(connection, "", "" if name is None else name) == wanted


def test_elapsed_time_of_each_kind_is_that_of_the_calendar(engine: Engine) -> None:
    start = datetime(2024, 2, 26, 1, tzinfo=UTC)  # Monday, 08:00
    online = Dossier("u2", "a", 2, None, None, None, 1, None, None, None, submitted_at=start)
    waits = Dossier("u1", "a", 1, start, NOW + timedelta(30), None, 5, None, 1, None, source_updated_at=start)
    done = Dossier("u1", "a", 1, start, NOW, start, 9, None, 0, None)
    soon = Dossier("u2", "a", 1, start, NOW + timedelta(hours=1), None, 4, None, 0, None, source_updated_at=NOW)
    calendar = WorkingCalendar(HANOI)
    early = WorkingCalendar(HANOI, ((datetime(2024, 1, 1, 8).time(), datetime(2024, 1, 1, 10).time()),))  # noqa: DTZ001
    own = Clock(HANOI, calendar, ((frozenset({"u2"}), early),))
    with engine.begin() as connection:
        store(connection, [online, waits, done, soon])
        lists = {
            kind: worklist(connection, kind, clock=own, as_of=NOW, scope=Scope.of({"d1"}))[0]
            for kind in ("slow_acceptance", "waiting", "finished_not_returned", "due_soon_8h")
        }
    hours = early.working_hours_between
    assert list(lists["slow_acceptance"]["elapsed"]) == [hours(start, NOW)]
    assert list(lists["waiting"]["elapsed"]) == [calendar.working_hours_between(start, NOW) / 8]
    assert list(lists["finished_not_returned"]["elapsed"]) == [4]
    assert list(lists["due_soon_8h"]["elapsed"]) == [hours(NOW, NOW + timedelta(hours=1))]


def test_bad_groups_are_refused(engine: Engine) -> None:
    with engine.connect() as connection:
        for by in ((), ("channel",)):
            with pytest.raises(BadQuestion, match="group a worklist by unit or department"):
                worklist_groups(connection, "overdue", by=by, clock=CLOCK, as_of=NOW, scope=ALL)
        with pytest.raises(BadQuestion, match="inside"):
            worklist(
                connection,
                "overdue",
                clock=CLOCK,
                as_of=NOW,
                scope=ALL,
                filters={"channel": ["1"]},
                wanted=Wanted(search="x"),
            )
