"""The dbt project itself: it parses with no environment and no database, sends nothing, and is described throughout."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from pipelines.warehouse.tables import TABLES
from tests.contracts.dbt.conftest import PROJECT, WARNINGS_ARE_ERRORS


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The manifest of a parse in an empty environment, in a home that nothing was in before."""
    home = tmp_path_factory.mktemp("home")
    command = [
        sys.executable,
        "-m",
        "dbt.cli.main",
        *WARNINGS_ARE_ERRORS,
        "parse",
        "--project-dir",
        PROJECT,
        "--profiles-dir",
        PROJECT,
    ]
    done = subprocess.run(
        [*command, "--target-path", home / "target", "--log-path", home / "logs"],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in home.iterdir()) == ["logs", "target"]
    content: dict[str, Any] = json.loads((home / "target" / "manifest.json").read_text(encoding="utf-8"))
    return content


@pytest.mark.slow
def test_nothing_is_sent(manifest: dict[str, Any]) -> None:
    assert manifest["metadata"]["send_anonymous_usage_stats"] is False
    assert manifest["metadata"]["user_id"] is None
    assert not (PROJECT / ".user.yml").exists()
    assert not (PROJECT / "packages.yml").exists()


def test_models_have_their_schemas_and_descriptions(manifest: dict[str, Any]) -> None:
    models = {n["name"]: n for n in manifest["nodes"].values() if n["resource_type"] == "model"}
    marts = {(table.schema, table.name) for table in TABLES if table.built_by == "dbt"}
    assert {(node["schema"], name) for name, node in models.items()} == {
        ("staging", "stg_request"),
        ("core", "price_in_force"),
        ("core", "request_charge"),
        *marts,
    }
    for node in models.values():
        assert node["description"]
        assert all(column["description"] for column in node["columns"].values())
        assert node["config"]["meta"]["dagster"]["group"] == node["schema"]


def test_every_mart_has_a_key_that_is_held_and_leads_to_the_report(manifest: dict[str, Any]) -> None:
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    assert [node["name"] for node in tests if not node["description"]] == []
    marts = {
        uid: node
        for uid, node in manifest["nodes"].items()
        if node["schema"] == "mart" and node["resource_type"] == "model"
    }
    for node in marts.values():
        assert node["contract"]["enforced"]
        assert "primary_key" in {constraint["type"] for constraint in node["constraints"]}
    (report,) = manifest["exposures"].values()
    assert set(report["depends_on"]["nodes"]) == set(marts)
