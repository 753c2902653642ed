"""The projection against hand-worked days, and the invariants that must hold to the last decimal."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import routing
from pipelines.config.evidence import Effect, Evidence, ScoredAs, Transfer
from pipelines.config.loader import load_file
from pipelines.config.policies import Arm, Policy
from pipelines.config.routing import Baseline, RoutingConfig
from pipelines.routing import case
from pipelines.warehouse.tables.mart_routing import ROUTING_PROJECTION
from tests.unit.routing.traffic import (
    CHEAP,
    DAY,
    RATES,
    STRONG,
    TUNED,
    rate_card,
    request,
    requests,
    score,
    scores,
)

BASELINES = (Baseline(baseline="actual"), Baseline(baseline="all_closed", provider_id=STRONG[0], model_id=STRONG[1]))


def arm(name: str, model: tuple[str, str], share: str, cache: str = "lost") -> Arm:
    return Arm.model_validate(
        {"arm": name, "provider_id": model[0], "model_id": model[1], "share": share, "cache": cache}
    )


def policies(*arms: Arm, baselines: tuple[str, ...] = ("actual",), **values: Any) -> RoutingConfig:
    policy = Policy(policy="hybrid", baselines=baselines, arms=arms)
    return RoutingConfig(baselines=BASELINES, policies=(policy,), **values)


def project(*arguments: Any, **named: Any) -> pl.DataFrame:
    """The policies' own rows, without those of the methods they are shown next to."""
    return routing.project(*arguments, **named).projection.filter(method="policy")


CERTAIN = Evidence(
    effects=tuple(Effect(measure=one, log_sd=0, grade="A", source="s") for one in ("input", "output", "loop")),
    transfers=(Transfer(logit_sd=0, grade="C", source="s"),),
)
ITEMS = {"n_items": 10**9}
"""So many that a score has no error that counts."""
HYBRID = (arm("cheap", CHEAP, "0.90"), arm("strong", STRONG, "0.08"), arm("tuned", TUNED, "0.02"))


def total(frame: pl.DataFrame) -> dict[str, Any]:
    return frame.filter(pl.col("arm") == "total").row(0, named=True)


def test_a_day_worked_by_hand() -> None:
    """Ten requests of 1,000 + 500 tokens on the strong model: 10 x (0.003 + 0.0075) = 0.105 USD.

    All on the cheap one: 10 x (0.00028 + 0.00021) = 0.0049; tuned: 10 x (0.00029 + 0.000295) = 0.00585.
    90/8/2: 0.9 x 0.0049 + 0.08 x 0.105 + 0.02 x 0.00585 = 0.012927.
    """
    found = project(requests(*(request(n) for n in range(10))), rate_card(), policies(*HYBRID), None)
    assert dict(found.schema) == dict(ROUTING_PROJECTION.polars_schema)
    assert found["arm"].to_list() == ["cheap", "strong", "tuned", "total"]
    assert found["central_cost_usd"].to_list() == [
        Decimal("0.00441"),
        Decimal("0.0084"),
        Decimal("0.000117"),
        Decimal("0.012927"),
    ]
    assert found["baseline_cost_usd"].to_list() == [
        Decimal("0.0945"),
        Decimal("0.0084"),
        Decimal("0.0021"),
        Decimal("0.105"),
    ]
    row = total(found)
    assert json.loads(row["waterfall"])["uncertainty"] == str(row["projected_cost_usd"] - Decimal("0.012927"))
    certain = total(
        project(requests(*(request(n) for n in range(10))), rate_card(), policies(*HYBRID), None, evidence=CERTAIN)
    )
    assert certain["projected_cost_usd"] == Decimal("0.012927")
    assert certain["saving_usd"] == Decimal("0.092073")
    assert certain["saving_share"] == pytest.approx(0.092073 / 0.105)
    assert (row["requests"], row["evidence_grade"], row["quality_retained"]) == (10.0, "E", None)
    assumptions = json.loads(row["assumptions"])
    assert "353 models" in assumptions["tokens"]["output, *"]
    assert assumptions["cache"]["cheap"].startswith("lost")


def test_each_request_is_priced_at_its_own_instant() -> None:
    card = rate_card()
    cut = datetime(2026, 2, 20, 12, tzinfo=UTC)
    cheap = pl.col("model_id") == CHEAP[1]
    later = card.filter(cheap).with_columns(
        pl.lit(cut).cast(pl.Datetime("us", "UTC")).alias("valid_from"),
        (pl.col("input_uncached_usd_per_mtok") / 2).cast(pl.Decimal(38, 12)),
        pl.lit(b"later-card-16byt").alias("rate_id"),
    )
    until = pl.when(cheap).then(pl.lit(cut)).otherwise("valid_to").cast(pl.Datetime("us", "UTC")).alias("valid_to")
    both = pl.concat([card.with_columns(until), later])
    day = requests(request(1), request(2, event_at=datetime(2026, 2, 20, 13, tzinfo=UTC)))
    found = project(day, both, policies(arm("cheap", CHEAP, "1")), None)
    assert total(found)["central_cost_usd"] == Decimal("0.00049") + Decimal("0.00014") + Decimal("0.00021")


