"""What docstrings and comments point to is there: a module that was renamed leaves no reader before a closed door."""

from __future__ import annotations

import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = [path for folder in ("pipelines", "assets") for path in (ROOT / folder).rglob("*.py")]
OTHERS = [
    path for folder in ("tests", "perf", "sql", "docs", "dbt_like/models") for path in (ROOT / folder).rglob("*.*")
]
_FILE = re.compile(r"`([\w./-]+\.(?:py|sql|md))`")
_CONSTANT = re.compile(r"[`(]([a-z_]+)\.([A-Z_]{3,})[`)]")


def _prose(text: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.string.startswith('"""')):
            yield token.string


def _is_there(name: str, path: Path, others: set[str]) -> bool:
    """Whether a file that a module names is next to it, in the room next door, or where its path says."""
    places = (path.parent, path.parent.parent, ROOT, ROOT / "pipelines")
    return any((place / name).is_file() for place in places) or name.rpartition("/")[2] in others


def test_every_file_and_constant_that_prose_names_is_there() -> None:
    texts = {path: path.read_text() for path in PRODUCT}
    others = {path.name for path in OTHERS}
    modules: defaultdict[str, str] = defaultdict(str)
    for path, text in texts.items():
        modules[path.stem] += text
    missing = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path, text in texts.items()
        for prose in _prose(text)
        for found in (*_FILE.finditer(prose), *_CONSTANT.finditer(prose))
        if (
            not _is_there(found[1], path, others)
            if found.re is _FILE
            else not re.search(rf"\b{found[2]}\b", modules[found[1]])
        )
    ]
    assert not missing
