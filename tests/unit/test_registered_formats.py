"""Every registry holds exactly the formats that `sources.yaml` accepts, and every module offers what its registry asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from pipelines.benchmarks.formats import FORMATS as BOARDS
from pipelines.bills.formats import FORMATS as BILLS
from pipelines.config.sources import (
    BillFormat,
    BoardFormat,
    HardwareFormat,
    LimitFormat,
    LogFormat,
    PriceFormat,
    ShadowFormat,
)
from pipelines.formats import UnknownFormatError
from pipelines.prices.feeds import FORMATS as FEEDS
from pipelines.requests.formats import FORMATS as REQUESTS
from pipelines.selfhost.formats import FORMATS as HARDWARE
from pipelines.seller_limits.formats import FORMATS as LIMITS
from pipelines.shadow.formats import FORMATS as SHADOW

REGISTRIES: list[tuple[Mapping[str, Any], set[str], str]] = [
    (REQUESTS, {*get_args(LogFormat)}, "build"),
    (BILLS, {*get_args(BillFormat)}, "build"),
    (SHADOW, {*get_args(ShadowFormat)}, "build"),
    (FEEDS, {*get_args(PriceFormat)}, "read"),
    (BOARDS, {*get_args(BoardFormat)}, "parse"),
    (HARDWARE, {*get_args(HardwareFormat)}, "read"),
    (LIMITS, {*get_args(LimitFormat)}, "read"),
]


@pytest.mark.parametrize(("registry", "accepted", "offers"), REGISTRIES)
def test_the_formats_are_those_that_can_be_declared(
    registry: Mapping[str, Any], accepted: set[str], offers: str
) -> None:
    assert set(registry) == accepted
    assert all(callable(getattr(registry[name], offers)) for name in accepted)


def test_every_reader_of_prices_states_its_version() -> None:
    assert all(module.VERSION.isdigit() for module in FEEDS.values())


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(UnknownFormatError, match=r"format 'crystal_ball' is not known; accepted are .*lmarena"):
        BOARDS["crystal_ball"]
    assert "_tables" not in BOARDS
