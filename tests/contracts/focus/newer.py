"""The requirements of the columns that FOCUS 1.3 and 1.4 brought, which the model of 1.2 does not know: a check each, or why a file can't answer.

Source: FOCUS_Spec, one page a column in `specification/datasets/cost_and_usage/columns`. What a page allows and asks for nothing is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.books.focus.versions import VERSIONS, Version
from tests.contracts.focus.dynamic import OVER_TIME
from tests.contracts.focus.rules import Check, File, Outcome, is_plain_object, one_each

UNRECEIVED = "lost"
"""The rule of allocation in the month of the tests that finds no receiver."""
ONE_SCHEME = "there is one scheme of tags, the company's own"
NOT_KNOWN = "the programs of commitments that a seller offers are not known"
_SPLIT = (
    "AllocatedMethodId",
    "AllocatedMethodDetails",
    "AllocatedResourceId",
    "AllocatedResourceName",
    "AllocatedTags",
)
_JSON = ("AllocatedMethodDetails", "AllocatedTags", "ContractApplied")
_OWN_KEY = re.compile(r"x_[A-Z][A-Za-z0-9]*")
_NAMES_OF_CONTRACT = {
    "ContractId", "ContractCommitmentId", "ContractCommitmentAppliedCost", "ContractCommitmentAppliedQuantity", "ContractCommitmentAppliedUnit",
}  # fmt: skip
_COST, _QUANTITY, _UNIT = (f"ContractCommitmentApplied{name}" for name in ("Cost", "Quantity", "Unit"))
_BY_COST, _BY_QUANTITY = {_COST}, {_QUANTITY, _UNIT}


def _objects(file: File, column: str) -> list[dict[str, Any]]:
    return [json.loads(text, parse_float=Decimal, parse_int=Decimal) for text in file.values(column)]


def _elements(file: File, column: str) -> Iterator[dict[str, Any]]:
    return (element for value in _objects(file, column) for element in value["Elements"])


def _all(condition: pl.Expr) -> Check:
    return lambda file: bool(file.texts.select(condition.all()).item())


def _implies(*, if_null: str, null: str) -> Check:
    return _all(pl.col(if_null).is_not_null() | pl.col(null).is_null())


def _is_split() -> pl.Expr:
    return pl.any_horizontal(pl.col(*_SPLIT[1:]).is_not_null())


def _unreceived(file: File) -> bool:
    """What the rule UNRECEIVED takes is passed on to nobody."""
    rows = file.texts.filter(pl.col(_METHOD) == UNRECEIVED)
    return not rows.is_empty() and rows[_RESOURCE].null_count() == rows.height


def _known_keys(known: set[str]) -> Callable[[dict[str, Any]], bool]:
    return lambda value: all(key in known or _OWN_KEY.fullmatch(key) for key in value)


def _method_is_formed(file: File) -> bool:
    """Elements, each with a ratio that is a number, a unit where there is a quantity, and no other keys but x_ ones."""
    objects, elements = _objects(file, "AllocatedMethodDetails"), list(_elements(file, "AllocatedMethodDetails"))
    return (
        all(value["Elements"] for value in objects)
        and all(map(_known_keys({"Elements"}), objects))
        and all(map(_known_keys({"AllocatedRatio", "UsageUnit", "UsageQuantity"}), elements))
        and all(isinstance(element["AllocatedRatio"], Decimal) for element in elements)
        and all("UsageUnit" in element for element in elements if "UsageQuantity" in element)
    )


def _ratios(file: File) -> dict[str, list[tuple[Decimal, Decimal]]]:
    """Ratio and effective cost of each part, by the charge that was split."""
    found: dict[str, list[tuple[Decimal, Decimal]]] = {}
    split = file.texts.filter(pl.col("AllocatedMethodDetails").is_not_null())
    charge = pl.concat_str(_charge(file), separator=" ", ignore_nulls=True)
    for name, details, cost in split.select(charge, "AllocatedMethodDetails", "EffectiveCost").rows():
        ratio = sum(element["AllocatedRatio"] for element in json.loads(details, parse_float=Decimal)["Elements"])
        found.setdefault(name, []).append((Decimal(ratio), Decimal(cost)))
    return found


def _charge(file: File) -> list[str]:
    """What a charge is one of: the part of it that a commitment covered is a charge of its own."""
    return [name for name in ("x_ChargeId", "CommitmentDiscountId", "x_DiscountId") if name in file.texts.columns]


def _ratios_are_shares(file: File) -> bool:
    """A part's cost is its ratio of the charge's, but for the last decimal."""
    return all(
        abs(cost - ratio * sum(each for _, each in parts)) < Decimal("1e-17")
        for parts in _ratios(file).values()
        for ratio, cost in parts
    )


def _contract_is_formed(file: File) -> bool:
    """Elements with both ids as texts and either a cost, a number, or a quantity and its unit."""
    elements = list(_elements(file, "ContractApplied"))
    metrics = [{name for name in element if name.startswith("ContractCommitmentApplied")} for element in elements]
    return (
        all(map(_known_keys({"Elements"}), _objects(file, "ContractApplied")))
        and all(map(_known_keys(_NAMES_OF_CONTRACT), elements))
        and all(
            isinstance(element[name], str) for element in elements for name in ("ContractId", "ContractCommitmentId")
        )
        and all(names in (_BY_COST, _BY_QUANTITY) for names in metrics)
        and all(
            isinstance(element[name], Decimal)
            for element in elements
            for name in element.keys() & {*_BY_COST, _QUANTITY}
        )
    )


def _applied(file: File) -> pl.DataFrame:
    """The first element of each ContractApplied, with the row's seller, cost and currency."""
    rows = file.texts.filter(pl.col("ContractApplied").is_not_null())
    return rows.select(
        "ServiceProviderName",
        "ContractedCost",
        "BillingCurrency",
        *(pl.col("ContractApplied").str.json_path_match(f"$.Elements[0].{name}").alias(name) for name in sorted(_NAMES_OF_CONTRACT)),
    )  # fmt: skip


