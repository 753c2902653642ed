"""Runs that fail in the middle: the page of the day is still made from the tables there are, and names what is missing and why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from pipelines.settings import Settings
from pipelines.warehouse.open import open_database
from tests.assets.conftest import SAMPLE_CONFIG, SmallSample
from tests.end_to_end.installation import Installation
from tests.unit.fetch.server import reply, serve
from tests.unit.finops.pages import rows_of, words


def prepare(installation: Installation, statement: str) -> None:
    """Do something to the warehouse of the installation before its first run."""
    with open_database(Settings(home=installation.home)) as database, database.connect() as connection:
        connection.execute(statement)


def test_steps_that_fail_do_not_take_the_page_with_them(installation: Installation, small_sample: SmallSample) -> None:
    """Here a table of Python's is gone, and dbt can't build a model. `assets/test_automation.py` has a page whose spend is known."""
    day = str(small_sample.days[1])
    prepare(
        installation, "drop table mart.request_drift cascade; create table mart.daily_model_spend (event_date date)"
    )
    former = installation.home / "parsed" / "openai_chat-0" / "former.parquet"
    former.parent.mkdir(parents=True)
    former.touch()
    os.utime(former, (0, 0))
    out, err = installation.run("daily", "--date", day, status=1)
    page = installation.home / "reports" / day / "index.html"
    assert f"incomplete report  {page}" in out
    for step in ("request_drift", "dbt_models.build"):
        assert f"failed {step} in the run for {day}" in out
    assert "spend by model" not in out, "totals of tables that this run did not make"
    assert "Traceback" not in err
    shown = HTMLParser(page.read_text(encoding="utf-8"))
    assert "is not known yet: the run failed before it was computed" in words(shown, ".headline")
    failures = words(shown, "#failures")
    assert "request_drift psycopg.errors.UndefinedTable" in failures
    assert "dbt_models.build dbt did not build model.modelmeter.daily_model_spend" in failures
    for table in ("mart.request_drift", "mart.daily_model_spend"):
        assert [table, "never made"] in rows_of(shown, "stale")
    assert former.exists(), "nothing is removed after a run that failed"
    installation.run("prune")
    assert not former.exists()


def test_a_failed_run_for_programs(installation: Installation, small_sample: SmallSample) -> None:
    """Here the facts are gone."""
    day = str(small_sample.days[1])
    prepare(installation, "drop table core.request cascade")
    out, err = installation.run("daily", "--date", day, "--json", status=1)
    facts = json.loads(out)
    page = installation.home / "reports" / day / "index.html"
    assert (facts["summary"], facts["report"], facts["report_is_complete"]) == (None, str(page), False)
    assert "Traceback" not in err
    shown = HTMLParser(page.read_text(encoding="utf-8"))
    assert "is not known yet: the run failed before it was computed" in words(shown, ".headline")
    assert "core_request psycopg.errors.UndefinedTable" in words(shown, "#failures")
    assert ["core.request", "never made"] in rows_of(shown, "stale")


def test_a_landing_zone_that_cant_be_written_costs_the_changed_feed_only(
    installation: Installation, small_sample: SmallSample, tmp_path: Path
) -> None:
    """The feed is named as not landed, its last prices stay in use, and everything else is made."""
    day = str(small_sample.days[1])
    installation.landing = tmp_path / "landing"
    shutil.copytree(small_sample.root, installation.landing)
    landed = sorted(path for path in installation.landing.rglob("*") if path.is_file())
    changed = (installation.landing / "prices" / "litellm_map" / "2026-01-31.json").read_bytes() + b" "
    with serve() as server:
        server.routes["/map.json"] = reply(changed)
        installation.extra = {
            "MODELMETER_OFFLINE": "false",
            "MODELMETER_CONFIG": str(with_url(tmp_path, f"{server.url}/map.json")),
        }
        installation.read_only = can_be_mounted(installation.landing)
        out, _ = installation.run("daily", "--date", day, "--json")
        assert server.count("/map.json") == 1
    assert sorted(path for path in installation.landing.rglob("*") if path.is_file()) == landed
    facts = json.loads(out)
    failed_checks = {
        f"{check['asset']} {check['name']}": check["description"] for check in facts["checks"] if not check["passed"]
    }
    assert (
        "Not landed: litellm_map (the landing zone can't be written: OSError (Read-only file system)"
        in failed_checks["landing.price_feeds fresh"]
    )
    assert facts["summary"]["loaded"] > 0
    assert facts["summary"]["priced"] > 0
    page = HTMLParser(Path(facts["report"]).read_text(encoding="utf-8"))
    assert "Not landed: litellm_map" in words(page, "#checks")


def with_url(folder: Path, url: str) -> Path:
    """The sample's configuration, in which the map has an address."""
    config = folder / "config"
    shutil.copytree(SAMPLE_CONFIG, config)
    sources = config / "sources.yaml"
    declared = "{feed: litellm_map, format: litellm_map,"
    text = sources.read_text(encoding="utf-8")
    assert declared in text
    sources.write_text(text.replace(declared, f"{declared} url: {url},"), encoding="utf-8")
    return config


def can_be_mounted(zone: Path) -> Path:
    """The zone, where a test may mount it read-only."""
    tried = ["unshare", "-m", "mount", "--bind", str(zone), str(zone)]
    if subprocess.run(tried, capture_output=True, check=False).returncode:
        pytest.skip("this system does not let a test mount a folder read-only")
    return zone
