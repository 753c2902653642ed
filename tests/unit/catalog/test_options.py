"""What `modelmeter models` takes on the command line, and what it refuses in words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from typer.testing import CliRunner

from assets.cli import app
from assets.cli.models import _room, _scores, _tokens
from pipelines.catalog import ScoreAtLeast
from pipelines.selfhost.memory import Room


def test_what_is_taken() -> None:
    assert [_tokens(text) for text in (None, "32768", "128k", "1M", "1.5m")] == [
        None,
        32768,
        128_000,
        1_000_000,
        1_500_000,
    ]
    assert [_room(text, Room) for text in (None, "48GB", "2x80", "8 x 141 gb")] == [
        None,
        Room(48),
        Room(80, 2),
        Room(141, 8),
    ]
    assert _scores(["a_b>=40", "quiz@v2 >= -1.5"]) == (ScoreAtLeast("a_b", 40), ScoreAtLeast("quiz@v2", -1.5))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--context", "long"], "accepted is a number of tokens, for example 32768, 128k or 1m"),
        (["--fits", "0GB"], "accepted is the memory of a GPU, for example 48GB or 2x80GB"),
        (["--fits", "0x80GB"], "accepted is the memory of a GPU"),
        (["--bits", "5"], "accepted are 4, 8 and 16"),
        (["--score", "aider=40"], "accepted is BENCHMARK>=SCORE"),
        (["--reads", "smell"], "accepted are text, image, audio, video"),
        (["--mix", "-1"], "greater than or equal to 0"),
    ],
)
def test_what_is_refused_says_what_is_accepted(arguments: list[str], words: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    done = CliRunner().invoke(app, ["models", *arguments])
    assert done.exit_code == 2
    assert words in re.sub(r"\s+", " ", re.sub(r"[│╭╮╰╯─]", " ", done.output))
