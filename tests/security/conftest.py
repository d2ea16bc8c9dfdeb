"""The canaries sing against the same warehouse and intake as the connectors' own tests."""

from __future__ import annotations

from tests.connectors.conftest import intake, warehouse

__all__ = ["intake", "warehouse"]
