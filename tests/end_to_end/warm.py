"""Imported by the process that forks runs: what every run imports or builds first, dbt's parse of the project included."""

from __future__ import annotations

import gc
import os
import tempfile
import warnings
from importlib import import_module
from pathlib import Path

from dbt_common.clients.jinja import template_cache

from assets.dbt_process import PARSE, parse
from pipelines.config.loader import load_config
from pipelines.private_files import UMASK

IMPORTED = (
    "assets.cli", "assets.definitions", "assets.run_history", "pipelines.finops.report", "pipelines.sample",
    "assets.cli.instance", "assets.compute_logs", "pipelines.preflight", "pipelines.finops.summary", "scipy.stats", "scipy.optimize",
    "dagster_postgres", "alembic", "great_expectations", "psycopg2", "xlsxwriter", "fpdf", "httpcore", "fsspec", "upath.core",
)  # fmt: skip
PROJECT = Path(__file__).resolve().parents[2] / "dbt_like"

os.umask(UMASK)  # as the command sets it before it starts anything
for name in IMPORTED:
    import_module(name)
load_config(None)
with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
    warnings.simplefilter("ignore")
    # The static parser starts threads, which a forked dbt would wait for forever where it parses a changed model.
    parsed = parse(str(PROJECT), [Path(folder, "kept"), PROJECT / "target" / PARSE], Path(folder), "--no-static-parser")
for macro in parsed.result.macros.values():
    template_cache.get_node_template(macro)  # dbt's own cache: a fourth of what its build takes
gc.freeze()  # what is here already is neither looked through nor copied by the processes that are forked
# A forked process has none of the threads of this one: polars would wait for its own forever, once a query has started them.
started = [Path(task, "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
if found := [name for name in started if name.startswith("polars-") and name[-1].isdigit()]:
    raise AssertionError(f"something that is imported runs a query of polars: {found}")
