"""What the engine needs is asked for before anything runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipelines.settings import Settings
from pipelines.spark.engine import SparkEngine
from pipelines.spark.session import SparkMissingError


def test_without_pyspark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(SparkMissingError, match=r"modelmeter\[spark\]"):
        SparkEngine(Settings(home=tmp_path, engine="spark"))


def test_facts_lie_in_the_home_unless_a_place_is_named(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).facts_root == str(tmp_path / "facts")
    assert Settings(home=tmp_path, facts="s3://bucket/facts").facts_root == "s3://bucket/facts"
