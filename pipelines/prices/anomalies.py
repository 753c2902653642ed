"""Judges what moved between two snapshots of a feed: a market that goes on, or a file that lost or mistook its prices.

The measures come from real histories (20 maps of LiteLLM, 29 revisions of Anthropic's page): between two months a map lost up
to 5 % of its models and moved 1 % of them tenfold, over eight months 18 % and 2 %. What moved is found by `snapshot_diff.py`, what
follows is in `review.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from pipelines.prices.snapshot_diff import MODEL, Moves
from pipelines.prices.wording import amount_text

LARGEST_LOSS = 0.2
"""Share of a feed's models (new ones make up for lost ones), or of the prices of models that stay, that one file may lose."""
TENFOLD = 10.0
TENFOLD_SHARE = 0.05
"""Share of a feed's models that may move tenfold or more with one file; of a page none may."""
JUMP = 1.5
"""A feed of which more than half of the models moved by this factor or more has moved as a whole."""
SELLER_JUMP = 3.0
_SAME_JUMP = 1.1
_MANY = 10
"""Models (or prices of a kind) from which on a share says something of the whole."""
_FEW = 5
_SOME = 3
_NEARLY_ALL = 0.8
_A_SEASON = timedelta(days=90)
_MOST_PATIENT = 3.0
_NAMED = 3


@dataclass(frozen=True)
class Doubt:
    """Why a snapshot waits for a person: whole, or the models that `changes` (columns of CHANGES) names."""

    reason: str
    is_whole: bool
    changes: pl.DataFrame

    @property
    def models(self) -> pl.DataFrame:
        """The models that wait, each once: provider_id and model."""
        return self.changes.select(MODEL).unique()


def doubt(found: Moves, *, is_page: bool) -> Doubt | None:
    """What speaks against a snapshot, or some of its models; None if its changes are those of a market.

    The longer two snapshots lie apart, the more may have changed: shares are up to three times as large after half a year.
    """
    patience = min(1 + found.gap / _A_SEASON, _MOST_PATIENT)
    reasons = [*_losses(found, patience), *_jumps(found, patience, is_page=is_page)]
    if reasons:
        return Doubt("; ".join(reasons), is_whole=True, changes=found.changes)
    partial = [*_contradicted(found), *_sellers(found), *_rare_kinds(found)]
    if not partial:
        return None
    models = pl.concat([models for _, models in partial]).unique()
    reasons_text = "; ".join(reason for reason, _ in partial)
    return Doubt(reasons_text, is_whole=False, changes=found.changes.join(models, on=list(MODEL), how="semi"))


def _losses(found: Moves, patience: float) -> Iterator[str]:
    before, after = found.models_before.height, found.models_after.height
    gone = found.gone.select(MODEL).n_unique()
    fewer = before - after
    is_large = fewer > LARGEST_LOSS * patience * before and (fewer > 1 or before < _FEW - 1)
    if is_large or (gone and gone > _NEARLY_ALL * before):
        yield f"{gone} of {before} models are gone ({_some(found.gone)})"
    lost = found.lost
    if lost.height > LARGEST_LOSS * patience * found.prices_that_stay:
        yield f"{lost.height} of {found.prices_that_stay} prices of models that stay are gone ({_some(lost)})"
    yield from (reason for reason, had, _ in _vanished(found) if had > LARGEST_LOSS * before)


def _vanished(found: Moves) -> Iterator[tuple[str, int, pl.DataFrame]]:
    """Kinds of price that are gone of nearly all models that had them: why that is strange, how many had them, and who lost them."""
    kind = ["meter", "service_tier"]
    had = found.prices_before.join(found.gone.select(MODEL).unique(), on=list(MODEL), how="anti")
    had = had.filter(pl.col("unit") == "token").group_by(kind).agg(pl.struct(MODEL).n_unique().alias("had"))
    fell = found.lost.group_by(kind).agg(pl.struct(MODEL).n_unique().alias("lost"))
    for row in had.join(fell, on=kind).filter(pl.col("lost") >= _MANY).sort(kind).iter_rows(named=True):
        if row["lost"] > 0.9 * row["had"]:
            tier = "" if row["service_tier"] == "standard" else f" ({row['service_tier']})"
            models = found.lost.filter(*(pl.col(name) == row[name] for name in kind)).select(MODEL).unique()
            yield f"{row['meter']}{tier} is gone of {row['lost']} of {row['had']} models", row["had"], models


def _rare_kinds(found: Moves) -> Iterator[tuple[str, pl.DataFrame]]:
    """The same of kinds that few models have: LiteLLM's map dropped the price of cached images of its thirteen models in August 2026."""
    few = LARGEST_LOSS * found.models_before.height
    yield from ((reason, models) for reason, had, models in _vanished(found) if had <= few)


