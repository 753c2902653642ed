"""A review that goes on where the run before ended gives what a review of all files gives, and reads only the files that are new."""

from __future__ import annotations

import random
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest

from pipelines.config.models import ModelsConfig
from pipelines.models import build_registry
from pipelines.prices import FeedSnapshot, build_ledger, dated_aliases, feed_names, with_separate_lists
from pipelines.prices.review import Review, Verdict, review
from pipelines.prices.review_state import ReviewState, fresh, keep, resumed
from pipelines.prices.statements import KeptSnapshots, gathered, joined
from tests.unit.prices.feeds import DATED, FEED, price, snapshot

FEEDS = (FEED, DATED)
NAMES = build_registry(ModelsConfig(), [])


def maps(seed: int) -> list[tuple[int, FeedSnapshot]]:
    """Snapshots of two feeds, in order: prices that move, models that come and go, prices with dates, an emptied map."""
    chance = random.Random(seed)
    taken = []
    usd = {f"m{n}": chance.choice((1, 2, 3)) for n in range(12)} | {"m1-2026-01-31": 1}
    for day in range(1, 25):
        number = day % 4 == 0
        if chance.random() < 0.4:
            usd[chance.choice(list(usd))] = chance.choice((1, 2, 3, 4000))
        shown = [name for name in usd if chance.random() > (0.8 if day == 11 else 0.03)] or ["m0"]
        prices = [price(str(usd[name]), raw_model=name) for name in shown]
        if number:
            ends = f"2026-01-{chance.randint(10, 28):02d}"
            dated = {"valid_from": snapshot(ends).observed_at, "date_basis": "stated_effective"}
            prices.append(price("9", raw_model="m3", **dated))
            prices.append(price("5", raw_model="m5", valid_to=snapshot(ends).observed_at))
        taken.append((int(number), snapshot(f"2026-01-{day:02d}", *prices, prices[0], feed=FEEDS[number])))
    return taken


def never(snapshot_id: bytes) -> FeedSnapshot:
    raise AssertionError("read again")


def went_on(path: Path, taken: Sequence[tuple[int, FeedSnapshot]], verdicts: dict[bytes, Verdict]) -> ReviewState:
    order = [item.snapshot_id.hex() + verdicts.get(item.snapshot_id, "") for _, item in taken]
    state = resumed(path, fresh(FEEDS, NAMES, verdicts, never), order)
    for name, (number, item) in list(zip(order, taken, strict=True))[len(state.judged) :]:
        state.reviewing.take(number, item)
        state.judged[name] = item.facts
    keep(path, state)
    return state


def held_of(reviews: Sequence[Review]) -> list[tuple[object, ...]]:
    return [
        (item.snapshot.snapshot_id, item.reason, item.is_whole, item.state, item.changes.rows())
        for one in reviews
        for item in one.held
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_going_on_gives_what_beginning_anew_gives(tmp_path: Path, seed: int) -> None:
    taken = maps(seed)
    verdicts: dict[bytes, Verdict] = {taken[2][1].snapshot_id: "reject"}
    for until in (3, 4, 11, 12, 20, 24):
        state = went_on(tmp_path / "state.zip", taken[:until], verdicts)
    assert [gave.observed_at for gave in state.judged.values() if not isinstance(gave, str)] == [
        item.observed_at for _, item in taken
    ]
    by_feed = [(feed, [item for place, item in taken if place == number]) for number, feed in enumerate(FEEDS)]
    whole = review(by_feed, NAMES, verdicts)
    found = state.reviewing.results()
    assert held_of(found) == held_of(whole)
    assert held_of(whole), "nothing was held, so nothing of it was compared"
    kept = [item.accepted for item in found if isinstance(item.accepted, KeptSnapshots)]
    everything = [item for one in whole for item in one.accepted]
    config = ModelsConfig()
    together = joined(kept)
    names = feed_names(together)
    assert names.sort(names.columns).equals(feed_names(everything).sort(names.columns))
    aliases = dated_aliases(together, config)
    assert aliases.equals(dated_aliases(everything, config))
    registry = with_separate_lists(build_registry(config, names, aliases), together)
    for (feed, _), mine, theirs in zip(by_feed, kept, whole, strict=True):
        assert build_ledger(feed, mine, registry).equals(build_ledger(feed, theirs.accepted, registry))
        assert mine.facts == tuple(item.facts for item in theirs.accepted)
        until = taken[9][1].observed_at
        early = [item for item in theirs.accepted if item.observed_at <= until]
        assert build_ledger(feed, mine.until(until), registry).equals(build_ledger(feed, early, registry))


def test_a_file_in_between_or_another_decision_begins_anew(tmp_path: Path) -> None:
    taken = maps(5)
    path = tmp_path / "state.zip"
    went_on(path, taken, {})
    order = [item.snapshot_id.hex() for _, item in taken]
    start = fresh(FEEDS, NAMES, {}, never)
    assert len(resumed(path, fresh(FEEDS, NAMES, {}, never), [*order, "one more"]).judged) == len(taken)
    assert resumed(path, start, [order[0], "late", *order[1:]]).judged == {}
    assert resumed(path, start, order[:-1]).judged == {}
    assert resumed(path, start, [order[0] + "accept", *order[1:]]).judged == {}
    path.write_bytes(path.read_bytes()[:-50])
    assert resumed(path, start, order).judged == {}


def test_a_review_that_failed_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*rest: object) -> None:
        raise KeyError("what the file held")

    monkeypatch.setattr(import_module("pipelines.prices.review"), "moves", fails)
    went_on(tmp_path / "state.zip", maps(1)[:4], {})
    assert not (tmp_path / "state.zip").exists()


def test_a_statement_is_asked_for_where_its_group_changes_only() -> None:
    steady = [snapshot(f"2026-01-{day:02d}", price("1"), price("2", raw_model="n")) for day in range(1, 20)]
    changed = snapshot("2026-02-01", price("3"), price("2", raw_model="n"))
    stated = gathered([*steady, changed])
    assert stated.runs.select("row", "first", "last").rows() == [(0, 0, 18), (1, 0, 19), (2, 19, 19)]
    assert stated.said().height == 40
    assert stated.until(5).said().equals(gathered(steady[:5]).said())
