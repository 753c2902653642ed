"""The connection to a Spark master, for as long as a step needs executors."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LOOPBACK = ("local", "spark://127.0.0.1", "spark://localhost")


class SparkMissingError(RuntimeError):
    """The extra or Java is not installed."""


@contextmanager
def spark_session(master: str, given: Mapping[str, str]) -> Iterator[SparkSession]:
    """A session at `master`; `given` are properties of Spark, which go before ours. Executors are given back at the end.

    Raises SparkMissingError.
    """
    try:
        from pyspark import SparkConf
        from pyspark.sql import SparkSession
    except ImportError:
        raise SparkMissingError(
            "the engine spark needs PySpark: pip install 'modelmeter[spark]', and Java 17 for the driver and every executor"
        ) from None
    # PySpark reads the executors' Python from here alone.
    os.environ.setdefault("PYSPARK_PYTHON", given.get("spark.pyspark.python", sys.executable))
    conf = SparkConf().setMaster(master).setAppName("modelmeter").setAll(list(_properties(master, given).items()))
    session = SparkSession.builder.config(conf=conf).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield session
    finally:
        session.stop()


def _properties(master: str, given: Mapping[str, str]) -> dict[str, str]:
    """What a session of ours needs: no page on the network, one thread per task, and few rows per batch, because ours are large."""
    own = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.executorEnv.POLARS_MAX_THREADS": "1",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "16",
        "spark.sql.session.timeZone": "UTC",
    }
    if master.startswith(_LOOPBACK):
        own |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        if "PYTHONPATH" in os.environ:
            own["spark.executorEnv.PYTHONPATH"] = os.environ["PYTHONPATH"]
    return {**own, **given}
