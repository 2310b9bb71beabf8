"""Alembic's own hook: the steps are run on the connection, and in the transaction, that the portal opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
