"""What Alembic runs for each command. The connection is the caller's, and so is its transaction."""

from __future__ import annotations

from alembic import context

from coordinator.stores.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite's too: see `open_sqlite_store`
)
with context.begin_transaction():
    context.run_migrations()