def _by_row(file: File) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each element of ContractApplied with its row."""
    rows = file.texts.filter(pl.col("ContractApplied").is_not_null())
    for row in rows.iter_rows(named=True):
        for element in json.loads(row["ContractApplied"], parse_float=Decimal, parse_int=Decimal)["Elements"]:
            yield element, row


def _costs_are_the_rows(file: File) -> bool:
    """Under a contract the cost at its price; of a commitment that is measured in money, how much of it."""
    return all(
        element[_COST] == Decimal(row["ContractedCost"])
        if element["ContractId"] == row["x_ContractId"]
        else row.get("CommitmentDiscountUnit") in (None, "USD")
        and element[_COST] == Decimal(row.get("CommitmentDiscountQuantity") or element[_COST])
        for element, row in _by_row(file)
        if _COST in element
    )


def _quantities_are_the_rows(file: File) -> bool:
    found = [(element, row) for element, row in _by_row(file) if _QUANTITY in element]
    return bool(found) and all(
        element[_QUANTITY] == Decimal(row["CommitmentDiscountQuantity"])
        and element[_UNIT] == row["CommitmentDiscountUnit"]
        for element, row in found
    )


def _resource_is_the_commitment(chosen: pl.Expr) -> Check:
    def check(file: File) -> bool:
        rows = file.texts.filter(chosen, pl.col("CommitmentDiscountId").is_not_null())
        named = pl.col("ContractApplied").str.json_path_match("$.Elements[0].ContractCommitmentId")
        return not rows.is_empty() and bool(rows.select((named == pl.col("ResourceId")).all()).item())

    return check


def _measures_are_told(file: File) -> bool:
    """A rule by spend has the money of each receiver, one that is even or by weights measures nothing."""
    found = [element for element in _elements(file, _DETAILS) if "UsageQuantity" in element]
    return bool(found) and all(element["UsageUnit"] == "USD" and element["UsageQuantity"] > 0 for element in found)


def _tags_are_new(file: File) -> bool:
    rows = file.texts.filter(pl.col("AllocatedTags").is_not_null()).select("Tags", "AllocatedTags").rows()
    return all(json.loads(own or "{}").keys().isdisjoint(json.loads(added)) for own, added in rows)


def _is_text(column: str) -> Check:
    return lambda file: file.typed.schema[column] == pl.String


def _is_tidy(column: str) -> Check:
    return lambda file: all(value == value.strip() != "" for value in file.values(column))


def _are_json(column: str) -> Check:
    return lambda file: all(isinstance(value, dict) for value in _objects(file, column))


_SINCE: dict[str, Version] = {"InvoiceDetailId": "1.4", "CommitmentProgramEligibilityDetails": "1.4"}
_COLUMNS = (*_SPLIT, "ContractApplied", "HostProviderName", "ServiceProviderName", "InvoiceDetailId")
_METHOD, _DETAILS, _RESOURCE, _NAME, _TAGS = _SPLIT

NEWER: dict[tuple[str, str], Check | str] = {
    **{(column, "is a text"): _is_text(column) for column in _COLUMNS},
    **{(column, "has no empty text and no space around it"): _is_tidy(column) for column in _COLUMNS},
    **{(column, "is a JSON object"): _are_json(column) for column in _JSON},
    (_METHOD, "is null where nothing is split"): _implies(if_null=_METHOD, null=_RESOURCE),
    (_METHOD, "is filled where something is split"): _all(~_is_split() | pl.col(_METHOD).is_not_null()),
    (_METHOD, "is named once in the method's documentation"): OVER_TIME,
    (_DETAILS, "is null where nothing is split"): _implies(if_null=_METHOD, null=_DETAILS),
    (_DETAILS, "is filled where something is split"): _implies(if_null=_DETAILS, null=_METHOD),
    (_DETAILS, "is formed as its schema says"): _method_is_formed,
    (_DETAILS, "has the ratio of the part to the charge"): _ratios_are_shares,
    (_DETAILS, "has ratios that sum to 1 over a charge"): lambda file: all(
        sum(ratio for ratio, _ in parts) == 1 for parts in _ratios(file).values()
    ),
    (_DETAILS, "names the unit and quantity that were measured"): _measures_are_told,
    (_RESOURCE, "is null where nothing is split"): _implies(if_null=_METHOD, null=_RESOURCE),
    (_RESOURCE, "is null on the part that found no receiver"): _unreceived,
    (_RESOURCE, "is filled on an allocated part"): _all(
        pl.col(_RESOURCE).is_not_null() | pl.col(_METHOD).is_null() | (pl.col(_METHOD) == UNRECEIVED)
    ),
    (_RESOURCE, "is there once in a charge"): lambda file: not file.texts.filter(pl.col(_RESOURCE).is_not_null())
    .select(*_charge(file), _RESOURCE)
    .is_duplicated()
    .any(),
    (_NAME, "is null where the id is"): _implies(if_null=_RESOURCE, null=_NAME),
    (_NAME, "is filled where the id is"): _implies(if_null=_NAME, null=_RESOURCE),
    (_TAGS, "is a flat object"): lambda file: all(map(is_plain_object, file.values(_TAGS))),
    (_TAGS, "is null where nothing is split"): _implies(if_null=_METHOD, null=_TAGS),
    (_TAGS, "repeats no tag of the charge"): _tags_are_new,
    (_TAGS, "has the tags of who pays"): _all(
        pl.col(_TAGS).is_null() | pl.col(_TAGS).str.contains(pl.col(_NAME), literal=True)
    ),
    (_TAGS, "has true for a tag without a value"): "every tag has a value",
    (_TAGS, "has values as they were given"): _all(
        pl.col(_TAGS).is_null() | pl.col(_TAGS).str.ends_with(pl.concat_str(pl.lit('"'), _NAME, pl.lit('"}')))
    ),
    (_TAGS, "prefixes tags that the seller defines"): ONE_SCHEME,
    (_TAGS, "documents the prefixes"): ONE_SCHEME,
    (_TAGS, "prefixes tags of several schemes"): ONE_SCHEME,
    ("ContractApplied", "is filled where a contract is applied"): _implies(if_null="ContractApplied", null="x_ContractId"),
    ("ContractApplied", "is formed as its schema says"): _contract_is_formed,
    ("ContractApplied", "names a contract of one seller"): lambda file: one_each(
        _applied(file), "ContractId", "ServiceProviderName"
    ),
    ("ContractApplied", "names a commitment of one seller"): lambda file: one_each(
        _applied(file), "ContractCommitmentId", "ServiceProviderName"
    ),
    ("ContractApplied", "names a commitment of one contract"): lambda file: one_each(
        _applied(file), "ContractCommitmentId", "ContractId"
    ),
    ("ContractApplied", "has its cost in the currency of the bill"): _costs_are_the_rows,
    ("ContractApplied", "has its quantity in its unit"): _quantities_are_the_rows,
    ("ContractApplied", "has a unit of FOCUS's form"): lambda file: {element[_UNIT] for element, _ in _by_row(file) if _UNIT in element} == {"Unit-Hours"},
    ("ContractApplied", "is the resource of a purchase"): _resource_is_the_commitment(pl.col("ChargeCategory") == "Purchase"),
    ("ContractApplied", "is the resource of an unused part"): _resource_is_the_commitment(pl.col("CommitmentDiscountStatus") == "Unused"),
    ("HostProviderName", "is filled where something is deployed"): _all(pl.col("HostProviderName").is_not_null()),
    ("HostProviderName", "is the host that the customer chose"): "no log names a host that a customer chose",
    ("HostProviderName", "is the seller where no host is shown"): _all(
        pl.col("HostProviderName") == pl.col("ServiceProviderName")
    ),
    ("ServiceProviderName", "is filled"): _all(pl.col("ServiceProviderName").is_not_null()),
    ("InvoiceDetailId", "is null where there is no invoice"): "every charge is on a provisional invoice",
    ("InvoiceDetailId", "is filled where there is an invoice, a provisional one too"): _all(
        pl.col("InvoiceId").is_null() | pl.col("InvoiceDetailId").is_not_null()
    ),
    ("InvoiceDetailId", "is of one invoice"): lambda file: one_each(file.texts, "InvoiceDetailId", "InvoiceId"),
    ("CommitmentProgramEligibilityDetails", "says which commitments a charge could be under"): NOT_KNOWN,
}  # fmt: skip
"""By column and what it asks for."""


def _has_commitments(file: File) -> bool:
    return "CommitmentDiscountId" in file.texts.columns


_KINDS: dict[tuple[str, str], Check] = {
    **{
        rule: _has_commitments
        for rule in NEWER
        if rule[0] == "ContractApplied"
        and rule[1].startswith(("has its quantity", "has a unit", "is the resource of a"))
    },
    (_RESOURCE, "is null on the part that found no receiver"): lambda file: UNRECEIVED in file.values(_METHOD),
    (_DETAILS, "names the unit and quantity that were measured"): lambda file: any(
        "UsageQuantity" in text for text in file.values(_DETAILS)
    ),
}
"""Rules on a kind of row that not every month has."""


def judged_newer(file: File, version: Version) -> dict[tuple[str, str], Outcome]:
    """The outcome of every requirement on the columns that `version` has; 1.2 has none of them."""
    return {
        rule: _outcome(file, rule, check)
        for rule, check in NEWER.items()
        if VERSIONS.index(version) >= VERSIONS.index(_SINCE.get(rule[0], "1.3"))
    }


def _outcome(file: File, rule: tuple[str, str], check: Check | str) -> Outcome:
    if isinstance(check, str):
        return Outcome("not applicable", check)
    if rule in _KINDS and not _KINDS[rule](file):
        return Outcome("not applicable", "no row is of that kind")
    return Outcome("passed" if check(file) else "failed")
