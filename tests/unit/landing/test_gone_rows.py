"""A day whose file and parsed rows retention removed can't be run again: the step says which file, in words that may be shown."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest

from pipelines.landing import LandingError
from pipelines.outside import worded
from pipelines.workspace import Workspace


def test_rows_that_are_gone_are_named(tmp_path: Path) -> None:
    index = pl.DataFrame(
        {"snapshot_id": [b"0" * 16], "format": ["f"], "parser_version": ["1"], "landing_path": ["requests/a/b.jsonl"]}
    )
    with pytest.raises(LandingError) as gone:
        Workspace.parsed_paths(cast("Any", SimpleNamespace(store=tmp_path)), index)
    assert worded(gone.value).startswith("requests/a/b.jsonl was parsed before")