def test_a_policy_of_the_baselines_own_model_saves_exactly_nothing() -> None:
    cached = {"input_cache_read_tokens": 900, "input_cache_write_5m_tokens": 40}  # the baseline keeps them, arms do not
    day = requests(*(request(n, CHEAP if n % 3 else STRONG, output_text_tokens=7 * n, **cached) for n in range(30)))
    for shares in (("1",), ("0.333333333333333333", "0.666666666666666667")):
        arms = [arm(f"arm{n}", STRONG, share) for n, share in enumerate(shares)]
        found = project(day, rate_card(), policies(*arms, baselines=("all_closed",)), None)
        assert found["saving_usd"].to_list() == [Decimal(0)] * found.height
        assert total(found)["saving_share"] == 0.0


def test_an_arm_that_is_what_ran_saves_exactly_nothing() -> None:
    cached = {"input_cache_read_tokens": 777, "input_cache_write_5m_tokens": 13, "service_tier": "batch"}
    card = pl.concat([rate_card(), rate_card().with_columns(pl.lit("batch").alias("service_tier"))])
    day = requests(*(request(n, STRONG, **cached) for n in range(7)), card=card)
    arms = (arm("a", STRONG, "0.7"), arm("b", STRONG, "0.3"))
    assert project(day, card, policies(*arms), None)["saving_usd"].to_list() == [Decimal(0)] * 3


def test_a_lost_cache_is_charged_as_plain_input_and_a_kept_one_at_its_own_rate() -> None:
    day = requests(request(1, STRONG, input_cache_read_tokens=4000, input_cache_write_5m_tokens=1000))
    lost = total(project(day, rate_card(), policies(arm("cheap", CHEAP, "1")), None))
    kept = total(project(day, rate_card(), policies(arm("cheap", CHEAP, "1", "kept")), None))
    # 6,000 plain + 500 out; against 1,000 plain + 4,000 read + 1,000 written (at the plain rate: no other is published).
    assert lost["central_cost_usd"] == (6000 * Decimal("0.28") + 500 * Decimal("0.42")) / 1_000_000
    assert (
        kept["central_cost_usd"]
        == (2000 * Decimal("0.28") + 4000 * Decimal("0.028") + 500 * Decimal("0.42")) / 1_000_000
    )
    assert json.loads(kept["assumptions"])["cache"]["cheap"].startswith("kept")


def test_a_missing_rate_is_null_with_a_reason_and_never_a_smaller_sum() -> None:
    card = rate_card({CHEAP: RATES[CHEAP], STRONG: RATES[STRONG]})
    found = project(requests(request(1), request(2), card=card), card, policies(*HYBRID), None)
    tuned = found.filter(pl.col("arm") == "tuned").row(0, named=True)
    assert tuned["central_cost_usd"] is None
    assert tuned["not_projected_reason"] == (
        "tuned-open at groq: no_price for 2 of 2 requests; no price feed has it: state it in a price sheet (docs/prices.md), "
        "or give the arm fixed_usd_per_day where the machines are your own"
    )
    row = total(found)
    assert (row["central_cost_usd"], row["saving_usd"], row["saving_share"]) == (None, None, None)
    assert row["baseline_cost_usd"] == Decimal("0.021")
    assert row["not_projected_reason"] == tuned["not_projected_reason"]
    assert found.filter(pl.col("arm") == "cheap")["central_cost_usd"].null_count() == 0


def test_an_arm_that_serves_nothing_needs_no_price_and_says_nothing_about_the_evidence() -> None:
    """All on the strong model, which ran: 2 x 0.0105 USD, on both sides. The tuned arm has no price, and only a line of evidence of grade E."""
    card, known = rate_card({STRONG: RATES[STRONG]}), scores(score(STRONG[1], 80.0), score(TUNED[1], 50.0))
    idle = policies(arm("strong", STRONG, "1"), arm("tuned", TUNED, "0"), quality_benchmarks=("aider_polyglot",))
    found = routing.project(requests(request(1), request(2), card=card), card, idle, known).projection
    row = total(found.filter(method="policy"))
    assert (row["central_cost_usd"], row["saving_usd"], row["not_projected_reason"]) == (Decimal("0.021"), 0, None)
    assert (row["quality_retained"], row["evidence_grade"]) == (1.0, "C")
    tuned = found.filter(arm="tuned").row(0, named=True)
    assert (tuned["requests"], tuned["central_cost_usd"], tuned["not_projected_reason"]) == (0.0, 0, None)
    assert found.filter(method="same_tokens_dearest")["central_cost_usd"].to_list() == [Decimal("0.021")]


