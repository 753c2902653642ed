"""`routing.yaml`: the packaged default holds, and what is wrong in a user's file is reported by file, key and value."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.config import ConfigError, load_config
from pipelines.config.loader import load_file
from pipelines.config.routing import RoutingConfig

GOOD = """
baselines:
  - {baseline: actual}
policies:
  - policy: half
    baselines: [actual]
    arms:
      - {arm: a, provider_id: deepseek, model_id: deepseek-v3.2, share: 0.5}
      - {arm: b, provider_id: openai, model_id: gpt-5.2, share: 0.5}
"""


def test_the_packaged_policies_are_the_reports_split_and_its_decision_framework() -> None:
    config = load_config(None).routing
    names = [policy.policy for policy in config.policies]
    assert names[:2] == ["hybrid_90_8_2", "hybrid_90_8_2_qwen"]
    framework = ["all_closed", "cost_at_scale", "sovereignty", "fine_tuning", "latency", "licence", "cheap_first"]
    assert names[2:] == framework
    for policy in config.policies[:2]:
        assert [arm.part for arm in policy.arms] == [Decimal("0.9"), Decimal("0.08"), Decimal("0.02")]
        assert policy.baselines == ("actual", "all_closed")
    sample = load_config(None, use_sample=True).routing
    assert [policy.policy for policy in sample.policies] == names


@pytest.mark.parametrize(
    ("old", "new", "stated"),
    [
        ("share: 0.5}\n      - {arm: b", "share: 0.4}\n      - {arm: b", "shares must add up to 1, found 0.4 + 0.5 = 0.9"),
        ("arm: b", "arm: a", "policies.0.arms.1.arm: 'a' is declared twice"),
        ("arm: b", "arm: total", "found 'total', which names the sum of a policy"),
        ("baselines: [actual]", "baselines: [all_closed]", "baseline 'all_closed' is not declared; declared are actual"),
        ("{baseline: actual}", "{baseline: actual, model_id: gpt-5.2}", "give provider_id and model_id, or neither"),
        ("share: 0.5}\n      - {arm: b", "share: 1.5}\n      - {arm: b", "share: found '1.5', accepted is a number up to 1"),
        ("policy: half", "policy: half\n    weight: 3", "weight: there is no such key; accepted are policy, description, unit"),
        ("provider_id: openai", "provider_id: openai, cache: maybe", "cache: found 'maybe', accepted are session, kept, lost"),
        ("arm: b", "arm: best_single_cheap", "found 'best_single_cheap', which names a method"),
        ("model_id: gpt-5.2, share: 0.5", "model_id: gpt-5.2", "arm b: found none; accepted is one of share, difficulty_above, rule"),
        ("model_id: gpt-5.2, share: 0.5", "model_id: gpt-5.2, share: 0.5, difficulty_above: 0.5", "arm b: found share and difficulty_above; accepted"),
        ("model_id: gpt-5.2, share: 0.5", "model_id: gpt-5.2, difficulty_above: 0.6", "shares must add up to 1, found 0.5 + 0.4 = 0.9"),
        ("model_id: gpt-5.2, share: 0.5", "model_id: gpt-5.2, difficulty_above: 1.0", "difficulty_above: found '1.0', accepted is a number below 1"),
        ("share: 0.5}\n      - {arm: b", "difficulty_above: 0.5}\n      - {arm: c, provider_id: x, model_id: y, difficulty_above: 0.5}\n      - {arm: b", "at most one arm may have difficulty_above"),
        ("model_id: gpt-5.2, share: 0.5", "model_id: gpt-5.2, rule: {}", "a rule needs one of use_cases, applications, teams"),
        ("model_id: gpt-5.2, share: 0.5", "model_id: gpt-5.2, rule: {teams: [a]}", "shares must add up to 1, found 0.5 = 0.5"),
        ("share: 0.5}\n      - {arm: b", "rule: {prompt_tokens_at_least: 9, prompt_tokens_below: 9}}\n      - {arm: b", "prompt_tokens_at_least: found 9, accepted is a number below prompt_tokens_below (9)"),
        ("share: 0.5}\n      - {arm: b", "share: 0.5, requires: {}}\n      - {arm: b", "requires nothing; accepted are context_tokens, input, tools"),
        ("share: 0.5}\n      - {arm: b", "share: 0.5, requires: {licence: free}}\n      - {arm: b", "requires.licence: found 'free', accepted are permissive"),
        ("share: 0.5}\n      - {arm: b", "share: 0.5, requires: {input: [smell]}}\n      - {arm: b", "found 'smell', accepted are text, image, audio, video"),
        ("share: 0.5}\n      - {arm: b", "share: 0.5, fixed_usd_per_day: -1}\n      - {arm: b", "fixed_usd_per_day: found -1, accepted is a number from 0 on"),
        ("share: 0.5}\n      - {arm: b", "share: 0.5, ceiling: {tokens_per_second: 9, source: me}}\n      - {arm: b", "ceiling belongs to machines of one's own"),
        ("share: 0.5}\n      - {arm: b", "share: 0.5, fixed_usd_per_day: 1, ceiling: {source: me}}\n      - {arm: b", "accepted is one of tokens_per_second, output_tokens_per_second"),
        ("baselines: [actual]\n    arms", "baselines: [actual]\n    cascade: {verifier: perfect}\n    arms", "arm a: a cascade's arms have no share"),
        ("baselines:\n  - {baseline: actual}", "sellers: [{provider_id: a, residency: [eu], source: s}, {provider_id: a, residency: [us], source: s}]\nbaselines:\n  - {baseline: actual}", "sellers.1.provider_id: 'a' is declared twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_reported(tmp_path: Path, old: str, new: str, stated: str) -> None:
    assert old in GOOD
    path = tmp_path / "routing.yaml"
    path.write_text(GOOD)
    assert load_file(RoutingConfig, "routing.yaml", tmp_path).policies[0].arms[0].share == Decimal("0.5")
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError) as error:
        load_file(RoutingConfig, "routing.yaml", tmp_path)
    assert stated in str(error.value)
    assert "routing.yaml" in str(error.value)


def test_a_cascade_has_two_arms(tmp_path: Path) -> None:
    one = "arms:\n      - {arm: a, provider_id: deepseek, model_id: deepseek-v3.2}\n"
    text = GOOD[: GOOD.index("arms:")] + one
    (tmp_path / "routing.yaml").write_text(text.replace("[actual]\n", "[actual]\n    cascade: {verifier: perfect}\n"))
    with pytest.raises(ConfigError, match="policy half: a cascade has two arms, found 1"):
        load_file(RoutingConfig, "routing.yaml", tmp_path)
