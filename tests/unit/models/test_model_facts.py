"""model_facts.yaml: every model of the landscape report has its facts, each with a source, and disagreement is kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.config import ConfigError, load_config
from pipelines.config.loader import load_file
from pipelines.config.model_facts import ModelFacts, ModelFactsConfig
from pipelines.models import build_registry
from tests.unit.models.test_config import REPORT

TWO_SOURCES = """
sources:
  - {source: hearsay, title: somebody, as_of: 2026-01-01, is_held: false}
  - {source: card, title: Model card, as_of: 2026-01-02}
  - {source: report, title: A report, as_of: 2026-01-03}
licences:
  - {licence: MIT, name: MIT License, is_spdx: true, source: card}
  - {licence: House, name: House rules, restricts: [branding], source: hearsay}
models:
  - model: m
    statements:
      - {source: hearsay, context_tokens: 1000, tools: true}
      - {source: card, context_tokens: 2000, licence: House}
      - {source: report, context_tokens: 3000, licence: MIT, total_params_b: 7}
"""


@pytest.fixture(scope="module")
def facts() -> ModelFactsConfig:
    return load_config(None).model_facts


def _of(facts: ModelFactsConfig, model: str) -> ModelFacts:
    found = facts.of(model)
    assert found is not None, model
    return found


@pytest.fixture
def two_sources(tmp_path: Path) -> ModelFacts:
    (tmp_path / "model_facts.yaml").write_text(TWO_SOURCES)
    return _of(load_file(ModelFactsConfig, "model_facts.yaml", tmp_path), "m")


@pytest.mark.parametrize("name", [name.strip() for name in REPORT.split("|")])
def test_every_model_of_the_report_has_facts(name: str, facts: ModelFactsConfig) -> None:
    model = build_registry(load_config(None).models, []).resolve("", name).model_id
    assert model is not None
    found = _of(facts, model)
    assert {"licence", "context_tokens", "openness"} <= {
        n for n in ("licence", "context_tokens", "openness") if found.fact(n)
    }


def test_openness_is_the_one_of_models_yaml(facts: ModelFactsConfig) -> None:
    """The gap between open and closed models reads models.yaml; the two files must not part."""
    registry = build_registry(load_config(None).models, [])
    declared = {model.id: model.openness for model in registry.models.values() if model.openness != "unknown"}
    stated = {model: found.openness.value for model, found in facts.by_model.items() if found.openness is not None}
    assert {model: kind for model, kind in stated.items() if declared.get(model, kind) != kind} == {}
    assert len(stated.keys() & declared.keys()) > 40


@pytest.mark.parametrize(
    ("model", "total", "active", "context", "permissive"),
    [
        ("llama-4-scout", 109, 17, 10_000_000, False),
        ("llama-4-maverick", 400, 17, 1_048_576, False),
        ("mistral-large-3", 675, 41, 262_144, True),
        ("mixtral-8x22b", 140.6, 39.2, 65_536, True),
        ("command-r-plus", 104, 104, 131_072, False),
        ("gemma-3-27b-it", 27.4, 27.4, 131_072, False),
        ("qwen3-32b", 32.8, 32.8, 40_960, True),
        ("grok-1", 314, 84, 8_192, True),
    ],
)
def test_figures_that_the_report_has_wrong_are_kept_as_its_own(
    model: str, total: float, active: float, context: int, permissive: bool, facts: ModelFactsConfig
) -> None:
    found = _of(facts, model)
    assert (found.fact("total_params_b").value, found.fact("active_params_b").value) == (total, active)
    assert (found.fact("context_tokens").value, found.is_permissive) == (context, permissive)
    kept = {other.source.source for fact in found.conflicts.values() for other in (fact, *fact.others)}
    assert "landscape-report" in kept, "the report's own figure is gone"


def test_the_first_source_that_somebody_has_read_is_believed_and_the_others_are_kept(two_sources: ModelFacts) -> None:
    context = two_sources.context_tokens
    assert context is not None
    assert (context.value, context.source.source, context.source.as_of) == (2000, "card", date(2026, 1, 2))
    assert [(other.value, other.is_verified) for other in context.others] == [(1000, False), (3000, True)]
    assert set(two_sources.conflicts) == {"context_tokens", "licence"}


def test_hearsay_is_used_only_where_nothing_better_is_known_and_says_so(two_sources: ModelFacts) -> None:
    assert two_sources.tools is not None
    assert (two_sources.tools.value, two_sources.tools.is_verified) == (True, False)
    assert two_sources.released_on is None


def test_a_licence_whose_terms_nobody_has_read_is_unverified(two_sources: ModelFacts) -> None:
    assert two_sources.licence is not None
    assert (two_sources.licence.value.licence, two_sources.licence.is_verified) == ("House", False)
    assert (two_sources.licence.value.restricts, two_sources.is_permissive) == (("branding",), False)
    assert [other.value.licence for other in two_sources.licence.others] == ["MIT"]


def test_the_model_that_was_never_released_says_so(facts: ModelFactsConfig) -> None:
    assert [model for model, found in facts.by_model.items() if not found.is_released] == ["qwen3-72b"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "models: [{model: m, statements: [{source: x, tools: true}]}]",
            ["models.0.statements.0.source: ", "'x'", "not declared"],
        ),
        ("licences: [{licence: MIT, name: MIT, source: x}]", ["licences.0.source: ", "'x'"]),
        (TWO_SOURCES.replace("licence: MIT, total", "licence: GPL, total"), [".licence: ", "'GPL'", "House, MIT"]),
        (
            TWO_SOURCES.replace("source: card, title", "source: report, title"),
            ["sources.2.source: 'report' is declared twice"],
        ),
        (
            TWO_SOURCES.replace("total_params_b: 7", "total_params_b: 7, active_params_b: 8"),
            ["active_params_b: found 8"],
        ),
        (TWO_SOURCES.replace("total_params_b: 7", "layers: [{count: 2, kv_heads: 8}]"), ["latent and rope"]),
        (
            TWO_SOURCES.replace(
                "total_params_b: 7", "layers: [{count: 2, kv_heads: 8, head_dim: 2, attention: window}]"
            ),
            ["keeps_tokens"],
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, parts: list[str]) -> None:
    (tmp_path / "model_facts.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load_file(ModelFactsConfig, "model_facts.yaml", tmp_path)
    for part in ["model_facts.yaml", *parts]:
        assert part in str(error.value)
