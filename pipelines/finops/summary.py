"""The outcome of a run in one screen: the last lines that `make daily` prints, read from the warehouse.

The caller passes the checks and files of the run. `report/` makes the page with everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.finops import format as fmt
from pipelines.finops.plans import PlanLine, plan_lines
from pipelines.finops.report.collect import missing_marts
from pipelines.warehouse.read import read_frame

TOP_MODELS = 8
"""Models that get a line of their own."""

_TOUCHES = """
    kind = 'requests'
    and (
        event_dates && array(select generate_series(%(from)s::date, %(to)s::date - 1, interval '1 day')::date)
        or cardinality(event_dates) = 0
        and (observed_at at time zone 'UTC')::date >= %(from)s and (observed_at at time zone 'UTC')::date < %(to)s
    )
"""
"""Of raw.snapshot: the request files that touch the days."""
_LINES = f"""
    with files as (
        select snapshot_id, lines, valid, quarantined
        from raw.snapshot
        where {_TOUCHES}
    )
    select
        (select coalesce(sum(lines), 0)::bigint from files) as lines,
        (select coalesce(sum(valid), 0)::bigint from files) as valid,
        (select coalesce(sum(requests), 0)::bigint from raw.loaded_file where event_date >= %(from)s and event_date < %(to)s) as loaded,
        (select count(*) from raw.duplicate where event_date >= %(from)s and event_date < %(to)s) as duplicates
"""
_PRICED = """
    select coalesce(sum(requests), 0)::bigint
    from mart.cost_coverage
    where event_date >= %(from)s and event_date < %(to)s and reason = 'priced'
"""
_PRICED_REQUESTS = "select count(list_cost_usd) from core.request where event_date >= %(from)s and event_date < %(to)s"
_QUARANTINED = f"""
    select severity, reason, count(*) as records
    from raw.quarantine
    join raw.snapshot using (snapshot_id)
    where {_TOUCHES}
    group by severity, reason
    order by records desc, reason
"""
_MODELS = """
    select model_id, sum(requests)::bigint as requests, sum(effective_cost_usd)::numeric(38, 18) as spend_usd,
        sum(logged_only_cost_usd)::numeric(38, 18) as logged_only_usd
    from mart.daily_model_spend
    where event_date >= %(from)s and event_date < %(to)s
    group by model_id
    order by spend_usd desc nulls last, requests desc, model_id
"""
_SAVINGS = """
    select
        policy, baseline, sum(baseline_cost_usd)::numeric(38, 18) as baseline_usd,
        case when bool_and(saving_usd is not null) then sum(saving_usd)::numeric(38, 18) end as saving_usd,
        case when count(*) = 1 then max(saving_share_low_95) end as low_95,
        case when count(*) = 1 then max(saving_share_high_95) end as high_95,
        max(evidence_grade) as evidence_grade, bool_or(is_headline) as is_headline
    from mart.routing_projection
    where event_date >= %(from)s and event_date < %(to)s and arm = 'total'
    group by policy, baseline
    order by policy, baseline
"""
_DRIFT = """
    select severity, count(*) as events
    from mart.benchmark_drift
    where event_date >= %(from)s and event_date < %(to)s
    group by severity
