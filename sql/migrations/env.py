"""Alembic's entry: runs the migrations of `versions/` on the connection that `pipelines.warehouse.migrate` hands over.

The revision is kept in `core.alembic_version`, in the schema of the tables that it is about, because not every server
lets us write to schema public.
"""

from __future__ import annotations

from alembic import context

from pipelines.warehouse.database import create_schema

connection = context.config.attributes["connection"]
connection.exec_driver_sql(create_schema("core"))
context.configure(connection=connection, version_table_schema="core")
with context.begin_transaction():
    context.run_migrations()
