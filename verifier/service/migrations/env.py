"""What Alembic runs to migrate: on the connection that it is handed."""

from alembic import context

from zkmargin.verifier.service.store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
