"""Shadow measurements in JSON lines, CSV or Parquet: one record per request and model that answered it, or judged answer.

    {"request_id": "r-17", "session_id": "s-3", "provider": "deepseek", "model": "deepseek-v3.2", "input_tokens": 812,
     "output_tokens": 240, "cost_usd": 0.00033, "score": 1, "score_kind": "gold"}

`options.columns` names other columns: `{request_id: trace, score: passed}`. `defaults` fill provider, model, arm, use_case,
score_kind and judge where no record says so. Counts follow OpenAI: input contains cached, output contains reasoning tokens.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.config.mistakes import accepted_are
from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Layout, Paths, SourceError

_TEXT: dict[str, Paths] = {
    "request_id": ("request_id", "source_request_id", "id"),
    "session_id": ("session_id", "conversation_id"),
    "use_case": ("use_case", "application"),
    "arm": ("arm",),
    "raw_provider": ("provider", "provider_id"),
    "raw_model": ("model", "model_id"),
    "score_kind": ("score_kind",),
    "judge": ("judge", "judge_model"),
}
_USAGE: dict[str, Paths] = {
    "input": ("input_tokens", "prompt_tokens"),
    "output": ("output_tokens", "completion_tokens"),
    "cache_read": ("cache_read_tokens", "cached_tokens"),
    "cache_write": ("cache_write_tokens",),
    "reasoning": ("reasoning_tokens",),
}
_NUMBERS: dict[str, Paths] = {"score": ("score",), "propensity": ("propensity",)}
_MONEY: dict[str, Paths] = {"cost_usd": ("cost_usd", "cost")}
_INSTANTS: dict[str, Paths] = {"event_at": ("event_at", "timestamp", "created_at")}
_WITH_DEFAULT = ("raw_provider", "raw_model", "arm", "use_case", "score_kind", "judge")
_DEFAULT_NAMES = {"provider_id": "raw_provider", "provider": "raw_provider", "model": "raw_model"}


def build(source: RequestSource) -> Layout:
    """The layout, with the columns and defaults that the source declares."""
    columns = _columns(source)
    constants = {}
    for name, value in source.defaults.items():
        known = _DEFAULT_NAMES.get(name, name)
        if known not in _WITH_DEFAULT:
            raise SourceError(
                source.source, ("defaults", name), accepted_are(name, ("provider_id", "model", *_WITH_DEFAULT[2:]))
            )
        constants[known] = str(value)
    if source.attribution:
        raise SourceError(
            source.source, ("attribution",), "format shadow takes none; the request itself says whose it is"
        )
    return Layout(
        name="shadow",
        version="1",
        text=_named(_TEXT, columns),
        usage=_named(_USAGE, columns),
        numbers=_named(_NUMBERS, columns),
        money=_named(_MONEY, columns),
        instants=_named(_INSTANTS, columns),
        constants=constants,
        time=TimeRule("iso"),
    )


def _columns(source: RequestSource) -> Mapping[str, str]:
    unknown = sorted(set(source.options) - {"columns"})
    columns = source.options.get("columns", {})
    if unknown or not isinstance(columns, dict):
        name = unknown[0] if unknown else "columns"
        raise SourceError(source.source, ("options", name), "format shadow takes columns, a map of its fields to yours")
    fields: dict[str, str] = {
        "provider": "raw_provider",
        "model": "raw_model",
        **{f"{name}_tokens": name for name in _USAGE},
    }
    known = {*fields, *_TEXT, *_NUMBERS, *_MONEY, *_INSTANTS} - {"raw_provider", "raw_model"}
    strange = sorted(set(columns) - known)
    if strange:
        raise SourceError(source.source, ("options", "columns", strange[0]), accepted_are(strange[0], sorted(known)))
    return {fields.get(str(name), str(name)): str(column) for name, column in columns.items()}


def _named(paths: Mapping[str, Paths], columns: Mapping[str, str]) -> dict[str, Paths]:
    return {name: (columns[name],) if name in columns else known for name, known in paths.items()}
