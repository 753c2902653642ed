"""A company's first hour as docs/sources.md writes it: a key and a database in the environment, ten lines of YAML, `modelmeter daily`, the page.

The servers are on loopback, and a proxy that is not there stands between the process and the internet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
import yaml

from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.open import open_database
from tests.end_to_end.installation import Installation
from tests.unit.fetch.server import serve
from tests.unit.pull.upstream import Upstream, numbered
from tests.warehouse_fixtures import lay_cluster

DOCS = Path(__file__).parents[2] / "docs" / "sources.md"
TODAY = datetime.now(UTC).date()
DAYS = [TODAY - timedelta(days=back) for back in (3, 2, 1)]
NOWHERE = "http://127.0.0.1:9"
TABLE = "create table calls (id bigint primary key, at timestamptz not null, model text, tokens_in int, tokens_out int, team text)"


@pytest.fixture
def company(tmp_path: Path, database: Database) -> Iterator[Installation]:
    """Nothing but an empty landing zone and the configuration of the page, its bill asked for on loopback."""
    (home := tmp_path / "home").mkdir()
    (tmp_path / "landing").mkdir()
    (tmp_path / "config").mkdir()
    lay_cluster(home)
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
        for number, day in enumerate(DAYS):
            cursor.execute(
                "insert into calls values (%s, %s, 'gpt-4o', 1000000, 100000, 'search')", [number, f"{day} 10:00+00"]
            )
    with serve() as server:
        upstream = Upstream(server, numbered("openai_costs", DAYS, 2))
        upstream.serve("openai_costs")
        (block,) = re.findall(r"## A first hour\n.*?```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
        assert len(block.splitlines()) == 10
        content = yaml.safe_load(block)
        content["requests"][0]["pull"]["url"] = server.url
        (tmp_path / "config" / "sources.yaml").write_text(yaml.safe_dump(content))
        made = Installation(
            home,
            tmp_path / "landing",
            extra={
                "MODELMETER_CONFIG": str(tmp_path / "config"), "MODELMETER_OFFLINE": "false", "OPENAI_ADMIN_KEY": "a-key",
                "APP_DATABASE_URL": url, "HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1,localhost",
            },
        )  # fmt: skip
        yield made
        made.remove()


@pytest.mark.slow
def test_from_a_key_and_a_database_to_the_page(company: Installation) -> None:
    looked, _ = company.run("sources", "test", "app")
    assert re.search(r"authorised +yes", looked)
    assert re.search(rf"last record +{DAYS[-1]}", looked)
    out, err = company.run("daily")
    assert f"daily run for {DAYS[-1]}" in out + err
    said = " ".join(out.split())
    assert f"2 earlier days hold records that are not loaded: modelmeter daily --from {DAYS[0]} --to {DAYS[1]}" in said
    page = (company.home / "reports" / str(DAYS[-1]) / "index.html").read_text(encoding="utf-8")
    assert "search" in page
    landed = sorted(path.name for path in (company.landing / "requests").rglob("*.json*") if ".meta." not in path.name)
    assert len(landed) == 6, "a file for each day of each source"
    with open_database(Settings(home=company.home)) as warehouse, warehouse.connect(read_only=True) as connection:
        spent = connection.execute(
            "select event_date, sum(list_cost_usd) from core.request where team = 'search' group by 1 order by 1 desc"
        ).fetchone()
        (billed,) = connection.execute("select sum(amount_usd) from core.reported_cost").fetchone() or (None,)
    assert spent == (DAYS[-1], Decimal("2.50") + Decimal("1.00")), "gpt-4o: 2.50 and 10 dollars for a million tokens"
    assert billed == sum(range(1, 7)) / Decimal(100)
