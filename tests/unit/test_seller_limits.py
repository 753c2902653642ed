"""Limits and alerts as sellers state them, by the examples of their references, and how a budget shows them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from pipelines.seller_limits.formats import FORMATS
from pipelines.seller_limits.limit_file import LimitFileError

OPENAI = {
    "object": "organization.spend_limit", "threshold_amount": 10000, "currency": "USD", "interval": "month",
    "enforcement": {"status": "enforcing"},
}  # fmt: skip
ALERT = {
    "id": "alert_abc123", "object": "organization.spend_alert", "threshold_amount": 150000, "currency": "USD", "interval": "month",
    "notification_channel": {"type": "email", "recipients": ["finance@example.com"]},
}  # fmt: skip
ANTHROPIC = {
    "type": "spend_limit", "id": "spl_1", "amount": "50000", "currency": "USD", "is_enabled": True, "period": "monthly",
    "scope": {"type": "organization"}, "created_at": "2026-01-01T00:00:00Z",
}  # fmt: skip
EFFECTIVE = {
    "actor": {"type": "user_actor", "user_id": "user_7"}, "amount": None, "currency": "USD", "period": "weekly",
    "period_to_date_spend": "1234.567", "scope": {"type": "user", "user_id": "user_7"}, "spend_limit_id": "spl_2",
}  # fmt: skip


def stated(format_name: str, said: Any, **options: Any) -> list[tuple[Any, ...]]:
    found = FORMATS[format_name].read(json.dumps(said).encode(), options)
    return [(x.kind, x.scope, x.scope_id, x.period, x.amount, x.is_enforced, x.spent) for x in found]


def test_amounts_are_cents() -> None:
    """10,000 cents are 100 USD, 150,000 are 1,500, 50,000 are 500; 1,234.567 cents are 12.34567 USD."""
    assert stated("openai_limits", OPENAI) == [("limit", "organization", "", "month", 100, True, None)]
    alerts = {"object": "list", "data": [ALERT], "has_more": False}
    assert stated("openai_limits", alerts) == [("alert", "organization", "", "month", 1500, None, None)]
    project = {**OPENAI, "object": "project.spend_limit"}
    assert stated("openai_limits", project, project="proj_1")[0][1:3] == ("project", "proj_1")
    assert stated("anthropic_limits", {"data": [ANTHROPIC, EFFECTIVE]}) == [
        ("limit", "organization", "", "month", 500, True, None),
        ("limit", "user", "user_7", "week", None, None, Decimal("12.34567")),
    ]


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        ({"type": "organization"}, ""),
        ({"type": "workspace", "workspace_id": "wrkspc_1"}, "wrkspc_1"),
        ({"type": "rbac_group", "rbac_group_id": "rbac_group_1"}, "rbac_group_1"),
        ({"type": "seat_tier", "seat_tier": "premium"}, "premium"),
        ({"type": "usage_tier", "usage_tier": "tier_3"}, "tier_3"),
        ({"type": "organization_service", "service": "claude_code"}, "claude_code"),
    ],
)
def test_every_scope_names_what_it_is_for(scope: dict[str, str], name: str) -> None:
    """Effective limits have no id of their own in every row: two tiers would be one."""
    assert stated("anthropic_limits", {"data": [{**ANTHROPIC, "scope": scope}]})[0][1:3] == (scope["type"], name)


def test_pages_are_read_as_one_list() -> None:
    pages = [{"data": [{**ALERT, "id": f"alert_{number}"}], "has_more": number < 2} for number in (1, 2)]
    assert len(stated("openai_limits", pages)) == 2


def test_a_limit_of_nothing_that_is_not_enforced_says_that_there_is_none() -> None:
    nothing = {**OPENAI, "threshold_amount": 0, "enforcement": {"status": "inactive"}}
    assert stated("openai_limits", nothing)[0][4:6] == (None, False)


@pytest.mark.parametrize(
    ("format_name", "said"),
    [
        ("openai_limits", {**OPENAI, "object": "organization.costs.result"}),
        ("openai_limits", {**OPENAI, "interval": "year"}),
        ("openai_limits", {**OPENAI, "threshold_amount": "canary-4711"}),
        ("openai_limits", {"data": "canary-4711"}),
        ("anthropic_limits", {"data": [{**ANTHROPIC, "period": "canary-4711"}]}),
        ("anthropic_limits", {"data": [{**ANTHROPIC, "scope": None}]}),
        ("anthropic_limits", {"data": [{**ANTHROPIC, "amount": "-5"}]}),
    ],
)
def test_what_is_not_of_the_format_is_refused_without_its_content(format_name: str, said: Any) -> None:
    with pytest.raises(LimitFileError) as error:
        stated(format_name, said)
    assert "canary" not in str(error.value)
