"""Commas between thousands, and those that are something else."""

from __future__ import annotations

import pytest

from pipelines.grouped import ungrouped
from pipelines.prices import PriceFeedError
from pipelines.prices.feed_snapshot import as_amount
from pipelines.prices.pages.conditions import conditions_in


@pytest.mark.parametrize(
    ("text", "plain"), [("1,234.5", "1234.5"), ("12,345,678", "12345678"), ("-1,000", "-1000"), ("7", "7")]
)
def test_commas_between_thousands_mean_nothing(text: str, plain: str) -> None:
    assert ungrouped(text) == plain


@pytest.mark.parametrize("text", ["0,05", "1,23", "12,3456", "1234,567", ",5", "1,234,5"])
def test_any_other_comma_leaves_no_number(text: str) -> None:
    assert ungrouped(text) == text
    assert as_amount(ungrouped(text)) is None


def test_a_bound_with_a_comma_before_decimals_is_refused_not_read_ten_times_too_large() -> None:
    patterns = [r"for prompts over (?P<above>[\d.,]+[KM]?) tokens"]
    assert conditions_in("for prompts over 200,000 tokens", patterns)[0].context_from_tokens == 200_000
    with pytest.raises(PriceFeedError):
        conditions_in("for prompts over 0,2M tokens", patterns)
