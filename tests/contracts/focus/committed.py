"""The small day of charges under commitments of every kind, and what FOCUS 1.2 puts into words on them: a check each.

Throughput that serves a part of the calls of model m and all of `granted`, a free tier on `tiered`, a credit that was granted and one that was bought and
expires, and cost of nobody that a rule passes on to team search.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg

from pipelines.config.allocation import Allocation
from pipelines.config.commitments import Commitments
from pipelines.daily.commitments import ledger_of
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.mart_commitments import COMMITMENT_USAGE
from pipelines.warehouse.tables.selfhost import HOURLY_DEMAND
from tests.charged import DAY, load_charged_day
from tests.contracts.focus.dynamic import DYNAMIC
from tests.contracts.focus.rules import Check, File, one_each

_TERM = {"provider_id": "acme", "from_date": "2026-02-14"}
DECLARED = Commitments.model_validate(
    {
        "provisioned": [
            {"commitment": "ptu", "models": ["m"], "units": 2, "usd_per_unit_hour": "0.10", "tokens_per_unit_hour": 400, **_TERM},
            {"commitment": "monthly", "models": ["granted"], "units": 1, "usd_per_unit_month": "1", "tokens_per_unit_hour": 5000, **_TERM},
        ],
        "free_tiers": [{"commitment": "free", "models": ["tiered"], "tokens_per_day": 100, **_TERM}],
        "credits": [
            {"commitment": "gift", "usd": "0.001", "priority": -1, "granted": True, **_TERM},
            {"commitment": "prepaid", "usd": 1, "to_date": "2026-02-15", **_TERM},
        ],
    }
)  # fmt: skip
SHARED = Allocation.model_validate(
    {
        "rules": [
            {"name": "lost", "when": {"model_id": "searching"}, "to": "cost_centre", "by": "even"},
            {"name": "nobody", "when": {"team": "unattributed"}, "to": "team", "by": "spend"},
        ]
    }
)
"""What `searching` costs finds no cost centre; everything else of nobody is search's."""
HOURS = [("m", 1505, 11), ("granted", 1000, 100)]
MAY_BE = {
    "COMMITMENT_DISCOUNT_SUPPORTED", "BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED", "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED",
    "MULTIPLE_PRICING_CATEGORIES_SUPPORTED",
}  # fmt: skip
CONTRADICTED = {
    "CommitmentDiscountStatus-C-003-C",
    "CommitmentDiscountStatus-C-004-C",
    "CommitmentDiscountStatus-C-005-M",
}
"""The model's text and its own check differ: it wants the status filled where there is no commitment, and of other values than Used and Unused."""


def load_committed_day(connection: psycopg.Connection[Any]) -> None:
    """The charges of tests.charged, and the ledger of DECLARED over them."""
    load_charged_day(connection)
    hours = [(DAY, 12, "chat", "acme", model, 1, given, written) for model, given, written in HOURS]
    replace_all(connection, HOURLY_DEMAND, pl.DataFrame(hours, schema=HOURLY_DEMAND.polars_schema, orient="row"))
    replace_all(connection, COMMITMENT_USAGE, ledger_of(connection, DECLARED).usage)


def _rows(file: File, **values: str) -> pl.DataFrame:
    return file.texts.filter(pl.col(name) == value for name, value in values.items())


def _of_discounts(file: File) -> pl.DataFrame:
    return file.texts.filter(pl.col("CommitmentDiscountId").is_not_null())


def _sum(rows: pl.DataFrame, column: str) -> Decimal:
    return sum((Decimal(value) for value in rows[column].drop_nulls()), Decimal(0))


def _all(rows: pl.DataFrame, condition: pl.Expr) -> bool:
    return not rows.is_empty() and bool(rows.select(condition.all()).item())


def _amortised(file: File) -> bool:
    """For each commitment what was used and what was not are together what was purchased."""
    return all(
        _sum(own.filter(pl.col("ChargeCategory") == "Usage"), "EffectiveCost")
        == _sum(own.filter(pl.col("ChargeCategory") == "Purchase"), "BilledCost")
        > 0
        for own in _of_discounts(file).partition_by("CommitmentDiscountId")
    )


