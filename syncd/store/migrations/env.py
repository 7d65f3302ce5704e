"""Where Alembic starts: it is handed an open transaction and neither opens nor ends one."""

from __future__ import annotations

from alembic import context

from syncd.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite can take back DDL; whoever called has begun the transaction that holds all of it.
    transactional_ddl=False,
    # SQLite changes a table by copying it.
    render_as_batch=True,
)
context.run_migrations()
