"""Whether the bytes of an answer are what was asked for, and under which suffix they land.

A server that answers an error page with status 200 must not become a snapshot. Nothing is parsed beyond that: what
the bytes mean is in `pipelines.prices` and `pipelines.benchmarks`.
"""

from __future__ import annotations

from pathlib import PurePosixPath

import orjson

_SUFFIX_BY_TYPE = {
    "application/json": ".json", "text/html": ".html", "text/csv": ".csv", "text/markdown": ".md",
    "text/plain": ".txt", "application/zip": ".zip",
    "application/yaml": ".yml", "application/x-yaml": ".yml", "text/yaml": ".yml",
}  # fmt: skip
_URL_SUFFIXES = (
    ".json", ".jsonl", ".csv", ".parquet", ".yml", ".yaml", ".md", ".html", ".htm", ".toml", ".txt", ".zip", ".gz",
    ".zst",
)  # fmt: skip


def suffix_of(url_path: str, content_type: str) -> str:
    """The suffix of the url where it is one of a landed file, else that of the content type, else `.json`."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(url_path).suffixes]
    if suffixes and suffixes[-1] in _URL_SUFFIXES:
        is_compressed = suffixes[-1] in (".gz", ".zst") and len(suffixes) > 1
        return "".join(suffixes[-2:] if is_compressed else suffixes[-1:])
    return _SUFFIX_BY_TYPE.get(content_type.partition(";")[0].strip().lower(), ".json")


def check_content(content: bytes, suffix: str) -> str | None:
    """In words what is wrong with the content, or None: it is empty, or something else than its suffix says."""
    if not content.strip():
        return "the answer is empty"
    if suffix == ".json":
        try:
            orjson.loads(content)
        except ValueError:
            return f"JSON was expected, but the answer is {'HTML' if _is_html(content) else 'no valid JSON'}"
    elif suffix not in (".html", ".htm") and _is_html(content):
        return f"{suffix} was expected, but the answer is HTML"
    return None


def _is_html(content: bytes) -> bool:
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html"))
