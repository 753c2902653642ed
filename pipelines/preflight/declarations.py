"""Options in `sources.yaml` that a format does not take. Each costs its own source, feed or board, so the run goes on without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.benchmarks import packaged_board
from pipelines.benchmarks.formats import FORMATS as BOARDS
from pipelines.bills.formats import build_bill_format
from pipelines.config import ConfigError
from pipelines.config.fetched import FETCH_OPTIONS
from pipelines.config.loader import open_file
from pipelines.config.mistakes import Key
from pipelines.config.sources import VERDICT_OPTIONS, RequestSource, Sources
from pipelines.formats import option_mistakes
from pipelines.prices.feeds import FORMATS as FEEDS
from pipelines.records.layout import Layout, SourceError
from pipelines.requests.formats import build_format
from pipelines.selfhost.formats import FORMATS as HARDWARE
from pipelines.seller_limits.formats import FORMATS as LIMITS
from pipelines.shadow.formats import build_shadow_format


def unusable_declarations(sources: Sources, folder: Path | None, *, use_sample: bool = False) -> list[str]:
    """A line for each wrong option, with the place in the `sources.yaml` in force."""
    return lines_of_sources(list(_mistakes(sources)), folder, use_sample=use_sample)


def lines_of_sources(found: Sequence[tuple[Key, str]], folder: Path | None, *, use_sample: bool) -> list[str]:
    """A line for each problem, with the place of its key in the `sources.yaml` in force."""
    if not found:
        return []
    try:
        file = open_file("sources.yaml", folder, use_sample=use_sample)
    except ConfigError as error:  # it went away since it was read
        return [str(error)]
    return [file.mistake(key, problem) for key, problem in found]


def layout_of(source: RequestSource) -> Layout:
    """The layout by which the source's files are read. Raises SourceError."""
    if source.is_shadow:
        return build_shadow_format(source)
    return build_bill_format(source) if source.is_bill else build_format(source)


def _mistakes(sources: Sources) -> Iterator[tuple[Key, str]]:
    for number, source in enumerate(sources.requests):
        try:
            layout_of(source)
        except SourceError as error:
            yield ("requests", number, *error.key), error.problem
    for number, feed in enumerate(sources.prices):
        options = {
            name: value for name, value in feed.options.items() if name not in (*FETCH_OPTIONS, *VERDICT_OPTIONS)
        }
        for key, problem in option_mistakes(FEEDS[feed.format], options):
            yield ("prices", number, "options", *key), problem
    for number, declared in enumerate(sources.leaderboards):
        board, _ = packaged_board(declared)
        options = {name: value for name, value in board.options.items() if name not in FETCH_OPTIONS}
        for key, problem in option_mistakes(BOARDS[board.format], options):
            yield ("leaderboards", number, "options", *key), problem
    for kind, number, module, given in _of_fetched(sources):
        options = {name: value for name, value in given.items() if name not in FETCH_OPTIONS}
        for key, problem in option_mistakes(module, options):
            yield (kind, number, "options", *key), problem


def _of_fetched(sources: Sources) -> Iterator[tuple[str, int, object, Mapping[str, Any]]]:
    """Kind, place, format and options of what takes no other options than those of its format and of fetching."""
    for number, hardware in enumerate(sources.selfhost):
        yield "selfhost", number, HARDWARE[hardware.format], hardware.options
    for number, limits in enumerate(sources.limits):
        yield "limits", number, LIMITS[limits.format], limits.options
