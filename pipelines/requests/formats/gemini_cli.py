"""Gemini CLI's chat files: `~/.gemini/tmp/<project>/chats/session-*.json` and, from 2026 on, `.jsonl`; Qwen Code writes the same.

A file of the older kind is one object with the session's `messages`; of the newer one the first line says whose session it is, each
further line is a message, a change (`$set`, which may hold all messages again) or a step back (`$rewindTo`, which was paid all the same). Only messages of type
`gemini` with `tokens` are answers. A message is written again as it grows, and again when a session is resumed: the last that knows its
counts is kept. `tokens` are the counts of `usageMetadata`: `input` contains `cached`; `thoughts` and `tool` count apart.
Source: github.com/google-gemini/gemini-cli, packages/core/src/services/chatRecordingService.ts and chatRecordingTypes.ts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.json_record import object_in, objects_of
from pipelines.requests.format import Format
from pipelines.requests.formats import refuse_options


def build(source: RequestSource) -> Format:
    """The format; it has no options."""
    refuse_options(source)
    return Format(
        name="gemini_cli",
        version="2",
        text={
            "kind": ("type",),
            "source_request_id": ("id",),
            "session_id": ("sessionId",),
            "request_model": ("model",),
            "response_model": ("model",),
        },
        usage={
            "input": ("tokens/input",),
            "output": ("tokens/output",),
            "cache_read": ("tokens/cached",),
            "reasoning": ("tokens/thoughts",),
            "input_tool": ("tokens/tool",),
            "total": ("tokens/total",),
        },
        instants={"event_at": ("timestamp",)},
        constants={"provider_id": "google", "application": "gemini-cli"},
        time=TimeRule("iso"),
        trusts_total=True,
        semantics="gemini_thoughts_apart",
        keep="stream_delta",
        items=Session,
        in_sequence=True,
        is_wrapped=False,
        derive=_derive,
    )


def _derive() -> Mapping[str, pl.Expr]:
    counted = pl.col("usage.input").is_not_null() & pl.col("kind").is_in(["gemini", "model"]).fill_null(value=False)
    return {"not_a_request": pl.when(~counted).then(pl.lit("neither an answer of the model nor its counts"))}


class Session:
    """The messages of one file, each with the session that the file names."""

    def __init__(self) -> None:
        self._session: object = None

    def __call__(self, value: object) -> Iterable[object]:
        """The messages of an object that holds them, or the one that a line is."""
        if not isinstance(value, dict):
            return [value]
        held = object_in(value, "$set") or value
        self._session = held.get("sessionId") or self._session
        messages = objects_of(held.get("messages")) or [held]
        return [{"sessionId": self._session} | message for message in messages]
