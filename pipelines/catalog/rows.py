"""The catalogue as rows of mart.model_catalog, with every fact's source and what other sources say.

What is known is put together in `entries.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.catalog.entries import Entry
from pipelines.config.model_facts import FACTS, Fact, Layers, ModelFacts
from pipelines.config.selfhost import Machine
from pipelines.selfhost.memory import GB, Fit, Room, cache_bytes, fit, weight_bytes
from pipelines.warehouse.tables.mart_catalog import MODEL_CATALOG

_WIDTHS = (16, 8, 4)
_CONTEXTS = {"32k": 32_768, "128k": 131_072}
_MIX = Decimal(3)
_FIT_TOKENS = 8192


def catalog_rows(entries: Iterable[Entry], machines: Sequence[Machine], day: date) -> pl.DataFrame:
    """Rows of mart.model_catalog."""
    rows = [_row(entry, machines, day) for entry in entries]
    return pl.DataFrame(rows, schema=MODEL_CATALOG.polars_schema).sort("model_id")


def _row(entry: Entry, machines: Sequence[Machine], day: date) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(MODEL_CATALOG.polars_schema)
    cheapest = entry.cheapest(_MIX)
    row |= {
        "model_id": entry.model_id,
        "as_of": day,
        "display_name": entry.display_name,
        "developer": entry.developer,
        "family": entry.family,
        "openness": "unknown",
        "is_released": True,
        "fits": "{}",
        "prices": json.dumps([_plain(price.__dict__) for price in entry.prices]),
        "scores": json.dumps([_plain(score.__dict__ | {"benchmark": score.benchmark}) for score in entry.scores]),
        "requests_30d": entry.requests_30d,
        "spend_30d_usd": entry.spend_30d_usd,
        "facts": "{}",
        "conflicts": [],
        "unverified": [],
    }
    if cheapest is not None:
        row |= {
            "cheapest_provider_id": cheapest.provider_id,
            "cheapest_input_usd_per_mtok": cheapest.input_usd_per_mtok,
            "cheapest_output_usd_per_mtok": cheapest.output_usd_per_mtok,
        }
    if entry.facts is not None:
        row |= _facts(entry.facts) | _memory(entry.facts) | {"fits": json.dumps(_fits(entry.facts, machines))}
    return row


def _facts(facts: ModelFacts) -> dict[str, Any]:
    known = {name: fact for name in FACTS if (fact := facts.fact(name)) is not None}
    licence = facts.licence
    plain = ("total_params_b", "active_params_b", "context_tokens", "extended_context_tokens", "tools", "released_on")
    row: dict[str, Any] = {name: known[name].value for name in plain if name in known}
    row |= {name: list(known[name].value) for name in ("input_modalities", "output_modalities") if name in known}
    if licence is not None:
        row |= {
            "licence": licence.value.licence,
            "licence_is_spdx": licence.value.is_spdx,
            "licence_restricts": list(licence.value.restricts),
            "licence_terms": licence.value.terms or None,
        }
    if facts.openness is not None:
        row["openness"] = facts.openness.value
    return row | {
        "is_released": facts.is_released,
        "facts": json.dumps({name: described(fact) for name, fact in known.items()}),
        "conflicts": sorted(facts.conflicts),
        "unverified": sorted(name for name, fact in known.items() if not fact.is_verified),
    }


def described(fact: Fact[Any]) -> dict[str, Any]:
    """A fact as plain values: what, who says so, since when, whether that was read, and what others say."""
    found = {
        "value": _value(fact.value),
        "source": fact.source.title,
        "as_of": str(fact.source.as_of),
        "url": fact.source.url,
        "is_verified": fact.is_verified,
    }
    if fact.note:
        found["note"] = fact.note
    if fact.others:
        found["others"] = [described(other) for other in fact.others]
    return found


def _value(value: object) -> object:
    """A fact's value as JSON has it: layers as objects, days as text."""
    if isinstance(value, tuple):
        return [item.model_dump(exclude_defaults=True) if isinstance(item, Layers) else item for item in value]
    return value if isinstance(value, (int, float, str)) else str(value)


def _memory(facts: ModelFacts) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if facts.total_params_b is not None:
        params = facts.total_params_b.value
        row |= {f"weights_gb_{bits}bit": weight_bytes(params, bits) / GB for bits in _WIDTHS}
        if facts.native_bits is not None:
            row["weights_gb_native"] = weight_bytes(params, facts.native_bits.value) / GB
    if facts.layers is not None:
        layers, longest = facts.layers.value, _longest(facts)
        row |= {
            f"cache_gb_{name}": cache_bytes(layers, tokens) / GB
            for name, tokens in _CONTEXTS.items()
            if longest is None or tokens <= longest
        }
    return row


def _longest(facts: ModelFacts) -> int | None:
    known = [fact.value for fact in (facts.context_tokens, facts.extended_context_tokens) if fact is not None]
    return max(known, default=None)


def _fits(facts: ModelFacts, machines: Sequence[Machine]) -> dict[str, dict[str, bool | None]]:
    """Each machine to each width in bits: whether weights and a context of 8,192 tokens fit; null where not known."""
    if facts.openness is not None and facts.openness.value == "closed":
        return {}
    found: dict[str, dict[str, bool | None]] = {}
    for machine in machines:
        room = Room(machine.gpu_gb, machine.gpus)
        judged = {bits: fit(facts, room, bits=bits, tokens=_FIT_TOKENS) for bits in _WIDTHS}
        found[machine.machine] = {
            str(bits): item.fits if isinstance(item, Fit) else None for bits, item in judged.items()
        }
    return found


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
        for name, value in values.items()
    }
