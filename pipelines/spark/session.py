"""The connection to a Spark master, for as long as a step needs executors."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.config import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LOOPBACK = ("local", "spark://127.0.0.1", "spark://localhost")


class SparkMissingError(ConfigError):
    """The extra or Java is not installed. The message says what to install."""


def require_spark() -> None:
    """Raises SparkMissingError where PySpark or Java is not there."""
    needs = "the engine spark needs {}: pip install 'modelmeter[spark]', and Java 17 for the driver and every executor"
    try:
        import pyspark  # noqa: F401
    except ImportError:
        raise SparkMissingError(needs.format("PySpark")) from None
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        raise SparkMissingError(needs.format("Java"))


@contextmanager
def spark_session(master: str, given: Mapping[str, str]) -> Iterator[SparkSession]:
    """A session at `master`; `given` are properties of Spark, which go before ours. Executors are given back at the end.

    Raises SparkMissingError.
    """
    require_spark()
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

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
