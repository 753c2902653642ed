"""The table of docs/mistakes.md, line by line: what is written there is said, and everything that ships is without a mistake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.config import ConfigError, load_config
from pipelines.config.mistakes import found
from pipelines.preflight import (
    absent_fields,
    undeclared_folders,
    unknown_names,
    unknown_variables,
    unusable_declarations,
)

DOCS = Path(__file__).resolve().parents[3] / "docs" / "mistakes.md"
ROWS = [
    re.findall(r"`([^`]+)`", line) for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
]
IN_FILES = [row for row in ROWS if len(row) == 3 and row[0].endswith(".yaml")]
GATEWAY = "requests: [{source: gateway, format: litellm_spend_logs, attribution: {team: TEAM}}]\n"


def said(folder: Path) -> list[str]:
    """What a command says of a folder of configuration, without the folder's own name."""
    try:
        config = load_config(folder)
        lines = [*unusable_declarations(config.sources, folder), *unknown_names(config, folder)]
    except ConfigError as error:
        lines = str(error).splitlines()
    return [line.removeprefix(f"{folder}/") for line in lines]


def fits(line: str, documented: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, documented.split("…"))), line) is not None


def test_the_table_is_long_enough() -> None:
    assert len(IN_FILES) >= 13


@pytest.mark.parametrize(("name", "text", "documented"), IN_FILES, ids=[f"{row[0]}-{row[1][:40]}" for row in IN_FILES])
def test_a_mistake_is_one_line_as_documented(tmp_path: Path, name: str, text: str, documented: str) -> None:
    (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    found = said(tmp_path)
    assert [line for line in found if fits(line, documented)], found
    others = [line for line in found if "columns" not in line and not fits(line, documented)]
    assert others == [], "one mistake, one line"


def test_every_mistake_of_every_file_is_said_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text(
        "requests:\n  - source: a\n    format: nothing\nprces: []\n", encoding="utf-8"
    )
    (tmp_path / "periods.yaml").write_text("# closed\nclosed: 2026-01-01\n", encoding="utf-8")
    assert [line.split(": ")[0] for line in said(tmp_path)] == ["sources.yaml:3", "sources.yaml:4", "periods.yaml:2"]


def test_a_long_or_nested_value_is_not_repeated(tmp_path: Path) -> None:
    secret = "s3cret" * 30
    (tmp_path / "sources.yaml").write_text(
        f"requests: [{{source: {{a: {secret}}}, format: '{secret}'}}]", encoding="utf-8"
    )
    assert all(secret not in line for line in said(tmp_path))


@pytest.mark.parametrize("use_sample", [False, True])
def test_what_ships_has_no_mistake(use_sample: bool) -> None:
    assert unusable_declarations(load_config(None, use_sample=use_sample).sources, None, use_sample=use_sample) == []


def test_variables_that_nothing_reads() -> None:
    assert any(fits(line, row[1]) for row in ROWS if len(row) == 2 for line in unknown_variables(["MODELMETER_LANDIN"]))
    ours = [
        "MODELMETER_HOME",
        "MODELMETER_ALERT_FINOPS",
        "MODELMETER_LANDING",
        "PATH",
        "MODELMETER_PORT_5432_TCP",
        "MODELMETER_SERVICE_HOST",
    ]
    assert unknown_variables(ours) == []


def test_folders_and_fields_that_nothing_matches(tmp_path: Path) -> None:
    config, zone = tmp_path / "config", tmp_path / "landing"
    for folder in ("request", "requests/gatway/2026-02-14", "requests/gateway/2026-02-14", "requests/_set_aside"):
        (zone / folder).mkdir(parents=True)
    config.mkdir()
    (zone / "requests/gateway/2026-02-14/a.jsonl").write_text('{"request_id": "1", "team_id": "x"}\n', encoding="utf-8")
    (config / "sources.yaml").write_text(GATEWAY.replace("TEAM", "team_idd"), encoding="utf-8")
    found = load_config(config)
    lines = [*undeclared_folders(found, zone), *absent_fields(found.sources, zone, config)]
    lines = [line.removeprefix(f"{config}/") for line in lines]
    documented = [row[-1] for row in ROWS if row and not row[0].endswith(".yaml")]
    assert len(lines) == 3
    assert all(any(fits(line, text) for text in documented) for line in lines), lines
    (config / "sources.yaml").write_text(GATEWAY.replace("TEAM", "team_id"), encoding="utf-8")
    assert absent_fields(load_config(config).sources, zone, config) == []


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_of_tables_are_looked_for(tmp_path: Path, suffix: str) -> None:
    import polars as pl

    config, zone = tmp_path / "config", tmp_path / "landing"
    folder = zone / "requests" / "batch" / "2026-02-14"
    folder.mkdir(parents=True)
    config.mkdir()
    frame = pl.DataFrame(
        {"at": ["2026-02-14T00:00:00Z"], "tokens_in": [1], "owner": ["x"], "empty": pl.Series([None], dtype=pl.String)}
    )
    (frame.write_csv if suffix == "csv" else frame.write_parquet)(folder / f"a.{suffix}")
    text = "requests: [{source: batch, format: mapping, attribution: {team: ownr}, options: {columns: {event_at: at, input: token_in, session_id: empty}}}]"
    (config / "sources.yaml").write_text(text, encoding="utf-8")
    lines = absent_fields(load_config(config).sources, zone, config)
    assert [line.rpartition("; ")[2] for line in lines] == ["did you mean 'owner'?", "did you mean 'tokens_in'?"]


SECRETS = [
    ("sources.yaml", {"prices": [{"feed": "a", "format": "litellm_map", "options": {"headers_env": {"X-Key": "sk-hidden-0123456789"}}}]}),
    ("sources.yaml", {"prices": [{"feed": "a", "format": "litellm_map", "options": {"headers_env": "Bearer hidden0123456789"}}]}),
    ("sources.yaml", {"prices": [{"feed": "a", "format": "litellm_map", "options": {"headers_env": {"sk-hidden-012345": "Name"}}}]}),
    ("sources.yaml", {"prices": [{"feed": "a", "format": "sk-hidden-0123456789"}]}),
    ("sources.yaml", {"leaderboards": [{"board": "a", "format": "epoch", "stale_after_hours": "eyJhiddeneyJhidden"}]}),
    ("sources.yaml", {"leaderboards": [{"board": "a", "format": "epoch", "stale_after_hours": "https://u:hidden@host/x"}]}),
    ("sources.yaml", {"requests": [{"source": "a", "format": "codex", "pull": "postgres://u:hidden@host/x"}]}),
    ("sources.yaml", {"requests": [{"source": "a", "format": "codex", "sk-hidden-0123456789": 1}]}),
    ("alerts.yaml", {"channels": [{"channel": "slack", "url_env": "slack://hidden/hidden/hidden"}]}),
    ("alerts.yaml", {"channels": [{"channel": "slack", "url_env": "U", "min_usd": "https://hooks.example/T0?token=hidden"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content"), SECRETS)
def test_a_key_in_a_wrong_place_is_refused_and_never_shown(name: str, content: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / name).write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError) as error:
        load_config(tmp_path)
    assert name in str(error.value)
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    "value", ["claude-sonnet-4-5-20250929", "openai_costs_api", "2026-02-01", "data/requests/2026-02", "gpt-5.2"]
)
def test_what_is_no_key_is_shown(value: str) -> None:
    assert found(value) == repr(value)


@pytest.mark.parametrize(
    "model", ["llava-7b", "glm-4.5-flashx", "gpt-9", "claude-sonnet-9", "acme-house-model", "gpt-*", "*"]
)
def test_a_model_that_nobody_declares_is_no_mistake(tmp_path: Path, model: str) -> None:
    """Logs and price feeds know more models than any file; only a word that is a letter or two off is a misspelt one."""
    text = (
        f"discounts: [{{discount: d, provider_id: openai, models: ['{model}'], percent: 5, from_date: 2026-02-01}}]\n"
    )
    (tmp_path / "commitments.yaml").write_text(text, encoding="utf-8")
    assert said(tmp_path) == []
