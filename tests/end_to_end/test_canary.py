"""No text of a prompt is shown anywhere: damaged files of every format, the real daily job, and then everything it wrote.

The prompts of all files hold the canary. Looked through are the terminal, every file below MODELMETER_HOME (Dagster's compute
logs, reports, the store), and every table of the warehouse and of Dagster's own database.
"""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psycopg
import pytest
import yaml
from psycopg import sql

from pipelines.benchmarks.formats import FORMATS as BOARDS
from pipelines.config.sources import BILL_FORMATS
from pipelines.prices.feeds import FORMATS
from pipelines.settings import Settings
from pipelines.warehouse.open import open_database
from tests.assets.conftest import SAMPLE_CONFIG, SmallSample
from tests.end_to_end.installation import Finished, Installation
from tests.faults.damage import shapes
from tests.unit.bills.reports import REPORTS
from tests.unit.requests.samples import SAMPLES, SECRET
from tests.unit.shadow.record import GOOD
from tests.warehouse_fixtures import lay_cluster

ARRIVAL = "2026-02-16"
CUTS = 6
TORN = (
    b'{"'
    + SECRET.encode()
    + b'": "'
    + SECRET.encode()
    + b'\x00\xff\n"'
    + SECRET.encode()
    + b",\n{"
    + SECRET.encode()
    + b"}\n"
)
WITH_OPTIONS = {
    "leaderboards": {"mapping": {"model_field": "model", "scores": [{"field": "score", "benchmark": "b"}]}},
    "prices": {},
}


def crashes(record: object, chance: random.Random) -> Iterator[bytes]:
    """Files of a record in each shape, cut at many places at both ends, spliced with pieces of themselves, with garbage between."""
    for shape in shapes(record):
        cuts = [chance.randrange(len(shape)) for _ in range(CUTS)]
        yield shape[cuts[0] :]
        yield b"\n".join([*(shape[start:] for start in cuts), *(shape[:end] + TORN for end in cuts)])
    yield TORN + shape[: cuts[-1]]


def land_crashes(root: Path) -> dict[str, list[dict[str, object]]]:
    """Land damaged files of every format; the declarations that read them."""
    chance = random.Random(1)
    records = {sample.format: (sample.record, sample.declared) for sample in SAMPLES}
    records |= {name: (REPORTS[name], {}) for name in BILL_FORMATS}
    records["shadow"] = (GOOD, {})
    declared: dict[str, list[dict[str, object]]] = {"requests": [], "prices": [], "leaderboards": []}
    for name, (record, more) in records.items():
        source = f"torn_{name}"
        folder = root / "requests" / source / ARRIVAL
        folder.mkdir(parents=True)
        for number, content in enumerate(crashes(record, chance)):
            (folder / f"{number}.{('jsonl', 'json', 'csv')[number % 3]}").write_bytes(content)
        declared["requests"].append({"source": source, "format": name, **more})
    listed = json.dumps({"model-a": {"input_cost_per_token": 1e-6, "x": SECRET, "litellm_provider": "openai"}}).encode()
    for kind, key, formats in (("prices", "feed", FORMATS), ("leaderboards", "board", BOARDS)):
        for name in sorted(formats):
            folder = root / kind / f"torn_{name}"
            folder.mkdir(parents=True)
            for day, content in ((15, listed[: chance.randrange(len(listed))] + TORN), (16, TORN)):
                (folder / f"2026-02-{day}.{('json', 'csv')[day % 2]}").write_bytes(content)
            options = WITH_OPTIONS[kind].get(name, {})
            entry = {key: f"torn_{name}", "format": name, "options": options}
            declared[kind].append(entry | ({"precedence": 900 + len(declared[kind])} if kind == "prices" else {}))
    return declared


def written_below(home: Path) -> Iterator[tuple[str, str]]:
    """Every file that a run left, with its text; columns of Parquet files are unpacked."""
    for path in sorted(home.rglob("*")):
        if not path.is_file() or "postgres" in path.relative_to(home).parts[:1]:
            continue
        if path.suffix == ".parquet":
            yield str(path), str(pl.read_parquet(path).rows())
        yield str(path), path.read_bytes().decode(errors="replace")


def stored_in(url: str) -> Iterator[tuple[str, str]]:
    """Every row of every table of a database."""
    with psycopg.connect(re.sub(r"\+psycopg2?", "", url)) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            rows = connection.execute(sql.SQL("select t::text from {} as t").format(sql.Identifier(schema, table)))
            for (row,) in rows:
                yield f"{schema}.{table}", row


@pytest.fixture
def torn(tmp_path: Path, small_sample: SmallSample) -> Iterator[Installation]:
    zone, config, home = tmp_path / "landing", tmp_path / "config", tmp_path / "home"
    shutil.copytree(small_sample.root, zone)
    shutil.copytree(SAMPLE_CONFIG, config)
    home.mkdir()
    lay_cluster(home)
    made = Installation(home, zone, extra={"MODELMETER_CONFIG": str(config)})
    yield made
    made.remove()


def good_requests(home: Path) -> set[str]:
    sound = ("gateway", "assistants", "batch")
    with (
        open_database(Settings(home=home)) as database,
        database.connect(read_only=True) as connection,
    ):
        query = (
            "select concat_ws('|', request_uid, source, event_at, request_model, input_uncached_tokens, output_text_tokens, "
            "input_cache_read_tokens, list_cost_usd) from core.request where source = any(%s)"
        )
        return {row for (row,) in connection.execute(query, [list(sound)]).fetchall()}


def test_no_text_of_a_prompt_is_shown_or_kept(
    torn: Installation, undisturbed: Finished, small_sample: SmallSample
) -> None:
    sources = Path(torn.environment["MODELMETER_CONFIG"]) / "sources.yaml"
    declared = yaml.safe_load(sources.read_text())
    for kind, more in land_crashes(torn.landing).items():
        declared[kind] += more
    sources.write_text(yaml.safe_dump(declared))
    process = torn.start("daily", "--date", str(small_sample.days[1]))
    out, err = process.communicate(timeout=600)
    assert process.returncode in (0, 1), err
    assert "Traceback" not in out + err
    assert good_requests(torn.home) == good_requests(undisturbed.home) != set()

    with open_database(Settings(home=torn.home)) as database:
        urls = [database.url.render_as_string(hide_password=False), database.dagster_url]
        with database.connect(read_only=True) as connection:
            read = connection.execute(
                "select count(*), sum(quarantined) from raw.snapshot where source like 'torn%'"
            ).fetchone()
        stored = [found for url in urls for found in stored_in(url)]
    assert read is not None
    assert read[0] > 250
    assert {"raw.quarantine", "core.request", "public.event_logs"} <= {place for place, _ in stored}
    shown = [("stdout", out), ("stderr", err), *written_below(torn.home), *stored]
    places = [
        (place, text[max(0, text.index(SECRET) - 200) : text.index(SECRET) + 60])
        for place, text in shown
        if SECRET in text
    ]
    assert not places, places[:5]
