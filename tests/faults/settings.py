"""Settings of the workers under fault: the streams of the office, quick to ask again."""

from __future__ import annotations

from tests.faults.office import BATCH, PAGE
from warehouse.settings import Settings
from warehouse.sources import RestSettings, SourceSettings
from warehouse.vocabulary import Entity

STREAMS = (
    (Entity.UNIT, "dvcqg-unit", "/units"),
    (Entity.DOSSIER, "dvcqg", "/dossiers"),
    (Entity.SURVEY_ANSWER, "survey-three-level", "/surveys"),
)


def settings(address: str) -> Settings:
    """The settings of a worker that reads the office at `address`."""
    sources = [
        SourceSettings(
            name="mot-cua", entity=entity, mapping=mapping, interval_seconds=0.1, batch_rows=BATCH,
            breaker_failures=3, breaker_pause_seconds=0.3,
            reader=RestSettings(kind="rest", url=address + path, page_size=PAGE, timeout_seconds=2, retries=0),
        )
        for entity, mapping, path in STREAMS
    ]  # fmt: skip
    return Settings(sources=tuple(sources))
