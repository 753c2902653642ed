"""What the projections rest on besides prices and boards: what moved them, own measurements, machines of one's own, claims of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from pipelines.finops import format as fmt
from pipelines.finops.report.collect import ReportData
from pipelines.finops.report.projection import baseline_words
from pipelines.finops.report.tables import (
    Cell,
    Table,
    count_cell,
    money_cell,
    number_column,
    share_cell,
    text_cell,
    text_column,
)

_EVENTS = {
    "price_change": "price changed",
    "scores": "new scores",
    "silent_change": "model behaves otherwise",
    "served_other": "another model answers",
}
MEASURES = {
    "input": "input tokens",
    "output": "output tokens",
    "loop": "tokens of an agent's tasks",
    "quality": "quality",
    "judge_error": "error of the judge",
    "ok": "calls that ended well",
    "score": "gold score",
}
"""What is measured, in words."""
_BASES = {"cited": "cited prices", "report_date": "true prices of its date", "today": "today"}


def moves_table(data: ReportData) -> Table:
    """One row per event and policy: what was saved without it and with it."""
    rows = data["routing_move"]
    decimals = fmt.decimals_for(pl.concat([rows["saving_usd_before"], rows["saving_usd_after"]]).drop_nulls())
    return Table(
        "routing-moves",
        "What moved the projections since the day before: the same traffic without the event and with it",
        [
            text_column("Event"),
            text_column("Policy"),
            number_column("Saving without", "USD"),
            number_column("Saving with", "USD"),
            number_column("Quality without", "%"),
            number_column("Quality with", "%"),
        ],
        [
            [
                text_cell(f"{_EVENTS[row['event']]} {row['model_id']}".strip(), note=_move_note(row)),
                text_cell(row["policy"], note=f"against {baseline_words(row['baseline'])}"),
                money_cell(row["saving_usd_before"], decimals),
                money_cell(row["saving_usd_after"], decimals),
                share_cell(row["quality_retained_before"]),
                share_cell(row["quality_retained_after"]),
            ]
            for row in rows.iter_rows(named=True)
        ],
        sql=data.sql["routing_move"],
    )


def _move_note(row: Mapping[str, Any]) -> str:
    reason = row["not_computed_reason"]
    return f"{row['explanation']} Not computed: {reason}." if reason else str(row["explanation"])


def measured_table(data: ReportData) -> Table:
    """What shadow runs of one's own show."""
    rows = data["measured"]
    return Table(
        "measured",
        "Measured on your own requests: a model against the one that ran, with 95 % intervals",
        [
            text_column("Measure"),
            number_column("Estimate"),
            number_column("95 % interval"),
            number_column("Pairs"),
            number_column("Sessions"),
        ],
        [
            [
                text_cell(
                    f"{MEASURES.get(row['measure'], row['measure'])} of {row['model_id']}", note=_measured_note(row)
                ),
                _figure(row["estimate"]),
                _bounds(row),
                count_cell(row["pairs"]),
                count_cell(row["sessions"]),
            ]
            for row in rows.iter_rows(named=True)
        ],
        sql=data.sql["measured"],
    )


def _measured_note(row: Mapping[str, Any]) -> str:
    parts = [f"against {row['against_model_id']}" if row["against_model_id"] else ""]
    parts.append(f"judged by {row['judge']}" if row["judge"] else "")
    parts.append(f"not used: {row['not_used_reason']}" if row["not_used_reason"] else "")
    return "; ".join(part for part in parts if part)


def off_policy_table(data: ReportData) -> Table:
    """What the log itself shows where several models served one use case."""
    rows = data["off_policy"]
    return Table(
        "off-policy",
        "What your log alone shows: all requests of a use case on one model, estimated from those that it did serve. No projection uses it",
        [
            text_column("Use case and model"),
            text_column("Measure"),
            number_column("Estimate", "%"),
            number_column("95 % interval", "%"),
            number_column("Requests served"),
        ],
        [
            [
                text_cell(f"{row['use_case']}: {row['model_id']}", note=f"method {row['method']}"),
                text_cell(MEASURES.get(row["measure"], row["measure"])),
                share_cell(row["estimate"]),
                _shares(row),
                count_cell(row["requests"]),
            ]
            for row in rows.iter_rows(named=True)
        ],
        sql=data.sql["off_policy"],
    )


def _figure(value: float | None) -> Cell:
    return Cell(fmt.NONE) if value is None else Cell(f"{value:.3g}", repr(value))


def _bounds(row: Mapping[str, Any]) -> Cell:
    known = row["low_95"] is not None and row["high_95"] is not None
    return Cell(f"{row['low_95']:.3g} to {row['high_95']:.3g}") if known else Cell(fmt.NONE)


def _shares(row: Mapping[str, Any]) -> Cell:
    known = row["low_95"] is not None and row["high_95"] is not None
    return Cell(f"{100 * row['low_95']:.1f} to {100 * row['high_95']:.1f}") if known else Cell(fmt.NONE)


def self_hosting_table(data: ReportData) -> Table:
    """Deployments, then the measured options that come nearest to paying."""
    rows = data["self_hosting"]
    decimals = fmt.decimals_for(rows["saving_usd_per_day"])
    return Table(
        "self-hosting",
        "Machines of your own against the cheapest API, at your own hours. Idle hours are paid for, and calls that they can't serve save nothing",
        [
            text_column("Machines"),
            number_column("Cost a day", "USD"),
            number_column("Demand served", "%"),
            number_column("Cost per million tokens", "USD"),
            number_column("API per million tokens", "USD"),
            number_column("Saving a day", "USD"),
        ],
        [
            [
                text_cell(row["option_id"], note=_option_note(row)),
                money_cell(row["fixed_usd_per_day"], 2),
                share_cell(row["served_share"]),
                money_cell(row["allocation_usd_per_mtok"], 2),
                money_cell(row["api_usd_per_mtok"], 2),
                money_cell(row["saving_usd_per_day"], decimals),
            ]
            for row in rows.iter_rows(named=True)
        ],
        sql=data.sql["self_hosting"],
    )


def _option_note(row: Mapping[str, Any]) -> str:
    kind = "your deployment" if row["is_deployed"] else "measured by others"
    pays = "" if row["is_reachable"] else "; at your hours no volume makes it pay"
    return f"{kind}, {fmt.plural(row['replicas'], 'replica')}; API at {row['api_provider_id']}{pays}"


def claims_table(data: ReportData) -> Table:
    """Published claims on routing and prices: one row each, with the verdict at three dates."""
    rows = data["claims"].pivot(
        on="date_basis", index=["claim", "about", "claimed", "unit"], values=["value_text", "verdict"]
    )
    bases = [basis for basis in _BASES if f"verdict_{basis}" in rows.columns]
    return Table(
        "claims",
        "What reports claim, computed again",
        [text_column("Claim"), text_column("Claimed"), *(text_column(_BASES[basis].capitalize()) for basis in bases)],
        [
            [
                text_cell(row["about"], note=row["claim"]),
                Cell(f"{row['claimed']} {row['unit']}".strip()),
                *(
                    text_cell(
                        row[f"verdict_{basis}"] or fmt.NONE,
                        note=f"{row[f'value_text_{basis}'] or fmt.NONE} {row['unit']}".strip(),
                    )
                    for basis in bases
                ),
            ]
            for row in rows.iter_rows(named=True)
        ],
        sql=data.sql["claims"],
    )
