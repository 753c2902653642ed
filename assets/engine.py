"""Who parses files and makes the requests of a day: this process, or Spark, where the settings ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.spark.engine import SparkEngine


def engine_of(settings: Settings) -> SparkEngine | None:
    """None is this process. The extra is imported here alone."""
    if settings.engine == "local":
        return None
    from pipelines.spark.engine import SparkEngine

    return SparkEngine(settings)
