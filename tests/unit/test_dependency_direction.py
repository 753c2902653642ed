"""The dependency direction, walked import by import: `assets -> pipelines -> (sql, dbt_like as data)`, `records` below `requests`, `bills`."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN_IN_PIPELINES = ("assets", "dagster", "dagster_postgres")
SLOW = ("great_expectations", "dbt", "scipy", "vl_convert", "dagster_postgres", "alembic")


@functools.cache
def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def offending(path: Path, forbidden: tuple[str, ...]) -> set[str]:
    return {name for name in imports_of(path) if f"{name}.".startswith(tuple(f"{package}." for package in forbidden))}


def offenders(folder: str, forbidden: tuple[str, ...]) -> dict[str, set[str]]:
    """The modules of a folder that import what is forbidden there, and what that is."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert paths
    return {str(path.relative_to(ROOT)): found for path in paths if (found := offending(path, forbidden))}


def test_pipelines_import_neither_assets_nor_dagster() -> None:
    assert offenders("pipelines", FORBIDDEN_IN_PIPELINES) == {}


def test_only_fetch_speaks_http() -> None:
    speakers = offenders("pipelines", ("httpx", "requests", "urllib3", "hishel")).keys()
    assert speakers == {"pipelines/fetch/client.py", "pipelines/fetch/ping.py"}


def test_pages_know_neither_prices_nor_boards_and_these_not_each_other() -> None:
    assert offenders("pipelines/pages", ("pipelines.prices", "pipelines.benchmarks")) == {}
    assert offenders("pipelines/benchmarks", ("pipelines.prices",)) == {}
    assert offenders("pipelines/prices", ("pipelines.benchmarks",)) == {}


def test_the_walk_sees_an_offender(tmp_path: Path) -> None:
    module = tmp_path / "bad.py"
    module.write_text("def f():\n    from dagster import asset\n    import assets.jobs\n")
    assert offending(module, FORBIDDEN_IN_PIPELINES) == {"dagster", "assets.jobs"}


@pytest.mark.slow
def test_the_code_location_loads_without_slow_imports_or_environment() -> None:
    """A fresh interpreter with an empty environment imports the definitions and none of the slow packages."""
    code = f"import sys, assets.definitions; print(sorted(m for m in {SLOW!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={}, capture_output=True, text=True, check=False, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_command_shows_its_help_without_the_libraries_of_a_run() -> None:
    """They took half of the time of `modelmeter --help` and of each completion in the shell."""
    heavy = ("polars", "dagster", "pyarrow", "sqlalchemy", "numpy", *SLOW)
    code = f"""if True:
        import atexit, sys
        from assets.cli import main
        atexit.register(lambda: print(sorted(m for m in {heavy!r} if m in sys.modules)))
        sys.argv = ["modelmeter", "--help"]
        main()
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "Usage" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_records_know_neither_requests_nor_bills() -> None:
    assert offenders("pipelines/records", ("pipelines.requests", "pipelines.bills")) == {}
