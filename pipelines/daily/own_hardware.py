"""The deployments of `selfhost.yaml` as the ledger of commitments takes them: what each day costs, and what they can serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import psycopg

from pipelines.books.commitments.hardware import OwnHardware
from pipelines.config.commitments import Commitment
from pipelines.config.selfhost import Deployment, Throughput
from pipelines.daily.known_days import known_days
from pipelines.selfhost.costs import FixedCost, fixed_cost
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.read import read_table
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.selfhost import GPU_PRICE
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of

_SECONDS_OF_AN_HOUR = 3600
_BUSY = """
    select event_date, sum(extract(epoch from upper(piece) - lower(piece)))
    from (
        select
            event_date,
            unnest(range_agg(tstzrange(
                event_at,
                least(event_at + latency_ms * interval '1 millisecond', (event_date + 1)::timestamp at time zone 'UTC'),
                '[]'
            ))) as piece
        from core.request
        where provider_id = %s and model_id = %s and latency_ms > 0 and event_date >= %s
        group by event_date
    ) as pieces
    group by event_date
"""


def own_hardware(workspace: Workspace, connection: psycopg.Connection[Any]) -> list[OwnHardware]:
    """Each deployment over the loaded days. Of two that serve one model under one name in the log nobody knows which was used."""
    declared = workspace.config.selfhost
    days = known_days(connection, loaded_days(connection, REQUEST))
    if not declared.deployments or not days:
        return []
    prices, registry = read_table(connection, GPU_PRICE), registry_of(workspace)
    span = [date.fromordinal(n) for n in range(days[0].toordinal(), days[-1].toordinal() + 1)]
    found: list[OwnHardware] = []
    for item in declared.deployments:
        model = registry.resolve("", item.model).model_id or item.model
        is_ambiguous = any((own.item.provider_id, own.model_id) == (item.seller, model) for own in found)
        measured = _measured(item, declared.throughput)
        capacity, counts_input = (None, True) if measured is None else _capacity(measured, item.replicas)
        costs = {day: fixed_cost(item, prices, day) for day in span if item.runs_on(day)}
        found.append(
            OwnHardware(
                Commitment(
                    commitment=f"selfhost.{item.deployment}",
                    provider_id=item.seller,
                    from_date=item.from_date or days[0],
                    to_date=item.to_date,
                    unused=item.unused,
                ),
                model,
                {day: cost.usd_per_day if isinstance(cost, FixedCost) else cost for day, cost in costs.items()},
                capacity,
                counts_input,
                {} if capacity is not None else busy_hours(connection, item.seller, model, days[0]),
                "another deployment serves this model under the same name in the log: give it a provider_id of its own"
                if is_ambiguous
                else None,
            )
        )
    return found


def _measured(item: Deployment, declared: Sequence[Throughput]) -> Throughput | None:
    """The newest declared measurement of the deployment's configuration."""
    wanted = (item.model, item.gpu, item.gpus, item.engine, item.precision)
    fits = [
        line for line in declared if (line.model, line.gpu, line.gpus, line.engine.lower(), line.precision) == wanted
    ]
    return max(fits, key=lambda line: line.measured_on, default=None)


def _capacity(measured: Throughput, replicas: int) -> tuple[Fraction, bool]:
    """Tokens that all replicas serve in an hour, and whether those that come in are among them: a measurement that states its requests says so."""
    written = Fraction(Decimal(str(measured.output_tokens_per_second))) * _SECONDS_OF_AN_HOUR * replicas
    if measured.input_tokens is None or not measured.output_tokens:
        return written, False
    given, out = Fraction(Decimal(str(measured.input_tokens))), Fraction(Decimal(str(measured.output_tokens)))
    return written * (given + out) / out, True


def busy_hours(connection: psycopg.Connection[Any], seller: str, model: str, first: date) -> Mapping[date, Fraction]:
    """Hours of each day in which at least one call was under way, by the durations that the log has."""
    rows = connection.execute(_BUSY, (seller, model, first)).fetchall()
    return {day: Fraction(Decimal(seconds)) / _SECONDS_OF_AN_HOUR for day, seconds in rows}
