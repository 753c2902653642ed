"""The wide price list: for every seller, model and set of conditions, the rates that apply together to one request.

Built from the long ledger of all feeds (`ledger.py`) by precedence; `rating.py` applies it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from pipelines.config.commitments import Discount
from pipelines.config.sources import PriceFeed
from pipelines.ids import id_column, uuid_text
from pipelines.meters import FEE_METERS, TOKEN_METERS, fallback_chain
from pipelines.prices.discounts import with_discounts
from pipelines.prices.exchange import exchange, fx_periods, split_by_need
from pipelines.prices.ledger import believed
from pipelines.prices.meters import MINIMUM_CHARGE, RATED_METERS
from pipelines.warehouse.tables.core_prices import FX_RATE, RATE_CARD

_MODEL = ("provider_id", "model_id")
_CONDITIONS = ("service_tier", "region", "time_window", "contract_id", "reasoning_mode")
_SPAN = ("valid_from", "valid_to", "context_from_tokens", "context_to_tokens")
_LATER_FEES = {
    fee.rate_column: "" if fee.name == "grounded_prompt" else f"{fee.name} "
    for fee in FEE_METERS
    if fee.name not in {"request", "web_search"}
}
"""Rates of fees that came after the first cards, and how each begins in a card's id: only where the card has the rate."""
_CARD = (*_MODEL, *_CONDITIONS, "context_counts")


def ranked(prices: pl.DataFrame, feeds: Sequence[PriceFeed]) -> pl.DataFrame:
    """Rows of declared feeds with `precedence` (Int64, the lowest wins) and `position` (Int64, of two alike the first).

    Reads feed, provider_id, model_id and meter.
    """
    order = pl.DataFrame(
        [(feed.feed, feed.precedence, position) for position, feed in enumerate(feeds)],
        schema={"feed": pl.String, "precedence": pl.Int64, "position": pl.Int64},
        orient="row",
    )
    precedence = pl.col("precedence")
    for name, preference in reversed([(feed.feed, item) for feed in feeds for item in feed.prefer]):
        named = {"provider_id": preference.provider, "model_id": preference.model, "meter": preference.meter}
        fits = [pl.col("feed") == name, *(pl.col(column) == value for column, value in named.items() if value)]
        precedence = pl.when(pl.all_horizontal(fits)).then(preference.precedence).otherwise(precedence)
    return prices.join(order, on="feed", how="inner").with_columns(precedence.cast(pl.Int64).alias("precedence"))


def is_outdone(condition: str, group: Sequence[str]) -> pl.Expr:
    """Whether the price of some hours (or of thinking) comes from a feed behind the one whose price in its `group` always holds.

    A feed that is believed on a price is believed on its hours, too: one that says peak hours are on weekdays must not be
    overruled on a Sunday by another that knows of no weekdays. Reads precedence, position and the column `condition`.
    """
    rank = pl.col("precedence") * 100_000 + pl.col("position")
    always = pl.when(pl.col(condition) == "").then(rank).min().over(group)
    return (pl.col(condition) != "") & (rank > always).fill_null(value=False)


def first_tokens() -> pl.Expr:
    """The smallest number of tokens for which a row of core.price holds: one above its bound where that is exclusive."""
    has_bound = pl.col("context_from_tokens") > 0
    return pl.col("context_from_tokens") + (has_bound & (pl.col("context_bound") == "gt")).cast(pl.Int64)


