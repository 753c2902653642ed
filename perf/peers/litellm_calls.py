"""litellm's `cost_per_token` on calls of a CSV file, by its own map; the clock starts after the import."""

from __future__ import annotations

import csv
import json
import os
import resource
import sys
from pathlib import Path


def main() -> None:
    """Price every line of the file named on the command line; prints rows, processor seconds and how many had a price."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no network
    import litellm

    with Path(sys.argv[1]).open(newline="") as file:
        calls = [(row[0], *map(int, row[1:])) for row in list(csv.reader(file))[1:]]
    priced = 0
    before = _processor_s()
    for model, fresh, cached, output in calls:
        try:
            litellm.cost_per_token(
                model=model, prompt_tokens=fresh + cached, completion_tokens=output, cache_read_input_tokens=cached
            )
            priced += 1
        except Exception:  # noqa: BLE001 - the map has no such model: litellm raises Exception itself
            continue
    took = _processor_s() - before
    print(json.dumps({"rows": len(calls), "cpu_s": [took], "rows_per_cpu_s": len(calls) / took, "priced": priced}))


def _processor_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
