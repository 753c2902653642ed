"""The end-to-end tests share the small sample of the asset tests and the installations of `installation.py`."""

from __future__ import annotations

from tests.assets.conftest import pytest_sessionfinish, small_sample
from tests.end_to_end.installation import installation, undisturbed

__all__ = ["installation", "pytest_sessionfinish", "small_sample", "undisturbed"]
