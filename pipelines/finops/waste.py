"""The work list of waste: mart.waste summed by finding, owner and model over the newest thirty days, dearer sellers and idle commitments; one fix each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from psycopg import Connection, sql

FIXES = {
    "failed": "stop retrying calls that always fail; set limits before the call.",
    "cache_unread": "write no cache for prompts that are not sent again.",
    "cache_miss": "keep the beginning of a prompt unchanged within a session.",
    "context_bound": "trim prompts to below the bound of the higher rate.",
    "could_wait": "send it at the tier that waste.yaml names.",
    "dearer_seller": "send it to the seller with the lower list price for the same model: modelmeter waste --json names it.",
    "idle_commitment": "commit to less, or move traffic onto it: modelmeter commitments says how many units pay.",
}
"""What to do about each finding."""

_MONTH = "event_date > (select max(event_date) - 30 from raw.loaded_file where requests > 0)"
"""The newest thirty days with requests: a finding that was mended leaves the list, though it has no newer rows."""


@dataclass(frozen=True)
class Item:
    """One line: what thirty days of one finding cost one team on one model."""

    finding: str
    team: str
    provider_id: str
    model_id: str
    requests: int
    cost_usd: Decimal
    saving_usd: Decimal
    query: str
    instead: str = ""
    """The seller that asks less for the same model, of a dearer one."""

    def described(self) -> dict[str, Any]:
        """The line for JSON: money as digits, and the fix."""
        money = {"cost_usd": f"{self.cost_usd:f}", "saving_usd_per_month": f"{self.saving_usd:f}"}
        return {k: v for k, v in asdict(self).items() if k != "saving_usd"} | money | {"fix": FIXES[self.finding]}


def work_list(connection: Connection[Any]) -> list[Item]:
    """The lines by money, the largest saving first; none on a warehouse without waste."""
    rows = connection.execute(
        f"""
        select finding, team, provider_id, model_id, count(*), sum(cost_usd), sum(saving_usd)
        from mart.waste
        where {_MONTH}
        group by finding, team, provider_id, model_id
        order by sum(saving_usd) desc, finding, team, provider_id, model_id
        """.encode()
    ).fetchall()
    found = [Item(*(*row, _query(connection, *row[:4]))) for row in rows]
    return sorted([*found, *_dearer(connection), *_idle(connection)], key=lambda item: -item.saving_usd)


def _dearer(connection: Connection[Any]) -> list[Item]:
    """Calls that the same model at another seller would have answered for less. No request of mart.waste is among them."""
    columns = "team, provider_id, model_id, cheaper_provider_id"
    rows = connection.execute(
        f"""
        select {columns}, sum(requests)::bigint, sum(cost_usd), sum(saving_usd)
        from mart.dearer_seller
        where {_MONTH}
        group by {columns}
        order by {columns}
        """.encode()
    ).fetchall()
    query = sql.SQL(
        "select * from mart.dearer_seller where team = {} and provider_id = {} and model_id = {} and cheaper_provider_id = {} and "
        + _MONTH
        + " order by saving_usd desc"
    )
    return [
        Item(
            "dearer_seller", team, seller, model, requests, cost, saving,
            query.format(*map(sql.Literal, (team, seller, model, cheaper))).as_string(connection), cheaper,
        )
        for team, seller, model, cheaper, requests, cost, saving in rows
    ]  # fmt: skip


_UNUSED = f"commitment_discount_status = 'Unused' and effective_cost_usd > 0 and {_MONTH}"
_WHO_PAYS = "coalesce(nullif(team, ''), 'unattributed')"


def _idle(connection: Connection[Any]) -> list[Item]:
    """What commitments cost that nobody used, by commitment and who pays for it. No request is in these lines, so no cost is in two."""
    rows = connection.execute(
        f"""
        select commitment_id, {_WHO_PAYS}, provider_id, sum(effective_cost_usd)
        from mart.commitment_usage
        where {_UNUSED}
        group by 1, 2, 3
        order by 1, 2, 3
        """.encode()
    ).fetchall()
    query = (
        f"select * from mart.commitment_usage where {_UNUSED} and commitment_id = {{}} and {_WHO_PAYS} = {{}} and provider_id = {{}} "
        "order by event_date"
    )
    return [
        Item(
            "idle_commitment",
            team,
            seller,
            name,
            0,
            usd,
            usd,
            sql.SQL(query).format(*map(sql.Literal, (name, team, seller))).as_string(connection),
        )
        for name, team, seller, usd in rows
    ]


def _query(connection: Connection[Any], finding: str, team: str, provider_id: str, model_id: str) -> str:
    """SQL of the requests behind a line, the dearest first."""
    statement = sql.SQL(
        "select saving_usd, request.* from mart.waste as waste join core.request as request using (event_date, request_uid) "
        "where finding = {} and waste.team = {} and waste.provider_id = {} and waste.model_id = {} and "
        + _MONTH
        + " order by saving_usd desc"
    ).format(*(sql.Literal(value) for value in (finding, team, provider_id, model_id)))
    return statement.as_string(connection)
