"""The queries of the report page: what each section reads from the warehouse, as SQL with the day left open.

`report/collect.py` runs them; the asset graph derives from them which tables the page is made of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.finops.span_queries import BILLS, DIMENSIONS, PLANS, SPAN_QUERIES, WASTE, movement
from pipelines.warehouse.tables import TABLES_BY_NAME, Table
from pipelines.warehouse.tables.mart import DAILY_PROJECT_SPEND, DAILY_TEAM_SPEND


@dataclass(frozen=True)
class Cut:
    """A section that shows the day's spend by one column of a spend table.

    `id` names the query and the table on the page, and in capitals its entry in the table of contents.
    """

    id: str
    table: Table

    @property
    def column(self) -> str:
        """The column that the day is cut by: the key beyond the day."""
        (column,) = (name for name in self.table.primary_key if name != self.table.day_column)
        return column


CUTS = (Cut("teams", DAILY_TEAM_SPEND), Cut("projects", DAILY_PROJECT_SPEND))
"""The sections of spend beyond the one by model, in the order of the page."""


def _spend_by(cut: Cut) -> str:
    return f"""
        select
            {cut.column}, requests, priced_requests, unpriced_requests, input_tokens, output_tokens, effective_cost_usd,
            logged_only_cost_usd
        from {cut.table.qualified}
        where event_date = %(day)s
        order by effective_cost_usd desc nulls last, requests desc, {cut.column}
    """


QUERIES: dict[str, str] = {
    "models": """
        select
            provider_id, model_id, openness, requests, priced_requests, unpriced_requests,
            input_tokens, output_tokens, list_cost_usd, effective_cost_usd, logged_only_cost_usd
        from mart.daily_model_spend
        where event_date = %(day)s
        order by effective_cost_usd desc nulls last, requests desc, model_id, provider_id
    """,
    **{cut.id: _spend_by(cut) for cut in CUTS},
    "history": """
        select
            event_date, provider_id, model_id,
            sum(requests)::bigint as requests,
            sum(priced_requests)::bigint as priced_requests,
            sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd
        from mart.daily_model_spend
        where event_date > %(day)s::date - 30 and event_date <= %(day)s
        group by event_date, provider_id, model_id
        order by event_date, provider_id, model_id
    """,
    "month": """
        select
            count(distinct event_date) as days,
            sum(requests)::bigint as requests,
            sum(unpriced_requests)::bigint as unpriced_requests,
            sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd
        from mart.daily_model_spend
        where event_date >= date_trunc('month', %(day)s::date)::date and event_date <= %(day)s
    """,
    "reported": """
        select provider_id, model_id, requests, reported_cost_usd, effective_cost_usd, differing_requests
        from mart.logged_cost
        where event_date = %(day)s and requests > 0
        order by provider_id, model_id
    """,
    "differing": """
        select provider_id, model_id, why, requests, reported_cost_usd, effective_cost_usd
        from mart.logged_difference
        where event_date = %(day)s
        order by abs(reported_cost_usd - effective_cost_usd) desc, provider_id, model_id, why
    """,
    "bills": BILLS.replace("%(first)s", "date_trunc('month', %(day)s::date)::date"),
    "waste": WASTE,
    **PLANS,
    "coverage": """
        select reason, requests, tokens, request_share, token_share
        from mart.cost_coverage
        where event_date = %(day)s
        order by reason <> 'priced', requests desc, reason
    """,
    "unpriced": """
        select
            reason, source, nullif(raw_name, '') as raw_name, nullif(model_id, '') as model_id,
            nullif(provider_id, '') as provider_id, requests, tokens, reported_cost_usd, at_risk_usd
        from mart.unpriced_name
        where event_date = %(day)s
        order by at_risk_usd desc nulls last, requests desc, reason, raw_name, source, provider_id
        limit 100
    """,
    "projection": """
        select
            policy, baseline, arm, provider_id, model_id, share, requests, baseline_cost_usd, projected_cost_usd, central_cost_usd,
            saving_usd, saving_share, saving_share_low_95, saving_share_low_50, saving_share_high_50,
            saving_share_high_95, quality_retained, quality_retained_low_95, quality_retained_high_95,
            probability_saving_85, probability_quality_95, probability_both, quality_realised, quality_oracle,
            break_even_ratio, first_flip, waterfall, evidence_grade, is_headline, assumptions, not_projected_reason
        from mart.routing_projection
        where event_date = %(day)s and method = 'policy'
        order by not is_headline, policy, baseline, arm = 'total', share desc, arm
    """,
    "routing_day": """
        select
            policy, baseline, method, arm, provider_id, model_id, saving_usd, saving_share, saving_share_low_95,
            saving_share_high_95, quality_retained, quality_retained_low_95, quality_retained_high_95,
            probability_saving_85, probability_quality_95, probability_both, evidence_grade, not_projected_reason
        from mart.routing_projection
        where event_date = %(day)s and (method <> 'policy' or arm = 'total')
        order by not bool_or(is_headline) over (partition by policy), policy, baseline, method <> 'policy', method
    """,
    "routing_month": """
        select
            through, days, policy, baseline, method, arm, provider_id, model_id, saving_usd, saving_share, saving_share_low_95,
            saving_share_high_95, quality_retained, quality_retained_low_95, quality_retained_high_95,
            probability_saving_85, probability_quality_95, probability_both, evidence_grade, not_projected_reason
        from mart.routing_month
        where
            month = date_trunc('month', %(day)s::date)::date and through <= %(day)s
            and (method <> 'policy' or arm = 'total')
        order by not bool_or(is_headline) over (partition by policy), policy, baseline, method <> 'policy', method
    """,
    "measure_next": """
        select
            policy, baseline, rank, measure, model_id, against_model_id, narrows_by, pairs_needed, pairs_basis, cost_usd,
            no_cost_reason
        from mart.routing_measure_next
        where event_date = %(day)s and rank <= 3 and narrows_by >= 0.005
        order by narrows_by desc, policy, baseline, rank
        limit 6
    """,
    "frontier": """
        select
            point, is_single, is_on_hull, benchmark_version_id, quality, quality_retained, cost_usd, saving_share, shares,
            not_eligible_reason
        from mart.routing_frontier
        where event_date = %(day)s
        order by quality nulls last, cost_usd nulls last, point
    """,
    "routing_move": """
        select
            policy, baseline, event, provider_id, model_id, saving_share_before, saving_share_after, saving_usd_before,
            saving_usd_after, quality_retained_before, quality_retained_after, explanation, not_computed_reason
        from mart.routing_move
        where event_date = %(day)s
        order by abs(saving_usd_after - saving_usd_before) desc nulls last, event, model_id, policy, baseline
        limit 20
    """,
    "self_hosting": """
        select
            option_id, is_deployed, replicas, fixed_usd_per_day, served_share, allocation_usd_per_mtok, api_provider_id,
            api_usd_per_mtok, saving_usd_per_day, is_reachable, reason
        from mart.selfhost_breakeven
        where event_date = %(day)s and saving_usd_per_day is not null
        order by not is_deployed, saving_usd_per_day desc, option_id
        limit 6
    """,
    "measured": """
        select measure, model_id, against_model_id, judge, estimate, low_95, high_95, pairs, sessions, not_used_reason
        from mart.shadow_evidence
        order by not_used_reason is not null, model_id, measure, against_model_id, judge
        limit 20
    """,
    "off_policy": """
        select use_case, model_id, measure, method, estimate, low_95, high_95, requests, effective_requests
        from mart.routing_off_policy
        where refused_reason is null and measure in ('ok', 'score')
        order by use_case, measure desc, model_id, method
        limit 12
    """,
    "claims": """
        select claim, about, claimed, unit, date_basis, value_text, verdict
        from mart.claims_audit
        where formula in ('hybrid_saving', 'hybrid_quality', 'times_cheaper')
        order by claim, date_basis
        limit 60
    """,
    "drift": """
        select
            event_date, board, benchmark_version_id, drift_class, severity, raw_model, model_id, score_before,
            score_after, delta, delta_adjusted, stderr, z, q_value, min_detectable, n_models, explanation
        from mart.benchmark_drift
        where event_date > %(day)s::date - 30 and event_date <= %(day)s
        order by
            event_date desc, case severity when 'error' then 0 when 'warn' then 1 else 2 end, board, drift_class,
            abs(delta_adjusted) desc nulls last, raw_model, event_id
    """,
    "gap": """
        select distinct on (board, latest.benchmark_version_id)
            latest.*, display_name, unit, version_label, scale_epoch
        from mart.benchmark_gap as latest
        join core.benchmark_version using (benchmark_version_id)
        join core.benchmark using (benchmark_id)
        where event_date <= %(day)s and gap is not null
        order by board, latest.benchmark_version_id, event_date desc
        limit 200
    """,
    "gap_series": """
        select
            event_date, board, benchmark_version_id, gap, gap_low, gap_high, best_open_model, best_closed_model,
            lag_days, lag_is_minimum, release_lag_days, display_name, unit, version_label, scale_epoch,
            -- Events of a whole board name the version that stands for it.
            benchmark_version_id in (select benchmark_version_id from mart.benchmark_drift where raw_model is null)
                as stands_for_board
        from mart.benchmark_gap
        join core.benchmark_version using (benchmark_version_id)
        join core.benchmark using (benchmark_id)
        where event_date <= %(day)s and gap is not null
        order by board, benchmark_version_id, event_date
    """,
    "silent": """
        select
            event_date, provider_id, model_id, use_case, metric, n_day, effect, min_detectable, z, q_value, is_alarm,
            explanation
        from mart.request_drift
        where event_date = %(day)s and is_alarm
        order by provider_id, model_id, use_case, metric
        limit 200
    """,
    "silent_counts": """
        select count(*) as comparisons, count(*) filter (where is_alarm) as alarms, count(distinct model_id) as models
        from mart.request_drift
        where event_date = %(day)s
    """,
    "feeds": """
        select kind, source, count(*) as snapshots, max(observed_at) as observed_at
        from raw.snapshot
        where kind in ('prices', 'leaderboards')
        group by kind, source
        order by kind desc, source
    """,
    "files": """
        with files as (
            select snapshot_id, source, format, landing_path, lines, valid, quarantined
            from raw.snapshot
            where
                kind = 'requests'
                and (
                    event_dates @> array[%(day)s::date]
                    or cardinality(event_dates) = 0 and (observed_at at time zone 'UTC')::date = %(day)s
                )
        ),
        loaded as (
            select snapshot_id, requests as records from raw.loaded_file where event_date = %(day)s
        ),
        dropped as (
            select snapshot_id, count(*) as records from raw.duplicate where event_date = %(day)s group by snapshot_id
        )
        select
            source, format, landing_path, lines, coalesce(loaded.records, 0) as loaded,
            coalesce(dropped.records, 0) as duplicates, quarantined,
            valid - coalesce(loaded.records, 0) - coalesce(dropped.records, 0) as other_days
        from files
        left join loaded using (snapshot_id)
        left join dropped using (snapshot_id)
        order by source, landing_path
    """,
    "quarantine": """
        select
            source, reason, severity, count(*) as records,
            (array_agg(landing_path || ', line ' || line_no order by landing_path, line_no))[1] as example_place,
            (array_agg(detail order by landing_path, line_no))[1] as example_detail
        from raw.quarantine
        join raw.snapshot using (snapshot_id)
        where
            kind = 'requests'
            and (
                event_dates @> array[%(day)s::date]
                or cardinality(event_dates) = 0 and (observed_at at time zone 'UTC')::date = %(day)s
            )
        group by source, reason, severity
        order by severity, records desc, source, reason
    """,
}
"""The report's queries by name. The placeholder is the day."""


EXPLORER = """
select
    event_date, provider_id, model_id, team, project, cost_centre, meter, rate, quantity, effective_cost_usd as cost_usd,
    case when rate = 'unknown' then true else effective_cost_usd = quantity * rate::numeric * 1e-18 end as is_explained
from mart.daily_explorer_spend
where event_date >= %(first)s and event_date <= %(last)s
"""
"""What the explorer adds up, whichever days it shows."""


def tables_read() -> tuple[str, ...]:
    """The tables of the warehouse that the queries name, `schema.table`, sorted."""
    texts = [*QUERIES.values(), *SPAN_QUERIES.values(), movement(DIMENSIONS, booked=True), EXPLORER]
    named = re.findall(r"\b(?:raw|core|mart)\.[a-z_]+", "\n".join(texts))
    return tuple(sorted(TABLES_BY_NAME.keys() & set(named)))
