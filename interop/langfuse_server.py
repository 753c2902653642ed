"""What a Langfuse server answers at its observations API of spans that its SDK sent: a stand-in, because no package carries the server.

It follows `OpenAICompletionUsageSchema` and `OpenAIResponseUsageSchema` in `packages/shared/src/server/ingestion/types.ts` of
github.com/langfuse/langfuse: details become keys of their own and are taken off the input or output that holds them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_SIDES = (("input", ("prompt_tokens", "input_tokens")), ("output", ("completion_tokens", "output_tokens")))


def observations(spans: Path) -> Iterator[dict[str, Any]]:
    """The observations of a file of OTLP requests, one by one."""
    for line in spans.read_text().splitlines():
        for container in json.loads(line)["resourceSpans"]:
            for group in container["scopeSpans"]:
                for span in group["spans"]:
                    yield _observation(span)


def _observation(span: dict[str, Any]) -> dict[str, Any]:
    attributes = {item["key"]: next(iter(item["value"].values()), None) for item in span["attributes"]}

    def said(name: str) -> str | None:
        found = attributes.get(f"langfuse.observation.{name}")
        return None if found is None else str(found)

    usage = json.loads(said("usage_details") or "{}")
    return {
        "id": span["spanId"],
        "traceId": span["traceId"],
        "parentObservationId": span.get("parentSpanId"),
        "type": (said("type") or "span").upper(),
        "startTime": _instant(span["startTimeUnixNano"]),
        "endTime": _instant(span["endTimeUnixNano"]),
        "model": said("model.name"),
        "level": said("level") or "DEFAULT",
        "usageDetails": usage_details(usage),
    }


def usage_details(usage: dict[str, Any]) -> dict[str, int]:
    """OpenAI's usage as keys that add up; any other is kept as it is."""
    totals: dict[str, Any] = {
        side: next((usage[name] for name in names if name in usage), None) for side, names in _SIDES
    }
    if None in totals.values() or "total_tokens" not in usage:
        return usage
    found: dict[str, Any] = {**totals, "total": usage["total_tokens"]}
    for side, names in _SIDES:
        for name in names:
            for key, count in (usage.get(f"{name}_details") or {}).items():
                if count is not None:
                    found[f"{side}_{key}"] = count
                    found[side] = max(found[side] - count, 0)
    return found


def _instant(nanoseconds: str) -> str:
    return (
        datetime.fromtimestamp(int(nanoseconds) / 10**9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