def _jumps(found: Moves, patience: float, *, is_page: bool) -> Iterator[str]:
    stay = found.models_before.height - found.gone.select(MODEL).n_unique()
    moved = found.moved.filter(pl.col("also_says") == "")
    far = moved.filter(pl.col("factor") >= TENFOLD)
    many = far.select(MODEL).n_unique()
    if many > (0 if is_page else TENFOLD_SHARE * patience * stay):
        yield f"{many} of {stay} models moved tenfold or more ({_some(far)})"
    whole = _by_model(moved).filter(pl.col("factor") >= JUMP)
    if stay >= _FEW and whole.height > stay / 2 and whole.height > many:
        yield f"{whole.height} of {stay} models moved by {JUMP:g} times or more ({_some(moved.filter(pl.col('factor') >= JUMP))})"
    elif stay >= _MANY:
        alike = _by_model(moved).filter(pl.col("factor") >= _SAME_JUMP).group_by(pl.col("factor").round(3)).len()
        most = alike.sort("len", "factor", descending=True).head(1)
        if most.height and most["len"][0] > stay / 2:
            yield f"{most['len'][0]} of {stay} models moved by one factor, {most['factor'][0]:g}"
    currencies = moved.filter(pl.col("currency_before") != pl.col("currency_after"))
    if (others := currencies.select(MODEL).n_unique()) > stay / 2:
        row = currencies.row(0, named=True)
        yield f"{others} of {stay} models are in another currency ({row['currency_before']} to {row['currency_after']})"


def _by_model(moved: pl.DataFrame) -> pl.DataFrame:
    """The factor in the middle of each model's prices that moved; of a model that moved in part, only the prices that moved."""
    return moved.filter(pl.col("factor").is_not_null()).group_by(MODEL).agg(pl.col("factor").median())


def _contradicted(found: Moves) -> Iterator[tuple[str, pl.DataFrame]]:
    """Models of which a price moved tenfold while another feed still states the one before, and none the one after."""
    far = found.moved.filter(pl.col("factor") >= TENFOLD, pl.col("still_says") != "", pl.col("also_says") == "")
    if far.height:
        feeds = ", ".join(sorted({feed for names in far["still_says"] for feed in names.split(", ")}))
        yield (
            f"moved tenfold or more, where {feeds} still state the price before: {_some(far)}",
            far.select(MODEL).unique(),
        )


def _sellers(found: Moves) -> Iterator[tuple[str, pl.DataFrame]]:
    """Sellers that lost nearly all of their models, and those with most models moved threefold or by one factor.

    All models of a seller with few may retire together: then another feed must still price half of them.
    """
    gone = found.gone.group_by(MODEL).agg(still=(pl.col("still_says") != "").any())
    moved = _by_model(found.moved.filter(pl.col("also_says") == "")).filter(pl.col("factor") >= JUMP)
    alike = pl.len().over("provider_id", pl.col("factor").round(3))
    counts = found.models_before.group_by("provider_id").agg(pl.len().alias("before"))
    for name, frame in (
        ("after", found.models_after),
        ("gone", gone),
        ("still", gone.filter("still")),
        ("moved", moved.filter(pl.col("factor") >= SELLER_JUMP)),
        ("alike", moved.filter(alike == alike.max().over("provider_id"))),
    ):
        sizes = frame.group_by("provider_id").agg(pl.len().alias(name))
        counts = counts.join(sizes, on="provider_id", how="left").with_columns(pl.col(name).fill_null(0))
    for row in counts.filter(pl.col("before") >= _SOME).sort("provider_id").iter_rows(named=True):
        models, of_seller = (
            f"{row['before']} models of {row['provider_id']}",
            pl.col("provider_id") == row["provider_id"],
        )
        is_large, half = row["before"] >= _MANY, (row["before"] - row["gone"]) / 2
        if row["after"] < (1 - _NEARLY_ALL) * row["before"] and (is_large or row["still"] >= row["gone"] / 2):
            still = f", of which another feed still prices {row['still']}" if row["still"] else ""
            yield f"{row['gone']} of {models} are gone{still}", gone.filter(of_seller).select(MODEL)
        elif is_large and row["moved"] > half:
            far = moved.filter(of_seller, pl.col("factor") >= SELLER_JUMP)
            yield f"{row['moved']} of {models} moved threefold or more", far.select(MODEL)
        elif is_large and row["alike"] > max(half, _FEW):
            yield f"{row['alike']} of {models} moved by one factor", moved.filter(of_seller).select(MODEL)


def _some(changes: pl.DataFrame) -> str:
    """The first few models of `changes` by name, with what moved."""
    first = changes.unique("raw_model", keep="first", maintain_order=True)
    names = [change_text(row) for row in first.head(_NAMED).iter_rows(named=True)]
    rest = first.height - len(names)
    return ", ".join([*names, f"{rest} more"] if rest else names)


def change_text(row: dict[str, object]) -> str:
    """`gpt-5` where the model is gone, `gpt-5 output_text` where a price is, `gpt-5 output_text 10 to 100` where it moved."""
    if row["change"] == "model_gone":
        return str(row["raw_model"])
    if row["change"] == "price_gone":
        return f"{row['raw_model']} {row['meter']}"
    return f"{row['raw_model']} {row['meter']} {amount_text(row['price_before'])} to {amount_text(row['price_after'])}"  # type: ignore[arg-type]
