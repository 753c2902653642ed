"""What moved a projection: a change of price undone on the day's requests, new scores, and alarms that touch a policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from pydantic import SecretStr

from pipelines.config import load_config
from pipelines.config.models import DeclaredModel
from pipelines.daily import Window, explain_moves, project_routing
from pipelines.daily.routing import Connection
from pipelines.ids import id_bytes
from pipelines.routing.moves import alarmed, cards_before, concerned, served_events
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_all, replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK_SCORE
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.mart_behaviour import REQUEST_DRIFT
from pipelines.warehouse.tables.mart_economics import SERVED_MODEL_CHANGE
from pipelines.warehouse.tables.mart_routing import ROUTING_MOVE, ROUTING_PROJECTION
from pipelines.warehouse.tables.spec import Table
from pipelines.workspace import Workspace
from tests.unit.routing.test_projection import CERTAIN, HYBRID, ITEMS, policies
from tests.unit.routing.traffic import CHEAP, DAY, RATES, STRONG, TUNED, rate_card, request, requests, score, scores

MIDNIGHT = datetime(2026, 2, 20, tzinfo=UTC)
THE_DAY_BEFORE = date(2026, 2, 19)
CONFIG = policies(*HYBRID, quality_benchmarks=("aider_polyglot",))


def doubled(at: datetime = MIDNIGHT) -> pl.DataFrame:
    """The cheap model costs twice as much from an instant on."""
    card, cheap = rate_card(), pl.col("model_id") == CHEAP[1]
    until = pl.when(cheap).then(pl.lit(at)).otherwise("valid_to").cast(card.schema["valid_to"]).alias("valid_to")
    since = card.filter(cheap).with_columns(
        pl.lit(at).cast(card.schema["valid_from"]).alias("valid_from"),
        *((pl.col(f"{name}_usd_per_mtok") * 2).cast(pl.Decimal(38, 12)) for name in ("input_uncached", "output_text")),
        pl.lit(id_bytes("since")).alias("rate_id"),
    )
    return pl.concat([card.with_columns(until), since])


def test_prices_are_undone_only_where_they_changed_on_the_day() -> None:
    found = cards_before(doubled(), CHEAP, DAY, THE_DAY_BEFORE)
    assert found is not None
    cards, words = found
    assert words == "input_uncached 0.28 to 0.56; output_text 0.42 to 0.84"
    own = cards.filter(model_id=CHEAP[1])
    assert (own.height, own["valid_to"].to_list()) == (1, [None])
    filled = doubled().with_columns(
        input_image_usd_per_mtok=pl.col("input_uncached_usd_per_mtok")
    )  # as a card without one has it
    found = cards_before(filled, CHEAP, DAY, THE_DAY_BEFORE)
    assert found is not None
    assert found[1] == words
    assert cards_before(doubled(), STRONG, DAY, THE_DAY_BEFORE) is None
    assert cards_before(doubled(), CHEAP, date(2026, 2, 21), DAY) is None
    assert cards_before(rate_card(), CHEAP, DAY, THE_DAY_BEFORE) is None
    new = doubled().filter((pl.col("model_id") != CHEAP[1]) | (pl.col("valid_from") == MIDNIGHT))
    assert cards_before(new, CHEAP, DAY, THE_DAY_BEFORE) is None


def test_a_price_of_long_prompts_that_comes_or_goes_is_a_change() -> None:
    """The card of short prompts costs what it did; its bound and that of the new one are the change."""
    flat, at = rate_card({CHEAP: RATES[CHEAP]}), pl.lit(MIDNIGHT).cast(rate_card().schema["valid_from"])
    short = pl.lit(200_000).cast(flat.schema["context_to_tokens"])
    tiers = [
        flat.with_columns(valid_from=at, context_to_tokens=short, rate_id=pl.lit(id_bytes("short"))),
        doubled().filter((pl.col("model_id") == CHEAP[1]) & (pl.col("valid_from") == MIDNIGHT)).with_columns(
            context_from_tokens=short.cast(flat.schema["context_from_tokens"])
        ),
    ]  # fmt: skip
    came = pl.concat([flat.with_columns(valid_to=at.cast(flat.schema["valid_to"])), *tiers])
    found = cards_before(came, CHEAP, DAY, THE_DAY_BEFORE)
    assert found is not None
    assert found[1] == "new: prompts from 200,000 tokens at input_uncached 0.56, output_text 0.84"
    assert found[0].select("context_to_tokens", "valid_to").rows() == [(None, None)]
    ended = at.cast(flat.schema["valid_to"])
    long_ago = pl.lit(datetime(1, 1, 1, tzinfo=UTC)).cast(flat.schema["valid_from"])
    gone = pl.concat(
        [*(tier.with_columns(valid_from=long_ago, valid_to=ended) for tier in tiers), flat.with_columns(valid_from=at)]
    )
    found = cards_before(gone, CHEAP, DAY, THE_DAY_BEFORE)
    assert found is not None
    assert found[1] == "no longer: prompts from 200,000 tokens at input_uncached 0.56, output_text 0.84"


def test_a_card_that_ends_later_is_not_gone() -> None:
    """An announced end of the price of long prompts: only the short ones change on the day."""
    cards = doubled()
    long = cards.filter((pl.col("model_id") == CHEAP[1]) & (pl.col("valid_from") < MIDNIGHT)).with_columns(
        pl.lit(200_000).cast(cards.schema["context_from_tokens"]).alias("context_from_tokens"),
        pl.lit(datetime(2026, 6, 1, tzinfo=UTC)).cast(cards.schema["valid_to"]).alias("valid_to"),
        rate_id=pl.lit(id_bytes("long")),
    )
    found = cards_before(pl.concat([cards, long]), CHEAP, DAY, THE_DAY_BEFORE)
    assert found is not None
    assert found[1] == "input_uncached 0.28 to 0.56; output_text 0.42 to 0.84"


def alarm(model: str, metric: str = "output_tokens", **values: Any) -> dict[str, Any]:
    return {
        "model_id": model, "provider_id": "openai", "metric": metric, "is_alarm": True, "opened_on": DAY,
        "explanation": f"{metric} changed.", **values,
    }  # fmt: skip


def test_an_alarm_names_the_policies_that_it_touches_and_what_mends_it() -> None:
    rows = [
        alarm(CHEAP[1]),
        alarm(CHEAP[1], "latency_ms"),
        alarm("ran", "response_model"),
        alarm("neither"),
        alarm(STRONG[1], opened_on=date(2026, 2, 19)),
        alarm(TUNED[1], is_alarm=False),
    ]
    found = list(alarmed(DAY, pl.DataFrame(rows), CONFIG, ["ran"]))
    assert [(row["event"], row["model_id"], row["explanation"]) for row in found] == [
        ("silent_change", CHEAP[1], "latency_ms changed. output_tokens changed."),
        ("served_other", "ran", "response_model changed."),
    ]
    assert all("measure the model again" in row["not_computed_reason"] for row in found)


def test_a_model_that_another_one_answers_is_named_with_its_money() -> None:
    """Two models answered for an arm: one row for each policy and baseline, dearest or not; what no policy knows has none."""
    change = {
        "event_date": DAY,
        "provider_id": "openai",
        "requests": 2,
        "served_cost_usd": Decimal(6),
        "asked_cost_usd": Decimal(1),
    }
    pairs = [(CHEAP[1], "dear"), (CHEAP[1], "dearer"), ("neither", "nor")]
    rows = [change | {"asked_model_id": asked, "served_model_id": by} for asked, by in pairs]
    found = {
        event.who: (event.words, concerned(CONFIG, ["ran"], models))
        for event, models in served_events(DAY, pl.DataFrame(rows))
    }
    assert found["openai", CHEAP[1]] == (
        (
            f"2 calls of {CHEAP[1]} were answered by dear, 6.00 USD in place of 1.00. "
            f"2 calls of {CHEAP[1]} were answered by dearer, 6.00 USD in place of 1.00."
        ),
        [("hybrid", "actual")],
    )
    assert found["openai", "neither"][1] == []


@pytest.fixture
def workspace(database: Database) -> Workspace:
    with database.connect() as connection:
        replace_all(connection, RATE_CARD, doubled())
        day = requests(*(request(n) for n in range(10)))
        replace_days(connection, REQUEST, day, DAY, date(2026, 2, 21))
        connection.execute(
            "insert into core.benchmark (benchmark_id, display_name, metric_kind, unit, lower_is_better) "
            "values ('aider_polyglot', 'Aider', 'accuracy', 'percent', false)"
        )
        connection.execute(
            "insert into core.benchmark_version (benchmark_version_id, benchmark_id, version_label, scale_epoch, valid_from) "
            "values ('aider_polyglot@pass_rate_2#0', 'aider_polyglot', 'pass_rate_2', 0, '2026-01-01')"
        )
        replace_all(connection, BENCHMARK_SCORE, known())
    known_models = [{"id": model, "display_name": model} for model in (CHEAP[1], STRONG[1])]
    packaged = load_config(None)
    models = packaged.models.model_copy(
        update={"models": (*packaged.models.models, *map(DeclaredModel.model_validate, known_models))}
    )
    certain = tuple(effect.model_copy(update={"log_sd": 0.0}) for effect in packaged.evidence.effects)
    evidence = packaged.evidence.model_copy(
        update={"effects": certain, "transfers": CERTAIN.transfers}
    )  # so that amounts can be checked by hand
    config = replace(packaged, routing=CONFIG, models=models, evidence=evidence)
    return Workspace(Settings(database_url=SecretStr("postgresql://unused")), config, database)


def known() -> pl.DataFrame:
    """The cheap model falls from 60 to 50 on the day."""
    at = datetime(2026, 2, 20, 10, tzinfo=UTC)
    return scores(
        score(CHEAP[1], 60.0, superseded_at=at, supersede_reason="revised", **ITEMS),
        score(CHEAP[1], 50.0, observed_at=at, as_of=DAY, **ITEMS),
        score(STRONG[1], 80.0, **ITEMS),
        score(TUNED[1], 40.0, **ITEMS),
    )


def test_a_price_and_a_score_each_say_what_they_moved(workspace: Workspace) -> None:
    """The cheap arm has 0.00441 USD of ten requests at the old price, twice that since: the saving falls by 0.00441 of 0.105."""
    project_routing(workspace, Window.of_day(DAY))
    number, problems = explain_moves(workspace, Window.of_day(DAY))
    with workspace.database.connect() as connection:
        rows = {row["event"]: row for row in read_table(connection, ROUTING_MOVE).to_dicts()}
        (total,) = read_table(connection, ROUTING_PROJECTION, "arm = 'total'").to_dicts()
    assert (number, problems, rows.keys()) == (2, [], {"price_change", "scores"})
    price, scored = rows["price_change"], rows["scores"]
    assert price["saving_usd_before"] - price["saving_usd_after"] == pytest.approx(
        Decimal("0.00441"), abs=Decimal("1e-15")
    )
    assert price["saving_usd_after"] == scored["saving_usd_after"] == total["saving_usd"]
    assert price["quality_retained_before"] == price["quality_retained_after"] == total["quality_retained"]
    assert scored["quality_retained_before"] - scored["quality_retained_after"] == pytest.approx(0.9 * 10 / 80)
    assert scored["explanation"] == "cheap-open on aider_polyglot@pass_rate_2#0 60 to 50"
    assert price["explanation"].startswith("input_uncached 0.28 to 0.56")


def test_a_day_that_can_not_be_explained_again_keeps_what_was_known_of_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_routing(workspace, Window.of_day(DAY))
    explain_moves(workspace, Window.of_day(DAY))

    def broken(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr("pipelines.daily.routing_moves._of_day", broken)
    _, problems = explain_moves(workspace, Window.of_day(DAY))
    with workspace.database.connect() as connection:
        assert (len(problems), read_table(connection, ROUTING_MOVE).height) == (1, 2)


def test_what_changed_on_quiet_days_moves_the_first_day_after_them(workspace: Workspace) -> None:
    """Prices change on a Saturday without calls: Sunday's prices are those of Monday, and Monday is compared with Friday."""
    with workspace.database.connect() as connection:
        replace_all(connection, RATE_CARD, doubled(MIDNIGHT - timedelta(days=2)))
    project_routing(workspace, Window.of_day(DAY))
    price = "event = 'price_change'"
    for quiet, events in (([], 0), ([18, 19], 1), ([18], 0)):
        with workspace.database.connect() as connection:
            connection.execute("delete from raw.quiet_day")
            for day in quiet:
                connection.execute("insert into raw.quiet_day values (%s)", [date(2026, 2, day)])
        # The run of an earlier day explains the day that is compared with it again.
        _, problems = explain_moves(workspace, Window.of_day(date(2026, 2, 17)) if events else Window.of_day(DAY))
        with workspace.database.connect() as connection:
            found = read_table(connection, ROUTING_MOVE, price)
        assert (problems, found.height) == ([], events)
    twice = pl.concat([
        doubled(MIDNIGHT - timedelta(days=2)),
        rate_card({CHEAP: RATES[CHEAP]}).with_columns(valid_from=pl.lit(MIDNIGHT - timedelta(days=2)), valid_to=pl.lit(MIDNIGHT)),
    ])  # fmt: skip
    changed = cards_before(twice, CHEAP, DAY, date(2026, 2, 17))
    assert changed is not None
    assert changed[1] == "input_uncached 0.28 to 0.56; output_text 0.42 to 0.84", (
        "what came and went between is no change"
    )


