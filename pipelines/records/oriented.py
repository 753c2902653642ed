"""A table in a JSON document as records, however a tool has written it. For `mapping` of boards and `price_mapping`, which say what fields mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

_WRAPPERS = ("data", "rows", "records", "results", "leaderboard", "entries", "items", "models", "scores", "prices")


def records_of(document: object, model_field: str, fields: Collection[str]) -> list[Any] | None:
    """The records of a list, of columns by name, of a header with rows, or of an object by model; None if it is none of these.

    Around them may lie an object with other facts; a row of Hugging Face's API lies in `row`. An object is one by model where most of its
    members have one of `fields`.
    """
    if isinstance(document, list):
        return _of_list(document, model_field)
    if not isinstance(document, Mapping):
        return None
    if isinstance(document.get("columns"), list) and isinstance(document.get("data"), list):
        return _under(document["columns"], document["data"])
    if model_field in document:
        return _of_columns(document)
    held = [document[name] for name in _WRAPPERS if isinstance(document.get(name), (list, Mapping))]
    return records_of(held[0], model_field, fields) if len(held) == 1 else _by_model(document, model_field, fields)


def _by_model(document: Mapping[str, Any], model_field: str, fields: Collection[str]) -> list[Any] | None:
    begins = {name.partition(".")[0] for name in fields} | {*fields}
    scored = [isinstance(record, Mapping) and not begins.isdisjoint(record) for record in document.values()]
    if sum(scored) * 2 <= len(scored):
        return None
    return [
        {model_field: name, **record} if isinstance(record, Mapping) else record for name, record in document.items()
    ]


def _of_list(items: list[Any], model_field: str) -> list[Any]:
    header = items[0] if items else None
    if isinstance(header, list) and model_field in header:
        return _under(header, items[1:]) or items
    if items and all(isinstance(item, Mapping) and isinstance(item.get("row"), Mapping) for item in items):
        return [item["row"] for item in items]
    return items


def _under(header: Sequence[Any], rows: Sequence[Any]) -> list[Any] | None:
    names = [name.get("name") if isinstance(name, Mapping) else name for name in header]
    is_table = all(isinstance(row, list) and len(row) == len(names) for row in rows)
    return [dict(zip(map(str, names), row, strict=True)) for row in rows] if is_table else None


def _of_columns(columns: Mapping[str, Any]) -> list[Any] | None:
    """Lists of one length, or objects of the same index, as data frames write their columns."""
    held = list(columns.values())
    if all(isinstance(column, list) and len(column) == len(held[0]) for column in held):
        return [dict(zip(columns, row, strict=True)) for row in zip(*held, strict=True)]
    if all(isinstance(column, Mapping) and column.keys() == held[0].keys() for column in held):
        return [{name: column[index] for name, column in columns.items()} for index in held[0]]
    return None


def says(value: object, text: str) -> bool:
    """Whether a field has the value that a declaration writes as text, which `true` in JSON is too."""
    return text == str(value) or (isinstance(value, bool) and text == str(value).lower())
