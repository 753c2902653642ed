"""One day of the sample by the installed program: what `make quick` runs of the whole way."""

from __future__ import annotations

import stat

from tests.assets.conftest import SmallSample
from tests.end_to_end.installation import Finished


def test_a_day_becomes_tables_and_a_page(undisturbed: Finished, small_sample: SmallSample) -> None:
    day = small_sample.days[1]
    made = sum(source.requests_by_date[str(day)] for source in small_sample.summary.sources.values())
    assert len(undisturbed.tables["core.request"]) == made
    for table in ("core.price", "core.rate_card", "core.benchmark_score", "mart.daily_model_spend"):
        assert undisturbed.tables[table], table
    page = undisturbed.home / "reports" / str(day) / "index.html"
    assert f"made {made:,} requests" in page.read_text(encoding="utf-8")


def test_a_run_leaves_nothing_that_another_local_user_can_open(undisturbed: Finished) -> None:
    """Folders that root's server passes through are at most passable; all else has no bit for group and others."""
    open_to_others = [
        (str(path.relative_to(undisturbed.home)), oct(mode))
        for path in (undisturbed.home, *undisturbed.home.rglob("*"))
        if not path.is_symlink()
        and (mode := stat.S_IMODE(path.stat().st_mode))
        & (0o066 if path in (undisturbed.home, undisturbed.home / "postgres") else 0o077)
        and "programs-" not in str(path)
    ]
    assert open_to_others == []