def test_what_can_not_be_routed_is_left_out_of_both_sides_and_counted() -> None:
    day = requests(
        request(1),
        request(2, is_billable=False),
        request(3, operation="embeddings"),
        request(4, usage_basis="missing"),
        request(40, usage_basis="partial"),
        request(5, input_audio_tokens=9),
        request(6, web_search_count=1),
        request(7, ("nowhere", "unknown-model")),
    )
    found = project(day, rate_card(), policies(*HYBRID, baselines=("actual", "all_closed")), None)
    actual, closed = (found.filter((pl.col("arm") == "total") & (pl.col("baseline") == name)) for name in
                      ("actual", "all_closed"))  # fmt: skip
    common = {"not_billable": 1, "operation": 1, "usage_missing": 2, "modality": 1, "provider_tool": 1}
    assert json.loads(actual["assumptions"][0])["requests_left_out"] == common | {"unpriced": 1}
    assert json.loads(closed["assumptions"][0])["requests_left_out"] == common
    assert (actual["requests"][0], closed["requests"][0]) == (1.0, 2.0)
    assert actual["baseline_cost_usd"][0] == Decimal("0.0105")
    assert closed["baseline_cost_usd"][0] == Decimal("0.021")


def test_a_day_without_traffic_that_can_be_routed_has_rows_of_zero() -> None:
    found = project(requests(request(1, operation="embeddings")), rate_card(), policies(*HYBRID), None)
    assert found["central_cost_usd"].to_list() == [Decimal(0)] * 4
    assert found["saving_share"].to_list() == [None] * 4


def test_days_do_not_mix() -> None:
    other = request(2, event_date=date(2026, 2, 21), event_at=datetime(2026, 2, 21, 9, tzinfo=UTC))
    found = project(requests(request(1), other, request(3)), rate_card(), policies(*HYBRID), None)
    assert found.filter(pl.col("arm") == "total").select("event_date", "requests").rows() == [
        (DAY, 2.0),
        (date(2026, 2, 21), 1.0),
    ]


@pytest.mark.slow
def test_quality_is_projected_only_where_every_score_is_known() -> None:
    known = [score(CHEAP[1], 74.2, **ITEMS), score(STRONG[1], 82.4, **ITEMS), score(TUNED[1], 40.0, **ITEMS)]
    config = policies(*HYBRID, baselines=("actual", "all_closed"), quality_benchmarks=("aider_polyglot@pass_rate_2",))
    day = requests(request(1), request(2, CHEAP))
    found = project(day, rate_card(), config, scores(*known), evidence=CERTAIN).filter(pl.col("arm") == "total")
    mix = 0.9 * 74.2 + 0.08 * 82.4 + 0.02 * 40.0
    retained = dict(found.select("baseline", "quality_retained").iter_rows())
    assert retained["all_closed"] == pytest.approx(mix / 82.4)
    assert retained["actual"] == pytest.approx(mix / ((82.4 + 74.2) / 2))
    assert found["evidence_grade"].to_list() == ["C", "C"]
    assert json.loads(found["assumptions"][0])["quality"]["proxy"] == "aider_polyglot@pass_rate_2#0"
    for lacking in (
        known[:2],  # an arm without a score
        [*known[:2], score(TUNED[1], 40.0, "aider_polyglot@pass_rate_1#0")],  # on another version
        [*known[:2], score(TUNED[1], 1290.0)],  # a rating, no share
        [*known[:2], score(TUNED[1], 40.0, observed_at=datetime(2026, 2, 21, tzinfo=UTC))],  # not known on the day
        [*known[:2], score(TUNED[1], 40.0, superseded_at=datetime(2026, 2, 20, 12, tzinfo=UTC))],  # no longer believed
    ):
        none = project(day, rate_card(), config, scores(*lacking))
        assert none["quality_retained"].null_count() == none.height
        assert none["evidence_grade"].unique().to_list() == ["E"]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 20_000), st.booleans()), min_size=1, max_size=8),
    st.lists(st.integers(1, 10**17), min_size=1, max_size=5),
)
@pytest.mark.slow
def test_arms_add_up_and_a_cheaper_price_never_saves_less(
    calls: list[tuple[int, int, bool]], weights: list[int]
) -> None:
    day = requests(
        *(request(n, STRONG if s else TUNED, input_uncached_tokens=i, output_text_tokens=o) for n, (i, o, s) in
          enumerate(calls))
    )  # fmt: skip
    shares = [Decimal(w).scaleb(-18) for w in weights[:-1]]
    shares.append(1 - sum(shares))
    arms = [arm(f"arm{n}", (CHEAP, STRONG, TUNED)[n % 3], str(share)) for n, share in enumerate(shares)]
    config = policies(*arms, baselines=("actual", "all_closed"))
    found = project(day, rate_card(), config, None)
    for _, rows in found.group_by("baseline"):
        parts, whole = rows.filter(pl.col("arm") != "total"), rows.filter(pl.col("arm") == "total")
        for column in ("share", "baseline_cost_usd", "central_cost_usd", "saving_usd"):
            assert sum(parts[column], Decimal(0)) == whole[column][0]
    same = found.filter((pl.col("model_id") == STRONG[1]) & (pl.col("baseline") == "all_closed"))
    assert all(saving == 0 for saving in same["saving_usd"])
    baseline = project(day, rate_card(), policies(arm("all", STRONG, "1"), baselines=("all_closed",)), None)
    assert baseline["saving_usd"].to_list() == [0, 0]
    cheaper = rate_card(RATES | {CHEAP: {name: str(Decimal(v) / 2) for name, v in RATES[CHEAP].items()}})
    again = project(day, cheaper, config, None)
    assert (again["central_cost_usd"] <= found["central_cost_usd"]).all()
    before, after = (frame.filter(arm="total")["saving_share"] for frame in (found, again))
    assert all(new is old is None or new >= old - 1e-12 for old, new in zip(before, after, strict=True))


