"""The suite of the engine `spark`: `make spark` runs it, in an environment that has PySpark. Elsewhere all of it is skipped."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.spark.cluster import Standalone, standalone


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """A standalone master with two workers on loopback, each with one core and 1 GB."""
    if shutil.which("java") is None:
        pytest.fail("Java is not installed: Spark needs Java 17")
    with standalone(tmp_path_factory.mktemp("spark"), workers=2) as running:
        yield running


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for landing zones and homes."""
    return tmp_path_factory.mktemp("work")
