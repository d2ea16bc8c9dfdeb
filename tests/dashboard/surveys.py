"""More than `fill` puts into the small warehouse: online services, ways of return, and survey answers of two forms."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, insert, text, update

from tests.dashboard.conftest import COMMUNES
from warehouse import schema
from warehouse.engine import advance_version
from warehouse.vocabulary import OnlineLevel, SurveyScale


def add_services(engine: Engine) -> None:
    """Make two of the four procedures online services, and say how results go out and whether they were digitised."""
    c = schema.procedure.c
    with engine.begin() as connection:
        for code, level in (("1.000110", OnlineLevel.FULL), ("1.001110", OnlineLevel.PARTIAL)):
            connection.execute(update(schema.procedure).where(c.code == code).values(online_level=int(level)))
        connection.execute(text("update dossier set return_channel = channel % 2, digitised = channel = 2"))
        advance_version(connection)


def add_answers(engine: Engine, now: datetime, *, three: int = 120, five: int = 40) -> None:
    """Add answers of three and of five levels: every tenth is not satisfied."""
    codes = list(COMMUNES)
    rows = [
        {
            "source": "mot-cua",
            "id": f"{scale}-{number}",
            "unit": codes[number % len(codes) if number % 7 else 0],
            "device": "tablet" if number % 2 else "web",
            "answered_at": now - timedelta(days=number % 60, hours=1),
            "scale": str(scale),
            "score": (1 if number % 10 == 0 else best - number % 2),
            "satisfied": number % 10 != 0,
            "aspects": {"attitude": 1 if number % 10 == 0 else best} if scale is SurveyScale.FIVE_LEVEL else None,
            "seen_at": now,
            "payload_hash": str(number),
        }
        for scale, count, best in ((SurveyScale.THREE_LEVEL, three, 3), (SurveyScale.FIVE_LEVEL, five, 5))
        for number in range(count)
    ]
    with engine.begin() as connection:
        connection.execute(insert(schema.survey_answer), rows)
        advance_version(connection)