def test_a_policy_that_fails_costs_no_other_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    good = policies(*HYBRID)
    two = good.model_copy(
        update={"policies": (*good.policies, good.policies[0].model_copy(update={"policy": "second"}))}
    )
    day = requests(*(request(n) for n in range(10)))
    real = case.arm_costs
    calls = iter(range(10))

    def failing(*arguments: Any) -> Any:
        if next(calls) == 0:
            raise ArithmeticError("what a row held")
        return real(*arguments)

    whole = project(day, rate_card(), two, None)
    monkeypatch.setattr(case, "arm_costs", failing)
    found = project(day, rate_card(), two, None)
    assert found.filter(policy="second").equals(whole.filter(policy="second"))
    (row,) = found.filter(policy="hybrid").to_dicts()
    assert (row["arm"], row["saving_usd"], row["central_cost_usd"]) == ("total", None, None)
    assert row["not_projected_reason"].startswith("the projection failed: ArithmeticError at pipelines.routing.case:")
    assert "what a row held" not in row["not_projected_reason"]


def test_a_name_takes_the_score_of_the_model_behind_it_while_it_stood_there() -> None:
    """deepseek-chat was DeepSeek V3.2 from 1 December 2025 to 24 April 2026; 0.9 x 60 + 0.1 x 80 = 62 of 80 is 0.775."""
    chat = ("deepseek", "deepseek-chat")
    card = rate_card({chat: RATES[CHEAP], STRONG: RATES[STRONG]})
    policy = policies(
        arm("cheap", chat, "0.9"), arm("strong", STRONG, "0.1"), quality_benchmarks=("aider_polyglot@pass_rate_2",)
    )
    known = scores(score("deepseek-v3.2", 60.0, **ITEMS), score(STRONG[1], 80.0, **ITEMS))
    frame = requests(*(request(n) for n in range(10)), card=card)
    sure = CERTAIN.model_copy(update={"stand_ins": load_file(Evidence, "evidence.yaml", None).stand_ins})
    found = total(project(frame, card, policy, known, evidence=sure))
    assert found["quality_retained"] == pytest.approx(0.775)
    assert json.loads(found["assumptions"])["quality"]["stand_ins"] == {"deepseek-chat": "deepseek-v3.2"}
    own = scores(score("deepseek-v3.2", 60.0), score(chat[1], 40.0, **ITEMS), score(STRONG[1], 80.0, **ITEMS))
    assert total(project(frame, card, policy, own, evidence=sure))["quality_retained"] == pytest.approx(
        (0.9 * 40 + 0.1 * 80) / 80
    )
    shipped = load_file(Evidence, "evidence.yaml", None)
    later = ScoredAs.model_validate(
        {"model": chat[1], "scored_as": "deepseek-v3.2", "from": DAY + timedelta(days=1), "source": "a day too late"}
    )
    lines = shipped.model_copy(update={"stand_ins": (later,)})
    assert total(project(frame, card, policy, known, evidence=lines))["quality_retained"] is None
