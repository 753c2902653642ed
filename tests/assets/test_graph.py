"""The asset graph against its golden file: an accidental rename, a lost edge or a lost check shows in review.

To accept a change on purpose: `.venv/bin/python -m tests.assets.test_graph`, and look at the diff.
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from assets.cli.ui import GROUPS
from assets.definitions import build_defs
from pipelines.daily.alerts import SPOKEN_FOR
from pipelines.warehouse.tables import TABLES
from pipelines.warehouse.tables.mart import SPEND_TABLES

GOLDEN = Path(__file__).with_name("asset_graph.golden.txt")


def described() -> str:
    defs = build_defs()
    graph = defs.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        parents = ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys)) or "-"
        checks = ", ".join(sorted(check.name for check in graph.get_check_keys_for_assets({key}))) or "-"
        days = "daily" if node.partitions_def is not None else "whole"
        lines.append(
            f"{key.to_user_string()}\n  group {node.group_name}, {days}\n  from {parents}\n  checks {checks}\n"
        )
    return "\n".join(lines)


def test_the_graph_is_the_golden_one() -> None:
    assert described() == GOLDEN.read_text(encoding="utf-8")


def test_the_address_of_the_graph_unfolds_every_group() -> None:
    graph = build_defs().resolve_asset_graph()
    assert {graph.get(key).group_name for key in graph.get_all_asset_keys()} == set(GROUPS)


def test_every_table_is_an_asset() -> None:
    keys = {key.to_user_string().replace("/", ".") for key in build_defs().resolve_asset_graph().get_all_asset_keys()}
    assert {table.qualified for table in TABLES} <= keys


def test_lineage_is_connected_from_the_landing_zone_to_the_report() -> None:
    graph = build_defs().resolve_asset_graph()
    upstream: set[dg.AssetKey] = set()
    frontier = [dg.AssetKey(["report", "html"])]
    while frontier:
        key = frontier.pop()
        upstream.add(key)
        frontier += [parent for parent in graph.get(key).parent_keys if parent not in upstream]
    names = {key.to_user_string() for key in upstream}
    assert {"landing/request_logs", "landing/price_feeds", "landing/leaderboards"} <= names
    assert {"raw/snapshot", "core/request", "core/price", "core/benchmark_score", "mart/daily_model_spend"} <= names


def test_checks_whose_findings_are_events_of_their_own_are_checks() -> None:
    """`models_unchanged`, the name of a step, stood for four checks: each of their findings was sent twice."""
    graph = build_defs().resolve_asset_graph()
    assert {*SPOKEN_FOR} <= {check.name for check in graph.asset_check_keys}


def test_everything_is_explained_to_the_reader_of_the_ui() -> None:
    graph = build_defs().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.group_name != "default", key
        assert node.owners, key
        assert node.kinds, key


def test_the_accounting_of_files_waits_for_every_step_that_sets_records_of_the_report_aside() -> None:
    graph = build_defs().resolve_asset_graph()
    checks = graph.get_check_keys_for_assets({dg.AssetKey(["raw", "quarantine"])})
    (lines,) = (graph.get(key) for key in checks if key.name == "lines_accounted")
    waited_for = {key.to_user_string() for key in lines.parent_entity_keys}
    assert waited_for == {"raw/quarantine", "raw/quarantine/prices", "raw/quarantine/leaderboards"}


def test_a_mart_that_fails_a_data_test_stops_what_is_made_of_it() -> None:
    graph = build_defs().resolve_asset_graph()
    for table in SPEND_TABLES:
        keys = graph.get_check_keys_for_assets({dg.AssetKey([table.schema, table.name])})
        tests = {key.name for key in keys} - {"spend_agrees", "priced_coverage"}
        assert tests
        assert all(graph.get(key).blocking for key in keys if key.name in tests)


if __name__ == "__main__":
    GOLDEN.write_text(described(), encoding="utf-8")
