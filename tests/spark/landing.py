"""A landing zone with logs of every kind: real files, cases of emitters, generated lines with copies, and the sample's sources."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from pipelines import sample
from pipelines.sample import generate_sample

REAL: dict[str, tuple[str, dict[str, Any]]] = {
    "claude_code/*.jsonl": ("claude_code", {}),
    "codex/*.jsonl": ("codex", {}),
    "langfuse/*.json": ("langfuse", {}),
    "litellm/*.json": ("litellm_spend_logs", {}),
    "openrouter/*.jsonl": ("openrouter", {"defaults": {"provider_id": "openrouter"}}),
    "traces/*.csv": ("mapping", {"options": {"columns": {"event_at": "TIMESTAMP", "input": "ContextTokens", "output": "GeneratedTokens"}}}),
    "traces/*.jsonl.gz": (
        "mapping",
        {
            "options": {
                "columns": {"event_at": "timestamp", "input": "input_length", "output": "output_length"},
                "time": {"format": "epoch_ms", "origin": "2024-11-01T00:00:00Z"},
            }
        },
    ),
}  # fmt: skip
"""Files below shared/data/requests, their format and the rest of their declaration."""
ARRIVED = "2026-11-28"


def real_logs(shared_data: Path, root: Path) -> None:
    """Landing zone and configuration below `root`: every real log and every case, each file in a source of its own."""
    declared: list[dict[str, Any]] = []
    for pattern, (name, rest) in REAL.items():
        source = f"real_{len(declared)}"
        declared.append({"source": source, "format": name, **rest})
        for path in sorted((shared_data / "requests").glob(pattern)):
            _put(path, root / "landing/requests" / source / ARRIVED)
    for case in sorted((shared_data / "cases/requests").iterdir()):
        stated = json.loads((case / "case.json").read_text()) if case.is_dir() else {}
        if not stated:
            continue
        declared.append({**stated["declaration"], "source": case.name})
        for path in sorted(case.iterdir()):
            if path.name != "case.json":
                _put(path, root / "landing/requests" / case.name / stated["arrival_date"])
    for path in sorted((shared_data / "prices/litellm_map").iterdir()):
        _put(path, root / "landing/prices/litellm_map")
    _declare(root, declared)


def sample_logs(root: Path, first: date, days: int, requests_per_day: int) -> None:
    """The sample's sources, as it declares them."""
    shutil.copytree(Path(sample.__file__).parent / "config", root / "config")
    generate_sample(root / "landing", first=first, days=days, requests_per_day=requests_per_day)


def _declare(root: Path, requests: list[dict[str, Any]]) -> None:
    (root / "config").mkdir(parents=True)
    prices = [{"feed": "litellm_map", "format": "litellm_map", "stale_after_hours": 1000000}]
    text = yaml.safe_dump({"requests": requests, "prices": prices, "leaderboards": []})
    (root / "config/sources.yaml").write_text(text)


def _put(path: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, folder / path.name)


def generated_logs(root: Path, lines: int) -> None:
    """Lines of one gateway with copies, broken lines and models that no one sells."""
    from perf.generate import generate

    generate(root, lines, is_dirty=True)
