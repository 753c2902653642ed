"""Assets of the dbt project: every model of `dbt_like` as an asset, every data test as an asset check.

The specs come from dbt's manifest, which set-up builds (never an import). dbt itself runs in a process of its own, see
`dbt_resource.py`. The SQL is in `dbt_like/models`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
import psycopg

from assets.boundary import in_own_words
from assets.dbt_resource import PROJECT_DIR, DbtProcess
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import asset_key, owners_of, result, rows_table, table_spec
from pipelines.config import ConfigError
from pipelines.daily import Window
from pipelines.outside import ANY_FAILURE
from pipelines.quality.wording import SAMPLE_SIZE
from pipelines.warehouse.read import count_rows
from pipelines.warehouse.tables import TABLES_BY_NAME


@cache
def manifest() -> Mapping[str, Any]:
    """dbt's manifest. Raises ConfigError with what to run where set-up has not built it."""
    path = PROJECT_DIR / "target" / "manifest.json"
    if not path.is_file():
        raise ConfigError(f"{path} is missing: run `make setup` in the checkout, which builds dbt's manifest")
    content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def build_marts() -> dg.AssetsDefinition:
    """The dbt models as one asset definition that builds the window with one dbt call.

    Its first step lets dbt begin; the second one takes what came of it, after all steps that need no mart. So the server
    builds marts while the run is busy with something else.
    """
    models = _models_in_order()
    tests = {
        uid: node
        for uid, node in manifest()["nodes"].items()
        if node["resource_type"] == "test" and _tested_model(node) in models
    }
    keys = {"__".join(_key(node).path): _key(node) for node in models.values()}
    specs = [_spec(node) for node in models.values()]
    read = {dep.asset_key for spec in specs for dep in spec.deps} - {*keys.values()}
    inputs = {"__".join(key.path): key for key in sorted(read)}
    checks = {node["name"]: _check_spec(node, models) for node in tests.values()}
    begin, build = _begin(inputs), _build(models, tests, [*keys, *checks])
    return dg.AssetsDefinition(
        node_def=dg.GraphDefinition(
            "dbt_models",
            node_defs=[begin, build],
            dependencies={build.name: {"begun": dg.DependencyDefinition(begin.name)}},
            input_mappings=[
                dg.InputMapping(graph_input_name=name, mapped_node_name=begin.name, mapped_node_input_name=name)
                for name in inputs
            ],
            output_mappings=[dg.OutputMapping(name, build.name, name) for name in (*keys, *checks)],
        ),
        keys_by_input_name=inputs,
        keys_by_output_name=keys,
        specs=specs,
        check_specs_by_output_name=checks,
        backfill_policy=ONE_PASS,
        can_subset=False,
    )


def _begin(inputs: Iterable[str]) -> dg.OpDefinition:
    """The step in which dbt begins to build the window."""

    @dg.op(name="begin", ins={name: dg.In(dg.Nothing) for name in inputs}, out=dg.Out(dg.Nothing))
    @in_own_words
    def begin(context: dg.OpExecutionContext, dbt: dg.ResourceParam[DbtProcess]) -> None:
        """Let dbt begin to build and test every model for the window."""
        dbt.begin(context.run.run_id, _command(context))

    return begin


def _command(context: dg.OpExecutionContext) -> list[str]:
    window = window_of(context)
    variables = {"from_date": str(window.from_date), "to_date": str(window.to_date)}
    return ["build", "--exclude-resource-type", "unit_test", "--vars", json.dumps(variables)]


def _build(
    models: Mapping[str, Mapping[str, Any]], tests: Mapping[str, Mapping[str, Any]], outputs: Iterable[str]
) -> dg.OpDefinition:
    """The step that waits until dbt has built the window."""

    @dg.op(
        name="build",
        ins={"begun": dg.In(dg.Nothing)},
        out={name: dg.Out(dg.Nothing, is_required=False) for name in outputs},
        tags={"dagster/priority": "-1"},
    )
    @in_own_words
    def build(
        context: dg.OpExecutionContext, mm: WorkspaceResource, dbt: dg.ResourceParam[DbtProcess]
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        """What dbt has built and tested."""
        outcomes = dbt.outcomes(context.run.run_id, _command(context))
        with mm.workspace.database.connect() as connection:
            for uid, node in models.items():
                if outcomes.get(uid, {}).get("status") == "success":
                    yield _materialized(connection, node, outcomes[uid], window_of(context))
        with mm.workspace.database.connect(read_only=True) as connection:
            for uid, node in tests.items():
                if uid in outcomes:
                    yield _checked(connection, node, models[_tested_model(node)], outcomes[uid])
        failed = [uid for uid in models if outcomes.get(uid, {}).get("status") != "success"]
        if failed:
            raise dg.Failure(f"dbt did not build {', '.join(failed)}: {_messages(outcomes, failed)}")

    return build


def _check_spec(node: Mapping[str, Any], models: Mapping[str, Mapping[str, Any]]) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        node["name"],
        asset=_key(models[_tested_model(node)]),
        description=node["description"],
        blocking=node["config"]["severity"].lower() == "error",
    )


