"""A stream that an emitter is known to miscount: another record of the same call is believed, and the call counts once.

The counts are those that OpenLLMetry's instrument for Anthropic wrote of a stream of 21 output tokens (`make interop`): it adds the one
that `message_start` names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.config.sources import LookAlike, Sighting
from pipelines.requests import Preferences
from tests.unit.requests.helpers import all_days
from tests.unit.requests.test_sightings import kept, otel, span

WRONG, RIGHT = (101, 22), (101, 21)
OPENLLMETRY, OPENINFERENCE = "opentelemetry.instrumentation.anthropic", "openinference.instrumentation.anthropic"
MESSAGE = "msg_01AbCdEfGhIjKlMnOp"


@pytest.mark.parametrize("flag", ["gen_ai.is_streaming", "gen_ai.request.stream"])
def test_by_the_id_of_the_answer(flag: str, tmp_path: Path) -> None:
    wrong = span(1, WRONG, scope=OPENLLMETRY, answer=MESSAGE, **{flag: True})
    right = span(2, RIGHT, scope="com.anthropic.sdk.python", answer=MESSAGE, trace=2, at=0.01)
    assert kept(all_days([otel(tmp_path, wrong, right)])) == [("app", *RIGHT)]


def test_by_the_span_around_it(tmp_path: Path) -> None:
    outer = span(1, RIGHT, scope=OPENINFERENCE)
    inner = span(2, WRONG, scope=OPENLLMETRY, parent=1, **{"gen_ai.is_streaming": True})
    assert kept(all_days([otel(tmp_path, outer, inner)])) == [("app", *RIGHT)]


def test_three_instruments_of_one_call(tmp_path: Path) -> None:
    outer = span(1, RIGHT, scope=OPENINFERENCE)
    wrong = span(2, WRONG, scope=OPENLLMETRY, parent=1, answer=MESSAGE, **{"gen_ai.is_streaming": True})
    right = span(3, RIGHT, scope="com.anthropic.sdk.python", parent=1, answer=MESSAGE, at=0.01)
    assert kept(all_days([otel(tmp_path, outer, wrong, right)])) == [("app", *RIGHT)]


@pytest.mark.parametrize(
    ("scope", "attributes", "inner"),
    [
        (OPENLLMETRY, {}, WRONG),
        (OPENLLMETRY, {"gen_ai.is_streaming": False}, WRONG),
        ("opentelemetry.instrumentation.openai", {"gen_ai.is_streaming": True}, WRONG),
        (OPENLLMETRY, {"gen_ai.is_streaming": True}, (102, 22)),
    ],
    ids=["not a stream", "stated to be none", "another emitter", "another input"],
)
def test_other_counts_stay_other_calls(
    scope: str, attributes: dict[str, Any], inner: tuple[int, int], tmp_path: Path
) -> None:
    outer = span(1, RIGHT, scope=OPENINFERENCE)
    assert len(kept(all_days([otel(tmp_path, outer, span(2, inner, scope=scope, parent=1, **attributes))]))) == 2


def test_alone_it_counts_as_it_is(tmp_path: Path) -> None:
    assert kept(all_days([otel(tmp_path, span(1, WRONG, scope=OPENLLMETRY, **{"gen_ai.is_streaming": True}))])) == [
        ("app", *WRONG)
    ]


def test_rules_make_three_instruments_of_one_call_one(tmp_path: Path) -> None:
    """As LangChain under two instruments and the span of Anthropic's SDK: three traces, no id that two of them share."""
    scopes = (
        "com.anthropic.sdk.python",
        "openinference.instrumentation.langchain",
        "opentelemetry.instrumentation.langchain",
    )
    spans = [
        span(10 * call + n, RIGHT, scope=scope, trace=10 * call + n, at=100 * call + n / 100)
        for call in (1, 2) for n, scope in enumerate(scopes) if (call, n) != (2, 0)
    ]  # fmt: skip
    rules = [(scopes[0], scopes[1]), (scopes[0], scopes[2]), (scopes[1], scopes[2])]
    declared = tuple(LookAlike(keep=Sighting(emitter=keep), drop=Sighting(emitter=drop)) for keep, drop in rules)
    found = all_days([otel(tmp_path, *spans)], Preferences(look_alikes=declared))
    assert kept(found) == [("app", *RIGHT)] * 2
    assert found.duplicates["rule"].to_list() == ["declared_look_alike"] * 3
