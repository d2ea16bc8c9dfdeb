"""The contract suite uses the same real server and warehouse as the connectors' own tests."""

from __future__ import annotations

from tests.connectors.conftest import intake, warehouse

__all__ = ["intake", "warehouse"]