def build_rate_card(
    prices: pl.DataFrame,
    feeds: Sequence[PriceFeed],
    *,
    known_at: datetime | None = None,
    fx_rates: pl.DataFrame | None = None,
    discounts: Sequence[Discount] = (),
) -> pl.DataFrame:
    """Rows of `core.rate_card` from the rows of `core.price` that are believed at `known_at` (None: now).

    For each meter of a card the most specific price wins: one of the contract over a list price, of the card's
    service tier over the standard one, of its region over one that holds everywhere, of its daily window over one
    that holds all day and of its reasoning mode over one for both, unless a feed that goes before states the latter; among
    these the feed with the lowest precedence that states a price for as many tokens. So a tier, a region or a window
    overlays, meter by meter, what it does not change; but a price that only repeats that of its more general meter goes with it. A meter without any price takes the rate of a more general one
    (`pipelines.meters.fallback_chain`), recorded in `fallbacks`. A service tier has a card only where a price of it is
    known: a tier that nobody prices must not cost as much as the standard one. Meters that no request counts take no part.

    Of one model one measure decides between context tiers at an instant (`context_counts`): that of the feed that goes
    first; tiers of other feeds by another measure take no part.

    A marginal price holds for those of a request's tokens of its meter that are above its bound, and goes with the price
    of the first tokens: of the same feed and under the same conditions, or it is not used. It stands in `marginal` under
    `meter>n`. A minimum_charge is a floor under the cost of one request.

    Prices in other currencies are converted by `fx_rates` (rows of core.fx_rate) at the rate of each instant; the rates
    used are named in `exchange_rates`. Where no exchange rate holds and nothing else has a price, the card has no rates
    and names the currency with null. A discount by percent is a contract with a card for each list card of its models.
    """
    rates = FX_RATE.empty() if fx_rates is None else fx_rates
    worth = fx_periods(rates, set(prices["pricing_currency"]), known_at=known_at)
    usable = _usable(believed(prices, known_at), feeds, worth)
    if usable.is_empty():
        return RATE_CARD.empty()
    # Exchange rates come last: a grid cut by every one of them would grow with the square of their number.
    chosen = exchange(_choose(_grid(usable), usable), worth)
    return _with_ids(with_discounts(_with_fallbacks(_merge(_wide(chosen))), discounts))


def _usable(prices: pl.DataFrame, feeds: Sequence[PriceFeed], worth: pl.DataFrame) -> pl.DataFrame:
    is_marginal = (pl.col("context_from_tokens") > 0) & (pl.col("context_scope") == "marginal")
    return (
        ranked(split_by_need(prices, worth), feeds)
        .filter(pl.col("meter").is_in([*RATED_METERS, MINIMUM_CHARGE]))
        .select(
            *_CARD,
            pl.when(is_marginal)
            .then(pl.format("{}>{}", "meter", first_tokens() - 1))
            .otherwise("meter")
            .alias("meter"),
            "usd_per_million",
            "price_id",
            "unit_price",
            "pricing_quantity",
            "pricing_currency",
            "needs_rate",
            "precedence",
            "position",
            "valid_from",
            "valid_to",
            pl.when(is_marginal).then(0).otherwise(first_tokens()).alias("from_tokens"),
            pl.col("context_to_tokens").alias("to_tokens"),
        )
    )


def _grid(usable: pl.DataFrame) -> pl.DataFrame:
    """Every cell that could hold a card: the model's periods, prompt sizes and conditions, crossed."""
    edges = pl.concat(
        [usable.select(*_MODEL, pl.col(name).alias("valid_from")) for name in ("valid_from", "valid_to")]
    ).unique()
    periods = (
        edges.sort(*_MODEL, "valid_from", nulls_last=True)
        .with_columns(pl.col("valid_from").shift(-1).over(_MODEL).alias("valid_to"))
        .filter(pl.col("valid_from").is_not_null())
    )
    grid = periods.join(_sizes(usable), on=_MODEL)
    grid = _by_one_measure(grid, usable)
    for name, always in (
        ("service_tier", ["standard"]),
        ("region", [""]),
        ("time_window", [""]),
        ("contract_id", [""]),
        ("reasoning_mode", [""]),
    ):
        grid = grid.join(_values(usable, name, list(always)), on=_MODEL)
    return grid.with_row_index("cell")


def _bounded() -> pl.Expr:
    return (pl.col("from_tokens") > 0) | pl.col("to_tokens").is_not_null()


def _sizes(usable: pl.DataFrame) -> pl.DataFrame:
    """The context tiers of each model, by each measure that its prices count tokens by."""
    measure = [*_MODEL, "context_counts"]
    bounded = usable.filter(_bounded())
    edges = [
        bounded.select(*measure, pl.col(name).alias("context_from_tokens")) for name in ("from_tokens", "to_tokens")
    ]
    lowest = pl.lit(0, pl.Int64).alias("context_from_tokens")
    unbounded = usable.select(_MODEL).unique().join(bounded, on=_MODEL, how="anti")
    plain = unbounded.select(*_MODEL, pl.lit("input").alias("context_counts"), lowest)
    sizes = pl.concat([*edges, bounded.select(*measure, lowest), plain]).drop_nulls("context_from_tokens").unique()
    return sizes.sort(*measure, "context_from_tokens").with_columns(
        pl.col("context_from_tokens").shift(-1).over(measure).alias("context_to_tokens")
    )


