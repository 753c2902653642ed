"""The rules of FOCUS 1.2 that its model only puts into words: a check each, or why a file can't answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import polars as pl

from tests.contracts.focus.rules import INSTANT, NUMBER, UNIT, Check, File, is_plain_object, one_each, product_matches

OVER_TIME = "a practice over months or in documents, which one file does not show"
INVOICE = "it compares with the seller's own invoice or price list"
NO_SUCH_ROW = "no row is of that kind: no tax, purchase, credit, correction or commitment"
NO_SUCH_PROPERTY = "no property of that kind: FOCUS 1.2 defines none that a model has"

_DATES = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
_NUMBERS = (
    "BilledCost", "ConsumedQuantity", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "ListCost", "ListUnitPrice",
    "PricingQuantity", "CommitmentDiscountQuantity",
)  # fmt: skip
_COSTS = (("ListUnitPrice", "ListCost"), ("ContractedUnitPrice", "ContractedCost"))
_PLACEHOLDERS = {"", "null", "none", "n/a", "na", "not applicable", "unknown", "unattributed", "-"}


def _usage(file: File) -> pl.DataFrame:
    return file.texts.filter(pl.col("ChargeCategory") == "Usage")


def _focus(file: File) -> list[str]:
    return [name for name in file.texts.columns if not name.startswith("x_")]


def _custom(file: File) -> list[str]:
    return [name for name in file.texts.columns if name.startswith("x_")]


def _numbers(file: File) -> Iterable[str]:
    return (value for name in _NUMBERS if name in file.texts.columns for value in file.values(name))


def _objects(file: File, column: str) -> list[dict[str, object]]:
    return [json.loads(value) for value in file.values(column)]


def _prices_match(file: File) -> bool:
    return all(product_matches(file.texts, price, "PricingQuantity", cost) for price, cost in _COSTS)


def _dated(file: File) -> bool:
    return all(INSTANT.fullmatch(value) for name in _DATES for value in file.values(name))


def _numeric(file: File) -> bool:
    return all(NUMBER.fullmatch(value) for value in _numbers(file))


def _within_the_month(file: File) -> bool:
    """The billing period is one calendar month, its end exclusive, and holds every charge."""
    start, end = pl.col("BillingPeriodStart"), pl.col("BillingPeriodEnd")
    month = (start.dt.day() == 1) & (start.dt.offset_by("1mo") == end)
    inside = (pl.col("ChargePeriodStart") >= start) & (pl.col("ChargePeriodEnd") <= end)
    return bool(file.typed.select((month & inside).all()).item())


def _of_one_day(file: File) -> bool:
    day = pl.col("ChargePeriodStart")
    return bool(file.typed.select((day.dt.offset_by("1d") == pl.col("ChargePeriodEnd")).all()).item())


def _filled(rows: pl.DataFrame, *columns: str) -> bool:
    return all(rows[name].null_count() == 0 for name in columns)


def _named_by_seller_model_meter(file: File) -> bool:
    return all(value.count("/") == 2 for value in file.values("SkuId"))


def _sku_price_names_no_account_or_day(file: File) -> bool:
    accounts = set(file.values("BillingAccountId"))
    return all(
        not re.search(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T", value) and not any(account in value for account in accounts)
        for value in file.values("SkuPriceId")
    )


def _tags_of(*allowed: str) -> Check:
    return lambda file: all(set(tags) <= set(allowed) for tags in _objects(file, "Tags"))


def _no_output_writes_a_cache(file: File) -> bool:
    return all(
        "x_TokenCacheAction" not in details or details["x_TokenDirection"] == "Input"
        for details in _objects(file, "SkuPriceDetails")
    )


DYNAMIC: dict[str, Check | str] = {
    **dict.fromkeys([f"DateTimeFormat-A-00{n}-M" for n in (1, 2, 4, 5, 6)], _dated),
    "CurrencyFormat-A-001-C": lambda file: all(
        re.fullmatch("[A-Z]{3}", value) for name in ("BillingCurrency", "x_PricingCurrency") for value in file.values(name)
    ),
    "CurrencyFormat-A-002-C": "no price is in a virtual currency",
    "NumericFormat-A-001-O": lambda file: all(NUMBER.fullmatch(value) for value in file.values("x_ExchangeRate")),
    **dict.fromkeys([f"NumericFormat-A-0{n:02}-M" for n in range(2, 12)], _numeric),
    "NumericFormat-A-012-M": lambda file: all(isinstance(file.typed.schema[name], pl.Decimal) for name in _NUMBERS if name in file.texts.columns),
    "NumericFormat-A-013-O": OVER_TIME,
    "StringHandling-A-001-M": lambda file: all(
        value.encode().decode() == value for name in file.texts.columns for value in file.values(name)
    ),
    "StringHandling-A-002-O": lambda file: all(value.strip() for name in _custom(file) for value in file.values(name)),
    "StringHandling-A-003-M": lambda file: {"eu"} <= set(file.values("RegionId")),
    **dict.fromkeys([f"StringHandling-A-00{n}-M" for n in (4, 5, 6)], OVER_TIME),
    "StringHandling-A-007-M": lambda file: all(
        value.strip() for name in _focus(file) for value in file.values(name)
    ),
    "ColumnHandling-A-001-M": lambda file: all(re.fullmatch("([A-Z][a-z]+)+", name) for name in _focus(file)),
    "ColumnHandling-A-002-M": "the names are FOCUS's own",
    "ColumnHandling-A-003-M": lambda file: all(name.removeprefix("x_").isalnum() for name in file.texts.columns),
    "ColumnHandling-A-004-O": "the names are FOCUS's own",
    "ColumnHandling-A-005-O": lambda file: all(len(name) <= 50 for name in file.texts.columns),
    "ColumnHandling-A-006-M": lambda file: all(
        f"{name.removesuffix('Name')}Id" in file.texts.columns for name in ("BillingAccountName", "RegionName")
    ),
    "ColumnHandling-A-008-M": lambda file: set(file.values("ChargeCategory")) <= {"Usage", "Adjustment"}
    and set(file.values("PricingCategory")) == {"Standard"}
    and set(file.values("ServiceCategory")) == {"AI and Machine Learning"},
    "ColumnHandling-A-010-M": lambda file: set(_focus(file)).isdisjoint(_custom(file)) and bool(_custom(file)),
    "ColumnHandling-A-011-O": lambda file: all(re.fullmatch("x_([A-Z][a-z]+)+", name) for name in _custom(file)),
    "ColumnHandling-A-012-O": lambda file: file.texts.columns[: len(_focus(file))] == _focus(file),
    "ColumnHandling-A-013-O": lambda file: file.texts.columns[len(_focus(file)) :] == _custom(file),
    **dict.fromkeys(
        ["UnitFormat-A-001-M", "UnitFormat-A-003-M", "UnitFormat-A-004-C"],
        lambda file: all(UNIT.fullmatch(value) for name in ("ConsumedUnit", "PricingUnit") for value in file.values(name)),
    ),
    **dict.fromkeys(
        [f"KeyValueFormat-A-00{n}-M" for n in (1, 2, 3, 4)],
        lambda file: all(is_plain_object(value) for name in ("Tags", "SkuPriceDetails") for value in file.values(name)),
    ),
    **dict.fromkeys(
        ["NullHandling-A-001-C", "NullHandling-A-002-M"],
        lambda file: all(
            value.lower() not in _PLACEHOLDERS for name in file.texts.columns for value in file.values(name)
        )
        and not any(str(value).lower() in _PLACEHOLDERS for tags in _objects(file, "Tags") for value in tags.values()),
    ),
    "BillingAccountId-C-004-M": lambda file: one_each(file.texts, "ProviderName", "BillingAccountId"),
    "BillingAccountId-C-005-O": "the account is written as focus.yaml names it",
    "BillingPeriodStart-C-004-M": _within_the_month,
    "BillingPeriodEnd-C-004-M": _within_the_month,
    "ChargePeriodStart-C-004-M": _of_one_day,
    "ChargePeriodEnd-C-004-M": _of_one_day,
    "SkuMeter-C-006-O": lambda file: one_each(file.texts, "SkuId", "SkuMeter"),
    **dict.fromkeys(
        ["ListUnitPrice-C-009-M", "PricingQuantity-C-009-C", "ContractedUnitPrice-C-010-C", "ContractedCost-C-009-C",
         "ContractedCost-C-005-M", "ListCost-C-005-M"],
        _prices_match,
    ),
    "ChargeDescription-C-004-O": OVER_TIME,
    "SkuPriceId-C-009-M": _sku_price_names_no_account_or_day,
    "SkuPriceId-C-010-M": _sku_price_names_no_account_or_day,
    "SkuPriceId-C-012-C": lambda file: _filled(_usage(file), "SkuPriceId", "ServiceName"),
    "SkuPriceId-C-013-M": lambda file: _filled(_usage(file), "x_PriceId"),
    "SkuPriceId-C-014-C": lambda file: _filled(_usage(file), "SkuPriceId", "ListUnitPrice"),
    "SkuPriceId-C-015-C": lambda file: _filled(_usage(file), "SkuPriceId", "ContractedUnitPrice"),
    "InvoiceId-C-007-C": lambda file: one_each(file.texts, "InvoiceId", "BillingAccountId"),
    "SkuPriceDetails-C-002-O": lambda file: all(
        re.fullmatch("x_([A-Z][a-z]+)+", key) for details in _objects(file, "SkuPriceDetails") for key in details
    ),
    "SkuPriceDetails-C-007-M": lambda file: one_each(file.texts, "SkuPriceId", "SkuPriceDetails"),
    "SkuPriceDetails-C-008-M": _no_output_writes_a_cache,
    "SkuPriceDetails-C-009-C": NO_SUCH_PROPERTY,
    "SkuPriceDetails-C-010-C": NO_SUCH_PROPERTY,
    **dict.fromkeys(["SkuPriceDetails-C-013-O", "SkuPriceDetails-C-014-O", "SkuPriceDetails-C-016-O"], OVER_TIME),
    "SkuPriceDetails-C-017-C": lambda file: all(
        key.startswith("x_") for details in _objects(file, "SkuPriceDetails") for key in details
    ),
    **dict.fromkeys(["SkuPriceDetails-C-018-C", "SkuPriceDetails-C-022-C"], "no property is a number"),
    **dict.fromkeys(["SkuPriceDetails-C-020-M", "SkuPriceDetails-C-021-M"], NO_SUCH_PROPERTY),
    "ConsumedQuantity-C-008-C": lambda file: all(NUMBER.fullmatch(value) for value in file.values("ConsumedQuantity")),
    **dict.fromkeys(["SkuId-C-008-M", "SkuId-C-009-M", "SkuId-C-010-M"], _named_by_seller_model_meter),
    "SkuId-C-011-C": lambda file: _filled(_usage(file), "SkuId", "ServiceName"),
    "PricingCategory-C-008-C": lambda file: set(_usage(file)["PricingCategory"]) == {"Standard"},
    **dict.fromkeys([f"PricingCategory-C-0{n}-C" for n in ("09", "10", "11")], NO_SUCH_ROW),
    "ServiceName-C-006-C": "a suitable category exists",
    "ServiceName-C-009-C": "a suitable subcategory exists",
    "RegionId-C-004-C": lambda file: set(file.texts.filter(pl.col("x_ModelId") == "m")["RegionId"]) == {"eu"},
    "PricingUnit-C-008-M": INVOICE,
    "PricingUnit-C-009-C": INVOICE,
    "BillingCurrency-C-005-M": INVOICE,
    "BilledCost-C-007-M": INVOICE,
    **dict.fromkeys(
        ["BilledCost-C-006-M", "EffectiveCost-C-006-M"],
        lambda file: set(file.values("BillingCurrency")) == {"USD"},
    ),
    **dict.fromkeys(
        ["EffectiveCost-C-009-C", "EffectiveCost-C-010-C", "EffectiveCost-C-012-C", "EffectiveCost-C-013-C",
         "ContractedCost-C-007-C", "ContractedCost-C-008-C", "ListCost-C-007-C", "ListCost-C-008-C", "ChargeClass-C-004-C"],
        NO_SUCH_ROW,
    ),
    "ChargeClass-C-003-C": lambda file: not file.values("ChargeClass"),
    "Tags-C-004-M": lambda file: {str(tags.get("team")) for tags in _objects(file, "Tags")} == {"search", "None"},
    **dict.fromkeys(["Tags-C-005-M", "Tags-C-009-M", "Tags-C-010-C", "Tags-C-013-M"], OVER_TIME),
    "Tags-C-006-M": lambda file: all(value is not None for tags in _objects(file, "Tags") for value in tags.values()),
    "Tags-C-008-M": "every tag has a value",
    **dict.fromkeys(["Tags-C-012-M", "Tags-C-015-C", "Tags-C-017-M"], "there is one scheme of tags, the company's own"),
    "Tags-C-016-C": _tags_of("team", "project", "cost_centre", "environment", "application"),
}  # fmt: skip
