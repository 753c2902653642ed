"""Codex session files: `~/.codex/sessions/**/rollout-*.jsonl`.

`token_count` events carry a cumulative `total_token_usage` since the session began: a request is the difference to the
total before it. From version 0.153 a `token_usage_record` states each answer's own usage, and the event after it repeats
it; a `compacted` line may hold such a record again. All three describe one request, and are known to be one by the turn in
which it ran and the totals reached.

Forks and sub-agents copy history, with or without its instants, its records or the lines that name whose it is. What is
copied keeps its turn; where versions without turns wrote it, the session it first belonged to stands for the turn: the
deepest ancestor that `session_meta` lines name. A sub-agent's own count may start from zero: its turns are its own, so that two
of them which reach the same totals stay two. The earliest record of a request is kept. A count before any turn of a fork,
above its own last usage, is the parent's state and no request. A total that falls starts a new count, whose first
request is `last_token_usage`; one that falls without any is a compaction.

What `codex exec --json` prints is read too. Its `turn.completed` states the total of the thread, also of a thread that was resumed; where the runs
of one thread lie in several files, what the earlier ones counted is taken off the first turn of the later file (`resumed.py`). It names neither model
nor instant (`defaults`, `undated`). Versions before 0.40 print each answer's own counts in a `msg`, flat and without totals.

The model and the tier are the event's own where it names them, else those of the turn's context or settings before. The seller is
what the session's own line calls `model_provider`, such as azure or ollama; older versions, which name none, ask OpenAI.
Input contains cached tokens; output contains reasoning unless the total says otherwise.
Source: github.com/openai/codex, codex-rs/protocol, codex-rs/core/src/agent/control/spawn.rs and codex-rs/exec, versions 0.4 to 0.162.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.json_record import Number
from pipelines.requests.format import Format
from pipelines.requests.formats import refuse_options
from pipelines.requests.semantics import openai_variant

_COUNTS = (
    "input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens", "reasoning_output_tokens", "total_tokens"
)  # fmt: skip


def build(source: RequestSource) -> Format:
    """The format; it has no options."""
    refuse_options(source)
    return Format(
        name="codex",
        version="5",
        text={
            "kind": ("type",),
            "session_id": ("session",),
            "source_request_id": ("response",),
            "turn": ("turn",),
            "stream_id": ("thread",),
            "reached": ("reached",),
            "service_tier": ("tier",),
            "provider_id": ("provider",),
            "request_model": ("model",),
            "response_model": ("model",),
        },
        usage={
            "input": ("usage/input_tokens",),
            "output": ("usage/output_tokens",),
            "total": ("usage/total_tokens",),
            "cache_read": ("usage/cached_input_tokens",),
            "cache_write": ("usage/cache_write_input_tokens",),
            "reasoning": ("usage/reasoning_output_tokens",),
        },
        instants={"event_at": ("timestamp",)},
        constants={"provider_id": "openai", "application": "codex"},
        time=TimeRule("iso"),
        identity=("turn", "reached"),
        call_ids=("", "source_request_id"),
        keep="counter_replay",
        items=SessionReader,
        in_sequence=True,
        derive=_derive,
        is_wrapped=False,
    )


def _derive() -> Mapping[str, pl.Expr]:
    return {
        "service_tier": pl.col("service_tier").replace({"fast": "priority"}),
        "token_semantics": openai_variant(),
        "not_a_request": pl.when(pl.col("usage.input").is_null()).then(pl.lit("a line that counts no tokens")),
    }


class SessionReader:
    """One session file read from its first line to its last."""

    def __init__(self) -> None:
        self._session: object = None
        self._root: object = None
        self._turn: object = None
        self._model: object = None
        self._tier: object = None
        self._provider: object = None
        self._total: dict[str, int] | None = None
        self._request: dict[str, Any] = {}
        self._recorded: dict[str, Any] | None = None
        self._totals: dict[object, dict[str, int] | None] = {}

    def __call__(self, value: object) -> Iterable[object]:
        """The record of one line: a request where it is a token count, else only its type and instant."""
        if not isinstance(value, dict):
            return [value]
        plain = {"timestamp": value.get("timestamp"), "type": value.get("type")}
        payload = value.get("payload")
        if not isinstance(payload, dict):
            return [plain | self._printed(value)]
        match value.get("type"), payload.get("type"):
            case "session_meta", _:
                self._enter(payload)
            case "turn_context", _:
                self._settle(payload)
            case "event_msg", "task_started" | "turn_started":
                self._settle(payload)
            case "event_msg", "thread_settings_applied" if isinstance(payload.get("thread_settings"), dict):
                self._settle(payload["thread_settings"])
            case "token_usage_record", _:
                return [plain | self._record(payload)]
            case "compacted", _ if isinstance(payload.get("latest_token_usage_record"), dict):
                return [plain | self._record(payload["latest_token_usage_record"])]
            case "event_msg", "token_count":
                return [plain | self._reported(payload)]
        return [plain]

    def _printed(self, value: dict[str, Any]) -> dict[str, Any]:
        """The request of a line that `codex exec --json` printed; empty where it is none."""
        said = value.get("msg")
        message: dict[str, Any] = said if isinstance(said, dict) else {}
        match value.get("type"), message.get("type"):
            case "thread.started", _:
                self._totals[self._session] = self._total
                self._session = self._root = value.get("thread_id")
                self._total, self._turn = self._totals.get(self._session), None
            case "turn.completed", _ if isinstance(value.get("usage"), dict):
                return self._counted({"total_token_usage": value["usage"]}) | {"thread": self._session}
            case _, "session_configured":
                self._session = self._root = message.get("session_id")
                self._total, self._turn = None, None
                self._settle(message)
            case _, "token_count":
                return self._reported(message)
        return {}

    def _reported(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The request of a token count; one that states no total is added to those before, so that two alike stay two."""
        if isinstance(payload.get("info"), dict):
            return self._counted(payload["info"])
        own = _counts(payload)
        if not any(own.values()):
            return {}
        before = self._total or dict.fromkeys(_COUNTS, 0)
        self._total = {name: before[name] + own[name] for name in _COUNTS}
        self._request = self._named(own, self._total)
        return self._request

    def _enter(self, meta: dict[str, Any]) -> None:
        """A session's own line comes first; those of its ancestors are copied below it, before the first count."""
        if self._total is None:
            self._provider = self._provider if self._session else meta.get("model_provider")
            self._session = self._session or meta.get("id")
            self._root = meta.get("forked_from_id") or _parent(meta) or meta.get("id")

    def _settle(self, context: dict[str, Any]) -> None:
        self._turn = context.get("turn_id") or self._turn
        self._model = context.get("model") or self._model
        self._tier = context.get("service_tier") or self._tier

    def _record(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The request of a usage record, which the next count may repeat."""
        self._turn = payload.get("turn_id") or self._turn
        response = payload.get("response_id")
        named = self._named(_counts(payload.get("usage")), _counts(payload.get("thread_token_usage")))
        own = {"session": payload.get("thread_id") or self._session, "response": response}
        self._recorded = named | own | {"reached": named["reached"] or response}
        return self._recorded

    def _counted(self, info: dict[str, Any]) -> dict[str, Any]:
        total, last = _counts(info.get("total_token_usage")), _counts(info.get("last_token_usage"))
        before, recorded = self._total, self._recorded
        self._total, self._recorded = total or before, None
        if recorded is not None and (not any(last.values()) or _usage(last) == recorded["usage"]):
            self._request = recorded
        elif not total:
            self._request = self._named(last, total)
        elif before is None:
            is_inherited = self._turn is None and self._root != self._session and any(last.values()) and total != last
            self._request = self._named({} if is_inherited else last or total, total)
        elif any(total[name] < before[name] for name in _COUNTS):
            self._request = self._named(last or total, total)
        elif total != before:
            self._request = self._named({name: total[name] - before[name] for name in _COUNTS}, total)
        return self._request | {"model": info.get("model") or self._request["model"]}

    def _named(self, usage: dict[str, int], reached: dict[str, int]) -> dict[str, Any]:
        """A request by the turn and the totals that identify it, with what was settled for it before."""
        return {
            "session": self._session,
            "turn": self._turn or self._root,
            "reached": "/".join(str(reached[name]) for name in _COUNTS) if reached else None,
            "model": self._model,
            "tier": self._tier,
            "provider": self._provider,
            "usage": _usage(usage),
        }


def _parent(meta: dict[str, Any]) -> object:
    """The session that spawned this one, wherever a version writes it."""
    spawn: object = meta
    for key in ("source", "subagent", "thread_spawn"):
        spawn = spawn.get(key) if isinstance(spawn, dict) else None
    return meta.get("parent_thread_id") or (spawn.get("parent_thread_id") if isinstance(spawn, dict) else None)


def _usage(counts: dict[str, int]) -> dict[str, Number] | None:
    """Counts as a record holds them; none where nothing was counted."""
    return {name: Number(count) for name, count in counts.items()} if any(counts.values()) else None


def _counts(usage: object) -> dict[str, int]:
    """The counts of a usage object, 0 where absent; empty where it is none or holds something else."""
    if not isinstance(usage, dict):
        return {}
    usage = {"cache_write_input_tokens": usage.get("cache_creation_input_tokens")} | usage
    texts = {name: str(usage.get(name) or 0) for name in _COUNTS}
    return {name: int(text) for name, text in texts.items()} if all(text.isdigit() for text in texts.values()) else {}
