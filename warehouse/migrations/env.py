"""Alembic environment: one connection, one transaction, one advisory lock, so that two starts do not collide."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool, text

from warehouse import rollups, schema  # noqa: F401 - the tables of the rollups are part of the schema

LOCK = 0x10C0_0001

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=schema.metadata, compare_type=True)
    with context.begin_transaction():
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.run_migrations()
engine.dispose()