def _by_one_measure(grid: pl.DataFrame, usable: pl.DataFrame) -> pl.DataFrame:
    """Of the tiers by several measures those by the measure of the feed that goes first in the period."""
    period = [*_MODEL, "valid_from"]
    if not grid.select((pl.col("context_counts").n_unique().over(_MODEL) > 1).any()).item():
        return grid
    stated = usable.filter(_bounded()).select(
        *_MODEL, "precedence", "position", counted="context_counts", since="valid_from", until="valid_to"
    )
    first = (
        grid.select(period)
        .unique()
        .join(stated, on=_MODEL)
        .with_columns(
            holds=(pl.col("since") <= pl.col("valid_from"))
            & (pl.col("until").is_null() | (pl.col("until") > pl.col("valid_from")))
        )
        .sort(*period, "holds", "precedence", "position", "counted", descending=[False] * 3 + [True] + [False] * 3)
        .unique(period, keep="first", maintain_order=True)
    )
    measured = grid.join(first.select(*period, "counted"), on=period, how="left", maintain_order="left")
    return measured.filter(pl.col("counted").is_null() | (pl.col("counted") == pl.col("context_counts"))).drop(
        "counted"
    )


def _values(usable: pl.DataFrame, name: str, always: list[object]) -> pl.DataFrame:
    models = usable.select(_MODEL).unique()
    fixed = models.join(pl.DataFrame({name: always}, schema={name: usable.schema[name]}), how="cross")
    return pl.concat([usable.select(*_MODEL, name), fixed]).unique()


def _choose(grid: pl.DataFrame, usable: pl.DataFrame) -> pl.DataFrame:
    """The winning price of each meter in each cell that has a price of its own."""
    joined = grid.join(usable, on=_MODEL, suffix="_price").filter(
        pl.col("valid_from_price") <= pl.col("valid_from"),
        pl.col("valid_to_price").is_null() | (pl.col("valid_to_price") > pl.col("valid_from")),
        pl.col("from_tokens") <= pl.col("context_from_tokens"),
        pl.col("to_tokens").is_null() | (pl.col("to_tokens") > pl.col("context_from_tokens")),
        ~_bounded() | (pl.col("context_counts_price") == pl.col("context_counts")),
        (pl.col("service_tier_price") == "standard") | (pl.col("service_tier_price") == pl.col("service_tier")),
        *((pl.col(f"{name}_price") == "") | (pl.col(f"{name}_price") == pl.col(name)) for name in _CONDITIONS[1:]),
    )
    # A price that can't be converted counts only where nothing else does, to say why there is no rate.
    joined = joined.filter(~pl.col("needs_rate") | pl.col("needs_rate").all().over("cell"))
    for condition in ("time_window", "reasoning_mode"):
        others = [f"{name}_price" for name in _CONDITIONS if name != condition]
        joined = joined.filter(~is_outdone(f"{condition}_price", ["cell", "meter", *others]))
    own = {name: pl.col(f"{name}_price") == pl.col(name) for name in _CONDITIONS}
    # Searches are charged by the search or by the prompt, never by both.
    charged = pl.col("meter").replace({fee.name: fee.count.column for fee in FEE_METERS if fee.count}).alias("charged")
    best = (
        joined.with_columns(charged)
        .sort(
            "cell",
            "charged",
            *(own[name] for name in ("contract_id", "service_tier", "region", "time_window", "reasoning_mode")),
            "precedence",
            "position",
            "from_tokens",
            "to_tokens",
            descending=[False, False, True, True, True, True, True, False, False, True, False],
            nulls_last=True,
        )
        .unique(["cell", "charged"], keep="first", maintain_order=True)
        .drop("charged")
    )
    best = _without_echoes(_without_strange_tiers(best), joined)
    has_own = [own[name].any().over("cell").alias(f"own_{name}") for name in _CONDITIONS]
    is_general = {name: pl.col(name).is_in(["", "standard"]) for name in _CONDITIONS}
    return best.with_columns(has_own).filter(
        *(is_general[name] | pl.col(f"own_{name}") for name in _CONDITIONS),
    )


