"""The end-to-end tests share the small sample of the asset tests and the installations of `installation.py`."""

from __future__ import annotations

from tests.assets.conftest import small_sample
from tests.end_to_end.forked import stop_server
from tests.end_to_end.installation import installation, undisturbed


def pytest_sessionfinish() -> None:
    """Stop the server that `forked.py` has started."""
    stop_server()


__all__ = ["installation", "small_sample", "undisturbed"]
