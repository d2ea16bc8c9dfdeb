"""Small generated worlds for the metric tests: dossiers and survey answers around the instants where mistakes live."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert

from warehouse.schema import dossier, procedure, survey_answer, unit

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SEEN = datetime(2030, 1, 1, tzinfo=UTC)

UNITS = {"d1": ("district", None), "u1": ("commune", "d1"), "u2": ("commune", "d1"), "u3": ("commune", "d1"),
         "p9": ("province", None)}  # fmt: skip
ORPHAN = "x"
"""A unit that only dossiers know."""
PROCEDURES = {"a": ("f1", 4), "b": ("f1", 2), "c": ("f2", 3), "d": (None, None), "e": ("f2", 4)}
"""Field and online level of each procedure of the catalogue."""
TERMS = {"a": (3.0, "working_day"), "b": (10.0, "day"), "c": (1.5, "month"), "d": (None, None), "e": (4.0, "hour")}
"""Statutory time of each."""
FEES = {"a": True, "b": False, "c": True, "d": None, "e": True}
BOUNDARY_DAYS = (
    date(2023, 12, 31), date(2024, 1, 1), date(2024, 1, 31), date(2024, 2, 9), date(2024, 2, 28), date(2024, 2, 29),
    date(2024, 3, 1), date(2024, 3, 31), date(2024, 4, 1), date(2024, 4, 29), date(2024, 5, 4),
)  # fmt: skip
"""Ends of a year, of months and of a quarter, the leap day, Tết, a swapped day off and its worked Saturday."""
BOUNDARY_SECONDS = (0, 1, 7 * 3600, 11 * 3600 + 1800, 17 * 3600, 86_399)


@dataclass(frozen=True)
class Dossier:
    """What the metrics look at."""

    unit: str
    procedure: str | None
    channel: int | None
    received_at: datetime | None
    due_at: datetime | None
    finished_at: datetime | None
    status: int | None
    return_channel: int | None
    supplements: int | None
    paused_seconds: int | None
    submitted_at: datetime | None = None
    first_due_at: datetime | None = None
    returned_at: datetime | None = None
    source_updated_at: datetime | None = None
    supplement_requested_at: datetime | None = None
    reappointments: int | None = None
    payment: int | None = None
    digitised: bool | None = None
    reused: bool | None = None
    e_result: bool | None = None
    interlinked: bool | None = None


@dataclass(frozen=True)
class Answer:
    """What the satisfaction looks at; `of` is the number of the dossier that was judged."""

    unit: str
    answered_at: datetime
    satisfied: bool | None
    of: int | None
    scale: str = "three_level"
    score: int | None = None
    device: str | None = None
    aspects: Any = None


def instants(zone: ZoneInfo) -> st.SearchStrategy[datetime]:
    """Instants that are often the first or last second of something."""
    days = st.sampled_from(BOUNDARY_DAYS) | st.dates(date(2023, 12, 20), date(2024, 5, 10))
    seconds = st.sampled_from(BOUNDARY_SECONDS) | st.integers(0, 86_399)
    return st.builds(
        lambda day, second: (
            (datetime.combine(day, datetime.min.time()) + timedelta(seconds=second))
            .replace(tzinfo=zone)
            .astimezone(UTC)
        ),
        days,
        seconds,
    )


def dossiers(zone: ZoneInfo) -> st.SearchStrategy[Dossier]:
    """Dossiers with every contradiction that a source can hold."""
    maybe, flag = st.none() | instants(zone), st.sampled_from([None, False, True])
    return st.builds(
        Dossier,
        unit=st.sampled_from([*UNITS, ORPHAN]),
        procedure=st.sampled_from([*PROCEDURES, "unlisted", None]),
        channel=st.sampled_from([1, 2, 3, 9, None]),
        received_at=st.one_of(instants(zone), instants(zone), instants(zone), st.none()),
        due_at=maybe,
        finished_at=maybe,
        status=st.sampled_from([None, *range(1, 11), 4, 5, 9, 10]),
        return_channel=st.sampled_from([0, 1, None]),
        supplements=st.sampled_from([None, 0, 1, 2]),
        paused_seconds=st.sampled_from([None, 0, 3600, 5 * 86_400]),
        submitted_at=maybe,
        first_due_at=maybe,
        returned_at=maybe,
        source_updated_at=maybe,
        supplement_requested_at=maybe,
        reappointments=st.sampled_from([None, 0, 1]),
        payment=st.sampled_from([None, 0, 1, 2, 3]),
        digitised=flag,
        reused=flag,
        e_result=flag,
        interlinked=flag,
    )


def answers(zone: ZoneInfo) -> st.SearchStrategy[Answer]:
    """Survey answers, some of a known dossier; marks of questions that are none of the scale, or no numbers."""
    marks = st.one_of(st.integers(-1, 6), st.integers(0, 3), st.sampled_from([1.5, None, "2", True]))
    return st.builds(
        Answer,
        unit=st.sampled_from([*UNITS, ORPHAN]),
        answered_at=instants(zone),
        satisfied=st.sampled_from([True, False, None]),
        of=st.none() | st.integers(0, 5),
        scale=st.sampled_from(["three_level", "three_level", "five_level", "form_012"]),
        score=st.sampled_from([None, 1, 2, 3, 5]),
        device=st.sampled_from(["kiosk", "ipad", None]),
        aspects=st.none() | st.just([1]) | st.dictionaries(st.sampled_from(["1", "2", "attitude"]), marks, max_size=3),
    )


def store(connection: Connection, rows: list[Dossier], judged: list[Answer] | None = None) -> None:
    """Make the warehouse hold exactly this world."""
    for table in (dossier, survey_answer, procedure, unit):
        connection.execute(delete(table))
    connection.execute(
        insert(unit),
        [
            {"code": code, "valid_from": date(2000, 1, 1), "name": code, "kind": kind, "parent": parent}
            for code, (kind, parent) in UNITS.items()
        ],
    )
    connection.execute(
        insert(procedure),
        [
            {
                "code": code,
                "name": code,
                "field_code": field,
                "online_level": level,
                "has_fee": FEES[code],
                "statutory_time": TERMS[code][0],
                "statutory_unit": TERMS[code][1],
            }
            for code, (field, level) in PROCEDURES.items()
        ],
    )
    keys = {"source": "s", "seen_at": SEEN, "payload_hash": ""}
    if rows:
        connection.execute(insert(dossier), [{**keys, "code": str(n), **asdict(row)} for n, row in enumerate(rows)])
    if judged:
        connection.execute(
            insert(survey_answer),
            [
                {**keys, "id": str(n), "unit": answer.unit, "answered_at": answer.answered_at,
                 "satisfied": answer.satisfied, "code": None if answer.of is None else str(answer.of),
                 "scale": answer.scale, "score": answer.score, "device": answer.device, "aspects": answer.aspects}
                for n, answer in enumerate(judged)
            ],
        )  # fmt: skip
