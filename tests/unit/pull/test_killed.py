"""A pull that is killed at any call leaves what the next one completes: nothing is lost, and nothing lands twice."""

from __future__ import annotations

import json
import os
import signal
import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pipelines.config.sources import RequestSource
from pipelines.landing import write_atomically
from pipelines.landing.atomic import create
from pipelines.pull import api
from pipelines.settings import Settings
from tests.unit.fetch.server import Server
from tests.unit.pull.test_apis import DAYS, NOW, declared, files, pulled
from tests.unit.pull.upstream import Upstream, numbered

STEPS = {
    "asking": "pipelines.pull.api.get",
    "landing": "pipelines.landing.zone.create",
    "noting": "pipelines.pull.landed.write_atomically",
}


def killed_at(call: int, place: str, done: Callable[..., Any], settings: Settings, source: RequestSource) -> bool:
    """Pull in a process that is killed at that call of one step; False where it ended before it came to it."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # a fork of a process with threads; the server's is not needed there
        child = os.fork()
    if child == 0:
        count = 0

        def dies(*args: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return done(*args, **named)

        patch = pytest.MonkeyPatch()
        patch.setattr(place, dies)
        pulled(settings, source)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        *(("langfuse", step) for step in STEPS),
        ("openai_costs", "asking"),
        ("litellm", "asking"),
        ("anthropic_analytics_costs", "asking"),
        ("helicone", "asking"),
    ],
)
@pytest.mark.slow
def test_killed_at_any_call(kind: str, step: str, server: Server, settings: Settings) -> None:
    """Every style of paging: a token, buckets with a token, numbers, offsets."""
    upstream = Upstream(server, numbered(kind, DAYS, 3))
    upstream.serve(kind)
    source = declared(server, kind, look_back_days=0, **({"params": {"limit": 2}} if kind == "helicone" else {}))
    done = {"asking": api.get, "landing": create, "noting": write_atomically}[step]
    kills = 0
    while killed_at(kills + 1, STEPS[step], done, settings, source):
        kills += 1
        assert kills < 50
    assert kills > 0
    pulled(settings, source, NOW + timedelta(hours=1))
    held = "".join(file.path.read_text() for file in files(settings))
    for records in upstream.records.values():
        for record in records:
            assert held.count(json.dumps(record)) == 1
