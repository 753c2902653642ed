"""The range of Python versions stands in three places that say the same, and every locked package accepts all of it."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
DECLARED = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])
BOOTSTRAP = ROOT / "deploy" / "bootstrap.py"


def test_declared_range_is_the_supported_one() -> None:
    assert [f"3.{minor}" for minor in range(8, 20) if f"3.{minor}.0" in DECLARED] == list(SUPPORTED)
    known = runpy.run_path(str(BOOTSTRAP))
    assert (known["OLDEST_PYTHON"], known["NEWEST_PYTHON"]) == ((3, 11), (3, 14))
    assert "(3, 11) <= sys.version_info[:2] <= (3, 14)" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("version", SUPPORTED)
def test_every_locked_package_accepts_the_version(version: str) -> None:
    """dagster-dbt refused 3.14, and with it pip refused everything. (networkx refuses one faulty release, 3.14.1.)"""
    locks = "".join((ROOT / name).read_text() for name in ("requirements.lock", "requirements-dev.lock"))
    names = re.findall(r"^([A-Za-z0-9._-]+)==", locks, re.MULTILINE)
    assert len(names) > 150
    refusing = {}
    for name in names:
        try:
            wanted = metadata(name).get("Requires-Python")
        except PackageNotFoundError:  # of another operating system
            continue
        if wanted and f"{version}.5" not in SpecifierSet(wanted):
            refusing[name] = wanted
    assert refusing == {}


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 15, 0)])
def test_another_version_is_refused_in_one_sentence(version: tuple[int, ...]) -> None:
    program = (
        f"import runpy, sys; sys.version_info = {version}; runpy.run_path({str(BOOTSTRAP)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("modelmeter needs Python 3.11 to 3.14; this is ")
    assert done.stderr.count("\n") == 1
