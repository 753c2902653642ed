"""`make docs`: the documentation as a static site in `site/`: the pages of docs/, the data dictionary, the lineage and dbt's docs.

Runs in the virtual environment that set-up made. Nothing is fetched: pages link to each other and to nothing outside.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "site"
_CODE_PAGE = re.compile(r"<code>docs/([a-z_]+)\.md</code>")
_LINK = re.compile(r'href="(?:\.\./|docs/|perf/)*(adr/)?([A-Za-z0-9_-]+)\.md(?:#([^"]*))?"')
_HEADING = re.compile(r"<h([23])>(.*?)</h\1>")
_STYLE = """body{font:16px/1.55 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
nav{columns:3;font-size:.9rem;margin-bottom:2rem}nav a{display:block}code,pre{font:.88em/1.45 ui-monospace,monospace;background:#f3f3f3}
pre{padding:.7rem;overflow-x:auto}table{border-collapse:collapse;display:block;overflow-x:auto;font-size:.9rem}
th,td{border:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top}
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}code,pre{background:#242424}th,td{border-color:#444}a{color:#8ab4f8}}"""


def main() -> None:
    """Build the whole site anew."""
    shutil.rmtree(SITE, ignore_errors=True)
    SITE.mkdir()
    pages = {**written(), "lineage": lineage()}
    for name, text in pages.items():
        (SITE / f"{name}.html").write_text(page(name, text, list(pages)), encoding="utf-8")
    dbt_docs()
    print(f"{len(pages)} pages and dbt's docs in {SITE / 'index.html'}")


def written() -> dict[str, str]:
    """The pages that lie in the repository as Markdown, by name; the decisions of docs/adr are one page."""
    docs = ROOT / "docs"
    pages = {"index": ROOT / "README.md", **{path.stem: path for path in sorted(docs.glob("*.md"))}}
    decisions = [
        f'<a id="{path.stem}"></a>\n\n#{path.read_text(encoding="utf-8")}'
        for path in sorted((docs / "adr").glob("*.md"))
    ]
    return {
        **{name: path.read_text(encoding="utf-8") for name, path in pages.items()},
        "decisions": "\n\n".join(["# Decisions", *decisions]),
        **{
            path.stem.lower(): path.read_text(encoding="utf-8")
            for path in (ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md")
        },
        **{name: (ROOT / "perf" / f"{name}.md").read_text(encoding="utf-8") for name in ("rating", "results")},
    }


def _page_of(found: re.Match[str]) -> str:
    """The link to a file as the link to its page."""
    if found[1]:
        return f'href="decisions.html#{found[2]}"'
    name = {"README": "index"}.get(found[2], found[2].lower())
    return f'href="{name}.html{"#" + found[3] if found[3] else ""}"'


def page(name: str, text: str, names: list[str]) -> str:
    """One page with links to the others, and an anchor at each heading."""
    body = MarkdownIt("commonmark").enable("table").render(text)
    body = _CODE_PAGE.sub(r'<a href="\1.html">\1</a>', body)
    body = _LINK.sub(_page_of, body)
    body = _HEADING.sub(lambda found: f'<h{found[1]} id="{anchor(found[2])}">{found[2]}</h{found[1]}>', body)
    links = "".join(f'<a href="{other}.html">{other.replace("_", " ")}</a>' for other in names)
    title = html.escape(name.replace("_", " "))
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><nav>{links}<a href="dbt.html">dbt</a></nav>{body}</body></html>\n'


def anchor(heading: str) -> str:
    """The anchor of a heading, as the data dictionary links to it: `core.request` is `corerequest`."""
    plain = re.sub(r"<[^>]+>", "", heading).lower()
    return re.sub(r"[^a-z0-9_ -]", "", plain).strip().replace(" ", "-")


def lineage() -> str:
    """Every asset of Dagster's graph with what it reads and what reads it, as links into the data dictionary."""
    from assets.definitions import defs

    graph = defs.resolve_asset_graph()
    lines = [
        "# Lineage",
        "",
        "What each table is made of, and what is made of it.",
        "",
        "| asset | reads | is read by |",
        "|---|---|---|",
    ]
    for node in sorted(graph.asset_nodes, key=lambda node: node.key.path):
        sides = (sorted(node.parent_keys, key=lambda key: key.path), sorted(node.child_keys, key=lambda key: key.path))
        cells = [", ".join(f"[{'.'.join(key.path)}](#{''.join(key.path)})" for key in keys) for keys in sides]
        name = ".".join(node.key.path)
        lines.append(
            f'| <a id="{"".join(node.key.path)}"></a>[{name}](data_dictionary.html#{anchor(name)}) | {cells[0]} | {cells[1]} |'
        )
    return "\n".join(lines) + "\n"


def dbt_docs() -> None:
    """dbt's own documentation with its graph, as one page; from the manifest alone, no database is asked."""
    target = ROOT / "dbt_like" / "target"
    command = [
        str(Path(sys.executable).parent / "dbt"), "--quiet", "docs", "generate", "--static", "--empty-catalog", "--no-compile",
        "--project-dir", "dbt_like", "--profiles-dir", "dbt_like",
    ]  # fmt: skip
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    shutil.copy(target / "static_index.html", SITE / "dbt.html")


if __name__ == "__main__":
    main()
