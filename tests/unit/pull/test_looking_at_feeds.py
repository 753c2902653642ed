"""`modelmeter sources list` and `sources test` of price feeds and boards: what they show, and that neither changes anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from assets.cli import app
from pipelines.settings import Settings
from tests.unit.fetch.server import Server, reply

MAP = {
    "sample_spec": {},
    "m": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 4e-06},
    "n": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2e-06},
}
BOARD = {
    "leaderboards": [
        {"name": "Verified", "results": [{"name": "alpha", "folder": "a", "resolved": 60.0, "date": "2025-01-01"}]}
    ]
}


@pytest.fixture
def home(server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A configuration with a map, a board, rates and a feed without an address; the folder of everything."""
    server.routes["/map.json"] = reply(json.dumps(MAP).encode(), Content_Type="application/json")
    server.routes["/board.json"] = reply(json.dumps(BOARD).encode(), Content_Type="application/json")
    server.routes["/rates.csv"] = reply(b"Date,USD,CNY\n2026-02-13,1.10,7.90\n", Content_Type="text/csv")
    server.routes["/secret.json"] = reply(status=403)
    prices = [
        {"feed": "map", "format": "litellm_map", "url": f"{server.url}/map.json", "enabled": False},
        {"feed": "genai_prices", "format": "genai_prices", "url": f"{server.url}/genai.json"},
        {"feed": "contract", "format": "price_sheet"},
        {"feed": "secret", "format": "litellm_map", "url": f"{server.url}/secret.json"},
        {"feed": "page", "format": "openrouter_models", "url": f"{server.url}/map.json"},
    ]
    boards = [{"board": "swe", "format": "swebench", "url": f"{server.url}/board.json"}]
    config = tmp_path / "config"
    config.mkdir()
    (config / "sources.yaml").write_text(
        yaml.safe_dump({"prices": prices, "leaderboards": boards, "selfhost": []}), encoding="utf-8"
    )
    (config / "fx.yaml").write_text(
        yaml.safe_dump({"feeds": [{"feed": "ecb", "url": f"{server.url}/rates.csv"}]}), encoding="utf-8"
    )
    for name, value in {"HOME": settings.home, "LANDING": settings.landing, "CONFIG": config}.items():
        monkeypatch.setenv(f"MODELMETER_{name}", str(value))
    monkeypatch.delenv("MODELMETER_OFFLINE", raising=False)
    return tmp_path


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def shown(*command: str, status: int = 0) -> list[str]:
    result = CliRunner().invoke(app, ["sources", *command])
    assert result.exit_code == status, result.output
    return [line.strip() for line in result.output.splitlines()]


def test_a_list_changes_nothing_and_asks_for_nothing(home: Path, server: Server) -> None:
    before = files(home)
    lines = shown("list")
    assert any(line.split() == ["genai_prices", "genai_prices", "never", "reached"] for line in lines)
    assert (files(home), server.seen) == (before, [])


def test_a_price_feed_is_looked_at(home: Path, server: Server) -> None:
    before = files(home)
    assert shown("test", "map") == [
        f"map: litellm_map, {server.url}/map.json",
        "reached      yes",
        "authorised   yes",
        "landed       0 files",
        f"would land   {len(json.dumps(MAP)):,} bytes",
        "records      3 prices of 2 models",
        "first record m at openai, input_uncached: 0.000001 USD for 1 token",
        "last record  n at openai, input_uncached: 0.000002 USD for 1 token",
    ]
    assert files(home) == before


def test_boards_and_rates_are_looked_at(home: Path) -> None:
    before = files(home)
    assert {"records      1 scores of 1 models", "first record alpha: 60.0"} <= set(shown("test", "swe"))
    assert "records      2 rates" in shown("test", "ecb")
    assert files(home) == before


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("secret", {"reached      yes", "authorised   no"}),
        ("page", {"reached      yes", "authorised   yes", "records      none"}),
        ("contract", {"error        it has no address, and no file of it has landed"}),
    ],
)
def test_a_feed_that_gives_nothing_says_why(name: str, expected: set[str], home: Path) -> None:
    lines = shown("test", name, status=1)
    assert expected <= set(lines)
    assert any(line.startswith("error ") for line in lines)
    assert (name == "contract") == (not any(line.startswith("reached ") for line in lines))


def test_offline_nothing_is_asked(home: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELMETER_OFFLINE", "true")
    assert {"reached      unknown", "error        nothing may be asked for: MODELMETER_OFFLINE is set"} <= set(
        shown("test", "map", status=1)
    )
    assert server.seen == []


def test_a_sheet_without_an_address_is_read_where_it_lies(home: Path, settings: Settings) -> None:
    landed = Path(str(settings.landing)) / "prices" / "contract"
    landed.mkdir(parents=True)
    (landed / "2026-02-01.csv").write_text("provider,model,meter,price\nacme,m,input_uncached,2\n", encoding="utf-8")
    assert "records      1 prices of 1 models" in shown("test", "contract")
