"""The loopback server, and settings with a key for every API in the environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.pull.connectors import CONNECTORS
from pipelines.settings import Settings
from tests.unit.fetch.server import Server, serve

SECRET = "a-key-that-no-file-may-hold"


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for connector in CONNECTORS.values():
        for name in connector.key_env:
            monkeypatch.setenv(name, SECRET)
    return Settings(home=tmp_path / "home", landing=tmp_path / "landing", offline=False)
