"""`routing.yaml`: the packaged default holds, and what is wrong in a user's file is told by file, key and value."""

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


def test_the_packaged_policies_are_the_reports_split() -> None:
    config = load_config(None).routing
    assert {policy.policy for policy in config.policies} == {"hybrid_90_8_2", "hybrid_90_8_2_qwen"}
    for policy in config.policies:
        assert [arm.share for arm in policy.arms] == [Decimal("0.9"), Decimal("0.08"), Decimal("0.02")]
        assert policy.baselines == ("actual", "all_closed")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("share: 0.5}\n      - {arm: b", "share: 0.4}\n      - {arm: b", "shares must add up to 1, found 0.4 + 0.5 = 0.9"),
        ("arm: b", "arm: a", "policy half: arm 'a' is declared twice"),
        ("arm: b", "arm: total", "'total' names the sum of a policy"),
        ("baselines: [actual]", "baselines: [all_closed]", "baseline 'all_closed' is not declared; declared are actual"),
        ("{baseline: actual}", "{baseline: actual, model_id: gpt-5.2}", "give provider_id and model_id, or neither"),
        ("share: 0.5}\n      - {arm: b", "share: 1.5}\n      - {arm: b", "share: Input should be less than or equal to 1"),
        ("policy: half", "policy: half\n    weight: 3", "weight: Extra inputs are not permitted (found 3)"),
        ("provider_id: openai", "provider_id: openai, cache: maybe", "cache: Input should be 'session', 'kept' or 'lost'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    path = tmp_path / "routing.yaml"
    path.write_text(GOOD)
    assert load_file(RoutingConfig, "routing.yaml", tmp_path).policies[0].arms[0].share == Decimal("0.5")
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError) as error:
        load_file(RoutingConfig, "routing.yaml", tmp_path)
    assert told in str(error.value)
    assert "routing.yaml" in str(error.value)
