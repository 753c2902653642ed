"""A step of the daily run pulls bills and logs before they are read: what an API says today is what the books hold, and a source that
fails is a warning of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest
import yaml

from assets.landing import request_logs
from assets.resources import WorkspaceResource
from pipelines.daily.accounting import files_accounted
from pipelines.daily.bills import refresh_reported_costs
from pipelines.daily.ingest import ingest_requests
from pipelines.settings import Settings
from pipelines.workspace import open_workspace
from tests.unit.fetch.server import Server, reply, serve
from tests.unit.pull.upstream import PATHS, Upstream, numbered

DAYS = [datetime.now(UTC).date() - timedelta(days=back) for back in (3, 2, 1)]


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


def pulled(settings: Settings) -> dg.AssetCheckEvaluation:
    """One run of the step, which succeeds whatever its sources do; what its check says."""
    assert settings.database_url is not None
    resource = WorkspaceResource(
        home=str(settings.home), landing=str(settings.landing), config=str(settings.config), offline=False,
        database_url=settings.database_url.get_secret_value(),
    )  # fmt: skip
    with dg.instance_for_test() as instance:
        result = dg.materialize([request_logs], instance=instance, resources={"mm": resource})
    (check,) = result.get_asset_check_evaluations()
    return check


def billed(settings: Settings) -> Decimal:
    with open_workspace(settings) as workspace:
        assert not ingest_requests(workspace, None).problems
        outcome = refresh_reported_costs(workspace)
        assert all(checked.success for checked in files_accounted(workspace))
        return outcome.billed_usd


def test_bills_are_pulled_read_and_revised(
    server: Server, database_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "k")
    monkeypatch.setenv("LITELLM_API_KEY", "k")
    upstream = Upstream(server, numbered("openai_costs", DAYS, 5))
    upstream.serve("openai_costs")
    server.routes[PATHS["litellm"][0]] = reply(status=401)
    (tmp_path / "landing").mkdir()
    (tmp_path / "config").mkdir()
    requests = [
        {"source": "bill", "format": "openai_costs_api", "pull": {"kind": "openai_costs", "url": server.url}},
        {"source": "gateway", "format": "litellm_spend_logs", "pull": {"kind": "litellm", "url": server.url}},
    ]
    (tmp_path / "config" / "sources.yaml").write_text(yaml.safe_dump({"requests": requests}))
    settings = database_settings.model_copy(
        update={"landing": tmp_path / "landing", "config": tmp_path / "config", "offline": False}
    )
    check = pulled(settings)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR), "requests are missing"
    assert "gateway: " in str(check.description)
    assert "bill: " not in str(check.description)
    said = sum(record["amount"]["value"] * 100 for records in upstream.records.values() for record in records)
    assert billed(settings) == Decimal(round(said)) / 100
    upstream.records[DAYS[-1]][0]["amount"]["value"] += 10
    server.routes[PATHS["litellm"][0]] = reply(b'{"data": [], "total_pages": 0}')
    assert pulled(settings).passed
    said = sum(record["amount"]["value"] * 100 for records in upstream.records.values() for record in records)
    assert billed(settings) == Decimal(round(said)) / 100
