"""`reports/explore.html`: the charges of thirteen months in one page that sums them itself, to the last decimal.

How the charges are packed is in `packed.py`; the page's script is `templates/explore_sums.js` and `explore_view.js`.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
from markupsafe import Markup

from pipelines.finops import format as fmt
from pipelines.finops.report.packed import packed
from pipelines.finops.report.render import render, write_page
from pipelines.warehouse.read import read_frame

_CHARGES = """
with charges as (
    select
        event_date, provider_id, model_id, team, project, cost_centre, meter, coalesce(contracted_usd_per_million, 0) as usd_per_million,
        effective_cost_usd is null as is_unknown,
        coalesce(sum(quantity), 0)::bigint as quantity, sum(effective_cost_usd)::numeric(38, 18) as cost_usd
    from mart.daily_charge
    where event_date >= %(first)s and event_date <= %(last)s
    group by event_date, provider_id, model_id, team, project, cost_centre, meter, contracted_usd_per_million, effective_cost_usd is null
)
select
    event_date, provider_id, model_id, team, project, cost_centre, meter,
    case when is_unknown then 'unknown' else trunc(usd_per_million * 1000000000000)::text end as rate,
    quantity, cost_usd,
    is_unknown or cost_usd = quantity * usd_per_million * 0.000001 as is_explained
from charges
"""


def write_explorer(connection: psycopg.Connection[Any], newest: date, out_dir: Path, *, is_sample: bool) -> Path:
    """Write `out_dir/explore.html` with the charges of the month of `newest` and the twelve before it, as known now."""
    first = date(newest.year - 1, newest.month, 1)
    asked = psycopg.ClientCursor(connection).mogrify(_CHARGES.strip(), {"first": first, "last": newest})
    html = explorer_html(read_frame(connection, asked), first, newest, sql=asked, is_sample=is_sample)
    return write_page(html, out_dir / "explore.html")


def explorer_html(charges: pl.DataFrame, first: date, newest: date, *, sql: str, is_sample: bool) -> str:
    """The page over `charges`, the rows of its query."""
    text = json.dumps(packed(charges), ensure_ascii=False, separators=(",", ":"))
    return render(
        "explore.html",
        script=("explore_sums.js", "explore_view.js"),
        is_sample=is_sample,
        days=f"{fmt.long_day(first)} to {fmt.long_day(newest)}",
        sql=sql,
        data=Markup(text.replace("<", "\\u003c").replace("&", "\\u0026")),  # noqa: S704, JSON without markup
    )
