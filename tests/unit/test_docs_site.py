"""The static site of `make docs`: every page of the repository is in it, and its links lead to pages and anchors that it has."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_docs", ROOT / "deploy" / "build_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_link_of_the_site_leads_somewhere() -> None:
    site = builder()
    names = [*site.written(), "lineage"]
    pages = {f"{name}.html": site.page(name, text, names) for name, text in site.written().items()}
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} < set(names)
    anchors = {name: set(re.findall(r'id="([^"]+)"', text)) for name, text in pages.items()}
    dead = []
    for name, text in pages.items():
        for link in re.findall(r'<a href="([^":]+)"', text):
            target, _, anchor = link.partition("#")
            target = target or name
            if target not in (*pages, "lineage.html", "dbt.html") or (
                anchor and anchor not in anchors.get(target, {anchor})
            ):
                dead.append((name, link))
    assert dead == []
