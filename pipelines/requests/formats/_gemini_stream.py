"""Streams of Gemini whose pieces name no answer, as the API wrote them until 2025: which pieces belong together.

A piece without a `finishReason` is followed by others of its stream, each with a cumulative usage. A later piece belongs to the open
stream of the same model, the same prompt, the same ids in the envelope and no larger output; the piece with a `finishReason` ends it. An
answer that was not streamed states its reason at once, and begins no stream.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pipelines.records.event_streams import CALL
from pipelines.records.json_record import count_of
from pipelines.requests.formats._envelope import answers

STREAM = "stream_of"
"""The field that holds what identifies an unnamed stream: its first piece, and how many began before it in its file."""
_IDS = ("request_id", "requestId", "call_id", "trace_id", "session_id", CALL)
_OPEN = 1000
"""Streams that are held open at once: one that was cut never ends."""


@dataclass(frozen=True)
class _Piece:
    """What a piece says of its call: model, prompt, the ids in its envelope, and the output so far."""

    model: object
    prompt: object
    ids: tuple[object, ...]
    output: int

    def follows(self, other: _Piece) -> bool:
        if self.output < other.output:
            return False
        pairs = zip((self.model, self.prompt, *self.ids), (other.model, other.prompt, *other.ids), strict=True)
        return all(mine is None or theirs is None or str(mine) == str(theirs) for mine, theirs in pairs)


class UnnamedStreams:
    """Marks the pieces of streams that have no `responseId`, over the records of one file in their order."""

    def __init__(self, bodies: Iterable[str]) -> None:
        self._bodies = tuple(bodies)
        self._open: dict[str, _Piece] = {}
        self._begun = 0

    def __call__(self, value: dict[str, Any]) -> dict[str, Any]:
        """The record with the mark of its stream; any other as it is."""
        found = [answer for _, answer in answers(value, self._bodies) if isinstance(answer.get("usageMetadata"), dict)]
        if len(found) != 1 or found[0].get("responseId") or not _candidates(found[0]):
            return value
        answer = found[0]
        piece = _Piece(
            answer.get("modelVersion"),
            answer["usageMetadata"].get("promptTokenCount"),
            tuple(value.get(name) for name in _IDS),
            count_of(answer["usageMetadata"].get("candidatesTokenCount")),
        )
        is_end = any(_is_finished(candidate) for candidate in _candidates(answer))
        stream = next((name for name, other in reversed(self._open.items()) if piece.follows(other)), None)
        if stream is None and is_end:
            return value
        if stream is None:
            self._begun += 1
            stream = sha256(f"{self._begun} {value!r}".encode()).hexdigest()
        self._open.pop(stream, None)
        if not is_end:
            self._open[stream] = piece
            if len(self._open) > _OPEN:
                del self._open[next(iter(self._open))]
        return {**value, STREAM: stream}


def _candidates(answer: dict[str, Any]) -> list[object]:
    held = answer.get("candidates")
    return held if isinstance(held, list) else []


def _is_finished(candidate: object) -> bool:
    named = candidate if isinstance(candidate, dict) else {}
    return bool(named.get("finishReason", named.get("finish_reason")))