def test_a_day_that_nothing_moved_has_no_rows(workspace: Workspace) -> None:
    with workspace.database.connect() as connection:
        replace_all(connection, RATE_CARD, rate_card())
        replace_all(connection, BENCHMARK_SCORE, known().filter(pl.col("superseded_at").is_null()).head(0))
    project_routing(workspace, Window.of_day(DAY))
    assert explain_moves(workspace, Window.of_day(DAY)) == (0, [])


def insert(connection: Connection, table: Table, **values: Any) -> None:
    row = {name: values.get(name) for name in table.polars_schema}
    replace_days(connection, table, pl.DataFrame([row], schema=table.polars_schema), DAY, date(2026, 2, 21))


def test_a_model_that_writes_more_is_projected_again_with_that(workspace: Workspace) -> None:
    """The strong model, on which all ran, writes twice what it wrote: the cheap arm would write half of what is recorded.

    Its 9 of 10 requests cost 1,000 x 0.56 and 500 x 0.84 per million, so the saving grows by 9 x 250 x 0.84 per million; of the tuned arm
    it is 0.2 x 250 x 0.59.
    """
    with workspace.database.connect() as connection:
        insert(
            connection, REQUEST_DRIFT, event_date=DAY, provider_id=STRONG[0], model_id=STRONG[1], use_case="all", metric="output_tokens",
            n_day=10, n_reference=10, reference_days=7, comparable_share=1.0, value_day=500.0, value_reference=250.0, is_alarm=True,
            opened_on=DAY, explanation="Answers are longer.",
        )  # fmt: skip
    project_routing(workspace, Window.of_day(DAY))
    _, problems = explain_moves(workspace, Window.of_day(DAY))
    with workspace.database.connect() as connection:
        (row,) = read_table(connection, ROUTING_MOVE, "event = 'silent_change'").to_dicts()
        (total,) = read_table(connection, ROUTING_PROJECTION, "arm = 'total'").to_dicts()
    assert problems == []
    assert row["saving_usd_before"] == total["saving_usd"]
    more = Decimal(9 * 250) * Decimal("0.84") / 10**6 + Decimal("0.2") * 250 * Decimal("0.59") / 10**6
    assert row["saving_usd_after"] - row["saving_usd_before"] == pytest.approx(more, abs=Decimal("1e-12"))
    assert row["quality_retained_before"] == row["quality_retained_after"]
    assert row["explanation"].startswith(
        f"Answers are longer. With it, {STRONG[1]} is taken to write 2 times what it wrote"
    )
    assert "measure the model again" in row["not_computed_reason"]


