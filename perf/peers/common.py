"""What every peer needs: the price map as rows, the lines of a sample, psql, and the way to give an answer.

Standard library only. The rules of the work are in `docs/performance.md`.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

LINES = os.environ.get("PERF_LINES", "")
TARGET = os.environ.get("PERF_TARGET", "")
"""Table in Postgres, made empty and without a key by the harness."""
STAGES: defaultdict[str, float] = defaultdict(float)


def prices() -> list[tuple[str, str, str, Decimal, Decimal, Decimal]]:
    """Seller, model, key in the map, and USD per input, cached input and output token."""
    entries = json.loads(Path(os.environ["PERF_PRICES"]).read_text(), parse_float=Decimal, parse_int=Decimal)
    rows = []
    for key, entry in entries.items():
        given = entry["input_cost_per_token"]
        cached = entry.get("cache_read_input_token_cost", given)
        rows.append(
            (entry["litellm_provider"], key.rsplit("/", 1)[-1], key, given, cached, entry["output_cost_per_token"])
        )
    return rows


def sample(count: int) -> Iterator[str]:
    """The first lines of the file."""
    with Path(LINES).open() as file:
        yield from itertools.islice(file, count)


def calls(lines: Iterator[str]) -> Iterator[tuple[dict[str, Any], int, int, int]]:
    """Every valid record once, with its prompt, cached and completion tokens: what the per-row libraries are called with."""
    seen = set()
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record["completion_tokens"] < 0 or record["request_id"] in seen:
            continue
        seen.add(record["request_id"])
        usage = record["metadata"]["usage_object"]
        yield (
            record,
            record["prompt_tokens"],
            usage["prompt_tokens_details"]["cached_tokens"],
            record["completion_tokens"],
        )


def psql(*commands: str, stdin: IO[bytes] | None = None) -> str:
    """Run commands in Postgres and give back what the last one printed."""
    arguments = [part for command in commands for part in ("-c", command)]
    done = subprocess.run(
        [*json.loads(os.environ["PERF_PSQL"]), "-v", "ON_ERROR_STOP=1", "-qAtX", *arguments],
        stdin=stdin, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip().rsplit("\n", 1)[-1]


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Add the time of the block to the stage."""
    started = time.perf_counter()
    yield
    STAGES[name] += time.perf_counter() - started


def key_and_spend() -> tuple[int, str]:
    """Build the primary key, sum the daily spend per model in Postgres; the number of requests and the cost."""
    with stage("key"):
        psql(f"alter table {TARGET} add primary key (request_uid, event_date)")
    with stage("spend"):
        found = psql(
            f"with spend as (select event_date, provider_id, model_id, count(*) as requests, sum(list_cost_usd) as cost "
            f"from {TARGET} group by 1, 2, 3) select sum(requests) || ' ' || trim_scale(sum(cost)) from spend"
        )
    requests, cost = found.split(" ")
    return int(requests), cost


def answer(requests: int, cost: Decimal | str | float, **more: object) -> None:
    """Print the result."""
    text = f"{cost.normalize():f}" if isinstance(cost, Decimal) else str(cost)
    stages = {name: round(seconds, 3) for name, seconds in STAGES.items()}
    sys.stdout.write(json.dumps({"requests": requests, "cost_usd": text, "stages": stages, **more}) + "\n")
