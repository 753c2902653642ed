"""FOCUS's own model of its rules, read in place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def rules(shared_data: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((shared_data / "focus" / "focus_validator_model-1.2.json").read_text())
    return content
