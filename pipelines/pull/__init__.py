"""Pulls request logs and bills from APIs, databases and buckets into the landing zone.

What is pulled lands as exact bytes or rows with a sidecar, as if a person had put it there: everything downstream reads only the
landing zone. `pipelines.fetch` does all HTTP. What the records mean is in `pipelines.requests` and `pipelines.bills`.
"""

from __future__ import annotations

from pipelines.pull.reader import PullError
from pipelines.pull.run import PullResult, pull_sources

__all__ = ["PullError", "PullResult", "pull_sources"]
