"""Compares the locked packages with advisories in the OSV format that lie on this machine.

Ends with status 1 where a package is affected, and with 2 where that is not known: an advisory, or all of them, could not be read.

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


def read(place: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each advisory in a zip file or a folder."""
    if place.is_dir():
        for path in sorted(place.rglob("*.json")):
            yield str(path.relative_to(place)), path.read_bytes()
        return
    with zipfile.ZipFile(place) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                yield name, archive.read(name)


def compare(place: Path, packages: list[tuple[str, str]]) -> int:
    """Print what is affected and what could not be read; the status to end with."""
    lines: list[str] = []
    unread, count = [], 0
    for name, content in read(place):
        try:
            lines += affected(iter([json.loads(content)]), packages)
        except (ValueError, KeyError, TypeError, AttributeError):
            unread.append(name)
        count += 1
    sys.stdout.write("".join(f"{line}\n" for line in sorted(set(lines))))
    if not count:
        sys.stderr.write(f"{place} holds no advisory: nothing was compared\n")
    elif unread:
        sys.stderr.write(f"{len(unread)} of {count} advisories are none in the OSV format, the first one {unread[0]}\n")
    elif not lines:
        sys.stdout.write(f"none of {len(packages)} packages is affected by any of {count} advisories\n")
    return 1 if lines else 2 if unread or not count else 0


def _in_range(text: str, span: dict[str, Any]) -> bool:
    """Whether the last event at or before the version introduced the fault."""
    if span.get("type") != "ECOSYSTEM":
        return False
    version, is_in = Version(text), False
    for event in span.get("events", []):
        for kind, at in event.items():
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
    try:
        sys.exit(compare(Path(sys.argv[1]), packages))
    except (OSError, zipfile.BadZipFile) as error:
        sys.stderr.write(f"{sys.argv[1]} can't be read: {error}\n")
        sys.exit(2)