def _measured(file: File) -> bool:
    """For each commitment the quantities that were used and not used are together the quantity that was purchased."""
    return all(
        _sum(own.filter(pl.col("ChargeCategory") == "Usage"), "CommitmentDiscountQuantity")
        == _sum(own.filter(pl.col("ChargeCategory") == "Purchase"), "CommitmentDiscountQuantity")
        > 0
        for own in _of_discounts(file).partition_by("CommitmentDiscountId")
    )


def _own_resource(file: File) -> bool:
    own = pl.concat([_rows(file, ChargeCategory="Purchase"), _rows(file, CommitmentDiscountStatus="Unused")])
    return _all(own, pl.col("ResourceId") == pl.col("CommitmentDiscountId"))


def _covered(file: File) -> pl.DataFrame:
    return _rows(file, CommitmentDiscountStatus="Used")


def _split(file: File) -> bool:
    """A charge that is covered in part is two rows with the unit price of the charge: one billed at nothing."""
    of_ptu = _rows(file, SkuId="acme/m/input_uncached")
    return of_ptu["ListUnitPrice"].n_unique() == 1 and of_ptu["CommitmentDiscountId"].n_unique() > 1


def _is_known(column: str) -> Check:
    return lambda file: _all(_of_discounts(file), pl.col(column).is_not_null())


def _credits_match(file: File) -> bool:
    names = ("ListCost", "ContractedCost", "EffectiveCost")
    return _all(
        _rows(file, ChargeCategory="Credit"), pl.all_horizontal(pl.col(name) == pl.col("BilledCost") for name in names)
    )


def _usage_of_models(check: Check) -> Check:
    """What models were used for, without the rows that commitments have themselves, which no price of a model explains."""
    return lambda file: check(
        File(file.texts.filter(~pl.col("SkuId").fill_null("").str.contains("/commitment/")), file.typed)
    )


def _of(name: str) -> Check:
    check = DYNAMIC[name]
    assert callable(check)
    return check


_PRICED = ("SkuPriceId-C-013-M",)
_ids: Callable[[File], bool] = lambda file: set(file.values("CommitmentDiscountId")) == {"ptu", "monthly", "prepaid"}  # noqa: E731

