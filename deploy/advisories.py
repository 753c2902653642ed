"""Compares the locked packages with advisories in the OSV format that lie on this machine; ends with status 1 where one is affected.

    .venv/bin/python deploy/advisories.py all.zip        # the PyPI export of osv.dev, or a folder of its JSON files

Nothing is fetched: the advisories come from wherever a database can be reached.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

sys.path.insert(0, str(Path(__file__).parent))
from bill_of_materials import ROOT, locked

LOCKS = ("requirements.lock", "requirements-dev.lock")


def affected(advisories: Iterator[dict[str, Any]], packages: list[tuple[str, str]]) -> list[str]:
    """One line for each advisory that holds for a package: `name==version: id summary`."""
    versions: dict[str, set[str]] = {}
    for name, version in packages:
        versions.setdefault(_normal(name), set()).add(version)
    found = set()
    for advisory in advisories:
        if advisory.get("withdrawn"):
            continue
        for item in advisory.get("affected", []):
            name = _normal(item.get("package", {}).get("name", ""))
            if item.get("package", {}).get("ecosystem") != "PyPI":
                continue
            for version in versions.get(name, ()):
                if version in item.get("versions", ()) or any(_in_range(version, r) for r in item.get("ranges", ())):
                    found.add(f"{name}=={version}: {advisory['id']} {advisory.get('summary', '')}".strip())
    return sorted(found)


def read(place: Path) -> Iterator[dict[str, Any]]:
    """The advisories of a zip file or a folder."""
    if place.is_dir():
        for path in sorted(place.rglob("*.json")):
            yield json.loads(path.read_bytes())
        return
    with zipfile.ZipFile(place) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                yield json.loads(archive.read(name))


def _in_range(text: str, span: dict[str, Any]) -> bool:
    """Whether the last event at or before the version introduced the fault."""
    if span.get("type") != "ECOSYSTEM":
        return False
    version, is_in = Version(text), False
    for event in span.get("events", []):
        ((kind, at),) = event.items()
        try:
            bound = Version(at)
        except InvalidVersion:
            continue
        if kind == "introduced" and version >= bound:
            is_in = True
        elif (kind == "fixed" and version >= bound) or (kind == "last_affected" and version > bound):
            is_in = False
    return is_in


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    packages = [package for lock in LOCKS for package in locked(ROOT / lock)]
    lines = affected(read(Path(sys.argv[1])), packages)
    sys.stdout.write("".join(f"{line}\n" for line in lines) or f"none of {len(packages)} packages is affected\n")
    sys.exit(1 if lines else 0)