def _models_in_order() -> dict[str, Mapping[str, Any]]:
    """Every model by unique id, those that others read first."""
    nodes = {uid: node for uid, node in manifest()["nodes"].items() if node["resource_type"] == "model"}
    sorter = TopologicalSorter(
        {uid: [d for d in node["depends_on"]["nodes"] if d in nodes] for uid, node in nodes.items()}
    )
    return {uid: nodes[uid] for uid in sorter.static_order()}


def _spec(node: Mapping[str, Any]) -> dg.AssetSpec:
    deps = sorted({name for uid in node["depends_on"]["nodes"] if (name := _qualified(uid)) is not None})
    table = TABLES_BY_NAME.get(f"{node['schema']}.{node['name']}")
    if table is not None:
        return table_spec(table, deps=deps, kinds=("dbt", "postgres"), partitioned=True)
    return dg.AssetSpec(
        key=_key(node),
        deps=[asset_key(dep) for dep in deps],
        description=node["description"],
        group_name=node["config"]["meta"]["dagster"]["group"],
        owners=owners_of(_key(node).path),
        kinds={"dbt", "postgres"},
        partitions_def=DAILY,
    )


def _materialized(
    connection: psycopg.Connection[Any], node: Mapping[str, Any], outcome: Mapping[str, Any], window: Window
) -> dg.MaterializeResult[Any]:
    table = TABLES_BY_NAME.get(f"{node['schema']}.{node['name']}")
    seconds = round(outcome["execution_time"], 3)
    if table is None:  # a view: counting it would scan every day there is
        return dg.MaterializeResult(asset_key=_key(node), metadata={"execution_seconds": seconds})
    days = (window.from_date, window.to_date)  # as for every table: to count all days took longer each day
    rows = count_rows(connection, table.qualified, "event_date >= %s and event_date < %s", days)
    return result(table, rows, execution_seconds=seconds)


def _checked(
    connection: psycopg.Connection[Any], node: Mapping[str, Any], model: Mapping[str, Any], outcome: Mapping[str, Any]
) -> dg.AssetCheckResult:
    rows: dict[str, Any] = {}
    if outcome["status"] != "pass" and outcome.get("compiled_code"):
        rows["query"] = query = outcome["compiled_code"].replace('"', "").strip()
        found = _first_rows(connection, query)
        if found:
            rows["first_rows"] = rows_table(found)
        rows["what_to_do"] = (
            'See every row: modelmeter sql "<query>". What is made of a table whose blocking test failed was not made.'
        )
    return dg.AssetCheckResult(
        check_name=node["name"],
        asset_key=_key(model),
        passed=outcome["status"] == "pass",
        severity=dg.AssetCheckSeverity.ERROR if outcome["status"] in {"fail", "error"} else dg.AssetCheckSeverity.WARN,
        metadata={
            "status": outcome["status"],
            "failures": outcome["failures"] or 0,
            "message": _first_line(outcome),
            **rows,
        },
    )


def _first_rows(connection: psycopg.Connection[Any], query: str) -> list[dict[str, str]]:
    """Some rows that a test of dbt returns, as text; none where it can't be asked again, as after an error of its own."""
    try:
        with connection.transaction():
            found = connection.execute(f"select * from ({query}\n) as failed limit {SAMPLE_SIZE}".encode())
            names = [column.name for column in found.description or ()]
            return [
                {name: "" if value is None else str(value) for name, value in zip(names, row, strict=True)}
                for row in found.fetchall()
            ]
    except ANY_FAILURE:
        return []


def _key(node: Mapping[str, Any]) -> dg.AssetKey:
    return asset_key(f"{node['schema']}.{node['name']}")


def _qualified(unique_id: str) -> str | None:
    node = manifest()["nodes"].get(unique_id) or manifest()["sources"].get(unique_id)
    if node is None or node["resource_type"] not in {"model", "source", "seed"}:
        return None
    return f"{node['schema']}.{node['name']}"


def _tested_model(node: Mapping[str, Any]) -> str:
    """The model that a test is shown on: the one it is attached to, else the first one it reads."""
    attached: str | None = node.get("attached_node")
    return attached or next((uid for uid in node["depends_on"]["nodes"] if uid.startswith("model.")), "")


def _messages(outcomes: Mapping[str, Mapping[str, Any]], failed: list[str]) -> str:
    return "; ".join(_first_line(outcomes[uid]) for uid in failed if uid in outcomes) or "see MODELMETER_HOME/dbt"


def _first_line(outcome: Mapping[str, Any]) -> str:
    """dbt's message on a node, up to where the database's own words begin, which may quote a value."""
    return str(outcome["message"] or "").partition("\n")[0].strip()
