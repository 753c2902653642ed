"""The APIs that are pulled, as their references describe them, over records that a test holds by day; and the ways in which they fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.fetch.server import Handler, Route, Server, reply
from tests.unit.requests.samples import SAMPLES

SAMPLE = {sample.format: sample.record for sample in SAMPLES}
Record = dict[str, Any]


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass
class Upstream:
    """Records by the day on which they happened. `faults` are answers that come, once each, instead of the next ones."""

    server: Server
    records: dict[date, list[Record]] = field(default_factory=dict)
    page: int = 2
    faults: list[Route] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def between(self, start: datetime, end: datetime) -> list[Record]:
        days = sorted(self.records)
        return [r for day in days if start <= midnight(day) + timedelta(hours=10) < end for r in self.records[day]]

    def serve(self, kind: str) -> None:
        """Answer as the API of `kind` does."""
        answers = _ANSWERS[kind]

        def route(handler: Handler) -> None:
            asked: dict[str, Any] = {k: v[-1] for k, v in parse_qs(urlsplit(handler.path).query).items()}
            if handler.command == "POST":
                asked = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
            self.asked.append(asked)
            self.headers = dict(handler.headers)
            if self.faults:
                self.faults.pop(0)(handler)
            else:
                reply(json.dumps(answers(self, asked)).encode(), Content_Type="application/json")(handler)

        for path in PATHS[kind]:
            self.server.routes[path] = route


def _cut(items: list[Any], start: int, size: int) -> list[Any]:
    return items[start : start + size]


def _openai(up: Upstream, asked: Record) -> Record:
    start, end = (datetime.fromtimestamp(int(asked[name]), UTC) for name in ("start_time", "end_time"))
    buckets = [
        {"object": "bucket", "start_time": int(at.timestamp()), "end_time": int(at.timestamp()) + 86400, "results": up.between(at, at + timedelta(days=1))}
        for at in _days(start, end)
    ]  # fmt: skip
    at = int(asked.get("page", 0))
    more = at + up.page < len(buckets)
    return {
        "object": "page",
        "data": _cut(buckets, at, up.page),
        "has_more": more,
        "next_page": str(at + up.page) if more else None,
    }


def _anthropic(up: Upstream, asked: Record) -> Record:
    start, end = (datetime.fromisoformat(asked[name]) for name in ("starting_at", "ending_at"))
    buckets = [
        {"starting_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "ending_at": f"{at + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}", "results": up.between(at, at + timedelta(days=1))}
        for at in _days(start, end)
    ]  # fmt: skip
    at = int(asked.get("page", "page_0").removeprefix("page_"))
    more = at + up.page < len(buckets)
    return {"data": _cut(buckets, at, up.page), "has_more": more, "next_page": f"page_{at + up.page}" if more else None}


def _analytics(up: Upstream, asked: Record) -> Record:
    assert asked["time_bucket_width"] == "1d"
    found = up.between(*(datetime.fromisoformat(asked[name]) for name in ("starting_at", "ending_at")))
    at = int(asked.get("page", "0"))
    more = at + up.page < len(found)
    rest = {"next_page": str(at + up.page) if more else None, "data_refreshed_at": "2026-02-14T09:00:00Z"}
    return {"data": _cut(found, at, up.page), "has_more": more, **rest}


def _one_day(name: str) -> Callable[[Upstream, Record], Record]:
    def answer(up: Upstream, asked: Record) -> Record:
        at = midnight(date.fromisoformat(asked[name]))
        found, begin = up.between(at, at + timedelta(days=1)), int(asked.get("page", 0))
        if name == "date":
            return {"data": found}
        more = begin + up.page < len(found)
        return {
            "data": _cut(found, begin, up.page),
            "has_more": more,
            "next_page": str(begin + up.page) if more else None,
        }

    return answer


def _langfuse_found(up: Upstream, asked: Record) -> list[Record]:
    assert asked["type"] == "GENERATION"
    return up.between(*(datetime.fromisoformat(asked[name]) for name in ("fromStartTime", "toStartTime")))


def _langfuse(up: Upstream, asked: Record) -> Record:
    found, at = _langfuse_found(up, asked), int(asked.get("cursor", 0))
    meta = {"cursor": str(at + up.page)} if at + up.page < len(found) else {}
    return {"data": _cut(found, at, up.page), "meta": meta}


def _langfuse_v1(up: Upstream, asked: Record) -> Record:
    found, number = _langfuse_found(up, asked), int(asked["page"])
    meta = {"page": number, "limit": up.page, "totalItems": len(found), "totalPages": -(-len(found) // up.page)}
    return {"data": _cut(found, (number - 1) * up.page, up.page), "meta": meta}


def _litellm(up: Upstream, asked: Record) -> Record:
    start, end = (
        datetime.strptime(asked[n], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for n in ("start_date", "end_date")
    )
    found, number = up.between(start, end), int(asked["page"])
    pages = -(-len(found) // up.page)
    return {
        "data": _cut(found, (number - 1) * up.page, up.page),
        "total": len(found),
        "page": number,
        "total_pages": pages,
    }


def _helicone(up: Upstream, asked: Record) -> Record:
    start, end = (
        datetime.fromisoformat(asked["filter"][side]["request_response_rmt"]["request_created_at"][comparison])
        for side, comparison in (("left", "gte"), ("right", "lt"))
    )
    return {"data": _cut(up.between(start, end), asked["offset"], asked["limit"]), "error": None}


def _days(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += timedelta(days=1)


_ANSWERS: dict[str, Callable[[Upstream, Record], Record]] = {
    "openai_usage": _openai, "openai_costs": _openai, "anthropic_usage": _anthropic, "anthropic_costs": _anthropic,
    "anthropic_claude_code": _one_day("starting_at"), "anthropic_analytics_usage": _analytics,
    "anthropic_analytics_costs": _analytics, "openrouter_activity": _one_day("date"), "langfuse": _langfuse,
    "langfuse_v1": _langfuse_v1, "litellm": _litellm, "helicone": _helicone,
}  # fmt: skip
PATHS: dict[str, tuple[str, ...]] = {
    "openai_usage": ("/v1/organization/usage/completions",),
    "openai_costs": ("/v1/organization/costs",),
    "anthropic_usage": ("/v1/organizations/usage_report/messages",),
    "anthropic_costs": ("/v1/organizations/cost_report",),
    "anthropic_claude_code": ("/v1/organizations/usage_report/claude_code",),
    "anthropic_analytics_usage": ("/v1/organizations/analytics/usage",),
    "anthropic_analytics_costs": ("/v1/organizations/analytics/cost",),
    "openrouter_activity": ("/api/v1/activity",),
    "langfuse": ("/api/public/v2/observations",),
    "langfuse_v1": ("/api/public/observations",),
    "litellm": ("/spend/logs/v2",),
    "helicone": ("/v1/request/query-clickhouse",),
}


def record_of(kind: str, number: int, day: date) -> Record:
    """A record of `day` as the API of `kind` gives it, which differs from the others by `number`."""
    at = f"{day}T10:20:{number % 60:02d}.500Z"
    match kind:
        case "openai_usage":
            return {
                "object": "organization.usage.completions.result",
                "input_tokens": 10 + number,
                "output_tokens": 5,
                "num_model_requests": 1,
                "project_id": f"p{number}",
                "model": "gpt-5",
            }
        case "openai_costs":
            return {
                "object": "organization.costs.result",
                "amount": {"value": number / 100, "currency": "usd"},
                "line_item": f"gpt-{number}, input",
            }
        case "anthropic_usage":
            return {
                "uncached_input_tokens": number,
                "output_tokens": 5,
                "model": f"claude-{number}",
                "workspace_id": None,
            }
        case "anthropic_costs":
            return {"amount": f"{number}.5", "currency": "USD", "cost_type": "tokens", "description": f"Usage {number}"}
        case "anthropic_claude_code":
            return {
                "date": f"{day}T00:00:00Z",
                "actor": {"type": "user_actor", "email_address": f"{number}@example.com"},
                "model_breakdown": [
                    {
                        "model": "claude-sonnet-4-5",
                        "tokens": {"input": number, "output": 5, "cache_read": 0, "cache_creation": 0},
                    }
                ],
            }
        case "anthropic_analytics_usage" | "anthropic_analytics_costs":
            measured = (
                {
                    "usage": {
                        "uncached_input_tokens": number,
                        "output_tokens": 5,
                        "total_tokens": number + 5,
                        "requests": 1,
                    }
                }
                if kind == "anthropic_analytics_usage"
                else {"cost": {"amount": f"{number}.5", "list_amount": f"{number}.75", "currency": "USD"}}
            )
            bounds = {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{day + timedelta(days=1)}T00:00:00Z"}
            return {**bounds, "group": {"model": f"claude-{number}", "product": "claude_code"}, **measured}
        case "openrouter_activity":
            return {
                "date": f"{day}",
                "model": f"m/{number}",
                "endpoint_id": "e",
                "usage": 0.5,
                "byok_usage_inference": 0,
                "requests": 1,
                "prompt_tokens": number,
                "completion_tokens": 5,
                "reasoning_tokens": 0,
            }
        case "langfuse" | "langfuse_v1":
            return {**SAMPLE["langfuse"], "id": f"o{number}", "traceId": f"t{number}", "startTime": at, "endTime": at}
        case "litellm":
            return {**SAMPLE["litellm_spend_logs"], "request_id": f"r{number}", "startTime": at, "endTime": at}
        case _:
            return {**SAMPLE["helicone"], "request_id": f"r{number}", "request_created_at": at}  # fmt: skip


def numbered(kind: str, days: Iterable[date], per_day: int) -> dict[date, list[Record]]:
    """`per_day` records for each day, no two alike."""
    return {
        day: [record_of(kind, place * per_day + n + 1, day) for n in range(per_day)] for place, day in enumerate(days)
    }
