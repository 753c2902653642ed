"""A model server on loopback that speaks the APIs of OpenAI, Anthropic, Google and Mistral, and keeps a book of exactly what it served.

One line of the book is one call that was answered with usage, or one that was refused or left. Needs nothing but Python.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from interop.script import ALONE, case_of, served


@dataclass
class Book:
    """What was served, in order."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: str, body: dict[str, Any], answer_id: str | None, buckets: dict[str, int]) -> None:
        """One line."""
        with self.lock:
            self.lines.append(
                {
                    "model": body["model"],
                    "status": status,
                    "id": answer_id,
                    "stream": bool(body.get("stream")),
                    "buckets": buckets,
                }
            )


def anthropic_usage(buckets: dict[str, int]) -> dict[str, Any]:
    """Usage as Anthropic writes it: everything exclusive, thinking inside of the output."""
    short, long = buckets.get("input_cache_write_5m", 0), buckets.get("input_cache_write_1h", 0)
    return {
        "input_tokens": buckets["input_uncached"],
        "cache_read_input_tokens": buckets.get("input_cache_read", 0),
        "cache_creation_input_tokens": short + long,
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
        "output_tokens": buckets["output_text"],
        "service_tier": "standard",
    }


def openai_usage(buckets: dict[str, int], *, responses: bool) -> dict[str, Any]:
    """Usage as OpenAI writes it: the prompt contains what the cache gave, the completion its reasoning."""
    read, reasoning = buckets.get("input_cache_read", 0), buckets.get("output_reasoning", 0)
    given, made = buckets["input_uncached"] + read, buckets["output_text"] + reasoning
    names = ("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details") if responses else (
        "prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details")  # fmt: skip
    return {
        names[0]: given,
        names[1]: made,
        "total_tokens": given + made,
        names[2]: {"cached_tokens": read},
        names[3]: {"reasoning_tokens": reasoning},
    }


