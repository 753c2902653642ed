"""Alembic's entry: runs the migrations of `versions/` on the connection that `pipelines.warehouse.migrate` hands over.

Nothing is decided here. The version lives in `core.alembic_version`, beside the tables it describes, because not
every server lets us write to schema public.
"""

from __future__ import annotations

import sqlalchemy
from alembic import context

from pipelines.settings import Settings
from pipelines.warehouse.database import create_schema
from pipelines.warehouse.open import open_database


def run(connection: sqlalchemy.Connection) -> None:
    connection.exec_driver_sql(create_schema("core"))
    context.configure(connection=connection, version_table_schema="core")
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with open_database(Settings(), migrate=False) as database, database.engine().begin() as own:
        run(own)
