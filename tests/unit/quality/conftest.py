"""A database whose tables have no constraints, so that a check and not Postgres meets the bad row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.open import open_database
from tests.unit.quality.rows import empty_bare_tables

_NAME = "bare_tables"


@pytest.fixture(scope="session")
def _bare_server(postgres_home: Path) -> Iterator[Database]:
    with open_database(Settings(home=postgres_home), migrate=False) as shared:
        shared.create_database(_NAME)
        yield shared.named(_NAME)


@pytest.fixture
def bare(_bare_server: Database) -> Database:
    """Empty tables without constraints."""
    with _bare_server.connect() as connection:
        empty_bare_tables(connection)
    return _bare_server