"""


@dataclass(frozen=True)
class ModelSpend:
    """Spend of one model; None if none of its requests is priced.

    `logged_only_usd` is what logs state was paid for the requests without a price; None if no log states it.
    """

    model_id: str
    requests: int
    spend_usd: Decimal | None
    logged_only_usd: Decimal | None = None


@dataclass(frozen=True)
class Saving:
    """What a policy would have saved against a baseline; `saving_usd` is None if it could not be projected.

    `evidence_grade` is the weakest of the days (mart.routing_projection); `low_95` and `high_95` bound the saving as a
    share of the baseline, of one day.
    """

    policy: str
    baseline: str
    baseline_usd: Decimal | None
    saving_usd: Decimal | None
    low_95: float | None
    high_95: float | None
    evidence_grade: str
    is_headline: bool = False


@dataclass(frozen=True)
class DaySummary:
    """The days `[from_date, to_date)` in numbers.

    `lines` are those of every request file that touches the days: loaded, duplicates, of other days, quarantined, or no
    requests at all (`no_requests`: headers, chat lines; harmless). The last two are counts by reason.
    `models` are all models by spend, the largest first; `has_marts` is False where the marts were never built.
    """

    from_date: date
    to_date: date
    lines: int
    loaded: int
    duplicates: int
    other_days: int
    quarantined: dict[str, int]
    no_requests: dict[str, int]
    priced: int
    spend_usd: Decimal | None
    logged_only_usd: Decimal | None
    models: Sequence[ModelSpend]
    savings: Sequence[Saving]
    drift_events: dict[str, int]
    has_marts: bool
    plans: Sequence[PlanLine] = ()

    @property
    def last_day(self) -> date:
        """The last of the days."""
        return self.to_date - timedelta(days=1)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: amounts as text with all digits, days as ISO dates."""
        return {name: _plain(value) for name, value in asdict(self).items()} | {"last_day": str(self.last_day)}


def day_summary(connection: psycopg.Connection[Any], from_date: date, to_date: date) -> DaySummary:
    """Read the numbers of the UTC days `[from_date, to_date)` in the connection's transaction.

    Works on a warehouse without marts too, so that a run that failed half-way can still say how far it came.
    """
    days = {"from": from_date, "to": to_date}
    has_marts = not missing_marts(connection)
    counts = read_frame(connection, _LINES, days).row(0, named=True)
    models = (
        read_frame(connection, _MODELS, days) if has_marts else pl.DataFrame({"spend_usd": [], "logged_only_usd": []})
    )
    (priced,) = read_frame(connection, _PRICED if has_marts else _PRICED_REQUESTS, days).row(0)
    set_aside = read_frame(connection, _QUARANTINED, days)
    return DaySummary(
        from_date=from_date,
        to_date=to_date,
        lines=counts["lines"],
        loaded=counts["loaded"],
        duplicates=counts["duplicates"],
        other_days=counts["valid"] - counts["loaded"] - counts["duplicates"],
        quarantined=dict(set_aside.filter(pl.col("severity") != "info").select("reason", "records").iter_rows()),
        no_requests=dict(set_aside.filter(pl.col("severity") == "info").select("reason", "records").iter_rows()),
        priced=priced,
        spend_usd=fmt.total(models["spend_usd"]),
        logged_only_usd=fmt.total(models["logged_only_usd"]),
        models=[ModelSpend(**row) for row in models.iter_rows(named=True)],
        savings=[Saving(**row) for row in read_frame(connection, _SAVINGS, days).iter_rows(named=True)],
        drift_events=dict(read_frame(connection, _DRIFT, days).iter_rows()),
        has_marts=has_marts,
        plans=plan_lines(connection, to_date - timedelta(days=1)),
    )


def render_summary(
    console: Console,
    summary: DaySummary,
    *,
    report_path: Path | None,
    checks_passed: int,
    checks_total: int,
    next_steps: Sequence[str],
) -> None:
    """Print the summary, readable in 80 columns; every text from data is printed as it is, without markup."""
    console.print()
    console.print(Text(_title(summary), style="bold"))
    console.print(_facts(summary, checks_passed, checks_total))
    if summary.models:
        console.print()
        console.print(_spend(summary))
    if summary.savings:
        console.print()
        console.print(_savings(summary))
    console.print()
    if report_path is not None:
        console.print(Text("report  ", style="dim"), Text(str(report_path)), sep="", soft_wrap=True)
    for number, step in enumerate(next_steps):
        console.print(Text("next    " if number == 0 else "        ", style="dim"), Text(step), sep="", soft_wrap=True)


def _title(summary: DaySummary) -> str:
    if summary.last_day == summary.from_date:
        return fmt.long_day(summary.from_date)
    return f"{fmt.long_day(summary.from_date)} to {fmt.long_day(summary.last_day)}"


