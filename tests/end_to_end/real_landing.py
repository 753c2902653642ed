"""A landing zone of real files, assembled from the folder `shared/data` as `docs/real_input.md` describes.

Files are linked, not copied into the project; tests that use it skip where the folder is absent.
"""

from __future__ import annotations

import shutil
from pathlib import Path

OPENROUTER = "requests/openrouter/usage_2026-02_first300.jsonl"
AZURE = "requests/traces/AzureLLMInferenceTrace_code.csv"

SOURCES = """\
requests:
  - source: openrouter
    format: openrouter
    defaults: {provider_id: openrouter}
  - source: azure_trace
    format: mapping
    # The trace names no model: it is priced as if it had been gpt-4 at OpenAI's list price, an assumption.
    defaults: {provider_id: openai, model: gpt-4}
    options:
      columns: {event_at: TIMESTAMP, input: ContextTokens, output: GeneratedTokens}
prices:
  # Offline, the data that the genai-prices package brings is landed instead of the feed's.
  - feed: genai_prices
    format: genai_prices
    url: https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main/prices/new_data/v2/data.json
    precedence: 30
  - {feed: litellm_map, format: litellm_map, precedence: 20, stale_after_hours: 1000000}
leaderboards:
  - {board: lmarena_text, format: lmarena, stale_after_hours: 1000000}
  - {board: aider_polyglot, format: aider, stale_after_hours: 1000000}
selfhost:
  - {feed: mlperf, format: mlperf, stale_after_hours: 1000000}
  - {feed: gpu_tco, format: gpu_tco, stale_after_hours: 1000000}
"""
MLPERF = "selfhost/mlperf_inference_v5.1_llm_rows.csv.gz"
GPU_TCO = "selfhost/gpu_tco_usd_per_hour_2026-05-07.csv"


def assemble(shared_data: Path, root: Path) -> tuple[Path, Path]:
    """Make landing zone and configuration under `root`; returns both folders."""
    landing, config = root / "landing", root / "config"
    _put(shared_data / OPENROUTER, landing / "requests/openrouter/2026-02-13")
    _put(shared_data / AZURE, landing / "requests/azure_trace/2023-11-16")
    for path in sorted((shared_data / "prices/litellm_map").iterdir()):
        _put(path, landing / "prices/litellm_map")
    for path in sorted((shared_data / "leaderboards/lmarena/text").iterdir()):
        _put(path, landing / "leaderboards/lmarena_text")
    for path in sorted((shared_data / "leaderboards/aider_polyglot").iterdir()):
        _put(path, landing / "leaderboards/aider_polyglot")
    _put(shared_data / GPU_TCO, landing / "selfhost/gpu_tco")
    _put(shared_data / MLPERF, landing / "selfhost/mlperf", name="2025-09-09.csv.gz")
    config.mkdir(parents=True)
    (config / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    return landing, config


def _put(source: Path, folder: Path, name: str | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / (name or source.name))
