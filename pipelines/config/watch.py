"""Schema of `watch.yaml`: known changes of served models, which the watch over the log must not report as silent.

What the watch compares, and when it raises an alarm, is in `pipelines.behaviour`.
"""

from __future__ import annotations

from datetime import date

from pydantic import ConfigDict, Field

from pipelines.config.declaration import Declaration


class KnownChange(Declaration):
    """A known change from a day on. It closes alarms, and no earlier day is a reference afterwards.

    Empty fields mean any. `metric` is a metric or the part before its colon (`finish`).
    """

    model_config = ConfigDict(populate_by_name=True)

    from_date: date = Field(alias="from")
    provider: str | None = None
    model: str | None = None
    use_case: str | None = None
    metric: str | None = None
    note: str = ""


class Watch(Declaration):
    """The whole of `watch.yaml`. `strata` are tags whose values are compared apart: prompt versions, task types."""

    strata: tuple[str, ...] = ()
    changes: tuple[KnownChange, ...] = ()
