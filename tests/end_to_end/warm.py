"""Imported by the process that forks runs: what every run imports or builds first, dbt's parse of the project included."""

from __future__ import annotations

import gc
import os
import tempfile
import warnings
from importlib import import_module
from pathlib import Path

from assets.dbt_process import PARSE, parse
from pipelines.private_files import UMASK

LIBRARIES = (
    "scipy.stats", "dagster", "dagster_postgres", "altair", "jinja2", "alembic", "sqlalchemy", "psycopg", "typer", "rich",
    "pydantic_settings", "great_expectations",
)  # fmt: skip
"""None of these starts threads when it is imported, as polars does: a forked process has none of them."""
PROJECT = Path(__file__).resolve().parents[2] / "dbt_like"

os.umask(UMASK)  # as the command sets it before it starts anything
for name in LIBRARIES:
    import_module(name)
with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
    warnings.simplefilter("ignore")
    parse(str(PROJECT), [Path(folder, "kept"), PROJECT / "target" / PARSE], Path(folder))
gc.freeze()  # what is here already is neither looked through nor copied by the processes that are forked
