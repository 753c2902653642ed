"""The money of a day against things we did not write: genai-prices' calculator row by row, and a day worked by hand."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.config.commitments import Commitments
from pipelines.daily.commitments import ledger_of
from pipelines.finops.commitments import sentence, standings
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.mart_commitments import COMMITMENT_DAY, COMMITMENT_USAGE
from tests.assets.conftest import DailyJob, RangedRun, SmallSample

DAY = date(2026, 2, 16)
QUERIES = Path(__file__).resolve().parents[2] / "sql" / "queries"


def test_every_row_costs_what_genai_prices_calculates(ranged: RangedRun, small_sample: SmallSample) -> None:
    """Each billable, priced request of the sample again, one by one, and the sum of the mart to the last decimal."""
    from genai_prices import Usage
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import _providers_from_raw

    raw = json.loads((small_sample.root / "prices/genai_prices/2026-01-31.json").read_bytes())
    calculator = DataSnapshot(_providers_from_raw(raw), from_auto_update=False)
    rows = ranged.job.query("select * from core.request where is_billable and list_cost_usd is not null").to_dicts()
    assert len(rows) > 500
    total = Decimal(0)
    models: Counter[str] = Counter()
    for row in rows:
        usage = Usage(
            input_tokens=sum(count for name, count in row.items() if name.startswith("input_")),
            output_tokens=sum(count for name, count in row.items() if name.startswith("output_")),
            cache_read_tokens=row["input_cache_read_tokens"],
            cache_write_tokens=sum(count for name, count in row.items() if name.startswith("input_cache_write")),
            cache_write_1h_tokens=row["input_cache_write_1h_tokens"],
        )
        name = row["response_model"] or row["request_model"]
        found = calculator.calc(
            usage, name, provider_id=row["provider_id"], provider_api_url=None, genai_request_timestamp=row["event_at"]
        )
        assert row["list_cost_usd"] == found.total_price, row
        total += found.total_price
        models[row["model_id"]] += 1
    assert len(models) >= 12
    assert ranged.job.query("select sum(list_cost_usd) as usd from mart.daily_model_spend")["usd"][0] == total


def test_the_sample_is_billed_for_what_it_cost_and_for_what_no_log_holds(
    ranged: RangedRun, small_sample: SmallSample
) -> None:
    """Two sellers' bills against the requests: one to the last digit, the other with a playground that no log covers."""
    query = (QUERIES / "billed_against_computed.sql").read_text(encoding="utf-8")
    rows = ranged.job.query(query).to_dicts()
    days, last = small_sample.days, small_sample.days[-1]
    assert {row["event_date"] for row in rows} == set(days)
    named = [row for row in rows if row["provider_id"] == "anthropic" and row["billed_usd"] is not None]
    assert len(named) >= len(days)
    assert sum(row["requests"] for row in named) > 10
    assert {row["difference_usd"] for row in named} == {Decimal(0)}
    for day in days:
        openai = [row for row in rows if row["provider_id"] == "openai" and row["event_date"] == day]
        bill = [
            line
            for page in sorted((small_sample.root / "requests/openai_bill").rglob("*.json"))
            for bucket in json.loads(page.read_text())["data"]
            if datetime.fromtimestamp(bucket["start_time"], UTC).date() == day
            for line in bucket["results"]
            if page.parent.name == str(min(day + timedelta(days=1), last))
        ]
        played = sum(Decimal(line["amount"]["value"]) for line in bill if line["project_id"] == "proj_playground")
        assert sum(row["difference_usd"] for row in openai) == played > 0
        sums = "sum(difference_usd) as difference, sum(tool_fee_usd) as searches, sum(billed_usd) as billed"
        sql = "select provider_id, {} from mart.reconciliation where bill_lines > 0 and event_date = '{}' group by 1 order by 1"
        exact, differs = ranged.job.query(sql.format(sums, day)).to_dicts()
        assert (exact["provider_id"], exact["difference"]) == ("anthropic", 0)
        assert (differs["provider_id"], differs["difference"], differs["searches"]) == (
            "openai",
            played,
            Decimal("0.12"),
        )
    revised = ranged.job.query("select count(*) as n from core.reported_cost where supersede_reason = 'revised'")["n"][
        0
    ]
    assert revised == len(days) - 1


