"""Schema of `focus.yaml`: your accounts with the sellers, which FOCUS exports need and no log states."""

from __future__ import annotations

from pydantic import Field

from pipelines.config.declaration import Declaration


class BillingAccount(Declaration):
    """Your account with a seller, as its invoices name it."""

    id: str = Field(min_length=1)
    name: str | None = Field(default=None, min_length=1)


class FocusConfig(Declaration):
    """The whole of `focus.yaml`: accounts by seller."""

    billing_accounts: dict[str, BillingAccount] = Field(default_factory=dict)
