"""What is judged ahead of the database holds only as long as the units are the same."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, delete, literal

from connectors.sync import sync_source
from tests.connectors.intake import Intake
from tests.connectors.support import NOW, insert_units, record, rest_source, settings_of, table_rows
from warehouse.schema import dossier, unit


def test_a_unit_that_comes_in_the_middle_of_a_run_is_known_at_once(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(number, DonViXuLy="27001" if number <= 5 else "29999") for number in range(1, 16)]
    source = rest_source(intake.url, reader={"page_size": 5}, batch_rows=5)
    report = sync_source(
        warehouse, settings_of(source), source, now=NOW,
        progress=lambda told: insert_units(warehouse, ["29999"]) if told.read == 5 else None,
    )  # fmt: skip
    assert (report.read, report.stored, report.quarantined) == (15, 15, 0)


def test_a_unit_that_goes_in_the_middle_of_a_run_is_unknown_at_once(warehouse: Engine, intake: Intake) -> None:
    intake.records = [record(number) for number in range(1, 16)]
    source = rest_source(intake.url, reader={"page_size": 5}, batch_rows=5)

    def forget(read: int) -> None:
        with warehouse.begin() as connection:
            connection.execute(delete(unit).where(unit.c.code == "27001", literal(read == 5)))

    now = NOW + timedelta(hours=1)
    report = sync_source(
        warehouse, settings_of(source), source, now=now, progress=lambda told: forget(told.read)
    )  # fmt: skip
    assert (report.stored, report.quarantined) == (5, 10)
    assert len(table_rows(warehouse, dossier)) == 5
