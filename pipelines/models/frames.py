"""Resolves whole frames of names and requests, and writes the registry as `core.model` and `core.model_alias`.

Each distinct name is resolved once and joined back. The rules are in `registry.py`.
"""

from __future__ import annotations

import polars as pl

from pipelines.config.model_facts import ModelFacts, ModelFactsConfig
from pipelines.models.registry import Registry
from pipelines.warehouse.tables.core import MODEL, MODEL_ALIAS

_RESOLVED = {
    "model_id": pl.String(),
    "method": pl.String(),
    "confidence": pl.Float64(),
    "decided_by": pl.String(),
}

REDIRECT = "redirect"
"""The resolution method of a name that its seller answers with another model."""

_NAMED = ("provider_id", "response_model", "request_model", "region")
"""What a request says of its model and seller."""


def resolve_names(names: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """Adds model_id, method, confidence and decided_by to `names` (provider_id, raw_name: String); rows keep their order.

    Null provider means an unknown seller, null name is unresolved.
    """
    keys = names.select(pl.col("provider_id").fill_null(""), pl.col("raw_name").fill_null("")).unique()
    found = [registry.resolve(provider, raw) for provider, raw in keys.iter_rows()]
    resolved = keys.with_columns(
        pl.Series(name, [getattr(item, name) for item in found], dtype=dtype) for name, dtype in _RESOLVED.items()
    )
    return (
        names.drop(*_RESOLVED, strict=False)
        .with_columns(
            pl.col("provider_id").fill_null("").alias("_provider"), pl.col("raw_name").fill_null("").alias("_raw")
        )
        .join(
            resolved.rename({"provider_id": "_provider", "raw_name": "_raw"}),
            on=["_provider", "_raw"],
            how="left",
            maintain_order="left",
        )
        .drop("_provider", "_raw")
    )


def resolve_requests(requests: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """Adds model_id and resolution_method; brings provider_id to the registry's ids and fills what the name says.

    `requests` needs provider_id, request_model, response_model and region (String). The model that answered wins over
    the one asked for, unless only the latter is resolved better. A missing provider is filled from the name's own
    prefix (`azure/gpt-4o`) or, for a closed model under its bare name, with its developer's own API. The region of the name's
    own prefix (`global.anthropic...`) goes before the logged one, because it decides the price: a global profile of Bedrock
    costs less than a regional one, wherever the call was made and answered. The tier batch from its end (`:batch`). Open-weight models have many
    sellers and are often written with their developer in front (`Qwen/Qwen3-32B`), so neither a bare name nor that prefix
    says who sold the call. A name that its seller redirects (`redirects` of models.yaml) is the model that answers it at `event_at`, where
    the frame has that.
    """
    asked = requests.select(pl.col(_NAMED).name.prefix("_asked_"))
    keys = asked.columns
    distinct = asked.unique()
    resolved = _resolved(distinct.rename(dict(zip(keys, _NAMED, strict=True))), registry)
    found = asked.join(
        pl.concat([distinct, resolved], how="horizontal"), on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    named = requests.drop("model_id", "resolution_method", strict=False).with_columns(
        *found.drop(keys).get_columns(), *_batch_tier(requests)
    )
    return _redirected(named, registry) if "event_at" in named.columns else named


def _resolved(requests: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """What `resolve_requests` changes: model_id, resolution_method, provider_id and region, row by row."""
    names = [
        requests.select("provider_id", pl.col(column).alias("raw_name"))
        for column in ("response_model", "request_model")
    ]
    answered, asked = (resolve_names(frame, registry) for frame in names)
    by_answer = answered["confidence"] >= asked["confidence"]
    facts = pl.concat([_name_facts(registry, frame) for frame in names]).unique()
    chosen = (
        pl.select(
            pl.when(by_answer).then(requests["response_model"]).otherwise(requests["request_model"]).alias("raw_name"),
            pl.when(by_answer).then(answered["model_id"]).otherwise(asked["model_id"]).alias("model_id"),
            pl.when(by_answer).then(answered["method"]).otherwise(asked["method"]).alias("resolution_method"),
            requests["provider_id"],
        )
        .join(facts, on=["provider_id", "raw_name"], how="left", nulls_equal=True, maintain_order="left")
        .join(_sellers(registry), on="model_id", how="left", maintain_order="left")
    )
    closed = pl.col("_is_closed").fill_null(value=False)
    provider = pl.coalesce(
        "_logged_seller",
        pl.when(closed | pl.col("_prefix").ne_missing(pl.col("_own_seller"))).then("_prefix"),
        pl.when(closed).then("_own_seller"),
    )
    chosen = chosen.with_columns(provider.alias("seller"))
    apart = _separate(registry)
    if apart.height:
        found = chosen.join(apart, on=["_list", "model_id", "seller"], how="left", maintain_order="left")
        chosen = found.with_columns(pl.when("_is_separate").then("_list").otherwise("seller").alias("seller"))
    return requests.select(
        chosen["model_id"],
        chosen["resolution_method"],
        chosen["seller"].alias("provider_id"),
        pl.when(chosen["_region"].fill_null("") != "")
        .then(chosen["_region"])
        .otherwise(pl.col("region").fill_null(""))
        .alias("region"),
    )


def _redirected(requests: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """Calls of a redirected name get the model that answers it, of method redirect; one whose answer names another model keeps that."""
    for redirect in registry.config.redirects:
        asked = registry.resolve(redirect.provider, redirect.name).model_id
        served = registry.resolve(redirect.provider, redirect.model).model_id
        if served is None:
            continue
        raw = pl.coalesce("response_model", "request_model").str.to_lowercase()
        is_asked = pl.col("model_id") == asked if asked else raw == redirect.name.lower()
        since = pl.col("event_at").dt.date() >= redirect.from_date
        seller = (
            pl.col("provider_id") == registry.provider(redirect.provider) if redirect.provider else pl.lit(value=True)
        )
        moves = (is_asked & since & seller).fill_null(value=False)
        requests = requests.with_columns(
            pl.when(moves).then(pl.lit(served)).otherwise("model_id").alias("model_id"),
            pl.when(moves).then(pl.lit(REDIRECT)).otherwise("resolution_method").alias("resolution_method"),
        )
    return requests


def _batch_tier(requests: pl.DataFrame) -> list[pl.Series]:
    """The service tier, where there is one: a name that ends in `:batch` is served as batch where the log leaves it open."""
    if "service_tier" not in requests.columns:
        return []
    names = [pl.col(name).str.to_lowercase() for name in ("response_model", "request_model")]
    is_batch = pl.any_horizontal(name.str.ends_with(":batch").fill_null(value=False) for name in names)
    tier = pl.when(is_batch & (pl.col("service_tier") == "standard")).then(pl.lit("batch")).otherwise("service_tier")
    return [requests.select(tier.alias("service_tier"))["service_tier"]]


def model_frame(registry: Registry, facts: ModelFactsConfig) -> pl.DataFrame:
    """The registry as rows of `core.model`, with what is known of each model, sorted by id."""
    rows = [
        {
            "model_id": model.id,
            **{name: getattr(model, name, None) for name in ("developer", "family", "display_name", "openness")},
            **_known(facts.of(model.id)),
            "decided_by": registry.decided_by[model.id],
        }
        for model in registry.models.values()
    ]
    return pl.DataFrame(rows, schema=MODEL.polars_schema).sort("model_id")


def _known(facts: ModelFacts | None) -> dict[str, object]:
    """The columns that facts fill; whose they are, and what others say, is in mart.model_catalog."""
    if facts is None:
        return {}
    stated = {name: facts.fact(name) for name in ("total_params_b", "active_params_b", "context_tokens")}
    stated |= {"released_date": facts.released_on}
    known = {name: fact.value for name, fact in stated.items() if fact is not None}
    return known | ({} if facts.licence is None else {"license": facts.licence.value.licence})


def alias_frame(registry: Registry, names: pl.DataFrame) -> pl.DataFrame:
    """`names` (provider_id, raw_name: String) as rows of `core.model_alias`: each once, lower case, resolved or not."""
    distinct = names.select(
        pl.col("provider_id").fill_null(""), pl.col("raw_name").fill_null("").str.to_lowercase()
    ).unique()
    return resolve_names(distinct, registry).select(MODEL_ALIAS.polars_schema.names()).sort("provider_id", "raw_name")


def _name_facts(registry: Registry, names: pl.DataFrame) -> pl.DataFrame:
    """For each distinct pair: the seller in the log, seller and region in the name, and the price list."""
    distinct = names.unique()
    rows = []
    for provider, raw in distinct.iter_rows():
        parts = registry.split(raw or "", provider or "")
        sold_by = registry.provider(provider) if provider else None
        prefix = registry.provider(parts.provider_id) if parts.provider_id else None
        rows.append((sold_by, prefix, parts.region, registry.price_list(provider or "", parts)))
    facts_schema = dict.fromkeys(("_logged_seller", "_prefix", "_region", "_list"), pl.String)
    return pl.concat([distinct, pl.DataFrame(rows, schema=facts_schema, orient="row")], how="horizontal")


def _separate(registry: Registry) -> pl.DataFrame:
    """The models that a further price list of a seller prices otherwise than the seller's own."""
    rows = [(name, model, registry.provider(name), True) for name, model in registry.separate]
    schema = {"_list": pl.String, "model_id": pl.String, "seller": pl.String, "_is_separate": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _sellers(registry: Registry) -> pl.DataFrame:
    """For each model: the provider that is its developer's own, and whether its weights are closed."""
    rows = [
        (model.id, registry.own_sellers.get(model.developer or ""), model.openness == "closed")
        for model in registry.models.values()
    ]
    schema = {"model_id": pl.String, "_own_seller": pl.String, "_is_closed": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")
