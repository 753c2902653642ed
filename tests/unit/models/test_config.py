"""models.yaml: the packaged default covers the landscape report, and mistakes are reported by file, key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.config import ConfigError, load_config
from pipelines.config.loader import load_file
from pipelines.config.models import ModelsConfig
from pipelines.models import build_registry

REPORT = """DeepSeek V3|DeepSeek R1|DeepSeek-V3-0324|DeepSeek-R1-0528|DeepSeek-Prover-V2|DeepSeek V3.2-Exp|DeepSeek V3.2|
deepseek-r1-distill-qwen-7b|deepseek-r1-distill-llama-70b|Qwen3-235B-A22B|Qwen3-72B|Qwen3-32B|Qwen3-14B|Qwen3-8B|Qwen3-4B|Qwen3-1.7B|
Qwen3-0.6B|Llama 4 Scout|Llama 4 Maverick|Llama 3.3 70B|Mistral Large 3|Mixtral 8x22B|Mistral 7B|Codestral|GPT-oss-120b|
GPT-oss-20b|GPT-5.2|GPT-4o|GPT-4|GPT-4.5|Claude 3.5 Sonnet|Claude Sonnet 4.5|Gemini 2.0 Flash|Gemini 3 Pro|Gemma 3 27B|Gemma3-1B|
Command R+|Phi-4|Grok-1|Kimi K2|o1|o3|o1-1217|qwen3:32b|qwen3:8b|qwen3:0.6b|qwen3:235b|gemma3:27b|mistral:latest"""


@pytest.mark.parametrize("name", [name.strip() for name in REPORT.split("|")])
def test_every_model_of_the_report_is_declared(name: str) -> None:
    found = build_registry(load_config(None).models, []).resolve("", name)
    assert found.model_id is not None
    assert found.decided_by in {"models.yaml", "rule"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("models: [{id: Big Model, display_name: x}]", ["models.0.id", "Big Model"]),
        ("models: [{id: m, display_name: x, openness: free}]", ["models.0.openness", "open_weight", "free"]),
        (
            "models: [{id: m, display_name: x, license: MIT, total_params_b: 1}]",
            ["models.0", "license, total_params_b of a model belong into model_facts.yaml, with their source"],
        ),
        (
            "models: [{id: a, display_name: a, aliases: [X]}, {id: b, display_name: b, aliases: [x]}]",
            ["'x'", "'a'", "'b'"],
        ),
        ("spellings: [{pattern: '(', replace: ''}]", ["spellings.0.pattern", "not a regular expression"]),
        ("modles: []", ["modles"]),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, parts: list[str]) -> None:
    (tmp_path / "models.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load_file(ModelsConfig, "models.yaml", tmp_path)
    for part in ["models.yaml", *parts]:
        assert part in str(error.value)
