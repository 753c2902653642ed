"""Schema of `reconciliation.yaml`: after how many days bills are complete, and which differences are worth a person's time."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from pipelines.config.declaration import Declaration


class Tolerance(Declaration):
    """A difference within `usd`, or within `share` of what is billed, needs no work."""

    usd: Decimal = Field(default=Decimal(1), ge=0)
    share: Decimal = Field(default=Decimal("0.01"), ge=0, le=1)

    def accepts(self, difference: Decimal, billed: Decimal) -> bool:
        """Whether the difference is small enough in either way."""
        return abs(difference) <= max(self.usd, self.share * abs(billed))


class SellerRules(Declaration):
    """Rules for the bills of one seller, in place of the general ones."""

    lag_days: int | None = Field(default=None, ge=0, le=92)
    tolerance: Tolerance | None = None


class Reconciliation(Declaration):
    """The whole of `reconciliation.yaml`. A day is settled when a bill is exported `lag_days` after its end."""

    lag_days: int = Field(default=2, ge=0, le=92)
    tolerance: Tolerance = Tolerance()
    sellers: dict[str, SellerRules] = Field(default_factory=dict)

    def lag_of(self, seller: str) -> int:
        """Days after which the seller's bill of a day is complete."""
        own = self.sellers.get(seller, SellerRules()).lag_days
        return self.lag_days if own is None else own

    def tolerance_of(self, seller: str) -> Tolerance:
        """The differences that need no work."""
        return self.sellers.get(seller, SellerRules()).tolerance or self.tolerance