def _facts(summary: DaySummary, checks_passed: int, checks_total: int) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    unpriced = summary.loaded - summary.priced
    drift = ", ".join(
        f"{fmt.count(summary.drift_events[s])} {s}" for s in ("error", "warn", "info") if s in summary.drift_events
    )
    rows = [
        ("lines in", fmt.count(summary.lines), "in the files that touch these days"),
        ("loaded", fmt.count(summary.loaded), "requests"),
        ("duplicates", fmt.count(summary.duplicates), ""),
        ("of other days", fmt.count(summary.other_days), ""),
        ("quarantined", fmt.count(sum(summary.quarantined.values())), _by_reason(summary.quarantined)),
        *_no_requests(summary.no_requests),
        (
            "priced",
            fmt.percent(fmt.share(summary.priced, summary.loaded)),
            _unpriced(unpriced, summary.logged_only_usd),
        ),
        ("drift events", fmt.count(sum(summary.drift_events.values())), drift),
        *((line.label, line.figure, line.note) for line in summary.plans),
        ("checks passed", f"{checks_passed} of {checks_total}", "" if checks_passed == checks_total else "see below"),
    ]
    for label, value, note in rows:
        bad = label == "checks passed" and checks_passed < checks_total
        table.add_row(Text(label), Text(value, style="bold red" if bad else ""), Text(note, style="dim"))
    return table


def _no_requests(records: dict[str, int]) -> list[tuple[str, str, str]]:
    return [("no requests", fmt.count(sum(records.values())), _by_reason(records))] if records else []


def _by_reason(records: dict[str, int]) -> str:
    return ", ".join(f"{reason} {fmt.count(number)}" for reason, number in records.items())


def _unpriced(requests: int, logged_only: Decimal | None) -> str:
    """How many requests have no price, and what their logs state that they cost, which is in no sum."""
    if not requests:
        return ""
    without = f"{fmt.count(requests)} without a price"
    return without if logged_only is None else f"{without}, logged only {fmt.money(logged_only)} USD"


def _spend(summary: DaySummary) -> Table:
    shown = list(summary.models[:TOP_MODELS])
    rest = summary.models[TOP_MODELS:]
    if rest:
        others = fmt.plural(len(rest), "other model")
        shown.append(ModelSpend(others, sum(m.requests for m in rest), fmt.total(m.spend_usd for m in rest)))
    decimals = fmt.decimals_for(model.spend_usd for model in shown)
    table = _money_table("spend by model")
    for model in shown:
        table.add_row(Text(model.model_id), fmt.count(model.requests), fmt.money(model.spend_usd, decimals))
    table.add_section()
    requests = fmt.count(sum(model.requests for model in shown))
    table.add_row("total", requests, fmt.money(summary.spend_usd, decimals), style="bold")
    return table


def _savings(summary: DaySummary) -> Table:
    headlines = [saving for saving in summary.savings if saving.is_headline]
    shown = headlines or summary.savings
    has_bounds = any(saving.low_95 is not None for saving in shown)  # those of several days do not add up
    part_of = "of baseline (95 %)" if has_bounds else "of baseline"
    table = _money_table("projected saving, not a measurement", part_of)
    for saving in shown:
        label = f"{saving.policy} against {'actual cost' if saving.baseline == 'actual' else saving.baseline}, evidence {saving.evidence_grade}"
        part = fmt.share(saving.saving_usd, saving.baseline_usd)
        bounds = ""
        if saving.low_95 is not None and saving.high_95 is not None:
            bounds = f" ({100 * saving.low_95:.0f} to {100 * saving.high_95:.0f})"
        point = "not projected" if saving.saving_usd is None else fmt.percent(part)
        table.add_row(
            Text(label),
            "a range" + bounds if bounds and saving.saving_usd is None else point + bounds,
            fmt.money(saving.saving_usd),
        )
    others = {saving.policy for saving in summary.savings} - {saving.policy for saving in headlines}
    if headlines and others:
        table.add_row(
            Text(f"{fmt.plural(len(others), 'other policy', 'other policies')}: modelmeter route NAME", style="dim")
        )
    return table


def _money_table(title: str, middle: str = "requests") -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim", title_justify="left")
    table.add_column(title, overflow="ellipsis", no_wrap=True, min_width=44)
    table.add_column(middle, justify="right", no_wrap=True)
    table.add_column("USD", justify="right", no_wrap=True)
    return table


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, date) else value
