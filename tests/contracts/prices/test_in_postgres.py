"""The whole ledger and its rate cards in Postgres: every row fits, and the database refuses two believed prices at once."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.config import load_config
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.models import build_registry, model_frame
from pipelines.prices import FeedSnapshot, build_ledger, build_rate_card, feed_names
from pipelines.warehouse.database import Database
from pipelines.warehouse.errors import LoadError
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.core import MODEL
from pipelines.warehouse.tables.core_prices import PRICE, RATE_CARD
from tests.contracts.prices.conftest import GENAI, LITELLM


@pytest.mark.slow
def test_ledger_rate_cards_and_models_load_and_come_back(
    database: Database, genai_snapshot: FeedSnapshot, litellm_snapshots: list[FeedSnapshot]
) -> None:
    snapshots = [genai_snapshot, *litellm_snapshots]
    registry = build_registry(load_config(None).models, feed_names(snapshots))
    ledgers = [build_ledger(GENAI, [genai_snapshot], registry), build_ledger(LITELLM, litellm_snapshots, registry)]
    prices = pl.concat(ledgers)
    cards = build_rate_card(prices, [GENAI, LITELLM])
    frames = ((MODEL, model_frame(registry, ModelFactsConfig())), (PRICE, prices), (RATE_CARD, cards))
    with database.connect() as connection:
        for table, frame in frames:
            replace_all(connection, table, frame)
            back = read_table(connection, table)
            key = list(table.primary_key)
            jsonb = [column.name for column in table.columns if column.type == "jsonb"]
            assert back.drop(jsonb).sort(key).equals(frame.drop(jsonb).sort(key))
        known = {model for (model,) in connection.execute("select model_id from core.model").fetchall()}
        assert set(prices["model_id"]) - known == set()


@pytest.mark.slow
def test_the_database_refuses_two_prices_believed_at_once(database: Database, genai_snapshot: FeedSnapshot) -> None:
    registry = build_registry(load_config(None).models, feed_names([genai_snapshot]))
    ledger = build_ledger(GENAI, [genai_snapshot], registry).head(50)
    twice = pl.concat([ledger, ledger.head(1).with_columns(price_id=pl.lit(b"0123456789abcdef"))])
    with database.connect() as connection, pytest.raises(LoadError, match="price_one_at_a_time"):
        replace_all(connection, PRICE, twice)
