"""A page as one self-contained HTML file: template, style sheet, script and charts in one text, nothing from elsewhere.

Every text is escaped by the template; the only markup passed through is our own style sheet, script and SVG. The content
security policy of the page allows that one script, by its hash, and no network.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.finops.report.page import Page
from pipelines.landing import write_atomically

_TEMPLATES = files("pipelines.finops.report") / "templates"


def render_page(page: Page) -> str:
    """The HTML of the page. Equal pages give equal text."""
    return render("report.html", script=("report.js",), mark="" if page.incomplete else page.mark, page=page)


def render(template: str, *, script: Sequence[str] = (), mark: str = "", **shown: object) -> str:
    """A template with the style sheet, and with a script of those files, which its policy allows by its hash. `mark`: `outdated.py`."""
    code = "".join(map(_text, script))
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    allowed = f" script-src 'sha256-{digest}';" if script else ""
    return (
        _environment()
        .get_template(template)
        .render(
            policy=f"default-src 'none'; style-src 'unsafe-inline';{allowed} base-uri 'none'; form-action 'none'",
            style=Markup(_text("report.css")),  # noqa: S704, our own file
            script=Markup(code),  # noqa: S704, our own file
            mark=mark,
            **shown,
        )
    )


def write_page(html: str, path: Path) -> Path:
    """Replace the file whole: a reader sees the former page or the new one, never half."""
    return write_file(html.encode(), path)


def write_file(content: bytes, path: Path) -> Path:
    """The same for any file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    return path


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(str(_TEMPLATES)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_unparted,
    )


def _unparted(value: object) -> object:
    """Text in which no line ends between a minus and its amount: browsers may part the two signs."""
    return value.replace("\u2212$", "\u2212\u2060$") if type(value) is str else value


@cache
def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")