def gemini_usage(buckets: dict[str, int]) -> dict[str, Any]:
    """Usage as Google writes it: the prompt contains what the cache gave, thoughts come on top of the candidates."""
    read, thoughts = buckets.get("input_cache_read", 0), buckets.get("output_reasoning", 0)
    given, said = buckets["input_uncached"] + read, buckets["output_text"]
    usage = {"promptTokenCount": given, "candidatesTokenCount": said, "totalTokenCount": given + said + thoughts}
    usage |= {"cachedContentTokenCount": read} if read else {}
    return usage | ({"thoughtsTokenCount": thoughts} if thoughts else {})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    book: Book

    def do_POST(self) -> None:
        """Answer a call."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        path = self.path.partition("?")[0]
        if "/models/" in path:  # Gemini's API names the model, and whether to stream, in the path
            model, _, action = path.rpartition("/")[2].partition(":")
            body |= {"model": model, "stream": action == "streamGenerateContent"}
        try:
            self._answer(path, body)
        except (BrokenPipeError, ConnectionResetError):
            self.book.note("cancelled", body, None, {})
            self.close_connection = True

    def do_GET(self) -> None:
        """The models there are: any."""
        self._json({"object": "list", "data": []})

    def _answer(self, path: str, body: dict[str, Any]) -> None:
        if path.endswith("/count_tokens"):
            self._json({"input_tokens": 1})
            return
        if body["model"] in ALONE:
            self._counted(body, ALONE[body["model"]])
            return
        family, case = case_of(body["model"])
        with self.book.lock:
            self.book.tries[body["model"]] += 1
            first = self.book.tries[body["model"]] == 1
        if case == "error":
            self.book.note("error", body, None, {})
            self._json(
                {"type": "error", "error": {"type": "invalid_request_error", "message": "refused by the script"}},
                status=400,
            )
        elif case == "retry" and first:
            self._json({"type": "error", "error": {"type": "api_error", "message": "try again"}}, status=500)
        elif family == "claude":
            self._claude(body, case)
        elif family == "gemini":
            self._gemini(body, case)
        elif path.endswith("/responses"):
            self._responses(body, case)
        else:
            self._chat(body, case)

    def _json(self, value: object, status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            "retry-after-ms": "1",
            "request-id": f"req_{time.monotonic_ns()}",
        }.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(content)

    def _events(self, events: Iterator[tuple[str | None, Any]], pause: float = 0) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("request-id", f"req_{time.monotonic_ns()}")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for name, event in events:
            text = event if isinstance(event, str) else json.dumps(event)
            self.wfile.write((f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode())
            self.wfile.flush()
            time.sleep(pause)

    def _claude(self, body: dict[str, Any], case: str) -> None:
        answer_id = f"msg_{time.monotonic_ns()}"
        cancelled = case == "cancelled"
        buckets = served("claude", "plain" if cancelled else case)
        usage = anthropic_usage(buckets)
        content = (
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
            if case == "tools"
            else {"type": "text", "text": "four words of answer"}
        )
        message = {
            "id": answer_id,
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "stop_reason": "tool_use" if case == "tools" else "end_turn",
            "stop_sequence": None,
        }
        if not body.get("stream"):
            self.book.note("ok", body, answer_id, buckets)
            self._json({**message, "content": [content], "usage": usage})
            return

        def events() -> Iterator[tuple[str, Any]]:
            start = {**message, "stop_reason": None, "content": [], "usage": {**usage, "output_tokens": 1}}
            yield "message_start", {"type": "message_start", "message": start}
            empty = {**content, "input": {}} if case == "tools" else {**content, "text": ""}
            yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": empty}
            piece = (
                {"type": "input_json_delta", "partial_json": '{"city": "Oslo"}'}
                if case == "tools"
                else {"type": "text_delta", "text": "four "}
            )
            for _ in range(100 if cancelled else 1):
                yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": piece}
            yield "content_block_stop", {"type": "content_block_stop", "index": 0}
            delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
            said = {
                k: usage[k]
                for k in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")
            }
            yield "message_delta", {"type": "message_delta", "delta": delta, "usage": said}
            self.book.note("ok", body, answer_id, buckets)
            yield "message_stop", {"type": "message_stop"}

        self._events(events(), pause=0.02 if cancelled else 0)

    def _counted(self, body: dict[str, Any], counts: dict[str, int]) -> None:
        """Cohere's ranking of documents, or Mistral's reading of one."""
        answer_id = f"counted-{time.monotonic_ns()}"
        self.book.note("ok", body, answer_id, counts)
        if searches := counts.get("rerank_search"):
            billed = {"api_version": {"version": "2"}, "billed_units": {"search_units": searches}}
            self._json({"id": answer_id, "results": [{"index": 0, "relevance_score": 0.9}], "meta": billed})
            return
        page = {"index": 0, "markdown": "a page", "images": [], "dimensions": {"dpi": 200, "height": 10, "width": 10}}
        usage = {
            "pages_processed": counts["document_page"],
            "pages_processed_annotation": counts["annotated_document_page"],
            "doc_size_bytes": 99,
        }
        self._json({"pages": [page], "model": body["model"], "usage_info": usage})

    def _chat(self, body: dict[str, Any], case: str) -> None:
        answer_id = f"chatcmpl-{time.monotonic_ns()}"
        cancelled = case == "cancelled"
        family, _ = case_of(body["model"])
        buckets = served(family, "plain" if cancelled else case)
        usage = openai_usage(buckets, responses=False)
        if family == "mistral":
            usage = {name: usage[name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
        call = {
            "index": 0,
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
        }
        said: dict[str, Any] = (
            {"role": "assistant", "content": None, "tool_calls": [call]}
            if case == "tools"
            else {"role": "assistant", "content": "four words of answer"}
        )
        reason = "tool_calls" if case == "tools" else "stop"
        shared = {
            "id": answer_id,
            "created": int(time.time()),
            "model": body["model"],
            "service_tier": "default",
            "system_fingerprint": "fp_1",
        }
        if not body.get("stream"):
            self.book.note("ok", body, answer_id, buckets)
            choice = {"index": 0, "message": {**said, "refusal": None}, "logprobs": None, "finish_reason": reason}
            self._json({**shared, "object": "chat.completion", "choices": [choice], "usage": usage})
            return
        chunk = {**shared, "object": "chat.completion.chunk"}
        wants = family == "mistral" or bool((body.get("stream_options") or {}).get("include_usage"))

        def events() -> Iterator[tuple[None, Any]]:
            for _ in range(100 if cancelled else 1):
                yield None, {**chunk, "choices": [{"index": 0, "delta": said, "finish_reason": None}]}
            yield None, {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
            self.book.note("ok" if wants else "ok, usage not asked for", body, answer_id, buckets)
            if wants:
                yield None, {**chunk, "choices": [], "usage": usage}
            yield None, "[DONE]"

        self._events(events(), pause=0.02 if cancelled else 0)

    def _gemini(self, body: dict[str, Any], case: str) -> None:
        answer_id = f"resp-{time.monotonic_ns()}"
        buckets = served("gemini", case)
        part: dict[str, Any] = {"text": "four words of answer"}
        if case == "tools":
            part = {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}
        candidate = {"content": {"role": "model", "parts": [part]}, "index": 0}
        shared = {"modelVersion": body["model"], "responseId": answer_id}
        usage = gemini_usage(buckets)
        last = {**shared, "candidates": [{**candidate, "finishReason": "STOP"}], "usageMetadata": usage}
        if not body["stream"]:
            self.book.note("ok", body, answer_id, buckets)
            self._json(last)
            return

        def events() -> Iterator[tuple[None, Any]]:
            begun = {**usage, "candidatesTokenCount": 1, "totalTokenCount": usage["promptTokenCount"] + 1}
            yield None, {**shared, "candidates": [candidate], "usageMetadata": begun}
            self.book.note("ok", body, answer_id, buckets)
            yield None, last

        self._events(events())

    def _responses(self, body: dict[str, Any], case: str) -> None:
        answer_id = f"resp_{time.monotonic_ns()}"
        buckets = served("gpt", case)
        if case == "tools":
            output: list[dict[str, Any]] = [
                {
                    "type": "function_call",
                    "id": "fc_1",
                    "call_id": "call_1",
                    "name": "weather",
                    "arguments": '{"city": "Oslo"}',
                    "status": "completed",
                }
            ]
        else:
            output = [
                {
                    "type": "message",
                    "id": "msg_1",
                    "role": "assistant",
                    "status": "completed",
                    "content": [{"type": "output_text", "text": "four words of answer", "annotations": []}],
                }
            ]
        answer = {
            "id": answer_id, "object": "response", "created_at": int(time.time()), "model": body["model"], "status": "completed", "output": output,
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "incomplete_details": None, "instructions": None, "metadata": {},
            "temperature": 1.0, "top_p": 1.0, "service_tier": "default", "usage": openai_usage(buckets, responses=True),
        }  # fmt: skip
        if not body.get("stream"):
            self.book.note("ok", body, answer_id, buckets)
            self._json(answer)
            return

        def events() -> Iterator[tuple[str, Any]]:
            begun = {**answer, "status": "in_progress", "output": [], "usage": None}
            yield "response.created", {"type": "response.created", "sequence_number": 0, "response": begun}
            yield (
                "response.output_item.added",
                {
                    "type": "response.output_item.added",
                    "sequence_number": 1,
                    "output_index": 0,
                    "item": {**output[0], "status": "in_progress"}
                    | ({"content": []} if case != "tools" else {"arguments": ""}),
                },
            )
            if case != "tools":
                yield (
                    "response.content_part.added",
                    {
                        "type": "response.content_part.added",
                        "sequence_number": 2,
                        "item_id": "msg_1",
                        "output_index": 0,
                        "content_index": 0,
                        "part": {"type": "output_text", "text": "", "annotations": []},
                    },
                )
                yield (
                    "response.output_text.delta",
                    {
                        "type": "response.output_text.delta",
                        "sequence_number": 3,
                        "item_id": "msg_1",
                        "output_index": 0,
                        "content_index": 0,
                        "delta": "four words of answer",
                        "logprobs": [],
                    },
                )
            yield (
                "response.output_item.done",
                {"type": "response.output_item.done", "sequence_number": 4, "output_index": 0, "item": output[0]},
            )
            self.book.note("ok", body, answer_id, buckets)
            yield "response.completed", {"type": "response.completed", "sequence_number": 5, "response": answer}

        self._events(events())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[tuple[str, Book]]:
    """A server on a free port of loopback, and its book."""
    book = Book()
    handler = type("Handler", (_Handler,), {"book": book})

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that left is part of the script."""

    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", book
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
