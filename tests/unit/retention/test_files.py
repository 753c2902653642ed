"""Pages of old days: those that are gone are counted, not those that should be."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.retention.files import prune_reports


def test_what_could_not_be_removed_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in ("2026-02-01", "2026-02-02", "2026-02-03"):
        (tmp_path / day).mkdir()
        (tmp_path / day / "index.html").write_bytes(b"x" * 100)
    whole = shutil.rmtree

    def refusing(path: Path, **options: Any) -> None:
        if path.name != "2026-02-01":
            whole(path, **options)

    monkeypatch.setattr(shutil, "rmtree", refusing)
    removed = prune_reports(tmp_path, date(2026, 2, 3))
    assert (removed.count, removed.size_bytes) == (1, 100)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-02-01", "2026-02-03"]
