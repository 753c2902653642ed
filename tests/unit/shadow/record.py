"""A record of a shadow file, with texts that no table may hold."""

from __future__ import annotations

from typing import Any

from tests.unit.requests.samples import SECRET

GOOD: dict[str, Any] = {
    "request_id": "r1", "provider": "deepseek", "model": "deepseek-v3.2", "input_tokens": 100, "output_tokens": 40, "cost_usd": 0.25,
    "score": 1, "score_kind": "gold", "prompt": SECRET, "answer": {"text": SECRET},
}  # fmt: skip
