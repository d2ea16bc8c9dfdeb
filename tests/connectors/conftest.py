"""Fixtures of the connectors' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.connectors.intake import Intake, serve
from tests.connectors.support import insert_units


@pytest.fixture
def intake() -> Iterator[Intake]:
    """A running intake system."""
    with serve(Intake()) as running:
        yield running


@pytest.fixture
def warehouse(engine: Engine) -> Engine:
    """An engine on a warehouse that has units, but nothing else."""
    insert_units(engine)
    return engine
