"""Entries of an HTTP archive (HAR), as browsers and proxies export what they saw: each the answer that its response holds.

Source: www.softwareishard.com/blog/har-12-spec.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from pipelines.records.json_record import object_in

MARK = "startedDateTime"
"""A field that every entry has."""
_MODELS = re.compile(
    r"[/:](completions?|responses|messages|embeddings|rerank|ocr|\w*[gG]enerate\w*|invoke[\w-]*|converse[\w-]*|chat)\b"
)
"""Where providers answer: a failure elsewhere is not a failed call to a model."""


def answer_of(entry: dict[str, Any]) -> dict[str, Any] | None:
    """The answer of an entry as the line of a logger: `response` is its text, a stream's too. None for any other object."""
    response = entry.get("response")
    if MARK not in entry or not isinstance(response, dict):
        return None
    content = object_in(response, "content")
    text = content.get("text")
    if content.get("encoding") == "base64" and isinstance(text, str):
        try:
            text = base64.b64decode(text).decode()
        except ValueError:  # neither base64 nor text
            text = None
    line = {"timestamp": entry[MARK], "latency_ms": entry.get("time"), "response": text}
    is_call = _MODELS.search(str(object_in(entry, "request").get("url")).partition("?")[0]) is not None
    return line | ({"http_status": response.get("status")} if is_call else {})
