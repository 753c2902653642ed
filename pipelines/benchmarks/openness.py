"""Decides whether an entry of a board is open or closed: which sources are asked, in which order, and what none of them knows.

The gap between the two sides is measured in `gap.py`; what is declared of models is in `models.yaml`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import polars as pl

from pipelines.config.loader import load_file
from pipelines.config.models import ModelsConfig
from pipelines.models import Registry, build_registry

OPEN = ("open_source", "open_weight")
LISTED = 10
"""Entries on neither side that are listed, the best first."""

_UNNAMED = re.compile(r"best (?P<side>open|closed) model\b")
"""An entry that names no model but a side, as reports on the gap do: "best open model of 2023"."""


def sides(
    scores: pl.DataFrame, models: pl.DataFrame, registry: Registry | None, names: pl.DataFrame | None
) -> pl.Series:
    """`side` per score, open or closed, null where no source says.

    The source's own flag comes first, because it is about this very entry. Then the list of models, by the model that the
    entry is; then what `models.yaml` says of names that begin so, its own and the packaged one. That is asked of the part
    of the entry's name that names a model (`names`: score_id, model_name), never of the name of an agent, and not of two
    models at work together.
    """
    openness = dict(models.filter(pl.col("openness") != "unknown").select("model_id", "openness").iter_rows())
    if names is not None:
        known = scores.join(names, on="score_id", how="left", maintain_order="left")
        name = known["model_name"].fill_null(known["raw_model"])
    else:
        name = scores["raw_model"]
    by_name = {text: _openness_by_name(text, registry) for text in name.unique().to_list()}
    unnamed = {raw: match["side"] for raw in scores["raw_model"].unique() if (match := _UNNAMED.match(raw))}
    listed = pl.col("model_id").replace_strict(openness, default=None, return_dtype=pl.String)
    return (
        scores.with_columns(name.alias("name"))
        .select(
            pl.coalesce(
                "weights",
                _side(listed),
                _side(pl.col("name").replace_strict(by_name, default=None, return_dtype=pl.String)),
                pl.col("raw_model").replace_strict(unnamed, default=None, return_dtype=pl.String),
            ).alias("side")
        )
        .to_series()
    )


def _side(openness: pl.Expr) -> pl.Expr:
    return pl.when(openness.is_in(OPEN)).then(pl.lit("open")).when(openness == "closed").then(pl.lit("closed"))


def _openness_by_name(name: str, registry: Registry | None) -> str | None:
    if registry is None or not name or " + " in name:
        return None
    for asked in (registry, _packaged()):
        named = asked.openness(asked.split(name.lower()).name)
        if named != "unknown":
            return named
    return None


@cache
def _packaged() -> Registry:
    """What the packaged `models.yaml` says, also where a file of one's own replaces it."""
    return build_registry(load_file(ModelsConfig, "models.yaml", None), [])


def undecided(ordered: pl.DataFrame) -> str | None:
    """The entries on neither side as JSON, by rank, each with the line that would decide it; None if there is none.

    `ordered` has `side`, `raw_model` and `score`, the best first.
    """
    ranked = ordered.with_row_index("rank", offset=1).filter(pl.col("side").is_null()).head(LISTED)
    found = [_entry(row) for row in ranked.iter_rows(named=True)]
    return json.dumps(found, ensure_ascii=False) if found else None


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    name = str(row["raw_model"])
    slug = re.sub(r"[^a-z0-9._:-]+", "-", name.lower()).strip("-._:") or "model"
    quoted = json.dumps(name, ensure_ascii=False)
    line = f"- {{id: {json.dumps(slug)}, display_name: {quoted}, openness: closed}}"
    if slug != name.lower():
        line = line.replace(", openness", f", aliases: [{quoted}], openness")
    return {"rank": row["rank"], "model": name, "score": row["score"], "models_yaml": line}
