"""Alembic's entry: runs the migrations on the connection that the database has opened. It opens none itself."""

from alembic import context

from relay.store import findings, tokens  # noqa: F401 - their tables are part of the metadata
from relay.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
