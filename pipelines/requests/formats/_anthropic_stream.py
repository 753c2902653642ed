"""The events of Anthropic's streams: which `message_delta` belongs to which `message_start`.

A `message_delta` names no message. It belongs to the start with the same id in the envelope; else, where several streams are
open, to the only one whose input and cache counts it repeats; else to the only open one. Where that leaves several, or none,
the delta stays a record of its own: whose usage it is can't be known. A start states the output as a placeholder, so that a
stream that was cut is known in part only. Its id, and that of a delta without a start, stands under `STREAM`, so that a stream that
goes on in the next file finds its end (`halves.py`).
Source: platform.claude.com/docs, "Streaming messages".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.records.event_streams import CALL
from pipelines.records.json_record import object_in
from pipelines.requests.formats._envelope import answers, with_answer

_IDS = (
    "message_id", "messageId", "response_id", "responseId", "request_id", "requestId", "request-id", "x-request-id",
    "stream_id", "streamId", "call_id", "callId", "correlation_id", "correlationId",
    "trace_id", "traceId", "session_id", "sessionId", CALL,
)  # fmt: skip
"""Names by which envelopes mark the events of one call."""
_CALL_IDS = _IDS[: _IDS.index("trace_id")]
"""Those under which no other call is reported."""
STREAM = "stream_of"
"""The field that holds an id of a stream's call."""
_REPEATED = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_OPEN = 1000
"""Streams that are held open at once: one that was cut never ends, and is given up when as many others came after it."""


@dataclass
class _Stream:
    """A message that started: its envelope, the ids there, what it said, and whether a delta came."""

    envelope: dict[str, Any]
    ids: Mapping[str, object]
    message: dict[str, Any]
    is_answered: bool = False


class StreamReader:
    """Gives each `message_delta` the message that it belongs to, over the records of one file in their order."""

    def __init__(self, bodies: tuple[str, ...]) -> None:
        self._bodies = bodies
        # An event lies where an answer may lie, or around it.
        around = (body.removesuffix("message").rstrip("/") for body in bodies if body.endswith("/message"))
        self._places = tuple(dict.fromkeys(("", *bodies, *around)))
        self._open: dict[object, _Stream] = {}

    def __call__(self, value: object) -> list[object]:
        """The record with the message of its event; any other as it is."""
        for place, event in answers(value, self._places):
            if isinstance(value, dict):
                if event.get("type") == "message_start" and isinstance(event.get("message"), dict):
                    return [self._started(value, place, event["message"])]
                if event.get("type") == "message_delta":
                    return [self._answered(value, place, event)]
        return [value]

    def _started(self, value: dict[str, Any], place: str, message: dict[str, Any]) -> object:
        key = message.get("id") or object()
        value = {**value, STREAM: _call_id(_ids(value)) or message.get("id")}
        # A copy of a start begins no other stream.
        self._open.pop(key, None)
        self._open[key] = _Stream(value, {**_ids(value), "message_id": message.get("id")}, message)
        if len(self._open) > _OPEN:
            del self._open[next(iter(self._open))]
        usage = {name: count for name, count in object_in(message, "usage").items() if name != "output_tokens"}
        return self._record(value, place, {**message, "usage": usage})

    def _answered(self, value: dict[str, Any], place: str, event: dict[str, Any]) -> object:
        usage, delta = object_in(event, "usage"), object_in(event, "delta")
        key = self._start_of(_ids(value) | _ids(event), usage)
        if key is None:
            # It names no answer: an id of the call would pass for one.
            lone = {name: item for name, item in value.items() if name not in _CALL_IDS}
            lone[STREAM] = _call_id(_ids(value) | _ids(event))
            ended = {"usage": usage, "stop_reason": delta.get("stop_reason")}
            if place == "" or place in self._bodies:
                unnamed = {name: None for name in _CALL_IDS if name in event}
                return with_answer(lone, place, {**event, **unnamed, **ended})
            return self._record(lone, place, ended)
        stream = self._open[key]
        stream.is_answered = True
        if delta.get("stop_reason"):
            del self._open[key]
        merged = {
            "id": stream.message.get("id"),
            "model": stream.message.get("model"),
            "usage": {**object_in(stream.message, "usage"), **usage},
            "stop_reason": delta.get("stop_reason"),
        }
        # The event counts to the instant of the start, so that both records fall on the same day.
        envelope = {name: item for name, item in value.items() if name != "usage"}
        started = {name: item for name, item in stream.envelope.items() if name != "type"}
        return self._record({**envelope, **started}, place, merged)

    def _record(self, value: dict[str, Any], place: str, message: dict[str, Any]) -> object:
        """The record with a message where the format looks for it, in place of the event at `place`."""
        inside = f"{place}/message".lstrip("/")
        if inside in self._bodies:
            return with_answer(value, place, {"message": message})
        bare = {name: item for name, item in value.items() if name != "message"} if place == "" else value
        return with_answer(bare, place, {"message": None, **message})

    def _start_of(self, ids: Mapping[str, object], usage: Mapping[str, object]) -> object:
        """The key of the open stream that an event with these ids and this usage belongs to; None if that can't be known."""
        for is_answered in (False, True):
            found = {key: stream for key, stream in self._open.items() if stream.is_answered == is_answered}
            for name, given in ids.items():
                if any(name in stream.ids for stream in found.values()):
                    found = {key: stream for key, stream in found.items() if stream.ids.get(name) == given}
            if len(found) > 1:
                found = {key: stream for key, stream in found.items() if _repeats(usage, stream)}
                return next(iter(found)) if len(found) == 1 else None
            if found:
                return next(iter(found))
        return None


def _ids(record: Mapping[str, Any]) -> dict[str, object]:
    return {name: record[name] for name in _IDS if record.get(name)}


def _call_id(ids: Mapping[str, object]) -> object:
    return next((ids[name] for name in _CALL_IDS if ids.get(name)), None)


def _repeats(usage: Mapping[str, object], stream: _Stream) -> bool:
    counts = {name: usage[name] for name in _REPEATED if usage.get(name) is not None}
    started = object_in(stream.message, "usage")
    return any(counts.values()) and all(count == (started.get(name) or 0) for name, count in counts.items())
