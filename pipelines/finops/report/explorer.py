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
from pipelines.finops.queries import EXPLORER
from pipelines.finops.report.packed import NAMES, packed
from pipelines.finops.report.render import render, write_page
from pipelines.warehouse.read import read_frame

OTHERS = "(others)"
"""What stands in mart.daily_explorer_spend, and on the page, for names that are not kept apart."""

_FOLDED = NAMES[:-1]
"""Meters are few."""
_MOST_NAMES = 1_000
"""Of a column: the page lists each to choose from."""
_TITLES = {
    "provider_id": "sellers", "model_id": "models", "team": "teams", "project": "projects", "cost_centre": "cost centres",
}  # fmt: skip


def write_explorer(connection: psycopg.Connection[Any], newest: date, out_dir: Path, *, is_sample: bool) -> Path:
    """Write `out_dir/explore.html` with the charges of the month of `newest` and the twelve before it, as known now."""
    first = date(newest.year - 1, newest.month, 1)
    asked = psycopg.ClientCursor(connection).mogrify(EXPLORER.strip(), {"first": first, "last": newest})
    html = explorer_html(read_frame(connection, asked), first, newest, sql=asked, is_sample=is_sample)
    return write_page(html, out_dir / "explore.html")


def explorer_html(charges: pl.DataFrame, first: date, newest: date, *, sql: str, is_sample: bool) -> str:
    """The page over `charges`, the rows of its query."""
    shown = _with_few_names(charges)
    text = json.dumps(packed(shown), ensure_ascii=False, separators=(",", ":"))
    return render(
        "explore.html",
        script=("explore_sums.js", "explore_view.js"),
        is_sample=is_sample,
        days=f"{fmt.long_day(first)} to {fmt.long_day(newest)}",
        folded=_folded(shown),
        sql=sql,
        data=Markup(text.replace("<", "\\u003c").replace("&", "\\u0026")),  # noqa: S704, JSON without markup
    )


def _with_few_names(charges: pl.DataFrame) -> pl.DataFrame:
    """The charges with the dearest names of each column; the others stand together."""
    for name in _FOLDED:
        if charges[name].n_unique() <= _MOST_NAMES:
            continue
        dearest = (
            charges.group_by(name)
            .agg(pl.col("cost_usd").sum())
            .sort("cost_usd", name, descending=[True, False], nulls_last=True)
        )
        kept = dearest.filter(pl.col(name) != OTHERS)[name].head(_MOST_NAMES - 1)
        is_kept = pl.col(name).is_in(kept.to_list())
        charges = charges.with_columns(pl.when(is_kept).then(name).otherwise(pl.lit(OTHERS)).alias(name))
    return charges


def _folded(charges: pl.DataFrame) -> str:
    """How much stands under names that are not kept apart, by column; empty where nothing does."""
    whole = fmt.total(charges["cost_usd"])
    parts = []
    for name in _FOLDED:
        others = charges.filter(pl.col(name) == OTHERS)
        if not others.is_empty():
            usd = fmt.total(others["cost_usd"])
            share = fmt.percent(fmt.share(usd, whole)) if usd is not None and whole else fmt.NONE
            parts.append(f"{_TITLES[name]} {fmt.dollars(usd)} ({share})")
    return ", ".join(parts)