GENAI_FEED = [
    {
        "id": "openai",
        "name": "OpenAI",
        "api_pattern": "https://api\\.openai\\.com",
        "models": [
            {
                "id": "gpt-4o",
                "match": {"equals": "gpt-4o"},
                "prices": [
                    {"prices": {"input_mtok": 2.5, "cache_read_mtok": 1.25, "output_mtok": 10}},
                    {"constraint": {"start_date": "2026-02-16"}, "prices": {"input_mtok": 2, "cache_read_mtok": 1, "output_mtok": 8}},
                ],
            }
        ],
    },
    {
        "id": "anthropic",
        "name": "Anthropic",
        "api_pattern": "https://api\\.anthropic\\.com",
        "models": [
            {
                "id": "claude-sonnet-4-5",
                "match": {"equals": "claude-sonnet-4-5"},
                "prices": {
                    "input_mtok": {"base": 3, "tiers": [{"start": 200000, "price": 6}]},
                    "output_mtok": {"base": 15, "tiers": [{"start": 200000, "price": 22.5}]},
                },
            }
        ],
    },
]  # fmt: skip

SOURCES = """\
requests:
  - {source: gateway, format: litellm_spend_logs, attribution: {team: team_id}}
  - source: spans
    format: otel_genai
  - source: export
    format: mapping
    defaults: {provider_id: openai}
    options: {columns: {event_at: at, model: model, input: prompt, output: completion, source_request_id: id}}
prices:
  - {feed: genai_prices, format: genai_prices}
"""


def spend_log(
    request_id: str, at: str, model: str, provider: str, prompt: int, cached: int, completion: int, **more: Any
) -> str:
    details = {"prompt_tokens_details": {"cached_tokens": cached}}
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion} | details
    row = {
        "request_id": request_id, "call_type": "acompletion", "startTime": at, "endTime": at, "model": model,
        "custom_llm_provider": provider, "prompt_tokens": prompt, "completion_tokens": completion,
        "total_tokens": prompt + completion, "cache_hit": "False", "status": "success", "team_id": "blue",
        "spend": 0, "metadata": json.dumps({"usage_object": usage}),
    }  # fmt: skip
    return json.dumps(row | more)


def span(span_id: str, at_ns: int, model: str, provider: str, prompt: int, completion: int) -> str:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": prompt,
        "gen_ai.usage.output_tokens": completion,
    }
    return json.dumps(
        {"trace_id": "t" * 32, "span_id": span_id, "start_time_unix_nano": at_ns, "attributes": attributes}
    )


