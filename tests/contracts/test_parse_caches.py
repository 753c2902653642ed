"""Every real price file and leaderboard export comes back from the store of readings as it was read."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest

from pipelines.benchmarks import BoardSnapshot, cached_board, parse_board
from pipelines.config.sources import Leaderboard, PriceFeed
from pipelines.prices import FeedSnapshot, PriceFeedError, cached_feed, packaged_genai_prices, parse_feed
from tests.unit.benchmarks.boards import landed
from tests.unit.prices.landed import landed_bytes, landed_file

AT = datetime(2026, 2, 1, tzinfo=UTC)
BOARDS = {
    "aider": "aider_polyglot/*.yml",
    "arena_daily": "arena_daily/*/*.json",
    "artificial_analysis": "artificial_analysis/*",
    "bigcodebench": "bigcodebench/*",
    "epoch": "epoch/*",
    "evalplus": "evalplus/*",
    "livebench": "livebench/*",
    "lmarena": "lmarena/text/*",
    "swebench": "swebench/*",
}
FEEDS = {
    "azure_retail": "azure_retail/*",
    "litellm_map": "litellm_map/*2026*",
    "llm_prices": "llm_prices/*",
    "openrouter_models": "openrouter/*",
}
PAGES = {"anthropic": "anthropic_page/*2025*", "bailian": "pages/aliyun*", "openai": "pages/openai*", "zai": "pages/z*"}


def same_board(one: BoardSnapshot, other: BoardSnapshot) -> None:
    assert (one.file, one.lines, one.valid, one.parser_version) == (
        other.file,
        other.lines,
        other.valid,
        other.parser_version,
    )
    assert one.quarantine.equals(other.quarantine)
    for a, b in zip(one.observations, other.observations, strict=True):
        for field in dataclasses.fields(a):
            x, y = getattr(a, field.name), getattr(b, field.name)
            assert x.equals(y) if isinstance(x, pl.DataFrame) else x == y, field.name
        assert a.rows.schema == b.rows.schema


@pytest.mark.parametrize("name", BOARDS)
def test_boards(shared_data: Path, tmp_path: Path, name: str) -> None:
    board = Leaderboard(board="board", format=name)  # type: ignore[arg-type]
    paths = sorted((shared_data / "leaderboards").glob(BOARDS[name]))
    for path in {paths[0], paths[-1]}:
        file = landed(path, board, AT)
        read = cached_board(file, board, tmp_path)
        with patch("pipelines.benchmarks.board_cache.parse_board", side_effect=AssertionError("read again")):
            same_board(read, cached_board(file, board, tmp_path))


def test_outcomes_item_by_item_and_broken_records_come_back_too(tmp_path: Path) -> None:
    board = Leaderboard(board="own", format="mapping", options={
        "model_field": "model", "item_field": "item", "cluster_field": "family",
        "scores": [{"benchmark": "own", "field": "score", "display_name": "Own"}],
    })  # fmt: skip
    path = tmp_path / "2026-02-01.csv"
    path.write_text("model,item,family,score\na,1,x,1\na,2,x,0\nb,1,x,1\nb,2,y,broken\n")
    file = landed(path, board)
    read = cached_board(file, board, tmp_path / "store")
    assert read.quarantine.height == 1
    assert any(item.items.height for item in read.observations)
    with patch("pipelines.benchmarks.board_cache.parse_board", side_effect=AssertionError("read again")):
        same_board(read, cached_board(file, board, tmp_path / "store"))
    same_board(read, parse_board(file, board))


def test_an_unreadable_export_stays_one(tmp_path: Path) -> None:
    board = Leaderboard(board="own", format="lmarena")
    path = tmp_path / "2026-02-01.json"
    path.write_text("{")
    file = landed(path, board)
    for _ in range(2):
        assert cached_board(file, board, tmp_path / "store").quarantine["reason"].to_list() == ["not_json"]


def feeds(shared_data: Path) -> list[tuple[PriceFeed, Path]]:
    found = [(PriceFeed(feed=name, format=name), glob) for name, glob in FEEDS.items()]  # type: ignore[arg-type]
    found += [(PriceFeed(feed=name, format="page", options={"layout": name}), glob) for name, glob in PAGES.items()]
    return [(feed, path) for feed, glob in found for path in sorted((shared_data / "prices").glob(glob))]


def same_feed(one: FeedSnapshot | PriceFeedError, other: FeedSnapshot | PriceFeedError) -> None:
    assert isinstance(one, FeedSnapshot)
    assert isinstance(other, FeedSnapshot)
    assert one.prices.equals(other.prices)
    assert one.prices.schema == other.prices.schema
    for field in dataclasses.fields(one):
        if field.name != "prices":
            assert getattr(one, field.name) == getattr(other, field.name), field.name


@pytest.mark.slow
def test_prices(shared_data: Path, tmp_path: Path) -> None:
    found = feeds(shared_data)
    assert len({feed.feed for feed, _ in found}) == len(FEEDS) + len(PAGES)
    for feed, path in found:
        file = landed_file(path, feed.feed, AT)
        read = cached_feed(file, feed, tmp_path)
        with patch("pipelines.prices.feed_cache.parse_feed", side_effect=AssertionError("read again")):
            same_feed(read, cached_feed(file, feed, tmp_path))


@pytest.mark.slow
def test_what_decides_prices_only_later_does_not_read_them_again(tmp_path: Path) -> None:
    feed = PriceFeed(feed="genai_prices", format="genai_prices")
    file = landed_bytes(tmp_path, "genai_prices", "2026-11-20.json", packaged_genai_prices())
    read = cached_feed(file, feed, tmp_path / "store")
    same_feed(read, parse_feed(file, feed))
    other = feed.model_copy(update={"precedence": 7, "options": {"accept": ["0" * 32]}})
    with patch("pipelines.prices.feed_cache.parse_feed", side_effect=AssertionError("read again")):
        same_feed(read, cached_feed(file, other, tmp_path / "store"))


def test_an_unreadable_price_file_stays_one(tmp_path: Path) -> None:
    feed = PriceFeed(feed="map", format="litellm_map")
    file = landed_bytes(tmp_path, "map", "2026-11-20.json", b"{")
    stated = [cached_feed(file, feed, tmp_path / "store") for _ in range(2)]
    assert all(isinstance(item, PriceFeedError) for item in stated)
    assert str(stated[0]) == str(stated[1])
    assert "not JSON" in str(stated[0])
