"""The audit: every claim at three dates, with value, verdict and the condition that makes it true.

Formulas are in `formulas.py`, true values in `known.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any, Literal

import polars as pl

from pipelines.claims.formulas import FORMULAS, Formula, FormulaError
from pipelines.claims.known import Found, Known, UnknownInputError
from pipelines.config.claims import Claim, Claimed, Input
from pipelines.warehouse.tables.mart_evidence import CLAIMS_AUDIT

DateBasis = Literal["cited", "report_date", "today"]
Verdict = Literal["holds", "conditional", "fails", "unverified"]
_SMALLEST = Decimal(1).scaleb(-18)


@dataclass(frozen=True)
class Finding:
    """What one claim comes to on one date basis. `reason` says why it is unverified."""

    verdict: Verdict
    value: Decimal | str | None = None
    condition: str | None = None
    inputs: Mapping[str, Found] | None = None
    reason: str | None = None


def audit(known: Known, today: datetime) -> pl.DataFrame:
    """Rows of mart.claims_audit: one per claim and date basis.

    cited: the numbers that the report itself cites. report_date: true values at the end of the report's day. today:
    those that hold at `today`. A claim that can't be computed is unverified and costs no other.
    """
    config = known.config
    rows: list[dict[str, Any]] = []
    with localcontext() as context:
        context.prec, context.rounding = 50, ROUND_HALF_EVEN
        for claim in config.claims:
            stated = datetime.combine(claim.report_date or config.report_date, time(23, 59, 59), UTC)
            dates: dict[DateBasis, datetime] = {"cited": stated, "report_date": stated, "today": today}
            for basis, at in dates.items():
                row = _row(claim, basis, at.date(), _finding(claim, basis, at, known))
                rows.append(row | {"report": claim.report or config.report})
    return pl.DataFrame(rows, schema=CLAIMS_AUDIT.polars_schema)


def _finding(claim: Claim, basis: DateBasis, at: datetime, known: Known) -> Finding:
    formula = FORMULAS.get(claim.formula)
    if formula is None:
        return Finding("unverified", reason=f"formula {claim.formula!r} is not known; accepted: {', '.join(FORMULAS)}")
    try:
        inputs = dict(_resolved(formula, claim.inputs, basis, at, known))
        value = _value(formula, inputs)
    except (UnknownInputError, FormulaError) as error:
        return Finding("unverified", reason=str(error))
    turning = _turning_point(formula, inputs, claim)
    if _is_met(claim.claimed, value):
        condition = "; ".join(filter(None, (claim.assumes, turning)))
        return Finding("conditional" if claim.assumes else "holds", value, condition or None, inputs)
    for other in claim.holds_if:
        try:
            changed = dict(_resolved(formula, {**claim.inputs, **other.inputs}, basis, at, known))
            if _is_met(claim.claimed, _value(formula, changed)):
                return Finding("conditional", value, other.condition, inputs)
        except (UnknownInputError, FormulaError):
            continue
    mended = claim.true_if or turning or f"the number is {shown(value)} {_unit(claim, formula)}".strip()
    return Finding("fails", value, mended, inputs)


def _resolved(
    formula: Formula, inputs: Mapping[str, Input], basis: DateBasis, at: datetime, known: Known
) -> Iterator[tuple[str, Found]]:
    """Each input of the formula with its value on the basis. Raises UnknownInputError."""
    strange = sorted(set(inputs) - set(formula.inputs))
    if strange:
        accepted = ", ".join(formula.inputs)
        raise UnknownInputError(f"formula {formula.name} has no input {strange[0]!r}; accepted: {accepted}")
    for name, default in formula.inputs.items():
        needed = inputs.get(name)
        if needed is not None:
            try:
                yield name, _cited(needed) if basis == "cited" else known.value(needed, at)
            except UnknownInputError as error:
                raise UnknownInputError(f"{name}: {error}") from error
        elif default is not None:
            yield name, Found(default, "default of the formula")
        else:
            raise UnknownInputError(f"{name}: formula {formula.name} needs it, and claims.yaml does not give it")


def _cited(needed: Input) -> Found:
    if needed.cited is not None:
        return Found(needed.cited, "cited by the report")
    if needed.value is not None:
        return Found(needed.value, needed.source or "the same at all times")
    raise UnknownInputError("the report cites nothing that it could be computed from")


def _value(formula: Formula, inputs: Mapping[str, Found]) -> Decimal | str:
    only = inputs.get("number")
    if formula.name == "as_stated" and only is not None and isinstance(only.value, str):
        return only.value
    return formula(_numbers(inputs))


def _numbers(inputs: Mapping[str, Found]) -> dict[str, Decimal]:
    texts = [name for name, found in inputs.items() if isinstance(found.value, str)]
    if texts:
        raise FormulaError(f"{texts[0]} is a text, and the formula needs a number")
    return {name: found.value for name, found in inputs.items() if isinstance(found.value, Decimal)}


def _turning_point(formula: Formula, inputs: Mapping[str, Found], claim: Claim) -> str | None:
    least, _ = claim.claimed.bounds
    if formula.turning_point is None or least is None:
        return None
    return formula.turns_at(_numbers(inputs), least)


def _is_met(claimed: Claimed, value: Decimal | str) -> bool:
    if claimed.text is not None or isinstance(value, str):
        return claimed.text is not None and claimed.text.casefold() == str(value).casefold()
    low, high = claimed.bounds
    return (low is None or value >= low) and (high is None or value <= high)


def _row(claim: Claim, basis: DateBasis, on: date, finding: Finding) -> dict[str, Any]:
    formula = FORMULAS.get(claim.formula)
    value = finding.value
    inputs = [
        {"input": name, "value": shown(found.value), "source": found.source}
        for name, found in (finding.inputs or {}).items()
    ]
    return {
        "claim": claim.claim,
        "date_basis": basis,
        "as_of": on,
        "about": claim.about,
        "report_lines": ", ".join(str(line) for line in claim.lines),
        "claimed": _claimed_text(claim.claimed),
        "unit": _unit(claim, formula),
        "formula": claim.formula,
        "formula_text": None if formula is None else formula.text,
        "inputs": json.dumps(inputs),
        "value": value.quantize(_SMALLEST) if isinstance(value, Decimal) else None,
        "value_text": None if value is None else shown(value),
        "verdict": finding.verdict,
        "condition": finding.condition,
        "unverified_reason": finding.reason,
        "source": claim.source or None,
    }


def _unit(claim: Claim, formula: Formula | None) -> str:
    return claim.unit or ("" if formula is None else formula.unit)


def _claimed_text(claimed: Claimed) -> str:
    if claimed.text is not None:
        return claimed.text
    if claimed.value is not None:
        return f"{'about ' if claimed.is_about else ''}{claimed.value:f}"
    low, high = claimed.bounds
    if low is None or high is None:
        return f"at most {high:f}" if low is None else f"at least {low:f}"
    return f"{low:f} to {high:f}"


def shown(value: Decimal | str) -> str:
    """A value for people: six digits that say something, the whole of a large number."""
    if isinstance(value, str):
        return value
    digits = max(0, 5 - value.adjusted()) if value else 0
    text = f"{value:.{min(digits, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
