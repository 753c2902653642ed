"""How a table is shown in Dagster: key, description, grain, columns, owners and kinds, all derived from its one description.

No asset is computed here: the other modules of `assets` hold them, `pipelines.warehouse.tables` describes the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any

import dagster as dg
import polars as pl
import yaml

from assets.partitions import DAILY
from pipelines.warehouse.ddl import column_comment
from pipelines.warehouse.tables import Table

WENT_ON = "The run went on. Mend what the description names; the next run of these days checks it again."
"""What to do about a failed check that stops nothing."""

_FIRST_ROWS = 20


@cache
def _owners() -> list[tuple[str, list[str]]]:
    text = (resources.files("assets") / "owners.yaml").read_text(encoding="utf-8")
    return [(line["assets"], line["owners"]) for line in yaml.safe_load(text)]


def owners_of(key: Sequence[str]) -> list[str]:
    """Who answers for an asset, as `owners.yaml` says."""
    return next(owners for pattern, owners in _owners() if fnmatchcase("/".join(key), pattern))


def table_spec(
    table: Table, *, deps: Iterable[str], kinds: Iterable[str] = ("polars", "postgres"), partitioned: bool = False
) -> dg.AssetSpec:
    """The asset of a table. `deps` are `schema.table` names; a partitioned asset has one partition per UTC day."""
    return dg.AssetSpec(
        key=asset_key(table.qualified),
        deps=[asset_key(dep) for dep in deps],
        description=f"{table.description}\n\n**Grain:** {table.grain}. **Key:** {', '.join(table.primary_key)}.",
        group_name=table.schema,
        owners=owners_of(asset_key(table.qualified).path),
        kinds=set(kinds),
        metadata={"dagster/table_name": table.qualified, "dagster/column_schema": column_schema(table)},
        partitions_def=DAILY if partitioned else None,
    )


def rows_spec(table: Table, rows: str, what: str, *, deps: Iterable[str]) -> dg.AssetSpec:
    """The asset of some rows of a table that several steps write: an asset has one step that makes it.

    `rows` names them and is the last part of the key, `what` says in words which they are. The table itself is the asset
    of the step that writes its other rows.
    """
    return table_spec(table, deps=deps).replace_attributes(
        key=rows_key(table, rows),
        description=f"{what}, of the table {table.qualified}.\n\n{table.description}",
    )


def rows_key(table: Table, rows: str) -> dg.AssetKey:
    """The asset key of some rows of a table."""
    return dg.AssetKey([*asset_key(table.qualified).path, rows])


def asset_key(qualified: str) -> dg.AssetKey:
    """`schema.table` as an asset key."""
    return dg.AssetKey(qualified.split("."))


def column_schema(table: Table) -> dg.TableSchema:
    """Columns with type, meaning and unit, as Dagster's UI shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                column.type,
                description=column_comment(column),
                constraints=dg.TableColumnConstraints(
                    nullable=column.nullable, unique=table.primary_key == (column.name,)
                ),
            )
            for column in table.columns
        ]
    )


def result(
    table: Table, rows: int, preview: pl.DataFrame | None = None, key: dg.AssetKey | None = None, **facts: object
) -> dg.MaterializeResult[Any]:
    """What a run shows of one table, or of some of its rows (`key`): row count, facts of the run and a small preview."""
    metadata: dict[str, Any] = {"dagster/row_count": rows, **_shown(facts)}
    if preview is not None:
        metadata["preview"] = markdown_table(preview)
    return dg.MaterializeResult(asset_key=key or asset_key(table.qualified), metadata=metadata)


def markdown_table(frame: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """A small frame as a table for people."""
    head = "| " + " | ".join(frame.columns) + " |\n|" + "---|" * frame.width
    rows = ("| " + " | ".join(_cell(value) for value in row) + " |" for row in frame.iter_rows())
    return dg.MetadataValue.md("\n".join([head, *rows]))


def _cell(value: object) -> str:
    return "" if value is None else str(value).replace("|", "\\|")


def _shown(facts: Mapping[str, object]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, (int, float, dg.MetadataValue)) else str(value)
        for name, value in facts.items()
    }


def rows_table(rows: Sequence[Mapping[str, str]]) -> dg.TableMetadataValue:
    """Rows as a table with a column for each name, empty where a row lacks it: Dagster refuses records of different fields."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    records = [dg.TableRecord({name: row.get(name) for name in names}) for row in rows]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns=[dg.TableColumn(name) for name in names]))


def nothing_found(check: str, table: Table, found: list[str]) -> dg.AssetCheckResult:
    """A warning that lists what was found, where something was."""
    metadata: dict[str, Any] = {"found": found}
    if found:
        metadata["first_rows"] = rows_table([{"what": line} for line in found[:_FIRST_ROWS]])
        metadata["what_to_do"] = WENT_ON
    return dg.AssetCheckResult(
        check_name=check,
        asset_key=asset_key(table.qualified),
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )
