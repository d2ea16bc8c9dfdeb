"""The commune inside a dossier code: a contradiction is flagged only where the code surely names another commune."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from connectors.sync import sync_source
from tests.connectors.intake import Intake
from tests.connectors.support import NOW, insert_units, record, rest_source, settings_of
from warehouse.schema import dossier


@pytest.mark.parametrize(
    ("code", "handled_by", "received_by", "contradicts"),
    [
        ("H29.27001-220301-0001", "27001", "27001", False),
        ("H29.27002-220301-0001", "27001", "27001", True),
        ("H29.27002-220301-0001", "27001", "27002", False),  # received there, handled here
        ("H29.27002-220301-0001", "27001", "", True),
        ("H29.99999-220301-0001", "27001", "27001", False),  # no unit that we know: an agency's own number
        ("H21.785-220301-0001", "27001", "27001", False),  # three digits may be anything
        ("000.00.53.H48-220301-0099", "27001", "27001", False),
        ("H29.27002.1-220301-0001", "27001", "27001", False),
        ("27002", "27001", "27001", False),
    ],
)
def test_only_another_known_commune_is_a_contradiction(
    engine: Engine, intake: Intake, code: str, handled_by: str, received_by: str, contradicts: bool
) -> None:
    insert_units(engine, ("27001", "27002", "785"))
    intake.records = [record(MaHoSo=code, DonViXuLy=handled_by, DonViTiepNhan=received_by)]
    source = rest_source(intake.url)
    assert sync_source(engine, settings_of(source), source, now=NOW).stored == 1
    with engine.connect() as connection:
        flags = connection.execute(select(dossier.c.flags)).scalar_one()
    assert ("code_contradicts_unit" in flags) is contradicts