COMMITTED: dict[str, Check | str] = {
    **DYNAMIC,
    **{name: _usage_of_models(_of(name)) for name in _PRICED},
    "ColumnHandling-A-008-M": lambda file: set(file.values("ChargeCategory")) == {"Usage", "Purchase", "Credit", "Adjustment"}
    and set(file.values("PricingCategory")) == {"Standard", "Committed"},
    "PricingCategory-C-008-C": lambda file: _all(_rows(file, PricingCategory="Standard"), pl.col("CommitmentDiscountStatus").is_null()),
    "PricingCategory-C-009-C": lambda file: _all(
        file.texts.filter(pl.col("PricingCategory").is_not_null()),
        (pl.col("PricingCategory") == "Committed") == pl.col("CommitmentDiscountStatus").is_not_null(),
    ),
    "RegionId-C-004-C": lambda file: set(file.texts.filter(pl.col("SkuId").fill_null("").str.starts_with("acme/m/"))["RegionId"]) == {"eu"},
    "DiscountHandling-A-001-C": lambda file: _all(file.texts.filter(pl.col("ChargeCategory") != "Credit"), pl.col("ListCost").cast(pl.Float64) >= -1),
    "DiscountHandling-A-003-C": _split,
    "DiscountHandling-A-004-C": _split,
    "DiscountHandling-A-006-C": lambda file: _all(_rows(file, PricingCategory="Committed"), pl.col("CommitmentDiscountId").is_not_null()),
    "DiscountHandling-A-007-C": lambda file: set(file.values("x_DiscountId")) == {"free", "gift"},
    "DiscountHandling-A-009-C": lambda file: _all(_covered(file), pl.col("BilledCost").cast(pl.Float64) == 0),
    "DiscountHandling-A-010-C": lambda file: _all(_covered(file), pl.col("EffectiveCost").cast(pl.Float64) > 0),
    "DiscountHandling-A-011-C": _amortised,
    "DiscountHandling-A-012-C": _own_resource,
    "DiscountHandling-A-013-C": lambda file: set(_rows(file, ChargeCategory="Purchase")["CommitmentDiscountId"]) == {"ptu", "monthly", "prepaid"},
    "DiscountHandling-A-014-C": lambda file: _all(
        _rows(file, PricingCategory="Committed").filter(pl.col("ConsumedQuantity").is_not_null()), pl.col("CommitmentDiscountStatus") == "Used"
    ),
    "DiscountHandling-A-015-C": _ids,
    "DiscountHandling-A-016-C": lambda file: _all(_covered(file), pl.col("ResourceId").str.ends_with(pl.col("x_ModelId"))),
    "DiscountHandling-A-017-C": _amortised,
    "DiscountHandling-A-018-C": lambda file: set(_rows(file, CommitmentDiscountStatus="Unused")["ChargeCategory"]) == {"Usage"},
    "DiscountHandling-A-019-C": _own_resource,
    "DiscountHandling-A-020-C": lambda file: set(_rows(file, x_DiscountId="gift")["ChargeCategory"]) == {"Credit"},
    "CommitmentDiscountName-C-006-C": _is_known("CommitmentDiscountName"),
    "CommitmentDiscountId-C-004-C": lambda file: _all(_rows(file, x_DiscountId="free"), pl.col("CommitmentDiscountId").is_null()),
    "CommitmentDiscountId-C-005-C": _ids,
    "CommitmentDiscountId-C-007-M": lambda file: one_each(file.texts, "CommitmentDiscountId", "ProviderName"),
    "CommitmentDiscountId-C-008-C": "commitments are named as commitments.yaml names them",
    "CommitmentDiscountUnit-C-008-M": lambda file: one_each(_of_discounts(file), "CommitmentDiscountId", "CommitmentDiscountUnit"),
    "CommitmentDiscountUnit-C-009-M": lambda file: set(file.values("CommitmentDiscountUnit")) == {"Unit-Hours", "USD"},
    "CommitmentDiscountUnit-C-010-C": "no seller states flexibility",
    "CommitmentDiscountQuantity-C-009-M": lambda file: all(Decimal(value) > 0 for value in file.values("CommitmentDiscountQuantity")),
    "CommitmentDiscountQuantity-C-011-C": lambda file: set(_rows(file, ChargeFrequency="One-Time")["CommitmentDiscountQuantity"].cast(pl.Float64)) == {1.0},
    "CommitmentDiscountQuantity-C-012-C": lambda file: set(_rows(file, ChargeFrequency="Recurring")["CommitmentDiscountQuantity"].cast(pl.Float64)) == {24.0, 48.0},
    "CommitmentDiscountQuantity-C-014-C": _measured,
    "CommitmentDiscountQuantity-C-015-C": _measured,
    "EffectiveCost-C-010-C": _credits_match,
    "EffectiveCost-C-012-C": _amortised,
    "EffectiveCost-C-013-C": lambda file: _all(_of_discounts(file).filter(pl.col("ChargeCategory") == "Usage"), pl.col("CommitmentDiscountStatus").is_in(["Used", "Unused"])),
    "ContractedCost-C-008-C": _credits_match,
    "ListCost-C-008-C": _credits_match,
    "ResourceId-C-004-C": lambda file: _all(file.texts, pl.col("ResourceId").is_null() == pl.col("CommitmentDiscountId").is_null()),
    "ResourceId-C-005-C": _is_known("ResourceId"),
    "ResourceId-C-007-M": lambda file: one_each(file.texts, "ResourceId", "ResourceType"),
    "ResourceId-C-008-O": "commitments are named as commitments.yaml names them",
    "ResourceName-C-004-C": lambda file: _all(file.texts.filter(pl.col("ResourceId").is_null()), pl.col("ResourceName").is_null()),
    "ResourceName-C-005-C": _is_known("ResourceName"),
    "ResourceName-C-006-C": lambda file: _all(_of_discounts(file), pl.col("ResourceName") != pl.col("ResourceId")),
}  # fmt: skip