def landing(root: Path) -> tuple[Path, Path]:
    """A day in three formats: a price change at midnight, a tier bound, a copy, a cache hit, a failure, a broken line."""
    zone, config = root / "landing", root / "config"
    noon = int(datetime.fromisoformat(f"{DAY}T12:00:00+00:00").timestamp()) * 10**9
    files = {
        "requests/gateway/2026-02-16/a.jsonl": [
            spend_log("r1", "2026-02-16 00:00:00", "gpt-4o", "openai", 1000, 400, 500),  # new price from this instant
            spend_log("r2", "2026-02-16 10:00:00", "gpt-4o", "openai", 1000, 0, 0),
            spend_log("r2", "2026-02-16 10:00:00", "gpt-4o", "openai", 1000, 0, 0),  # the same record twice
            spend_log("r3", "2026-02-16 11:00:00", "gpt-4o", "openai", 9000, 0, 900, cache_hit="True"),  # the gateway's own cache
            spend_log("r4", "2026-02-16 11:30:00", "gpt-4o", "openai", 0, 0, 0, status="failure"),
            '{"request_id": "r5", "startTime": "2026-02-16 1',  # cut off
            spend_log("r6", "2026-02-16 12:00:00", "mystery-1", "openai", 70, 0, 7),  # a model that no feed prices
            spend_log("r0", "2026-02-15 23:59:59", "gpt-4o", "openai", 1000, 0, 500),  # the day before, at the old price
        ],
        "requests/spans/2026-02-16/a.jsonl": [
            span("a" * 16, noon, "claude-sonnet-4-5", "anthropic", 200_000, 1000),  # at the bound: base price
            span("b" * 16, noon, "claude-sonnet-4-5", "anthropic", 200_001, 1000),  # above it: all tokens at the tier's
        ],
        "requests/export/2026-02-17/late.csv": [
            "id,at,model,prompt,completion",
            "x1,2026-02-16T23:59:59.999Z,gpt-4o,10,1",  # arrives a day late
            "x2,2026-02-17T00:00:00Z,gpt-4o,10,1",  # the next day
        ],
        "prices/genai_prices/2026-01-31.json": [json.dumps(GENAI_FEED)],
    }  # fmt: skip
    for name, lines in files.items():
        path = zone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    config.mkdir()
    (config / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    return zone, config


def test_a_day_worked_by_hand(fresh_job: Callable[[], DailyJob], tmp_path: Path) -> None:
    zone, config = landing(tmp_path)
    job = replace(fresh_job(), landing=zone, config=config)
    assert job.run(DAY).success

    per_million = Decimal("0.000001")
    r1 = (600 * Decimal(2) + 400 * Decimal(1) + 500 * Decimal(8)) * per_million  # 0.0056
    r2 = 1000 * Decimal(2) * per_million  # 0.002
    x1 = (10 * Decimal(2) + 1 * Decimal(8)) * per_million  # 0.000028
    base = (200_000 * Decimal(3) + 1000 * Decimal(15)) * per_million  # 0.615
    above = (200_001 * Decimal(6) + 1000 * Decimal("22.5")) * per_million  # 1.222506
    assert (r1, r2, x1, base, above) == tuple(map(Decimal, ("0.0056", "0.002", "0.000028", "0.615", "1.222506")))

    spend = job.query(
        "select provider_id, model_id, requests, priced_requests, list_cost_usd from mart.daily_model_spend order by 1, 2"
    ).rows()
    assert spend == [
        ("anthropic", "claude-sonnet-4-5", 2, 2, base + above),
        ("openai", "gpt-4o", 5, 5, r1 + r2 + x1),  # r3 and r4 cost nothing, and are known to
        ("openai", "unresolved: mystery-1", 1, 0, None),
    ]
    coverage = dict(job.query("select reason, requests from mart.cost_coverage").iter_rows())
    assert coverage == {"priced": 7, "model_unresolved": 1}
    teams = dict(job.query("select team, requests from mart.daily_team_spend").iter_rows())
    assert teams == {"blue": 5, "unattributed": 3}
    books = job.query(
        "select landing_path, lines, valid, quarantined from raw.snapshot where kind = 'requests' order by 1"
    ).rows()
    assert books == [
        ("requests/export/2026-02-17/late.csv", 2, 2, 0),
        ("requests/gateway/2026-02-16/a.jsonl", 8, 7, 1),
        ("requests/spans/2026-02-16/a.jsonl", 2, 2, 0),
    ]
    assert job.query("select line_no, kept_line_no from raw.duplicate").rows() == [(3, 2)]
    assert job.query("select line_no, reason from raw.quarantine").rows() == [(6, "not_json")]


def test_late_lines_make_exactly_their_day_stale(fresh_job: Callable[[], DailyJob], tmp_path: Path) -> None:
    """A file that arrives after a day was loaded: that day is asked for again, and no other. Where nobody asks a second time, so are
    the days next to it, which may hold the other half of a pair over midnight, of which only one counts."""
    from pipelines.daily import Window, ingest_requests, load_requests, stale_days
    from pipelines.workspace import open_workspace

    zone, config = landing(tmp_path)
    job = replace(fresh_job(), landing=zone, config=config)
    facts = "select * from core.request order by event_date, request_uid"
    with open_workspace(job.settings()) as workspace:
        days = Window(date(2026, 2, 15), date(2026, 2, 18))
        ingest_requests(workspace, days)
        from pipelines.daily import refresh_prices, refresh_rate_card

        refresh_prices(workspace)
        refresh_rate_card(workspace)
        load_requests(workspace, days)
        assert stale_days(workspace) == []
        loaded = job.query(facts)
        shutil.rmtree(workspace.store)  # a cache: what is missing from it is parsed again
        ingest_requests(workspace, days)
        load_requests(workspace, days)
        assert job.query(facts).equals(loaded)
        late = zone / "requests/gateway/2026-02-18/late.jsonl"
        late.parent.mkdir()
        late.write_text(spend_log("r9", "2026-02-15 08:00:00", "gpt-4o", "openai", 10, 0, 1) + "\n")
        workspace.rescan()
        ingest_requests(workspace, None)
        assert stale_days(workspace) == [date(2026, 2, 15)]
        assert stale_days(workspace, at_once=True) == [date(2026, 2, 15), date(2026, 2, 16)]
        load_requests(workspace, Window.of_day(date(2026, 2, 15)))
        assert stale_days(workspace) == []
        late.write_text(late.read_text() + spend_log("r10", "2026-02-17 08:00:00", "gpt-4o", "openai", 10, 0, 1) + "\n")
        workspace.rescan()
        ingest_requests(workspace, None)
        assert stale_days(workspace) == [date(2026, 2, 15), date(2026, 2, 17)], "a file that grew is a new file"


def test_a_model_that_leaves_the_feeds_takes_its_alias_along(fresh_job: Callable[[], DailyJob], tmp_path: Path) -> None:
    """Names that were resolved to it become unresolved; the refresh of prices does not trip over them."""
    from pipelines.daily import Window, ingest_requests, load_requests, refresh_prices, refresh_rate_card
    from pipelines.workspace import open_workspace

    zone, config = landing(tmp_path)
    feed = json.loads(json.dumps(GENAI_FEED).replace('"gpt-4o"', '"orion-9"'))
    price_file = zone / "prices/genai_prices/2026-01-31.json"
    price_file.write_text(json.dumps(feed))
    log = zone / "requests/gateway/2026-02-16/a.jsonl"
    log.write_text(log.read_text().replace("gpt-4o", "orion-9"))
    job = replace(fresh_job(), landing=zone, config=config)
    alias = "select model_id, method from core.model_alias where raw_name = 'orion-9'"
    with open_workspace(job.settings()) as workspace:
        refresh_prices(workspace)
        refresh_rate_card(workspace)
        ingest_requests(workspace, None)
        load_requests(workspace, Window.of_day(DAY))
        assert job.query(alias).rows() == [("orion-9", "exact")]
        price_file.write_text(json.dumps(GENAI_FEED))
        workspace.rescan()
        refresh_prices(workspace)
        assert job.query(alias).rows() == [(None, "unresolved")]


def test_throughput_serves_the_hours_that_postgres_counts(ranged: RangedRun, small_sample: SmallSample) -> None:
    """Rows for what is declared alone, the sample's credit and its GPU. With throughput: its hours and money against sums in SQL."""
    job, capacity = ranged.job, 20_000
    declared_ids = job.query("select distinct commitment_id from mart.commitment_day")["commitment_id"].to_list()
    assert sorted(declared_ids) == ["google-trial", "selfhost.own_qwen3_32b"]
    own = job.query(
        "select sum(amount_usd)::numeric(38, 18) as usd from mart.commitment_usage where commitment_id like 'selfhost.%' group by event_date"
    )
    assert own["usd"].to_list() == [Decimal("50.4")] * len(small_sample.days), "24 hours at 2.10 USD, used and idle"
    models = job.query("select distinct model_id from mart.hourly_demand where provider_id = 'openai'")["model_id"]
    ptu = {
        "commitment": "ptu",
        "provider_id": "openai",
        "models": sorted(set(models) - {""}),
        "units": 1,
        "usd_per_unit_hour": "0.07",
        "tokens_per_unit_hour": capacity,
        "from_date": small_sample.days[0],
    }
    credit = {"commitment": "grant", "provider_id": "openai", "usd": "0.01", "from_date": small_sample.days[0]}
    declared = Commitments.model_validate({"provisioned": [ptu], "credits": [credit]})
    with job.database.connect() as connection, connection.transaction(force_rollback=True):
        found = ledger_of(connection, declared)
        replace_all(connection, COMMITMENT_USAGE, found.usage)
        replace_all(connection, COMMITMENT_DAY, found.days)
        differences = connection.execute(
            """
            with hours as (
                select event_date, hour, sum(input_tokens + output_tokens) as tokens
                from mart.hourly_demand where provider_id = 'openai' and model_id <> '' group by event_date, hour
            ), demand as (
                select event_date, sum(least(tokens, %s))::float as used, sum(greatest(tokens - %s, 0))::float as overage
                from hours group by event_date
            ), charged as (
                select event_date, sum(billed_cost_usd) as usd from mart.daily_charge
                where provider_id = 'openai' and model_id = any(%s) and (unit = 'token' or meter = 'rest') group by event_date
            ), parts as (
                select event_date, sum(amount_usd) as usd from mart.commitment_usage where commitment_id = 'ptu' group by event_date
            )
            select
                day.used_tokens - demand.used, day.overage_tokens - demand.overage,
                day.covered_usd + day.overage_usd - charged.usd, day.used_usd + day.unused_usd - 1.68, parts.usd - 1.68,
                day.reason, demand.overage > 0
            from mart.commitment_day as day join demand using (event_date) join charged using (event_date) join parts using (event_date)
            where day.commitment_id = 'ptu' order by event_date
            """,
            (capacity, capacity, ptu["models"]),
        ).fetchall()
        drawn = connection.execute(
            "select sum(used_usd) from mart.commitment_day where commitment_id = 'grant'"
        ).fetchone()
        words = {row["commitment_id"]: (row, sentence(row)) for row in standings(connection, small_sample.days[-1])}
    row, said = words["ptu"]
    assert row["month_purchased_usd"] == Decimal("1.68") * len(small_sample.days)
    assert "were idle this month; pays from" in said
    assert words["grant"][1] == f"100.0\u00a0% used; 0.00 USD left; ran out on {small_sample.days[0]}"
    assert len(differences) == len(small_sample.days)
    assert all(row[:2] == (0, 0) for row in differences), differences
    assert all(row[2] in (0, None) and row[3:5] == (0, 0) for row in differences), differences
    assert any(row[6] for row in differences), "some hours go beyond the capacity"
    assert drawn == (Decimal("0.01"),)