def test_calls_that_another_model_answered_are_projected_as_asked_too(workspace: Workspace) -> None:
    """All ten were asked of the cheap model and answered by the strong one: as asked, they would have cost 10 x 0.00098 USD in all."""
    with workspace.database.connect() as connection:
        connection.execute("update core.request set request_model = %s, response_model = %s", (CHEAP[1], STRONG[1]))
        connection.execute("update core.request set provider_id = %s", (CHEAP[0],))
        insert(
            connection, SERVED_MODEL_CHANGE, event_date=DAY, provider_id=CHEAP[0], asked_model_id=CHEAP[1], served_model_id=STRONG[1],
            known_from="answer", requests=10, uncompared_requests=0, served_cost_usd=Decimal("0.105"), asked_cost_usd=Decimal("0.0098"),
            difference_usd=Decimal("0.0952"),
        )  # fmt: skip
    project_routing(workspace, Window.of_day(DAY))
    _, problems = explain_moves(workspace, Window.of_day(DAY))
    with workspace.database.connect() as connection:
        (row,) = read_table(connection, ROUTING_MOVE, "event = 'served_other'").to_dicts()
        (total,) = read_table(connection, ROUTING_PROJECTION, "arm = 'total'").to_dicts()
    assert problems == []
    assert row["saving_usd_after"] == total["saving_usd"]
    # The baseline is what did cost: dearer than asked. The cheap arm would have cost the same.
    assert row["saving_usd_after"] - row["saving_usd_before"] == pytest.approx(Decimal("0.0952"), abs=Decimal("1e-3"))
    assert row["quality_retained_before"] > row["quality_retained_after"]