def _without_echoes(best: pl.DataFrame, joined: pl.DataFrame) -> pl.DataFrame:
    """Drops prices that only repeat the one of their more general meter, where another price of that one won.

    A list that prices thinking as it prices the answer says nothing of thinking: a contract, a batch or a region that states
    the answer alone holds for both. `best` are the prices that won, `joined` all of their cells.
    """
    amount = ["unit_price", "pricing_quantity", "pricing_currency"]
    stated_by = ["cell", "general", "position", *(f"{name}_price" for name in _CONDITIONS)]
    general = pl.DataFrame(
        [(meter.name, meter.parent) for meter in TOKEN_METERS if meter.parent],
        schema={"meter": pl.String, "general": pl.String},
        orient="row",
    )
    won = best.select("cell", *amount, general="meter")
    differing = best.join(general, on="meter").join(won, on=["cell", "general"], suffix="_won")
    differing = differing.filter(pl.any_horizontal(pl.col(name) != pl.col(f"{name}_won") for name in amount))
    if differing.is_empty():
        return best
    stated = joined.rename({"meter": "general"}).join(
        differing.select("cell", "general").unique(), on=["cell", "general"]
    )
    echoes = differing.join(stated, on=[*stated_by, *amount], how="semi")
    return best.join(echoes, on=["cell", "meter"], how="anti", maintain_order="left")


def _without_strange_tiers(best: pl.DataFrame) -> pl.DataFrame:
    """Drops marginal prices that another feed, or other conditions, put on top of the price that won."""
    origin = ["cell", "base", "position", *(f"{name}_price" for name in _CONDITIONS)]
    named = best.with_columns(pl.col("meter").str.split(">").list.first().alias("base"))
    is_tier = pl.col("meter") != pl.col("base")
    if not named.select(is_tier.any()).item():
        return best
    first = named.filter(~is_tier)
    tiers = named.filter(is_tier).join(first, on=origin, how="semi")
    return pl.concat([first, tiers]).sort("cell", "meter").drop("base")


def _wide(chosen: pl.DataFrame) -> pl.DataFrame:
    """One row per cell: a column of rates per meter, and the object of price ids."""
    # JSON is joined as text: polars' encoder would write amounts as strings, and rate ids are made of these texts.
    pair = pl.concat_str([pl.lit('"'), "meter", pl.lit('": "'), uuid_text("price_id"), pl.lit('"')])
    worth = (
        pl.when("needs_rate").then(pl.lit("null")).otherwise(pl.format('"{}"', uuid_text("fx_rate_id").fill_null("")))
    )
    exchanged = pl.when(pl.col("pricing_currency") != "USD").then(pl.format('"{}": {}', "pricing_currency", worth))
    rates = pl.col("exchanged").drop_nulls().unique().sort().str.join(", ")
    is_tier = pl.col("meter").str.contains(">", literal=True) & pl.col("usd_per_million").is_not_null()
    tier = pl.when(is_tier).then(pl.format('"{}": {}', "meter", pl.col("usd_per_million").cast(pl.String)))
    return (
        chosen.with_columns(pair.alias("pair"), exchanged.alias("exchanged"), tier.alias("tier"))
        .group_by("cell", *_CARD, *_SPAN, maintain_order=True)
        .agg(
            pl.concat_str([pl.lit("{"), pl.col("pair").sort().str.join(", "), pl.lit("}")]).first().alias("price_ids"),
            pl.concat_str([pl.lit("{"), rates, pl.lit("}")]).first().alias("exchange_rates"),
            pl.concat_str([pl.lit("{"), pl.col("tier").drop_nulls().sort().str.join(", "), pl.lit("}")])
            .first()
            .alias("marginal"),
            pl.col("usd_per_million").filter(pl.col("meter") == MINIMUM_CHARGE).first().alias(MINIMUM_CHARGE),
            *(
                pl.col("usd_per_million").filter(pl.col("meter") == meter).first().alias(meter)
                for meter in RATED_METERS
            ),
        )
    )


def _merge(cells: pl.DataFrame) -> pl.DataFrame:
    """Joins neighbouring prompt sizes, then neighbouring periods, that rest on the same price rows and exchange rates."""
    by_size = _merge_along(cells, (*_CARD, "valid_from", "valid_to"), "context_from_tokens", "context_to_tokens")
    return _merge_along(by_size, (*_CARD, "context_from_tokens", "context_to_tokens"), "valid_from", "valid_to")


def _merge_along(cells: pl.DataFrame, group: Sequence[str], start: str, end: str) -> pl.DataFrame:
    ordered = cells.sort(*group, start)
    continues = (
        (pl.col(start) == pl.col(end).shift())
        & (pl.col("price_ids") == pl.col("price_ids").shift())
        & (pl.col("exchange_rates") == pl.col("exchange_rates").shift())
        & pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift()) for name in group)
    )
    return (
        ordered.with_columns((~continues.fill_null(value=False)).cum_sum().alias("run"))
        .group_by("run", maintain_order=True)
        .agg(pl.all().exclude(end).first(), pl.col(end).last())
        .drop("run")
    )


def _with_fallbacks(cards: pl.DataFrame) -> pl.DataFrame:
    """Fills a meter's missing rate from the nearest more general meter that has one, and records every such step."""
    rates, steps = [], []
    for meter in TOKEN_METERS:
        chain = fallback_chain(meter)
        rates.append(pl.coalesce(meter.name, *chain).alias(meter.rate_column))
        taken = (
            pl.coalesce(*(pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in chain)) if chain else None
        )
        if taken is not None:
            steps.append((meter.name, pl.when(pl.col(meter.name).is_null()).then(taken)))
    rates += [pl.col(fee.name).alias(fee.rate_column) for fee in FEE_METERS]
    rates.append((pl.col(MINIMUM_CHARGE).cast(pl.Decimal(38, 18)) / 1_000_000).alias(f"{MINIMUM_CHARGE}_usd"))
    pairs = [pl.concat_str([pl.lit(f'"{name}": "'), taken, pl.lit('"')]) for name, taken in steps]
    return cards.with_columns(
        *rates,
        pl.concat_str([pl.lit("{"), pl.concat_str(pairs, separator=", ", ignore_nulls=True), pl.lit("}")]).alias(
            "fallbacks"
        ),
    )


def _with_ids(cards: pl.DataFrame) -> pl.DataFrame:
    """The id leaves out where the row ends and which ledger rows it rests on: neither changes what a request costs."""
    # What few cards have enters only where it is, so that the ids on which requests were booked before it stay.
    more = pl.concat_str("marginal", pl.col("minimum_charge_usd").cast(pl.String).fill_null(""), separator=" ")
    measured = pl.concat_str("context_counts", "reasoning_mode", separator=" ")
    later = [
        pl.format(f"{label}{{}}", pl.col(name).cast(pl.String)).fill_null("") for name, label in _LATER_FEES.items()
    ]
    measured = pl.concat_str(measured, *later)
    more = pl.when(measured == "input ").then(more).otherwise(pl.concat_str(more, measured, separator=" "))
    rates = [column for column in RATE_CARD.polars_schema if "_usd_per_" in column and column not in _LATER_FEES]
    parts = cards.select(
        *_MODEL,
        *_CONDITIONS[:-1],
        pl.col("context_from_tokens", "context_to_tokens"),
        pl.col("valid_from").dt.to_string("iso"),
        *rates,
        pl.when(more == "{} ").then("fallbacks").otherwise(pl.concat_str("fallbacks", more)).alias("fallbacks"),
    )
    return (
        cards.with_columns(id_column(parts, parts.columns, prefix=["rate"]).alias("rate_id"))
        .select(RATE_CARD.polars_schema.names())
        .cast(dict(RATE_CARD.polars_schema))  # type: ignore[arg-type]
        .sort(*_CARD, "valid_from", "context_from_tokens")
    )
